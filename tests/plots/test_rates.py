"""Bars of the rates under edits."""

import pytest
from matplotlib.container import BarContainer

from figures import drawn, legend
from latenthash import plots


def test_edit_bars_are_ordered_and_have_their_intervals() -> None:
    edits = {
        "blur": (0.75, 0.5, 0.9),
        "flip": (0.0, 0.0, 0.15),
        "text": (1.0, 0.85, 1.0),
    }
    figure = drawn(plots.edit_bars(edits, 0.95))
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["flip", "blur", "text"]
    (bars,) = [container for container in axes.containers if isinstance(container, BarContainer)]
    assert [bar.get_width() for bar in bars.patches] == [0.0, 0.75, 1.0]
    (errors,) = bars.errorbar[2]
    spans = [segment[:, 0].tolist() for segment in errors.get_segments()]
    assert spans == [pytest.approx(ends) for ends in ([0, 0.15], [0.5, 0.9], [0.85, 1])]
    assert [text.get_text() for text in axes.texts] == ["0.00", "0.75", "1.00"]
    known = next(line for line in axes.lines if str(line.get_label()).startswith("known"))
    assert set(known.get_xdata()) == {0.95}
    assert legend(figure) == ["known edits: 0.95"]


@pytest.mark.parametrize("n", [0, 1, 40])
def test_edit_bars_of_any_number_are_drawn(n: int) -> None:
    edits = {f"e{i}": (0.5, 0.4, 0.6) for i in range(n)}
    (axes,) = drawn(plots.edit_bars(edits, 1.0)).axes
    assert len(axes.texts) == n
