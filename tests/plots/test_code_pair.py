"""The figure of two codes: a square for every bit, and the distance among the limits."""

import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from figures import drawn
from latenthash import plots

VIEWS = (np.zeros((24, 24, 3), np.uint8), np.full((24, 24, 3), 90, np.uint8))
LIMITS = {1e-3: 12, 1e-4: 5}


@pytest.mark.parametrize("count", [40, 64])
def test_bits_that_differ_are_drawn_and_counted(count: int) -> None:
    differing = np.zeros(count, bool)
    differing[[0, 17, count - 1]] = True
    pair = plots.CodePair(("a.png", "b.png"), VIEWS, differing, LIMITS, "verdict")
    figure = drawn(plots.code_pair(pair))
    first, second, bits, scale = figure.axes
    assert first.get_title() == "a.png\nas the network sees it"
    np.testing.assert_array_equal(second.images[0].get_array(), VIEWS[1])
    (mesh,) = (one for one in bits.collections if isinstance(one, QuadMesh))
    shown = np.asarray(mesh.get_array()).ravel()
    assert np.flatnonzero(shown).tolist() == [0, 17, count - 1]
    texts = {text.get_text(): text.xy[0] for text in scale.texts}  # type: ignore[attr-defined]
    assert texts == {
        "limit 12\nFPR 0.001": 12, "limit 5\nFPR 0.0001": 5,
        f"{count // 2}\nnothing in common": count // 2, "these two\n3": 3,
    }  # fmt: skip
    assert figure.get_suptitle() == "verdict"


def test_picture_without_a_code_has_no_bits() -> None:
    pair = plots.CodePair(("a $b", "c"), VIEWS, None, {}, "none")
    figure = drawn(plots.code_pair(pair))
    assert not figure.axes[3].texts
