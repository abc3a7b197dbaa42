"""Describing pictures: once, as they are edited, and never under another's name."""

from functools import partial

import numpy as np
import pytest

from latenthash.cache import DiskCache
from latenthash.codes.code import Vectors
from latenthash.codes.describe import Item, describe
from latenthash.data.edits.suite import Suite, SuiteEdit
from latenthash.data.reading import Picture, Pixels, Reader
from latenthash.data.views import pipeline
from latenthash.errors import InputError
from photographs import READER, items, photo


class Mean:
    """A source that counts how often it is asked."""

    key = "mean"
    side: int | None = 8
    trim = False
    dimensions = 3
    kind = np.float32

    def __init__(self) -> None:
        self.asked = 0

    def describe(self, views: "list[Pixels]") -> Vectors:  # noqa: D102
        self.asked += len(views)
        return np.stack([view.mean((0, 1)) for view in views]).astype(np.float32)


def test_descriptions_are_those_of_the_edited_pictures(suite: Suite, cache: DiskCache) -> None:
    described = describe(items(3), suite.edits, suite, [Mean()], cache, READER)["mean"]
    assert described.shape == (3, 3, 3)
    reduce = pipeline([], 8)
    for i, rows in enumerate(described):
        pixels = photo(i).pixels
        for row, expected in zip(rows, (pixels, pixels[:, ::-1], 255 - pixels), strict=True):
            view = reduce(image=np.ascontiguousarray(expected))["image"]
            np.testing.assert_allclose(row, view.mean((0, 1)), atol=0.5)


def test_killed_run_goes_on_where_it_stopped(suite: Suite, cache: DiskCache) -> None:
    whole = Mean()
    expected = describe(items(12), suite.edits, suite, [whole], cache, READER)["mean"]
    assert whole.asked == 12 * 3
    again = Mean()
    np.testing.assert_array_equal(
        describe(items(12), suite.edits, suite, [again], cache, READER)["mean"], expected
    )
    assert again.asked == 0

    fresh = DiskCache(folder=f"{cache.folder}2", max_bytes=10**7)
    first = Mean()
    describe(items(5), suite.edits, suite, [first], fresh, READER)  # as far as the killed run came
    rest = Mean()
    resumed = describe(items(12), suite.edits, suite, [rest], fresh, READER)["mean"]
    assert rest.asked == 7 * 3
    np.testing.assert_array_equal(resumed, expected)


def test_another_suite_edit_or_source_is_described_anew(suite: Suite, cache: DiskCache) -> None:
    describe(items(2), suite.edits, suite, [Mean()], cache, READER)
    source = Mean()
    describe(items(2), suite.edits, suite, [source], cache, Reader(256, 10**6, (255, 255, 255)))
    assert source.asked == 2 * 3, "decoded in another way, they are other pictures"
    other = Suite("test 2", {"any": {"flip": {"edit": suite.edits[0].transform[0]}}})
    for used, name in ((suite, "another"), (other, "mean")):
        source = Mean()
        source.key = name
        describe(items(2), used.edits, used, [source], cache, READER)
        assert source.asked == 2 * (1 + len(used.edits))


def test_only_edits_that_are_missing_are_described(suite: Suite, cache: DiskCache) -> None:
    def ask(edits: tuple[SuiteEdit, ...]) -> tuple[Vectors, int]:
        source = Mean()
        described = describe(items(2), edits, suite, [source], cache, READER)["mean"]
        return described, source.asked

    plain, asked = ask(())
    assert asked == 2
    second, asked = ask(suite.edits[1:])
    assert asked == 2, "the second edit of two pictures"
    whole, asked = ask(suite.edits)
    assert asked == 2, "the first, between the others"
    np.testing.assert_array_equal(plain, whole[:, :1])
    np.testing.assert_array_equal(second, whole[:, [0, 2]])
    fresh = DiskCache(folder=f"{cache.folder}2", max_bytes=10**7)
    expected = describe(items(2), suite.edits, suite, [Mean()], fresh, READER)["mean"]
    np.testing.assert_array_equal(whole, expected)
    for edits in ((), suite.edits[:1], suite.edits):
        again, asked = ask(edits)
        assert asked == 0
        np.testing.assert_array_equal(again, whole[:, : 1 + len(edits)])


def test_parts_that_are_never_edited_take_no_room_for_edits(suite: Suite, cache: DiskCache) -> None:
    describe(items(1), (), suite, [Mean()], cache, READER)
    (path,) = cache.folder.glob("??/*")
    entry = cache.read_array(path.name)
    assert entry is not None
    assert entry.shape == (1, 3)


def test_damaged_entry_is_described_anew(suite: Suite, cache: DiskCache) -> None:
    expected = describe(items(2), suite.edits, suite, [Mean()], cache, READER)["mean"]
    path = next(cache.folder.glob("??/*"))
    path.write_bytes(path.read_bytes()[:-1])
    source = Mean()
    described = describe(items(2), suite.edits, suite, [source], cache, READER)["mean"]
    assert source.asked == 3
    np.testing.assert_array_equal(described, expected)


def test_picture_that_is_gone_is_named_and_nothing_is_lost(suite: Suite, cache: DiskCache) -> None:
    def gone() -> Picture:
        raise ValueError("cannot be opened (No such file or directory)")

    pictures = items(3)
    lost = [Item("lost.png", "a", gone), *pictures, Item("too.png", "b", gone)]
    with pytest.raises(InputError) as caught:
        describe(lost, suite.edits, suite, [Mean()], cache, READER)
    assert [problem.split()[0] for problem in caught.value.problems] == ["lost.png", "too.png"]
    assert "Bring it back or leave it out" in str(caught.value)
    source = Mean()
    describe(pictures, suite.edits, suite, [source], cache, READER)
    assert source.asked == 0


def test_picture_that_changed_meanwhile_is_not_kept_under_its_old_name(
    suite: Suite, cache: DiskCache
) -> None:
    changed = Item("p1", "digest0", partial(photo, 1))
    with pytest.raises(InputError, match="p1 was changed since the run began"):
        describe([changed], suite.edits, suite, [Mean()], cache, READER)
    source = Mean()
    describe(items(1), suite.edits, suite, [source], cache, READER)
    assert source.asked == 3, "nothing of it was kept"


def test_what_is_known_is_told_at_the_beginning(
    suite: Suite, cache: DiskCache, caplog: pytest.LogCaptureFixture
) -> None:
    describe(items(1), suite.edits, suite, [Mean()], cache, READER)
    with caplog.at_level("INFO", logger="latenthash"):
        describe(items(2), suite.edits, suite, [Mean()], cache, READER)
    assert "under 2 edits: 3 of 6 views are described already" in caplog.text
