"""Figures of the benchmark."""

import numpy as np
import pandas as pd

from figures import drawn, legend
from latenthash import plots

EDITS = pd.DataFrame(
    {
        "edit": ["jpeg_90", "jpeg_10", "flip"],
        "family": ["jpeg", "jpeg", "flip"],
        "strength": [90.0, 10, np.nan],
        "unit": ["quality", "quality", ""],
        "a": [1.0, 0.25, 0.5],
        "b": [0.75, 0.125, 0.0],
    }
)


def test_heat_map_shows_every_share() -> None:
    figure = drawn(plots.edit_heatmap(EDITS, "title"))
    axes = figure.axes[0]
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), EDITS[["a", "b"]])
    assert [text.get_text() for text in axes.texts] == [
        "1.00", "0.75", "0.25", "0.12", "0.50", "0.00"
    ]  # fmt: skip
    assert [label.get_text() for label in axes.get_yticklabels()] == EDITS["edit"].tolist()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]


def test_curves_are_of_families_with_several_strengths() -> None:
    figure = drawn(plots.strength_curves(EDITS, "title"))
    panels = [axes for axes in figure.axes if axes.get_title()]
    (axes,) = panels
    assert (axes.get_title(), axes.get_xlabel()) == ("jpeg", "quality")
    for line, code in zip(axes.lines, ["a", "b"], strict=False):
        assert line.get_xdata().tolist() == [90, 10]
        assert line.get_ydata().tolist() == EDITS[code].tolist()[:2]
    assert legend(figure) == ["a", "b"]


def test_pairs_stand_one_above_the_other_with_names_that_are_no_formulas() -> None:
    dark, light = np.zeros((8, 9, 3), np.uint8), np.full((5, 5, 3), 200, np.uint8)
    figure = drawn(plots.picture_pairs([("$x$.png\n寿", dark, light)], "title"))
    above, below = figure.axes
    assert above.get_title() == "$x$.png\n\ufffd"
    np.testing.assert_array_equal(above.images[0].get_array(), dark)
    np.testing.assert_array_equal(below.images[0].get_array(), light)
