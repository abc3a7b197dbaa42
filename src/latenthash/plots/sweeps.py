"""Figure of several runs side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from latenthash.plots.style import COLOURS, LABELS, Interval, Points, disc, drawn

COLUMNS = 3  # scatter plots a row
WIDTH = 14.0  # inches
LEAST, LINE = 1.4, 0.32  # inches: height of the lower part, and of every run in it


@dataclass(frozen=True)
class Scatter:
    """A scatter plot among several.

    Attributes:
        title: of the plot.
        points: role -> (N, 2).
        centroid: (2,) of the hash.
        radius: of the hash.
        others: (M, 2) where the centroids of the same with other seeds lie.
        drift: the largest distance between two of all these centroids in the latent space;
            None when there is one alone.
    """

    title: str
    points: Mapping[str, Points]
    centroid: NDArray[np.float64]
    radius: float
    others: Points
    drift: float | None


def comparison(
    scatters: Sequence[Scatter],
    rows: Sequence[tuple[str, Mapping[str, Interval]]],
    names: Sequence[str],
) -> Figure:
    """Draw scatter plots of several runs, and below them their figures with 95 % intervals.

    Args:
        scatters: a plot each.
        rows: label of the run, and its figures by name.
        names: the figures to draw, a panel each.
    """
    lines = -(-len(scatters) // COLUMNS)
    heights = [lines * WIDTH / COLUMNS] * bool(scatters) + [LINE * len(rows) + LEAST]
    figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    if scatters:
        grid = parts[0].subplots(lines, COLUMNS, squeeze=False).ravel()
        for axes, scatter in zip(grid, scatters, strict=False):
            _scatter(axes, scatter)
        for axes in grid[len(scatters) :]:
            axes.set_axis_off()
        # Not every plot has everything.
        handles = {
            label: handle
            for axes in grid[: len(scatters)]
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        parts[0].legend(
            handles.values(),
            handles.keys(),
            loc="outside upper center",
            ncols=7,
            markerscale=2.5,
        )
    _rates(parts[-1], rows, names)
    return figure


def _scatter(axes: Axes, scatter: Scatter) -> None:
    # Unseen first, the Signal last and on top.
    for role in sorted(scatter.points, key=list(COLOURS).index, reverse=True):
        x, y = scatter.points[role].T
        axes.scatter(x, y, s=8, c=COLOURS[role], alpha=0.6, linewidths=0, label=LABELS[role])
    axes.add_patch(disc(scatter.centroid, scatter.radius, 1.2))
    axes.plot([], [], color="black", label="R")
    axes.plot(*scatter.centroid, "k+", ms=9, mew=1.5, ls="", label="centroid")
    if len(scatter.others):
        x, y = scatter.others.T
        axes.plot(x, y, "x", color="tab:orange", ms=6, mew=1.5, label="centroid, other seeds")
    if scatter.drift is not None:
        axes.text(
            0.02, 0.02,
            f"centroid drift over seeds {scatter.drift:.3g}, R = {scatter.radius:.3g}",
            transform=axes.transAxes, fontsize=8,
        )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    # A dollar there is no formula.
    axes.set_title(drawn(scatter.title), parse_math=False, fontsize=11)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)


def _rates(
    figure: SubFigure, rows: Sequence[tuple[str, Mapping[str, Interval]]], names: Sequence[str]
) -> None:
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        for y, (_, figures) in enumerate(rows):
            if name in figures:
                _interval(axes, y, figures[name])
        axes.set(xlim=(-0.05, 1.05), title=name)
        axes.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(rows)), [drawn(label) for label, _ in rows], parse_math=False)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)


def _interval(axes: Axes, y: int, interval: Interval) -> None:
    value, low, high = interval
    error = np.clip([[value - low], [high - value]], 0, None)
    axes.errorbar(value, y, xerr=error, fmt="o", color="tab:red", capsize=3)
