"""Sheets of pictures: each lies where it should."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures import drawn
from latenthash import plots


def tiles(figure: Figure, rows: int, columns: int) -> np.ndarray:
    """Cut a sheet of 4 x 4 px pictures into (rows, columns, 4, 4, 3)."""
    (axes,) = figure.axes
    canvas = np.asarray(axes.images[0].get_array())
    return canvas.reshape(rows, 4, columns, 4, 3).swapaxes(1, 2)


def row_labels(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_reconstructions_lie_under_their_originals() -> None:
    rng = np.random.default_rng(7)
    rows = {
        role: (rng.random((n, 4, 4, 3)), rng.random((n, 4, 4, 3)))
        for role, n in (("signal", 5), ("unseen", 3))
    }
    figure = drawn(plots.reconstructions(rows))
    grid = tiles(figure, 4, 5)
    for i, (originals, decoded) in enumerate(rows.values()):
        np.testing.assert_array_equal(grid[2 * i, : len(originals)], originals)
        np.testing.assert_array_equal(grid[2 * i + 1, : len(decoded)], decoded)
    assert (grid[2:, 3:] == 1).all(), "where there is no picture the sheet is white"
    labels = ["Signal\nview", "Signal\ndecoded", "Unseen\nview", "Unseen\ndecoded"]
    assert row_labels(figure) == labels


@pytest.mark.parametrize("columns", [12, 3, 16])
def test_contact_sheet_shows_two_rows_of_each_set(columns: int) -> None:
    counts = {"signal": 30, "outliers": 5, "noise_similar": 1}
    rng = np.random.default_rng(8)
    sets = {role: rng.integers(0, 255, (n, 4, 4, 3), np.uint8) for role, n in counts.items()}
    figure = drawn(plots.contact_sheet(sets, columns))
    grid = tiles(figure, 6, columns)
    for i, views in enumerate(sets.values()):
        shown = grid[2 * i : 2 * i + 2].reshape(-1, 4, 4, 3)
        count = min(len(views), 2 * columns)
        np.testing.assert_allclose(shown[:count] * 255, views[:count])
        assert (shown[count:] == 1).all()
    assert row_labels(figure) == ["Signal\n(30)", "", "Outliers\n(5)", "", "Noise similar\n(1)", ""]


def test_prior_samples_lie_side_by_side_in_their_order() -> None:
    pictures = np.random.default_rng(9).random((7, 4, 4, 3)) * 1.5 - 0.25
    figure = drawn(plots.prior_samples(pictures, columns=3))
    grid = tiles(figure, 3, 3).reshape(9, 4, 4, 3)
    np.testing.assert_array_equal(grid[:7], pictures.clip(0, 1))
    assert (grid[7:] == 1).all(), "where there is no picture the sheet is white"
    assert row_labels(figure) == ["", "", ""]
    assert "prior" in figure.axes[0].get_title()


def test_heavy_views_lie_under_the_light_ones_of_the_same_pictures() -> None:
    rng = np.random.default_rng(10)
    light, heavy = rng.random((5, 4, 4, 3)), rng.random((5, 4, 4, 3))
    figure = drawn(plots.view_pairs(light, heavy, columns=3))
    grid = tiles(figure, 4, 3)
    for row, views in enumerate((light[:3], heavy[:3], light[3:], heavy[3:])):
        np.testing.assert_array_equal(grid[row, : len(views)], views)
    assert (grid[2:, 2] == 1).all(), "where there is no picture the sheet is white"
    assert row_labels(figure) == ["light", "heavy"] * 2
