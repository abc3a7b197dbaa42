"""Every verdict, reached with photographs: what was done to a picture, and what is said of it."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latenthash.data.reading import Pixels
from latenthash.data.samples.sets import embedded
from latenthash.errors import InputError
from latenthash.gallery.engines import engine_here
from latenthash.library.hashes import Hash
from latenthash.watermark import verdict as verdicts
from latenthash.watermark.codec import Reading, decode
from latenthash.watermark.conflicts import EARLIEST, NEAREST, ancestors, earlier, near, unrelated
from latenthash.watermark.conflicts import root as first_ancestor
from latenthash.watermark.manifest import Owner
from latenthash.watermark.query import Query
from latenthash.watermark.registry import Registry
from latenthash.watermark.rows import Row
from latenthash.watermark.signed import Signed, sign
from marks import BUNDLE, manifest, owner, signed
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


def test_re_use_that_is_declared_is_no_conflict_and_names_whose_it_was(
    shop: Shop, tmp_path: Path
) -> None:
    marks = shop.copy(tmp_path)
    cat = shop.marked["cat"]
    first, second, third = (
        marks.mark(cat.file, owner(name), tmp_path / f"{name}{i}")
        for i, name in enumerate(("Bob", "Eve", "Eve"))
    )
    assert first.parents == second.parents == (cat.identity,)
    found = marks.verify(first.file)
    assert (found.status, found.identity, found.conflicts) == ("verified", first.identity, ())
    assert found.root is not None and found.root.id == cat.identity
    assert "It was made from a picture that Ann (key " in found.sentence
    assert cat.identity.hex() in found.sentence
    # What another made of the same is a conflict, and what the same owner did is none.
    found = marks.verify(third.file)
    assert (found.status, found.identity) == ("verified", third.identity)
    assert [row.id for row in found.conflicts] == [first.identity]
    assert marks.lineage(third.identity).conflicts == (first.identity,)


def registry_of(folder: Path, *all_: Signed) -> Registry:
    registry = Registry.open_to_append(str(folder / "marks.db"))
    for one in all_:
        registry.append(one)
    return registry


def row_of(registry: Registry, one: Signed) -> Row:
    row = registry.get(one.id)
    assert row is not None
    return row


def test_ancestors_are_registered_and_the_first_of_them_is_the_root(tmp_path: Path) -> None:
    root, far = signed(1), bytes(8)
    child = signed(2, (root.id, far))
    grandchild = signed(3, (child.id,))
    registry = registry_of(tmp_path, root, child, grandchild)
    assert set(ancestors(registry, row_of(registry, grandchild))) == {
        grandchild.id, child.id, root.id,
    }  # fmt: skip
    assert first_ancestor(registry, row_of(registry, grandchild)) == row_of(registry, root)
    assert first_ancestor(registry, row_of(registry, root)) is None


@pytest.mark.parametrize(
    ("parent", "name", "kin"),
    [
        pytest.param("root", "Bob", False, id="sibling of another owner"),
        pytest.param("root", "Ann", True, id="sibling of the same owner"),
        pytest.param("nobody", "Ann", False, id="parent that is not registered"),
        pytest.param("other", "Bob", True, id="child"),
    ],
)
def test_kin_are_those_above_and_below_and_an_owners_own(
    tmp_path: Path, parent: str, name: str, kin: bool
) -> None:
    root = signed(1, name="Eve")
    named = {"root": root.id, "nobody": bytes(8)}
    other = signed(2, (named.get(parent, root.id),), name="Ann")
    one = signed(3, (named.get(parent, other.id),), name=name)
    registry = registry_of(tmp_path, root, other, one)
    row, before = row_of(registry, one), row_of(registry, other)
    assert unrelated(registry, row, [before]) == (() if kin else (before,))


def test_flood_of_nearer_rows_hides_no_earlier_one(tmp_path: Path) -> None:
    victim = signed(0b111)
    thief = owner("Thief")
    times = [f"2026-01-31T12:00:{i:02d}Z" for i in range(40)]
    flood = [sign(manifest(thief, created=when), thief) for when in times]
    registry = registry_of(tmp_path, signed(2**256 - 1), victim, *flood)
    known = registry.codes(BUNDLE)
    query = Query(np.zeros((8, 8, 3), np.uint8), Hash(bytes(2), bytes(32)))
    found = near(registry, known, engine_here(known), query, 77)
    assert found[0].id == victim.id
    assert len(found) <= NEAREST + EARLIEST


def test_thumbnail_that_is_no_picture_is_refused_and_stops_nobody(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = shop.copy(tmp_path)
    registry = Registry.open_to_append(str(tmp_path / "marks.db"))
    cat = registry.get(shop.marked["cat"].identity)
    assert cat is not None and cat.signed is not None
    thief = owner("Thief")
    bad = cat.signed.manifest.model_copy(
        update={"thumbnail": "/9j/", "owner": Owner(name="Thief", key=thief.public.hex())}
    )
    with pytest.raises(InputError, match="no JPEG"):
        registry.append(sign(bad, thief))
    monkeypatch.setattr("latenthash.watermark.registry.read_thumbnail", lambda _: None)
    registry.append(sign(bad, thief))
    found = marks.verify(shop.marked["cat"].file)
    assert (found.status, found.conflicts) == ("verified", ())
    bare = marks.verify(shop.folder / "cat.png")
    assert (bare.status, bare.identity, bare.conflicts) == ("stripped", cat.id, ())
    row = registry.get(sign(bad, thief).id)
    assert row is not None and earlier(registry, row) == ()


def test_sentence_says_what_was_compared_where_that_is_not_all(shop: Shop) -> None:
    both = shop.marks.verify(shop.marked["cat"].file)
    assert both.agreement is not None and "compared" not in both.sentence
    one = replace(both, binding="code")
    assert one.sentence.endswith("It was compared by its hash alone.")


def test_nothing_is_earlier_than_the_first(shop: Shop) -> None:
    registry = Registry.open(str(shop.folder / "marks.db"))
    row = registry.get(shop.marked["cat"].identity)
    assert row is not None and earlier(registry, row) == ()
