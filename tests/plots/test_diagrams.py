"""Figures of persistence diagrams: every point, on one scale."""

import numpy as np

from latenthash.plots import persistence_diagrams


def test_figure_shows_every_point_of_both_pictures() -> None:
    diagrams = {
        "signal": np.array([[0, 0, -1, -0.2], [1, 0, -0.5, -0.1], [1, 1, -0.3, 0]]),
        "noise_edited": np.array([[0, 0, -0.8, -0.4]]),
    }
    figure = persistence_diagrams(diagrams, ("birth", "death"))
    panels = figure.axes
    assert len(panels) == 2
    for axes, points in zip(panels, diagrams.values(), strict=True):
        shown = np.vstack([c.get_offsets() for c in axes.collections])
        np.testing.assert_array_equal(shown, points[:, 2:])
        assert axes.get_xlim() == axes.get_ylim()
        assert axes.get_aspect() == 1
        assert axes.get_xlim() == panels[0].get_xlim()
    assert "Signal: 2 in H0, 1 in H1" in panels[0].get_title()


def test_figure_without_points() -> None:
    figure = persistence_diagrams({"signal": np.empty((0, 4))}, ("birth", "death"))
    figure.canvas.draw()
    assert "0 in H0" in figure.axes[0].get_title()
