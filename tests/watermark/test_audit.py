"""Whatever is done to a registry behind its back is found, and found where it was done."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from latenthash.errors import InputError
from latenthash.watermark.audit import Fault, check, refuse_other
from latenthash.watermark.keys import read_key
from latenthash.watermark.registry import Registry
from latenthash.watermark.rows import Head, Row, read_head
from marks import saved, signed

ROWS = 6
MARKS, PARENTS = "latenthash_marks", "latenthash_parents"
ANOTHER = "was altered, or stands in another's place"
# What is done in SQL -> the faults that are found.
DONE: dict[str, tuple[list[str], list[tuple[int, int, str]]]] = {
    **{
        f"{column} altered": (
            [f"UPDATE {MARKS} SET {column} = {value} WHERE seq = 3"], [(3, 3, what)],
        )
        for column, value, what in (
            ("manifest", "CAST(replace(manifest, 'Ann', 'Bob') AS BLOB)", ANOTHER),
            ("signature", "zeroblob(64)", ANOTHER),
            ("id", "zeroblob(8)", ANOTHER),
            ("added", "'2020-01-01T00:00:00Z'", ANOTHER),
            ("previous", "zeroblob(32)", ANOTHER),
            ("digest", "zeroblob(32)", ANOTHER),
            ("seal", "zeroblob(64)", "its seal does not hold"),
            ("bits", "zeroblob(32)", "is searched by another code"),
            ("bundle", "'x'", "is searched by another code"),
        )
    },
    "row deleted": ([f"DELETE FROM {MARKS} WHERE seq = 3"], [(3, 3, "is missing")]),
    "rows deleted": ([f"DELETE FROM {MARKS} WHERE seq IN (2, 3, 4)"], [(2, 4, "are missing")]),
    "first deleted": ([f"DELETE FROM {MARKS} WHERE seq = 1"], [(1, 1, "is missing")]),
    "rows swapped": (
        [
            f"UPDATE {MARKS} SET seq = 0 WHERE seq = 2",
            f"UPDATE {MARKS} SET seq = 2 WHERE seq = 4",
            f"UPDATE {MARKS} SET seq = 4 WHERE seq = 0",
        ],
        [(2, 2, ANOTHER), (4, 4, ANOTHER)],
    ),
    "row deleted and the rest moved up": (
        [f"DELETE FROM {MARKS} WHERE seq = 3"]
        + [f"UPDATE {MARKS} SET seq = {i - 1} WHERE seq = {i}" for i in range(4, ROWS + 1)],
        [(3, 3, ANOTHER), (4, 4, ANOTHER), (5, 5, ANOTHER), (6, 6, "cut off")],
    ),
    "number of no row": (
        [f"UPDATE {MARKS} SET seq = -5 WHERE seq = 3"],
        [(-5, -5, "has no number"), (3, 3, "is missing")],
    ),
    "end cut off": (
        [f"DELETE FROM {MARKS} WHERE seq > 4"], [(5, 6, "are missing: the end was cut off")],
    ),
    "last cut off": ([f"DELETE FROM {MARKS} WHERE seq = 6"], [(6, 6, "is missing: the end")]),
    "all cut off": ([f"DELETE FROM {MARKS}"], [(1, 6, "are missing: the end was cut off")]),
    "parents removed": ([f"DELETE FROM {PARENTS} WHERE seq = 5"], [(5, 5, "by other parents")]),
    "parent added": (
        [f"INSERT INTO {PARENTS} VALUES (2, 0, zeroblob(8))"], [(2, 2, "by other parents")],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry of six rows, whose fifth names the first as its parent."""
    path = tmp_path_factory.mktemp("sound") / "marks.db"
    registry = Registry.open_to_append(str(path))
    for i in range(1, ROWS + 1):
        registry.append(signed(i, (signed(1).id,) if i == 5 else ()))
    return path


@pytest.fixture
def place(sound: Path, tmp_path: Path) -> Path:
    shutil.copy(sound, tmp_path / "marks.db")
    shutil.copy(f"{sound}.pem", tmp_path / "marks.db.pem")
    return tmp_path / "marks.db"


def tamper(place: Path, *statements: str) -> None:
    with closing(sqlite3.connect(place, isolation_level=None)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)


def found(place: Path, head: Head | None) -> list[Fault]:
    return check(Registry.open(str(place)), head)


@pytest.mark.parametrize("done", DONE)
def test_what_was_done_is_found_where_it_was_done(done: str, place: Path) -> None:
    statements, expected = DONE[done]
    head = Registry.open(str(place)).head()
    tamper(place, *statements)
    faults = found(place, head)
    assert [(fault.first, fault.last) for fault in faults] == [one[:2] for one in expected]
    for fault, (_, _, what) in zip(faults, expected, strict=True):
        assert what in str(fault)


def test_end_that_was_cut_off_is_seen_against_a_head_alone(place: Path) -> None:
    tamper(place, f"DELETE FROM {MARKS} WHERE seq > 4")
    assert found(place, None) == []


def test_every_single_row_is_checked(place: Path) -> None:
    for seq in range(1, ROWS + 1):
        copy = place.with_name(f"{seq}.db")
        shutil.copy(place, copy)
        tamper(copy, f"UPDATE {MARKS} SET added = 'x' WHERE seq = {seq}")
        assert [fault.first for fault in found(copy, None)] == [seq]


def test_who_holds_the_key_is_found_out_by_an_earlier_head(place: Path) -> None:
    head = Registry.open(str(place)).head()
    signer = read_key(Path(f"{place}.pem"))
    tamper(place, f"DELETE FROM {MARKS} WHERE seq = 6")
    registry = Registry.open_to_append(str(place))
    registry.append(signed(66))
    assert found(place, None) == []
    assert [str(fault) for fault in found(place, head)] == [
        "Row 6 is not the one that the head is of: rows up to it were written anew."
    ]
    # One row in the middle, with digest and seal of its own.
    rows, _ = registry.page(0)
    before = Head(registry.public, 2, rows[1].digest, rows[1].seal)
    forged = Row.following(before, signed(33), "2026-01-31T12:00:00Z", signer)
    with closing(sqlite3.connect(place, isolation_level=None)) as database:
        names = ", ".join(f"{name} = ?" for name in vars(forged))
        database.execute(f"UPDATE {MARKS} SET {names} WHERE seq = 3", [*vars(forged).values()])
    assert [str(fault) for fault in found(place, None)] == [
        "Row 4 does not follow row 3: one of both was written anew."
    ]


def test_registry_whose_end_was_altered_is_not_added_to(place: Path) -> None:
    tamper(place, f"UPDATE {MARKS} SET seal = zeroblob(64) WHERE seq = 6")
    with pytest.raises(InputError, match="the seal of row 6 does not hold"):
        Registry.open_to_append(str(place)).append(signed(7))


def test_index_by_which_a_row_is_not_found_is_seen(place: Path) -> None:
    whole = place.read_bytes()
    # The bits stand in the row, and in the index that searches read.
    bits = signed(3).manifest.hash.packed.tobytes()
    places = [i for i in range(len(whole)) if whole.startswith(bits, i)]
    assert len(places) == 2
    for at in places:
        place.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        (fault, *_) = found(place, None)
        assert str(fault).startswith(("The database is damaged", "Row 3 is searched by another"))


def test_value_of_another_kind_is_refused(place: Path) -> None:
    tamper(place, f"UPDATE {MARKS} SET bits = 1099511627776 WHERE seq = 3")
    with pytest.raises(InputError, match="holds int where bytes must stand"):
        found(place, None)


def test_head_is_given_away_and_read_back(place: Path, tmp_path: Path) -> None:
    head = Registry.open(str(place)).head()
    assert read_head(saved(tmp_path / "head.json", head.to_json().encode())) == head
    assert found(place, head) == []
    empty = Registry.open_to_append(str(tmp_path / "new.db")).head()
    assert read_head(saved(tmp_path / "empty.json", empty.to_json().encode())) == empty
    assert empty.seq == 0
    with pytest.raises(InputError, match="The head is of another registry"):
        found(place, empty)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"seq": 6', '"seq": "6"', "was altered"),
        ('"seq": 6', '"seq": -1', "was altered"),
        ('"seal": "', '"seal": "00', "was altered"),
        ('"digest": "', '"digest": "zz', "was altered"),
        ("head 1", "head 2", "was altered"),
        ('"seq": 6', '"seq": 6, "more": 1', "was altered"),
        ("{", "[", "is no JSON"),
    ],
)
def test_altered_head_is_refused(
    old: str, new: str, sentence: str, place: Path, tmp_path: Path
) -> None:
    text = Registry.open(str(place)).head().to_json().replace(old, new, 1)
    with pytest.raises(InputError, match=sentence):
        read_head(saved(tmp_path / "head.json", text.encode()))


def test_head_is_of_one_registry_alone_without_a_walk(tmp_path: Path) -> None:
    books = [Registry.open_to_append(str(tmp_path / f"{name}.db")) for name in "ab"]
    first = books[0].head()
    for i in range(3):
        books[0].append(signed(i))
    head = books[0].head()
    refuse_other(books[0], first)
    books[0].append(signed(9))
    refuse_other(books[0], head)
    with pytest.raises(InputError, match="of another registry"):
        refuse_other(books[1], head)
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute(f"DROP TRIGGER {MARKS}_delete")
        database.execute(f"DELETE FROM {MARKS} WHERE seq = 3")
    with pytest.raises(InputError, match="Row 3 of the registry is not the one"):
        refuse_other(books[0], head)
