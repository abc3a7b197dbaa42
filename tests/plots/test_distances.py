"""The histograms of distances and of similarities."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

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


def similarities(figure: Figure) -> list[BarContainer]:
    """Return the filled bars of the pairs of two pictures and of one."""
    (axes,) = figure.axes
    filled = [container for container in axes.containers if isinstance(container, BarContainer)]
    assert len(filled) == 2
    return filled


def test_similarities_stand_in_their_bins_with_the_threshold() -> None:
    impostors = np.linspace(-0.6, 0.4, 1000, dtype=np.float32)
    genuine = np.array([0.39, 0.41, 0.9, -0.95, 1.0000001], np.float32)
    figure = drawn(plots.similarity_histogram(genuine, impostors, 0.01, "12 numbers", None))
    for bars in similarities(figure):
        assert sum(bar.get_height() for bar in bars.patches) == pytest.approx(1), "none is lost"
    low = next(bar for bar in similarities(figure)[1].patches if bar.get_height() > 0)
    assert low.get_x() <= -0.95 <= low.get_x() + low.get_width()
    (line,) = figure.axes[0].lines
    assert line.get_xdata()[0] == pytest.approx(impostors[989]), "ten of 1,000 are above"
    assert set(legend(figure)) == {
        "two pictures: 1.00% above", "one picture, edited: 80.0% above", "threshold of FPR 0.01",
    }  # fmt: skip
    assert "12 numbers" in figure.axes[0].get_title()


@pytest.mark.parametrize("bits", [8, 64, 256])
def test_bins_of_bits_hold_equally_many_values(bits: int) -> None:
    every = (1 - 2 * np.arange(bits + 1) / bits).astype(np.float32)
    figure = drawn(plots.similarity_histogram(every, every, 0.1, f"{bits} bits", bits))
    bars = similarities(figure)[0].patches
    whole = [bar.get_height() for bar in bars if bar.get_x() > -1 - 1 / bits - 1e-6]
    assert whole == pytest.approx([whole[0]] * len(whole))
    assert whole[0] > 0
    assert sum(bar.get_height() for bar in bars) == pytest.approx(1)


def test_threshold_of_ties_lets_none_of_them_pass() -> None:
    impostors = np.array([0.5] * 5 + [0.0] * 5, np.float32)
    genuine = np.array([0.5, 0.75], np.float32)
    figure = drawn(plots.similarity_histogram(genuine, impostors, 0.2, "8 bits", 8))
    assert "two pictures: 0.00% above" in legend(figure)
    assert "one picture, edited: 50.0% above" in legend(figure)
