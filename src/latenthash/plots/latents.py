"""Pictures of the latent space: scatter, decoded map, distances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, ConnectionPatch
from numpy.typing import NDArray

from latenthash.data.splits import ViewSet
from latenthash.hashing.enrolled import Hash, Latents, LatentSet
from latenthash.plots.style import COLOURS, LABELS, FloatImages, disc, drawn, short

GRID = 15  # decoded pictures along each axis of the map
SHOWN = 6  # unseen pictures beside the scatter plot


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


def latent_scatter(
    sets: Mapping[str, LatentSet], hash_: Hash, plane: Plane, title: str, unseen: ViewSet
) -> Figure:
    """Draw the latents of each set, the disc in which they match, and which are judged wrongly.

    Views that a gate keeps out of the disc are hollow; wrong verdicts are large and on top. The
    unseen pictures that match stand beside the map.

    Args:
        sets: role -> latents (N, k); with errors where the hash has a gate.
        hash_: centroid, radius and gate.
        plane: where to draw.
        title: of the figure.
        unseen: the views whose latents are sets["unseen"], in their order.
    """
    inside = _inside(sets["unseen"], hash_)
    points = plane.project(sets["unseen"].z[inside])
    order = np.argsort(-points[:, 1])  # from above, so that the lines to them do not cross
    inside, points = inside[order], points[order]
    figure = Figure(figsize=(8 + 1.6 * bool(len(inside)), 8), layout="constrained")
    grid = figure.add_gridspec(SHOWN, 6)
    axes = figure.add_subplot(grid[:, :5] if len(inside) else grid[:, :])
    _draw_sets(axes, sets, hash_, plane)
    centre = plane.project(hash_.centroid[None])[0]
    axes.add_patch(disc(centre, hash_.radius, 1.5))
    axes.plot([], [], color="black", label=f"R = {hash_.radius:.3g}")
    axes.plot(*centre, "k+", ms=12, mew=2, ls="", label="centroid")
    axes.set_aspect("equal", adjustable="datalim")
    axes.autoscale_view()
    x_label, y_label = plane.axes_labels()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.set_title(drawn(title), parse_math=False)  # a dollar in a run's name is no formula
    if plane.projected:
        axes.text(
            0.01, 0.01,
            f"projected from {len(hash_.centroid)} dimensions: "
            "a point inside the disc may lie outside R",
            transform=axes.transAxes, fontsize=8,
        )  # fmt: skip
    if not len(inside):
        axes.text(0.01, 0.97, "no unseen picture matches", transform=axes.transAxes, fontsize=9)
    axes.grid(alpha=0.3)
    for place, (row, point) in enumerate(zip(inside, points, strict=True)):
        name = unseen.names[unseen.picture[row]]
        beside = figure.add_subplot(grid[place, 5])
        _thumbnail(beside, unseen.views[row].numpy(), name, axes, point)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _inside(rows: LatentSet, hash_: Hash) -> NDArray[np.int64]:
    """Choose the rows that match to be shown: the nearest of each picture, then the next."""
    scores = hash_.scores(rows)
    turns: dict[int, int] = {}  # picture -> how many of its rows are nearer
    queue = []
    for row in np.argsort(scores, kind="stable"):
        if scores[row] <= 1:
            picture = int(rows.picture[row])
            queue.append((turns.setdefault(picture, 0), scores[row], row))
            turns[picture] += 1
    return np.array([row for _, _, row in sorted(queue)[:SHOWN]], dtype=np.int64)


def _draw_sets(axes: Axes, sets: Mapping[str, LatentSet], hash_: Hash, plane: Plane) -> None:
    """Draw the rows of each set, and say in the legend what hollow and large ones are."""
    wrong = {role: hash_.matches(rows) == (role != "signal") for role, rows in sets.items()}
    gated = {role: _gated(rows, hash_) for role, rows in sets.items()}
    # Unseen first, the Signal last and on top.
    roles = sorted(sets, key=list(COLOURS).index, reverse=True)
    for role in roles:
        points, colour = plane.project(sets[role].z), COLOURS[role]
        x, y = points[~wrong[role] & ~gated[role]].T
        label = f"{LABELS[role]} ({len(points)})"
        axes.scatter(x, y, s=16, c=colour, alpha=0.65, linewidths=0, label=label)
        x, y = points[~wrong[role] & gated[role]].T
        axes.scatter(x, y, s=16, facecolors="none", edgecolors=colour, linewidths=0.8)
    # Wrong verdicts above all: a dot of another picture would drown among the Signal's.
    for role in roles:
        points, colour = plane.project(sets[role].z), COLOURS[role]
        x, y = points[wrong[role] & ~gated[role]].T
        axes.scatter(x, y, s=40, c=colour, edgecolors="black", linewidths=1.2, zorder=2.5)
        x, y = points[wrong[role] & gated[role]].T
        axes.scatter(x, y, s=40, facecolors="white", edgecolors=colour, linewidths=1.6, zorder=2.5)
    if hash_.gate is not None:
        axes.scatter(
            [], [], s=16, facecolors="none", edgecolors="black",
            label=f"hollow: within R, but e > E = {hash_.gate:.3g}, no match",
        )  # fmt: skip
    missed = int(wrong["signal"].sum())
    taken = int(sum(rows.sum() for role, rows in wrong.items() if role != "signal"))
    axes.scatter(
        [], [], s=40, c="white", edgecolors="black", linewidths=1.2,
        label=f"large: wrong, {missed} of the Signal missed, {taken} of others matched",
    )  # fmt: skip


def _gated(rows: LatentSet, hash_: Hash) -> NDArray[np.bool_]:
    """Say which rows (N,) lie within R and do not match all the same."""
    near: NDArray[np.bool_] = hash_.distances(rows.z) / hash_.radius <= 1
    return near & ~hash_.matches(rows)


def _thumbnail(
    axes: Axes, pixels: NDArray[np.uint8], name: str, onto: Axes, point: NDArray[np.float64]
) -> None:
    """Draw a picture with its name, and a line from it to a point (2,) of the map."""
    axes.imshow(pixels)
    axes.set_title(short(name), fontsize=7, parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
    line = ConnectionPatch(
        (0, 0.5), (point[0], point[1]), "axes fraction", "data",
        axesA=axes, axesB=onto, color="black", lw=0.7,
    )  # fmt: skip
    line.set_in_layout(False)
    axes.add_artist(line)


def decoded_map(
    decode: Callable[[Latents], FloatImages], z: Latents, hash_: Hash, plane: Plane
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


def grid_canvas(pictures: FloatImages) -> FloatImages:
    """Lay out pictures (GRID * GRID, side, side, 3) as one, the first row at the bottom."""
    side = pictures.shape[1]
    # Row 0 of the grid is the lowest z, so rows are stacked from the bottom up.
    rows = pictures.reshape(GRID, GRID, side, side, 3)[::-1]
    canvas: FloatImages = rows.transpose(0, 2, 1, 3, 4).reshape(GRID * side, GRID * side, 3)
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
