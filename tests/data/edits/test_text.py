"""The text that an edit writes: where it stands, what it says, on any picture."""

import numpy as np
import pytest

from editing import applied, textured
from latenthash.data.edits.text import Text


def test_text_is_written_in_white_and_black_in_the_lower_part() -> None:
    grey = np.full((200, 400, 3), 128, np.uint8)
    before = grey.copy()
    edited = applied(Text("latenthash", 0.12), grey)
    np.testing.assert_array_equal(grey, before)
    changed = (edited != 128).any(axis=2)
    assert not changed[:150].any()
    rows, columns = np.nonzero(changed)
    # From the top of the l to the foot of the a is about three quarters of the 24 px.
    assert 15 <= np.ptp(rows) + 1 <= 28
    assert (rows.min() + rows.max()) / 2 == pytest.approx(170, abs=5)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(199.5, abs=2)
    assert (edited == 255).all(axis=2).sum() > 200
    assert (edited == 0).all(axis=2).sum() > 200


def test_text_says_what_it_is_given_and_grows_with_its_height() -> None:
    grey = np.full((100, 200, 3), 128, np.uint8)
    small, other, large = (
        applied(Text(text, height), grey)
        for text, height in (("ab", 0.1), ("cd", 0.1), ("ab", 0.2))
    )
    assert (small != other).any()
    width = [np.ptp(np.nonzero((x != 128).any(axis=2))[1]) for x in (small, large)]
    assert width[1] / width[0] == pytest.approx(2, abs=0.4)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 100), (100, 8)])
def test_text_fits_any_picture(height: int, width: int) -> None:
    pixels = textured(0, height, width)
    assert applied(Text("latenthash", 0.12), pixels).shape == (height, width, 3)


def test_text_reads_pictures_that_may_not_be_written() -> None:
    pixels = textured(0)
    pixels.setflags(write=False)
    edited = applied(Text("latenthash", 0.12), pixels)
    assert (edited != pixels).any()


def test_text_states_its_arguments() -> None:
    stated = Text("abc", 0.3).to_dict()["transform"]
    assert (stated["text"], stated["height"]) == ("abc", 0.3)
    assert applied(Text("abc", 0.3, p=0.0), textured(0)).tobytes() == textured(0).tobytes()
