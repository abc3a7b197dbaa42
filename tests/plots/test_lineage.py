"""The figure of a lineage: every picture once, below its parents."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox

from figures import drawn
from latenthash.plots.lineage import MOST_WIDE, Member, lineage_tree

PICTURE = np.full((30, 60, 3), 90, np.uint8)
DIAMOND = [
    Member(["root $a"], 0, []),
    Member(["left"], 1, [(0, "3 bits")], PICTURE),
    Member(["right\u4e00"], 1, [(0, "5 bits")]),
    Member(["merge"], 2, [(1, "1 bits"), (2, "2 bits")], colour="tab:red"),
]


def places(figure: Figure) -> dict[str, tuple[float, float]]:
    (axes,) = figure.axes
    return {text.get_text(): text.get_position() for text in axes.texts if text.get_text()}


def test_children_stand_below_their_parents() -> None:
    figure = drawn(lineage_tree(DIAMOND, "lineage of merge"))
    at = places(figure)
    assert at["root $a"][1] < at["left"][1] < at["merge"][1]
    assert at["left"][0] < at["right\ufffd"][0]
    assert {"3 bits", "5 bits", "1 bits", "2 bits"} <= set(at)
    (axes,) = figure.axes
    assert len([one for one in axes.artists if isinstance(one, AnnotationBbox)]) == 1
    assert figure.get_suptitle() == "lineage of merge"


def test_one_picture_is_a_lineage() -> None:
    assert "alone" in places(drawn(lineage_tree([Member(["alone"], 0, [])], "x")))


def test_wide_lineage_says_what_is_left_out() -> None:
    members = [Member(["root"], 0, []), *[Member([str(i)], 1, [(0, "")]) for i in range(40)]]
    figure = lineage_tree(members, "x")
    assert figure.get_suptitle() == f"x\n{40 - MOST_WIDE} more are left out"
