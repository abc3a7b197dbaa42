"""The histogram of distances."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer

from figures import ROLES, drawn, legend
from latenthash import plots


def test_histogram_shows_the_shares_of_each_set() -> None:
    distances = {
        "signal": np.array([0.0, 1.0, 1.9, 2.0, 2.1]),
        "noise_edited": np.array([3.0, 1.0]),
        "noise_similar": np.linspace(2.5, 9, 40),
        "unseen": np.array([1e-9, 500.0, 1e5]),
    }
    figure = drawn(plots.distance_histogram(distances, 2.0))
    (axes,) = figure.axes
    filled = [container for container in axes.containers if isinstance(container, BarContainer)]
    assert len(filled) == 4
    for bars, (role, colour) in zip(filled, ROLES.items(), strict=True):
        assert sum(bar.get_height() for bar in bars.patches) == pytest.approx(1), role
        assert to_hex(bars.patches[0].get_facecolor()) == to_hex(f"tab:{colour}")
    (line,) = axes.lines
    assert set(line.get_xdata()) == {1}
    assert axes.get_xscale() == "log"
    assert set(legend(figure)) == {
        "Signal: 80.0% within R", "Noise edited: 50.0% within R", "Noise similar: 0.0% within R",
        "Unseen: 33.3% within R", "R",
    }  # fmt: skip


def test_histogram_puts_distances_into_the_right_bins() -> None:
    (axes,) = drawn(plots.distance_histogram({"signal": np.array([1.0, 8.0, 8.0, 8.0])}, 2.0)).axes
    tall = [bar for bar in axes.containers[0].patches if bar.get_height() > 0]
    assert [bar.get_height() for bar in tall] == pytest.approx([0.25, 0.75])
    for bar, scaled in zip(tall, (0.5, 4.0), strict=True):
        assert bar.get_x() <= scaled + 1e-9
        assert scaled <= bar.get_x() + bar.get_width() + 1e-9


def test_histogram_of_views_all_within_or_all_far_still_shows_r() -> None:
    for distance in (1e-3, 0.0, 1e4):
        figure = plots.distance_histogram({"signal": np.full(5, distance)}, 1.0)
        low, high = drawn(figure).axes[0].get_xlim()
        assert low < 1 < high
