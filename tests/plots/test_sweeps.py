"""Several runs side by side."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from figures import ROLES, circles, drawn, latents
from latenthash import plots
from latenthash.plots import Scatter
from latenthash.plots.style import LABELS


def _points(axes: Axes) -> list[tuple[float, ...]]:
    """Value, line and interval of each figure in a panel."""
    found = []
    for container in axes.containers:
        dot, _, (bar,) = container.lines
        ends = bar.get_segments()[0][:, 0]
        found.append((dot.get_xdata()[0], dot.get_ydata()[0], *(round(x, 9) for x in ends)))
    return found


def test_comparison_draws_each_run_on_its_line() -> None:
    first = {"a": (0.5, 0.4, 0.7), "b": (1.0, 0.9, 1.0)}
    rows = [("one", first), ("two (FAILED)", {}), ("three", {"a": (0.2, 0.2, 0.3)})]
    figure = drawn(plots.comparison([], rows, ["a", "b"]))
    left, right = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    labels = [label.get_text() for label in left.get_yticklabels()]
    assert labels == ["one", "two (FAILED)", "three"]
    assert _points(left) == [(0.5, 0, 0.4, 0.7), (0.2, 2, 0.2, 0.3)]
    assert _points(right) == [(1.0, 0, 0.9, 1.0)]
    bottom, top = left.get_ylim()
    assert bottom > top, "the first run is at the top"


def test_comparison_draws_the_scatter_of_each_run_above() -> None:
    scatters = [
        Scatter(f"run {i} of $x", latents(), np.array([i, -1.0]), 0.5 + i, np.ones((i, 2)), None)
        for i in range(2)
    ]
    rows = [("run", {"a": (0.5, 0.4, 0.7)})]
    figure = drawn(plots.comparison(scatters, rows, ["a"]))
    shown = [axes for axes in figure.axes if circles(axes)]
    for axes, scatter in zip(shown, scatters, strict=True):
        assert axes.get_title() == scatter.title
        (circle,) = circles(axes)
        assert circle.get_center() == tuple(scatter.centroid)
        assert circle.get_radius() == scatter.radius
        found = {str(dots.get_label()): dots for dots in axes.collections}
        assert set(found) == {LABELS[role] for role in ROLES}
        for role, colour in ROLES.items():
            dots = found[LABELS[role]]
            np.testing.assert_array_equal(dots.get_offsets(), scatter.points[role])
            assert to_hex(dots.get_facecolor()[0]) == to_hex(f"tab:{colour}")
    assert _points(figure.axes[-1]) == [(0.5, 0, 0.4, 0.7)]
    (box,) = figure.subfigs[0].legends
    named = [text.get_text() for text in box.get_texts()]
    assert "centroid, other seeds" in named, "what the first plot has not is in the legend too"
    assert len(set(named)) == len(named)


def test_interval_that_leaves_out_its_value_is_drawn() -> None:
    rows = [("odd", {"a": (0.5, 0.6, 0.7)})]
    (axes,) = drawn(plots.comparison([], rows, ["a"])).axes
    assert _points(axes) == [(0.5, 0, 0.5, 0.7)]
