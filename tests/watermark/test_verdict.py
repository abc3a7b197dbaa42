"""Every verdict, reached with photographs: what was done to a picture, and what is said of it."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from latenthash.data.reading import Pixels
from latenthash.data.samples.sets import embedded
from latenthash.watermark import verdict as verdicts
from latenthash.watermark.codec import Reading, decode
from latenthash.watermark.conflicts import ancestors, earlier
from latenthash.watermark.registry import Registry
from marks import owner, signed
from shop import STRANGER, Shop, blurred, cut, enlarged, jpeg, re_coded, usual


@pytest.fixture(scope="module")
def other() -> Pixels:
    (picture,) = embedded("girl")
    return picture.pixels


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda pixels: pixels, id="as it was marked"),
        pytest.param(lambda pixels: jpeg(pixels, 60), id="JPEG 60"),
        pytest.param(lambda pixels: cut(pixels, 0.9), id="cropped"),
    ],
)
def test_marked_picture_is_verified(shop: Shop, change: Callable[[Pixels], Any]) -> None:
    found = shop.marks.verify(change(shop.shown("cat")))
    assert (found.status, found.identity) == ("verified", shop.marked["cat"].identity)
    assert found.conflicts == ()
    assert found.sentence.startswith("This is the picture that Ann (key ")


def test_mark_on_another_picture_is_copied(shop: Shop, other: Pixels) -> None:
    found = shop.marks.verify(re_coded(other, shop.marked["cat"].identity))
    assert (found.status, found.identity) == ("copied", shop.marked["cat"].identity)
    assert "this is not that picture" in found.sentence


def test_mark_on_another_registered_picture_is_copied_and_names_whose_it_is(shop: Shop) -> None:
    found = shop.marks.verify(re_coded(shop.original("cat"), shop.marked["rocket"].identity))
    assert (found.status, found.identity) == ("copied", shop.marked["rocket"].identity)
    assert [row.id for row in found.conflicts] == [shop.marked["cat"].identity]
    assert "But Ann" in found.sentence and "registered the same content before" in found.sentence


def test_what_is_left_of_a_picture_is_altered(shop: Shop) -> None:
    part = enlarged(cut(shop.original("cat"), 0.35), 2)
    found = shop.marks.verify(re_coded(part, shop.marked["cat"].identity))
    assert found.status == "altered"
    assert found.agreement is not None
    assert not found.agreement.hash and found.agreement.pixels


def test_picture_without_its_details_is_unconfirmed(shop: Shop) -> None:
    soft = blurred(shop.original("coffee"), 10)
    found = shop.marks.verify(re_coded(soft, shop.marked["coffee"].identity))
    assert found.status == "unconfirmed"
    assert found.agreement is not None
    assert found.agreement.hash and not found.agreement.pixels


def test_mark_of_an_altered_row_is_forged(shop: Shop, tmp_path: Path) -> None:
    marks = shop.copy(tmp_path)
    database = sqlite3.connect(tmp_path / "marks.db")
    database.execute("DROP TRIGGER latenthash_marks_update")
    database.execute("UPDATE latenthash_marks SET added = '2020-01-01T00:00:00Z' WHERE seq = 1")
    database.commit()
    database.close()
    found = marks.verify(shop.marked["cat"].file)
    assert (found.status, found.identity) == ("forged", shop.marked["cat"].identity)
    assert "was altered" in found.sentence and "it proves nothing" in found.sentence


def test_mark_of_no_row_is_unknown(shop: Shop, other: Pixels) -> None:
    found = shop.marks.verify(usual(other, STRANGER))
    assert (found.status, found.identity, found.row) == ("unknown", STRANGER, None)
    assert STRANGER.hex() in found.sentence


@pytest.mark.parametrize("mark", [usual, re_coded])
@pytest.mark.parametrize("before", ["original", "shown"])
def test_strangers_mark_on_a_registered_picture_does_not_hide_it(
    shop: Shop, before: str, mark: Callable[[Pixels, bytes], Pixels]
) -> None:
    found = shop.marks.verify(mark(getattr(shop, before)("cat"), STRANGER))
    assert found.identity == shop.marked["cat"].identity
    assert found.status in ("stripped", "verified")
    if found.status == "stripped":
        assert f"There is a mark, {STRANGER.hex()}, that the registry does not know" in (
            found.sentence
        )


def test_word_that_was_misread_does_not_hide_a_registered_id(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def misread(attempts: Any) -> Reading:
        return replace(decode(attempts), identity=STRANGER)

    monkeypatch.setattr(verdicts, "decode", misread)
    found = shop.marks.verify(shop.marked["cat"].file)
    assert (found.status, found.way) == ("verified", "known id")
    assert found.identity == shop.marked["cat"].identity


def test_original_without_its_mark_is_stripped(shop: Shop) -> None:
    found = shop.marks.verify(shop.folder / "cat.png")
    assert (found.status, found.way) == ("stripped", "content")
    assert found.identity == shop.marked["cat"].identity
    assert "an unmarked copy" in found.sentence


def test_picture_that_nobody_registered_is_none(shop: Shop, other: Pixels) -> None:
    found = shop.marks.verify(other)
    assert (found.status, found.identity, found.row) == ("none", None, None)


def test_overwritten_mark_is_in_conflict_with_the_first(shop: Shop, tmp_path: Path) -> None:
    marks = shop.copy(tmp_path)
    stolen = marks.mark(shop.marked["cat"].file, owner("Thief"), tmp_path, parents="none")
    found = marks.verify(stolen.file)
    assert (found.status, found.identity) == ("verified", stolen.identity)
    assert [row.id for row in found.conflicts] == [shop.marked["cat"].identity]
    assert "But Ann" in found.sentence and "not named as a parent" in found.sentence
    assert marks.lineage(stolen.identity).conflicts == (shop.marked["cat"].identity,)
    # Of the first, the later one takes nothing away.
    assert marks.verify(shop.marked["cat"].file).conflicts == ()
    bare = marks.verify(shop.folder / "cat.png")
    assert bare.identity == shop.marked["cat"].identity
    assert [row.id for row in bare.conflicts] == [stolen.identity]
    assert "But Thief" in bare.sentence and "registered the same content later" in bare.sentence


def test_re_use_that_is_declared_is_no_conflict(shop: Shop, tmp_path: Path) -> None:
    marks = shop.copy(tmp_path)
    first, second = (
        marks.mark(shop.marked["cat"].file, owner(name), tmp_path / name) for name in ("Bob", "Eve")
    )
    assert first.parents == second.parents == (shop.marked["cat"].identity,)
    found = marks.verify(second.file)
    assert (found.status, found.identity) == ("verified", second.identity)
    assert found.conflicts == ()  # neither the parent nor what else was made of it
    assert marks.lineage(second.identity).conflicts == ()


def test_ancestors_end_in_rings_and_at_what_is_not_registered(tmp_path: Path) -> None:
    registry = Registry.open_to_append(str(tmp_path / "marks.db"))
    root, far = signed(1), bytes(8)
    child = signed(2, (root.id, far))
    grandchild = signed(3, (child.id,))
    for one in (root, child, grandchild):
        registry.append(one)
    assert ancestors(registry, grandchild.id) == {grandchild.id, child.id, root.id, far}
    assert ancestors(registry, far) == {far}


def test_nothing_is_earlier_than_the_first(shop: Shop) -> None:
    registry = Registry.open(str(shop.folder / "marks.db"))
    row = registry.get(shop.marked["cat"].identity)
    assert row is not None and earlier(registry, row) == ()
