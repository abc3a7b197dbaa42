"""Scatter plot of the latents of a run, as its hash judges them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from numpy.typing import NDArray

from latenthash.plots.plane import Plane
from latenthash.plots.style import COLOURS, LABELS, Points, disc, drawn, short

SHOWN = 6  # unseen pictures beside the scatter plot


@dataclass(frozen=True)
class Judged:
    """Latents of one set, as a hash judges them.

    Attributes:
        z: (N, k).
        distance: (N,) to the centroid, in units of R.
        score: (N,) at most 1 for a match; above the distance where a gate refuses.
    """

    z: Points
    distance: NDArray[np.float64]
    score: NDArray[np.float64]

    @property
    def matches(self) -> NDArray[np.bool_]:
        """Which rows (N,) match."""
        return self.score <= 1

    @property
    def gated(self) -> NDArray[np.bool_]:
        """Which rows (N,) lie within R and do not match all the same."""
        return (self.distance <= 1) & ~self.matches


@dataclass(frozen=True)
class Shown:
    """The views behind the latents of one set.

    Attributes:
        views: (N, H, W, 3) RGB.
        picture: (N,) which picture each view is of.
        names: the pictures' names.
    """

    views: NDArray[np.uint8]
    picture: NDArray[np.int64]
    names: Sequence[str]


def latent_scatter(
    sets: Mapping[str, Judged],
    unseen: Shown,
    plane: Plane,
    radius: float,
    gate: float | None,
    title: str,
) -> Figure:
    """Draw the latents of each set, the disc in which they match, and which are judged wrongly.

    Views within the disc that a gate refuses are hollow; wrong verdicts are large and on top. The
    unseen pictures that match stand beside the map.

    Args:
        sets: role -> latents.
        unseen: the views whose latents are sets["unseen"], in their order.
        plane: where to draw, through the hash's centroid.
        radius: R.
        gate: E; None where the hash has none.
        title: of the figure.
    """
    inside = _inside(sets["unseen"].score, unseen.picture)
    points = plane.project(sets["unseen"].z[inside])
    order = np.argsort(-points[:, 1])  # from above, so that the lines to them do not cross
    inside, points = inside[order], points[order]
    figure = Figure(figsize=(8 + 1.6 * bool(len(inside)), 8), layout="constrained")
    grid = figure.add_gridspec(SHOWN, 6)
    axes = figure.add_subplot(grid[:, :5] if len(inside) else grid[:, :])
    _draw_sets(axes, sets, plane, gate)
    centre = plane.project(plane.centroid[None])[0]
    axes.add_patch(disc(centre, radius, 1.5))
    axes.plot([], [], color="black", label=f"R = {radius:.3g}")
    axes.plot(*centre, "k+", ms=12, mew=2, ls="", label="centroid")
    axes.set_aspect("equal", adjustable="datalim")
    axes.autoscale_view()
    x_label, y_label = plane.axes_labels()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.set_title(drawn(title), parse_math=False)  # a dollar in a run's name is no formula
    if plane.projected:
        axes.text(
            0.01, 0.01,
            f"projected from {len(plane.centroid)} dimensions: "
            "a point inside the disc may lie outside R",
            transform=axes.transAxes, fontsize=8,
        )  # fmt: skip
    if not len(inside):
        axes.text(0.01, 0.97, "no unseen picture matches", transform=axes.transAxes, fontsize=9)
    axes.grid(alpha=0.3)
    for line, (row, point) in enumerate(zip(inside, points, strict=True)):
        name = unseen.names[unseen.picture[row]]
        beside = figure.add_subplot(grid[line, 5])
        _thumbnail(beside, unseen.views[row], name, axes, point)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _inside(score: NDArray[np.float64], picture: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the rows that match to be shown: the nearest of each picture, then the next."""
    nearer: Counter[int] = Counter()  # rows of each picture that come before
    queue = []
    for row in np.argsort(score, kind="stable"):
        if score[row] <= 1:
            queue.append((nearer[picture[row]], score[row], row))
            nearer[picture[row]] += 1
    return np.array([row for _, _, row in sorted(queue)[:SHOWN]], dtype=np.int64)


def _draw_sets(axes: Axes, sets: Mapping[str, Judged], plane: Plane, gate: float | None) -> None:
    """Draw the rows of each set, and say in the legend what hollow and large ones are."""
    wrong = {role: rows.matches == (role != "signal") for role, rows in sets.items()}
    gated = {role: rows.gated for role, rows in sets.items()}
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
    if gate is not None:
        axes.scatter(
            [], [], s=16, facecolors="none", edgecolors="black",
            label=f"hollow: within R, but e > E = {gate:.3g}, no match",
        )  # fmt: skip
    missed = int(wrong["signal"].sum())
    taken = int(sum(rows.sum() for role, rows in wrong.items() if role != "signal"))
    axes.scatter(
        [], [], s=40, c="white", edgecolors="black", linewidths=1.2,
        label=f"large: wrong, {missed} of the Signal missed, {taken} of others matched",
    )  # fmt: skip


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
