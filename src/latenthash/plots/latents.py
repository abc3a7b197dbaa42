"""Pictures of the latent space: scatter, decoded map, distances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from latenthash.hashing import Hash, Latents
from latenthash.plots.style import COLOURS, LABELS, Pixels

GRID = 15  # decoded pictures along each axis of the map


@dataclass(frozen=True)
class Plane:
    """The plane in which latents are drawn: the latent space itself when k is 2.

    Attributes:
        centroid: (k,) a point the plane passes through.
        basis: (k, 2) orthonormal directions; the second is nought when k is 1.
    """

    centroid: NDArray[np.float64]
    basis: NDArray[np.float64]

    @classmethod
    def of(cls, z: Latents, centroid: NDArray[np.float64]) -> "Plane":
        """Span the two directions in which latents z (N, k) vary most."""
        k = z.shape[1]
        if k <= 2:
            return cls(centroid, np.eye(k, 2))
        directions = np.linalg.svd(z - z.mean(0), full_matrices=False)[2]
        return cls(centroid, directions[:2].T)

    @property
    def projected(self) -> bool:
        """Whether drawing loses dimensions."""
        return len(self.centroid) > 2

    def project(self, z: Latents) -> Latents:
        """Map z (N, k) to coordinates in the plane (N, 2)."""
        return z @ self.basis

    def lift(self, points: Latents) -> Latents:
        """Map coordinates (N, 2) to the latents (N, k) that lie there in the plane."""
        return self.centroid + (points - self.project(self.centroid[None])) @ self.basis.T

    def axes_labels(self) -> tuple[str, str]:
        """Name the two axes."""
        if self.projected:
            return "first principal axis of z", "second principal axis of z"
        return "$z_0$", "$z_1$" if len(self.centroid) == 2 else ""


def latent_scatter(sets: Mapping[str, Latents], hash_: Hash, plane: Plane, title: str) -> Figure:
    """Draw the latents of each set, the centroid and the circle of radius R.

    Args:
        sets: role -> z (N, k).
        hash_: centroid and radius.
        plane: where to draw.
        title: of the figure.
    """
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.add_subplot()
    # Unseen first, the Signal last and on top.
    for role in sorted(sets, key=list(COLOURS).index, reverse=True):
        x, y = plane.project(sets[role]).T
        label = f"{LABELS[role]} ({len(x)})"
        axes.scatter(x, y, s=16, c=COLOURS[role], alpha=0.65, linewidths=0, label=label)
    centre = plane.project(hash_.centroid[None])[0]
    axes.add_patch(Circle(tuple(centre), hash_.radius, fill=False, color="black", lw=1.5))
    axes.plot([], [], color="black", label=f"R = {hash_.radius:.3g}")
    axes.plot(*centre, "k+", ms=12, mew=2, label="centroid")
    axes.set_aspect("equal", adjustable="datalim")
    axes.autoscale_view()
    x_label, y_label = plane.axes_labels()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.set_title(title, parse_math=False)  # a dollar in a run's name is no formula
    if plane.projected:
        axes.text(
            0.01, 0.01,
            f"projected from {len(hash_.centroid)} dimensions: "
            "a point inside the circle may lie outside R",
            transform=axes.transAxes, fontsize=8,
        )  # fmt: skip
    axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def decoded_map(
    decode: Callable[[Latents], Pixels], z: Latents, hash_: Hash, plane: Plane
) -> Figure:
    """Draw what the decoder makes of points over the plane, with the hash's circle.

    The grid is linear over the square that the latents occupy: a grid over quantiles of the
    standard normal prior would leave out most of them, for they spread far beyond it.

    Args:
        decode: z (N, k) -> pictures (N, H, W, 3).
        z: (N, k) latents that the map must cover.
        hash_: centroid and radius.
        plane: where to draw.
    """
    centre = plane.project(hash_.centroid[None])[0]
    points = np.vstack([plane.project(z), centre - hash_.radius, centre + hash_.radius])
    middle = (points.min(0) + points.max(0)) / 2
    half = np.ptp(points, axis=0).max() / 2
    cells = np.linspace(-half, half, GRID)
    x, y = np.meshgrid(middle[0] + cells, middle[1] + cells)
    pictures = decode(plane.lift(np.column_stack([x.ravel(), y.ravel()])))
    canvas = grid_canvas(pictures)

    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.add_subplot()
    edge = half * GRID / (GRID - 1)  # cells are drawn around their points
    left, bottom = middle - edge
    right, top = middle + edge
    axes.imshow(canvas, extent=(left, right, bottom, top))
    for colour, width in (("white", 4), ("tab:red", 2)):
        axes.add_patch(Circle(tuple(centre), hash_.radius, fill=False, color=colour, lw=width))
    axes.plot(*centre, "+", color="tab:red", ms=14, mew=3)
    x_label, y_label = plane.axes_labels()
    axes.set(
        xlim=(left, right),
        ylim=(bottom, top),
        xlabel=x_label,
        ylabel=y_label,
        title="Decoded map: what the decoder draws where, and the hash's circle",
    )
    return figure


def grid_canvas(pictures: Pixels) -> Pixels:
    """Lay out pictures (GRID * GRID, side, side, 3) as one, the first row at the bottom."""
    side = pictures.shape[1]
    # Row 0 of the grid is the lowest z, so rows are stacked from the bottom up.
    rows = pictures.reshape(GRID, GRID, side, side, 3)[::-1]
    canvas: Pixels = rows.transpose(0, 2, 1, 3, 4).reshape(GRID * side, GRID * side, 3)
    return canvas.clip(0, 1)


def distance_histogram(distances: Mapping[str, NDArray[np.float64]], radius: float) -> Figure:
    """Draw the distances to the centroid, in units of R, with R as a line.

    Args:
        distances: role -> (N,) distances.
        radius: R.
    """
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.add_subplot()
    scaled = {role: d / radius for role, d in distances.items()}
    values = np.concatenate(list(scaled.values()))
    # A log axis shows what happens near R and far from it; zero has no place on it.
    low = max(values.min(), 1e-2)
    bins = np.geomspace(min(low, 0.5), max(values.max(), 2.0), 45).tolist()
    for role, d in scaled.items():
        share = float((d <= 1).mean())
        axes.hist(
            d.clip(bins[0], bins[-1]), bins,
            weights=np.full(len(d), 1 / len(d)), color=COLOURS[role], alpha=0.25,
        )  # fmt: skip
        axes.hist(
            d.clip(bins[0], bins[-1]), bins, weights=np.full(len(d), 1 / len(d)),
            color=COLOURS[role], histtype="step", lw=1.8,
            label=f"{LABELS[role]}: {share:.1%} within R",
        )  # fmt: skip
    axes.axvline(1, color="black", lw=2, label="R")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(
        xlabel="distance to the centroid / R", ylabel="share of the set's test views",
        title="Distances of test views",
    )  # fmt: skip
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
