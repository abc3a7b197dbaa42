"""Figures of the watermark's benchmark."""

import numpy as np

from figures import drawn
from latenthash import plots


def test_differences_are_drawn_many_times_as_strong() -> None:
    original = np.full((8, 8, 3), 100, np.uint8)
    figure = drawn(plots.marked_pictures([("a.png", original, original + 2)], 10, "title"))
    shown = [axes.images[0].get_array() for axes in figure.axes]
    assert [int(np.asarray(pixels).mean()) for pixels in shown] == [100, 102, 127 + 20]
    assert [axes.get_title() for axes in figure.axes] == ["a.png", "marked", "difference x 10"]


def test_verdict_matrix_shows_counts() -> None:
    counts = np.array([[3, 1], [0, 0]])
    figure = drawn(plots.verdict_matrix(["jpeg", "flip"], ["verified", "none"], counts, "title"))
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert [text.get_text() for text in axes.texts] == ["3", "1"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["jpeg", "flip"]
