"""The registry: rows are added and nothing else, by many at once, and whoever dies adds none."""

import multiprocessing
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from latenthash.errors import InputError
from latenthash.watermark.audit import check
from latenthash.watermark.registry import Registry
from latenthash.watermark.rows import Head, empty_digest
from latenthash.watermark.signed import Signed, sign
from marks import BUNDLE, Book, append_many, content, manifest, owner, signed
from project import ROOT

ANN = owner("Ann")
REFUSED = "rows of a registry are never changed"


def filled(book: Book, count: int = 3) -> Registry:
    registry = book.open()
    for i in range(count):
        registry.append(signed(i))
    return registry


def test_rows_are_numbered_and_found(book: Book) -> None:
    registry = book.open()
    assert (len(registry), registry.head().seq) == (0, 0)
    first, second = signed(1), signed(2, name="Bob")
    assert [registry.append(first), registry.append(second)] == [1, 2]
    row = Registry.open(book.place).get(second.id)
    assert row is not None
    assert (row.seq, row.signed) == (2, second)
    assert registry.fault(row) is None
    assert registry.get(bytes(8)) is None
    assert len(registry) == 2
    assert registry.ids().tolist() == [list(first.id), list(second.id)]


def test_registry_of_another_key_than_the_one_beside_it_is_refused(tmp_path: Path) -> None:
    place = str(tmp_path / "marks.db")
    Registry.open_to_append(place).append(signed(1))
    another = str(tmp_path / "another.db")
    Registry.open_to_append(another).append(signed(1))
    shutil.copy(another, place)
    with pytest.raises(InputError, match=r"marks\.db\.pem is of another registry"):
        Registry.open(place)
    Path(f"{place}.pem").unlink()  # who has no key is not held up: a head pins it
    assert len(Registry.open(place)) == 1


def test_manifest_that_is_registered_stays_the_row_it_is(book: Book) -> None:
    registry = filled(book)
    assert registry.append(signed(1)) == 2
    assert len(registry) == 3


def test_children_are_found_in_their_order(book: Book) -> None:
    registry = book.open()
    first, stranger = signed(1), bytes(range(8))
    registry.append(first)
    made = [signed(2, (first.id,)), signed(3, (stranger, first.id, first.id)), signed(4)]
    for one in made:
        registry.append(one)
    assert registry.children(first.id) == [made[0].id, made[1].id]
    assert registry.children(stranger) == [made[1].id]
    assert registry.children(made[2].id) == []


def test_codes_of_one_bundle_are_read(book: Book) -> None:
    registry = book.open()
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 256, (5, 32), np.uint8)
    bundles = [BUNDLE, "ab" * 32, BUNDLE, BUNDLE, "ab" * 32]
    made = [
        sign(manifest(ANN, hash=content(row.tobytes(), bundle)), ANN)
        for row, bundle in zip(bits, bundles, strict=True)
    ]
    for one in made:
        registry.append(one)
    known = registry.codes(BUNDLE)
    assert known.seq.tolist() == [1, 3, 4]
    np.testing.assert_array_equal(known.codes, bits[[0, 2, 3]])
    assert known.ids.tolist() == [list(made[i].id) for i in (0, 2, 3)]
    assert registry.bundles() == {BUNDLE: 3, "ab" * 32: 2}
    empty = registry.codes("00" * 32)
    assert (empty.codes.shape, empty.ids.shape, empty.seq.shape) == ((0, 32), (0, 8), (0,))


def test_chain_is_of_digests_and_seals(book: Book) -> None:
    registry = filled(book)
    rows, _ = registry.page(0)
    assert [row.previous for row in rows] == [
        empty_digest(registry.public), rows[0].digest, rows[1].digest,
    ]  # fmt: skip
    assert registry.head() == Head(registry.public, 3, rows[2].digest, rows[2].seal)
    assert registry.head().is_sound
    assert check(registry, registry.head()) == []


def test_rows_are_kept_from_change_by_the_database_itself(book: Book) -> None:
    registry = filled(book)
    registry.append(signed(9, (signed(1).id,)))
    columns = "seq, id, bundle, bits, added, previous, digest, seal, signature, manifest"
    acts = [
        "UPDATE latenthash_marks SET added = ''",
        "DELETE FROM latenthash_marks WHERE seq = 2",
        "DELETE FROM latenthash_parents",
        "UPDATE latenthash_registry SET format = 2",
        "DELETE FROM latenthash_registry",
    ]
    sqlite = not book.place.startswith("postgresql")
    if sqlite:
        copied = columns.replace("seq", "2", 1)
        acts += [
            f"INSERT OR REPLACE INTO latenthash_marks SELECT {copied} FROM latenthash_marks",
            f"INSERT OR REPLACE INTO latenthash_marks SELECT {columns.replace('seq', '5', 1)} "
            "FROM latenthash_marks WHERE seq = 1",
            "INSERT OR REPLACE INTO latenthash_parents SELECT * FROM latenthash_parents",
            "INSERT INTO latenthash_registry SELECT 2, public, seal FROM latenthash_registry",
        ]
    else:
        acts += [f"TRUNCATE {name} CASCADE" for name in ("latenthash_marks", "latenthash_parents")]
    uri = f"sqlite:///{book.place}" if sqlite else book.place.replace("sql:", "sql+psycopg:", 1)
    engine = create_engine(uri)
    for act in acts:
        with pytest.raises(DBAPIError, match=REFUSED), engine.begin() as connection:
            connection.exec_driver_sql(act)
    engine.dispose()
    assert check(registry, registry.head()) == []
    assert len(registry) == 4


def test_key_is_made_beside_the_registry_for_its_user_alone(tmp_path: Path) -> None:
    place = str(tmp_path / "marks.db")
    registry = Registry.open_to_append(place)
    key = tmp_path / "marks.db.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    registry.append(signed(1))
    assert Registry.open_to_append(place).append(signed(2)) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["marks.db", "marks.db.pem"]
    key.unlink()
    assert len(Registry.open(place)) == 2  # reading needs none
    with pytest.raises(InputError, match="lacks its key"):
        Registry.open_to_append(place)
    Registry.open_to_append(str(tmp_path / "other.db"))
    shutil.copy(tmp_path / "other.db.pem", key)
    with pytest.raises(InputError, match="is of another registry"):
        Registry.open_to_append(place)


def test_registry_that_is_missing_beside_its_key_is_no_new_one(tmp_path: Path) -> None:
    place = tmp_path / "marks.db"
    Registry.open_to_append(str(place))
    place.unlink()
    with pytest.raises(InputError, match=r"marks\.db is missing, and its key .* stands"):
        Registry.open_to_append(str(place))
    assert not place.exists()


def test_manifest_that_its_owner_did_not_sign_is_not_added(book: Book) -> None:
    registry = book.open()
    one = signed(1)
    with pytest.raises(InputError, match="not signed by the owner"):
        registry.append(Signed(one.manifest, one.text, bytes(64)))
    assert len(registry) == 0


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE songs(title)")


def other_format(path: Path) -> None:
    Registry.open_to_append(str(path), path.with_name("key.pem"))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DROP TRIGGER latenthash_registry_update")
        database.execute("UPDATE latenthash_registry SET format = 7")


def other_kind(path: Path) -> None:
    """Put a number where bytes stand, of which a careless reader makes as many zeros."""
    Registry.open_to_append(str(path), path.with_name("key.pem"))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DROP TRIGGER latenthash_registry_update")
        database.execute("UPDATE latenthash_registry SET public = 1099511627776")


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "There is no registry"),
    "folder": (lambda path: path.mkdir(), "is no file"),
    "pipe": (os.mkfifo, "is no file"),
    "empty": (lambda path: path.touch(), "holds no registry"),
    "text": (lambda path: path.write_text("hello" * 100), "file is not a database"),
    "other program": (other_program, "database of another program"),
    "other format": (other_format, "is of format 7"),
    "other kind": (other_kind, "holds int where bytes must stand"),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_registry_is_refused(odd: str, tmp_path: Path) -> None:
    make, sentence = ODD[odd]
    path = tmp_path / "marks.db"
    make(path)
    with pytest.raises(InputError, match=sentence):
        Registry.open(str(path))


def test_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    other_program(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="Nothing in it was changed"):
        Registry.open_to_append(str(path))
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["songs.db"]


def test_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="needs the extra postgres")
    place = f"postgresql://ann:secret@/marks?host={tmp_path}"
    with pytest.raises(InputError, match="cannot be used") as caught:
        Registry.open(place)
    assert "secret" not in str(caught.value)
    with pytest.raises(InputError, match="registry_key=FILE"):
        Registry.open_to_append(place)


def many(book: Book, processes: int, each: int) -> None:
    """Let processes append at once to a registry that none of them has made yet."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn) as pool:
        jobs = [
            pool.submit(append_many, book.place, book.key, 1000 * (i + 1), each)
            for i in range(processes)
        ]
        numbers = [number for job in jobs for number in job.result()]
    assert sorted(numbers) == list(range(1, processes * each + 1))
    registry = Registry.open(book.place)
    assert len(registry) == processes * each
    assert check(registry, registry.head()) == []


def test_two_processes_append_at_once(book: Book) -> None:
    many(book, 2, 10)


@pytest.mark.slow
def test_eight_processes_append_a_hundred_rows_each(book: Book) -> None:
    many(book, 8, 100)


APPENDING = (
    "import sys; from pathlib import Path; from marks import append_many;"
    "append_many(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), 10**6)"
)


def kill(book: Book, times: int) -> None:
    """Kill processes that append, each at another moment of its work."""
    rng = np.random.default_rng(0)
    paths = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "src")])
    environment = {**os.environ, "PYTHONPATH": paths}
    book.open()
    for i in range(times):
        before = len(Registry.open(book.place))
        words = [sys.executable, "-c", APPENDING, book.place, str(book.key), str(10**6 * (i + 1))]
        with subprocess.Popen(words, env=environment) as process:
            while len(Registry.open(book.place)) == before:  # it has begun
                time.sleep(0.02)
            time.sleep(float(rng.uniform(0, 0.1)))
            process.send_signal(signal.SIGKILL)
        registry = book.open()
        assert check(registry, registry.head()) == []
        registry.append(signed(i))  # it can be added to as before
    assert check(registry, registry.head()) == []


def test_process_that_is_killed_leaves_no_row_without_its_seal(book: Book) -> None:
    kill(book, 1)


@pytest.mark.slow
def test_processes_that_are_killed_twenty_times_leave_a_sound_chain(book: Book) -> None:
    kill(book, 20)
