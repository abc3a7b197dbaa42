"""The cache: entries come back whole or not at all, and there are never too many."""

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latenthash.cache import DIGEST, DiskCache, cache_key

ROOM = 10**9  # more than these tests write
SHARED, OWN = 60, 20  # entries that both processes write, and that each writes alone


def cache(folder: Path, max_bytes: int = ROOM) -> DiskCache:
    return DiskCache(folder=str(folder), max_bytes=max_bytes)


def key(name: object) -> str:
    return cache_key(str(name))


def body(name: object, size: int = 100) -> bytes:
    """Bytes that are different for every name."""
    return (str(name).encode() * size)[:size]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def total(folder: Path) -> int:
    return sum(path.stat().st_size for path in files(folder))


def age(folder: Path, seconds: int) -> None:
    """Let every entry be unused for that much longer."""
    for path in files(folder):
        last = path.stat().st_mtime - seconds
        os.utime(path, (last, last))


# ---- entries ----


@pytest.mark.parametrize("data", [b"", b"\0", bytes(range(256)) * 1000])
def test_entry_comes_back_as_it_was(tmp_path: Path, data: bytes) -> None:
    cache(tmp_path / "c").write(key("a"), data)
    assert cache(tmp_path / "c").read(key("a")) == data


def test_missing_entry_is_none_and_makes_no_folder(tmp_path: Path) -> None:
    assert cache(tmp_path / "c").read(key("a")) is None
    assert not (tmp_path / "c").exists()
    cache(tmp_path / "c").write(key("a"), b"x")
    assert cache(tmp_path / "c").read(key("b")) is None


def test_last_writing_of_a_key_counts(tmp_path: Path) -> None:
    c = cache(tmp_path)
    c.write(key("a"), b"first")
    c.write(key("a"), b"second")
    assert c.read(key("a")) == b"second"
    assert len(files(tmp_path)) == 1


def test_writing_leaves_nothing_but_the_entry(tmp_path: Path) -> None:
    cache(tmp_path).write(key("a"), body("a"))
    (entry,) = files(tmp_path)
    assert entry == tmp_path / key("a")[:2] / key("a")
    assert list(tmp_path.iterdir()) == [entry.parent]


def flip_first(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def cut(data: bytes) -> bytes:
    return data[:-7]


def cut_within_the_digest(data: bytes) -> bytes:
    return data[: DIGEST - 1]


def nothing(data: bytes) -> bytes:
    return b""


def more(data: bytes) -> bytes:
    return data + b"\0"


@pytest.mark.parametrize(
    "damage", [flip_first, flip_last, cut, cut_within_the_digest, nothing, more]
)
def test_damaged_entry_is_as_good_as_none_and_can_be_written_again(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    c = cache(tmp_path)
    c.write(key("a"), body("a"))
    c.write(key("b"), body("b"))
    path = tmp_path / key("a")[:2] / key("a")
    path.write_bytes(damage(path.read_bytes()))
    assert c.read(key("a")) is None
    assert c.read(key("b")) == body("b")
    c.write(key("a"), body("a"))
    assert c.read(key("a")) == body("a")


def test_folder_in_an_entrys_place_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / key("a")[:2] / key("a")).mkdir(parents=True)
    assert cache(tmp_path).read(key("a")) is None


def test_key_tells_where_a_part_ends() -> None:
    keys = [
        cache_key("ab", "c"), cache_key("a", "bc"), cache_key("abc"), cache_key("", "abc"),
        cache_key("abc", ""), cache_key("c", "ab"), cache_key(), cache_key(""),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert all(len(k) == 64 and set(k) <= set("0123456789abcdef") for k in keys)


def test_key_of_text_is_that_of_its_utf8_bytes() -> None:
    assert cache_key("Mädchen", b"\xff") == cache_key("Mädchen".encode(), b"\xff")
    assert cache_key("a") == cache_key("a") != cache_key("b")


# ---- several at once ----


def fill(folder: str, name: int, start: Any) -> None:
    c = DiskCache(folder=folder, max_bytes=ROOM)
    start.wait(60)
    for i in range(SHARED):
        c.write(key(i), body(i, 50_000))
        assert c.read(key(i)) == body(i, 50_000)
    for i in range(OWN):
        c.write(key((name, i)), body((name, i)))


def fill_without_room(folder: str, name: int, start: Any) -> None:
    c = DiskCache(folder=folder, max_bytes=5000)
    start.wait(60)
    for i in range(150):
        c.write(key((name, i)), body(i, 300))
        assert c.read(key((name, i))) in (None, body(i, 300))  # the other may need the room


def two_processes(target: Callable[[str, int, Any], None], folder: Path) -> Iterator[None]:
    """Start two processes at once, and go on until both have ended well."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    both = [context.Process(target=target, args=(str(folder), name, start)) for name in (0, 1)]
    for process in both:
        process.start()
    start.wait(60)
    while any(process.is_alive() for process in both):
        time.sleep(0.01)
        yield
    for process in both:
        process.join()
        assert process.exitcode == 0


def test_two_processes_leave_whole_entries_and_lose_none(tmp_path: Path) -> None:
    reader = cache(tmp_path)
    for _ in two_processes(fill, tmp_path):
        for i in range(SHARED):  # seen from a third one, an entry is whole from the first
            assert reader.read(key(i)) in (None, body(i, 50_000))
    for i in range(SHARED):
        assert reader.read(key(i)) == body(i, 50_000)
    for name in range(2):
        for i in range(OWN):
            assert reader.read(key((name, i))) == body((name, i))
    assert len(files(tmp_path)) == SHARED + 2 * OWN


def test_two_processes_may_make_room_at_once(tmp_path: Path) -> None:
    for _ in two_processes(fill_without_room, tmp_path):
        pass
    cache(tmp_path, 5000).write(key("last"), body("last"))
    assert total(tmp_path) <= 5000


# ---- the limit ----


def test_total_never_stays_above_the_limit(tmp_path: Path) -> None:
    c = cache(tmp_path, 5000)
    for i in range(100):
        c.write(key(i), body(i, 10 + 7 * i))
        assert total(tmp_path) <= 5000
    assert total(tmp_path) > 2500  # it is not emptied, either
    assert c.read(key(99)) == body(99, 703)


def test_what_earlier_processes_left_counts(tmp_path: Path) -> None:
    before = cache(tmp_path)
    for i in range(50):
        before.write(key(i), body(i))
    age(tmp_path, 100)
    assert total(tmp_path) == 50 * (DIGEST + 100)
    after = cache(tmp_path, 5000)
    after.write(key("new"), body("new"))
    assert total(tmp_path) <= 5000
    assert after.read(key("new")) == body("new")


def test_what_another_process_writes_meanwhile_counts(tmp_path: Path) -> None:
    pair = cache(tmp_path, 5000), cache(tmp_path, 5000)
    for i in range(100):
        pair[i % 2].write(key(i), body(i))
        # Either may find out a little later what the other wrote.
        assert total(tmp_path) <= 1.25 * 5000


def test_longest_unused_go_first(tmp_path: Path) -> None:
    c = cache(tmp_path, 10 * (DIGEST + 100))
    for i in range(10):
        c.write(key(i), body(i))
        age(tmp_path, 100)
    c.write(key("new"), body("new"))  # one too many: 8 of 11 are kept
    kept = [name for name in [*range(10), "new"] if c.read(key(name)) is not None]
    assert kept == [3, 4, 5, 6, 7, 8, 9, "new"]


def test_reading_counts_as_use(tmp_path: Path) -> None:
    c = cache(tmp_path, 10 * (DIGEST + 100))
    for i in range(10):
        c.write(key(i), body(i))
        age(tmp_path, 100)
    for i in (0, 2):
        assert c.read(key(i)) == body(i)
    c.write(key("new"), body("new"))
    kept = [name for name in [*range(10), "new"] if c.read(key(name)) is not None]
    assert kept == [0, 2, 5, 6, 7, 8, 9, "new"]


def test_entry_larger_than_the_limit_does_not_stay(tmp_path: Path) -> None:
    c = cache(tmp_path, 5000)
    c.write(key("large"), body("large", 6000))
    assert total(tmp_path) <= 5000
    c.write(key("small"), body("small"))
    assert c.read(key("small")) == body("small")


# ---- the folder goes ----


def test_folder_deleted_meanwhile_is_made_again(tmp_path: Path) -> None:
    c = cache(tmp_path / "c", 5000)
    for i in range(40):
        c.write(key(i), body(i))
        if i % 10 == 5:
            shutil.rmtree(tmp_path / "c")
            assert c.read(key(i)) is None
    assert c.read(key(39)) == body(39)
    assert total(tmp_path) <= 5000


@pytest.mark.parametrize("room", [ROOM, 500])  # with little of it, entries are often counted
def test_folder_deleted_while_it_is_written_to_stops_nobody(tmp_path: Path, room: int) -> None:
    c = cache(tmp_path / "c", room)
    done = threading.Event()

    def delete() -> None:
        while not done.is_set():
            shutil.rmtree(tmp_path / "c", ignore_errors=True)

    deleting = threading.Thread(target=delete)
    deleting.start()
    try:
        for i in range(300):
            c.write(key(i), body(i))
            assert c.read(key(i)) in (None, body(i))
    finally:
        done.set()
        deleting.join()
    c.write(key("last"), body("last"))
    assert c.read(key("last")) == body("last")


def test_arrays_come_back_with_shape_and_kind(tmp_path: Path) -> None:
    kept = DiskCache(folder=str(tmp_path), max_bytes=10**6)
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    kept.write_array("ab", array)
    read = kept.read_array("ab")
    assert read is not None
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)
    assert kept.read_array("cd") is None


def test_entry_that_is_no_array_counts_as_missing(tmp_path: Path) -> None:
    cache = DiskCache(folder=str(tmp_path), max_bytes=10**6)
    cache.write("a" * 64, b"as an older version may have written it")
    assert cache.read_array("a" * 64) is None
