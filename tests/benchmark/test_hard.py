"""Hard negatives by hand: pairs within groups, nearest pairs."""

from functools import partial

import numpy as np
import pytest

from given import Given, same
from latenthash.benchmark import hard
from latenthash.benchmark.judging import Half, Judgement, OperatingPoint
from latenthash.benchmark.leaderboard import DECISIVE
from latenthash.codes.code import Code, Vectors
from latenthash.codes.describe import Item
from latenthash.codes.similarity import Bootstrap, Rate
from latenthash.data.edits.suite import Suite
from photographs import photo


def judgement(limit: float, references: object = same) -> Judgement:
    """Return a judgement of a code whose queries are compared as they are."""
    code = Code("given", Given(), 1, same, references, 2.0)  # type: ignore[arg-type]
    none = Rate(0, 0, 1)
    point = OperatingPoint(DECISIVE, limit, True, none, none, [], np.zeros(1))
    return Judgement(code, {DECISIVE: point}, none, None, 1.0)


def half(*numbers: int) -> Half:
    return Half(np.array(numbers), np.array(numbers), Bootstrap(len(numbers), 200, (0,)))


def test_pairs_within_groups_by_hand() -> None:
    described = np.array([[1, 0, 0], [0.9, 0, 0], [0.2, 0, 0], [0, 1, 0], [0, 0.4, 0]], np.float32)
    group = np.array([0, 0, 0, 1, 1])
    bootstrap = Bootstrap(2, 200, (0,))
    # Products: .9, .2, .18 within the first group, .4 within the second; none with itself.
    rate = hard.accepted(judgement(0.3), described, group, bootstrap)
    assert rate.value == pytest.approx(2 / 4)
    assert rate.low == pytest.approx(1 / 3), "the first group alone was drawn"
    assert rate.high == pytest.approx(1)
    assert hard.accepted(judgement(0.95), described, group, bootstrap) == Rate(0, 0, 1)
    assert hard.accepted(judgement(0.1), described, group, bootstrap) == Rate(1, 0, 1)


def test_pair_that_is_the_same_one_way_alone_counts_half() -> None:
    def halved(described: Vectors) -> Vectors:
        return described * np.array([[1], [0.5]], np.float32)

    described = np.array([[1.0, 0, 0], [1.0, 0, 0]], np.float32)
    rate = hard.accepted(
        judgement(0.8, halved), described, np.array([0, 0]), Bootstrap(1, 10, (0,))
    )
    assert rate.value == 0.5


def test_picture_of_no_group_is_in_no_pair() -> None:
    described = np.ones((3, 3), np.float32)
    rate = hard.accepted(judgement(4.0), described, np.array([0, 1, 0]), Bootstrap(1, 10, (0,)))
    assert rate.value == 0
    rate = hard.accepted(judgement(2.0), described, np.array([0, 1, 0]), Bootstrap(1, 10, (0,)))
    assert rate.value == 1


DESCRIBED = np.array(
    [
        [[9, 9, 9], [9, 9, 9], [9, 9, 9]],  # calibrates
        [[1, 0, 0], [1, 0.5, 0.1], [1, 0.9, 0.2]],
        [[0, 1, 0], [0.8, 1, 0.3], [0.7, 1, 0.9]],
        [[0, 0, 1], [0.4, 0.9, 1], [0.4, 0.9, 1]],
    ],
    np.float32,
)


def test_nearest_under_another_code_by_hand() -> None:
    # The references are unit vectors, so a query's numbers are its similarities to them.
    nearest = np.array([[1, 2], [0, 0], [0, 1]])  # .5 .2, .8 .7, .4 .9
    rate = hard.nearest_under(judgement(0.6), DESCRIBED, half(1, 2, 3), nearest)
    assert rate.value == pytest.approx(3 / 6)
    assert (rate.low, rate.high) == (0, 1), "of the three pictures: none, both, one"


def test_nearest_impostors_are_the_likeliest_edit_of_each_pair() -> None:
    from albumentations import HorizontalFlip, InvertImg

    edits = {"flip": {"edit": HorizontalFlip(p=1.0)}, "invert": {"edit": InvertImg(p=1.0)}}
    suite = Suite("test", {"any": edits})
    items = [Item(f"p{i}", f"digest{i}", partial(photo, i)) for i in range(4)]
    found = hard.nearest_impostors(judgement(1), DESCRIBED, items, half(1, 2, 3), suite.edits)
    # Of equal ones, the first picture and then the first edit.
    expected = [(1, 1, 2, 0.9), (2, 1, 3, 0.9), (3, 0, 2, 0.9), (2, 0, 1, 0.8), (3, 0, 1, 0.4),
                (1, 1, 3, 0.2)]  # fmt: skip
    assert len(found) == len(expected)
    for pair, (own, edit, reference, value) in zip(found, expected, strict=True):
        assert pair.similarity == pytest.approx(value / 2)
        assert (pair.edit, pair.picture, pair.other) == (
            suite.edits[edit].name, f"p{own}", f"p{reference}"
        )  # fmt: skip
        made = suite.edits[edit].apply(photo(own).pixels, photo(own).digest)
        np.testing.assert_array_equal(pair.query, made)
        np.testing.assert_array_equal(pair.reference, photo(reference).pixels)
    assert hard.alike_table(found).iloc[0].tolist() == ["0.4500", "invert", "p1", "p2"]

    one_group = Half(np.array([1, 2, 3]), np.array([0, 0, 1]), half(1, 2, 3).bootstrap)
    found = hard.nearest_impostors(judgement(1), DESCRIBED, items, one_group, suite.edits)
    assert {(pair.picture, pair.other) for pair in found} == {
        ("p2", "p3"), ("p3", "p2"), ("p3", "p1"), ("p1", "p3")
    }  # fmt: skip


def test_long_names_are_cut_at_their_beginning() -> None:
    blank = np.zeros((1, 1, 3), np.uint8)
    pair = hard.Alike(0.5, "flip", "a" * 50 + "/dog.png", "cat.png", blank, blank)
    similarity, edit, picture, other = pair.label.split("\n")
    assert (similarity, edit, other) == ("0.500", "flip", "cat.png")
    assert len(picture) == hard.LONGEST
    assert picture.endswith("a/dog.png")
