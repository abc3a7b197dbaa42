"""Processes that are killed, and several at once: the rows are those of one that was left alone."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pyarrow import parquet

from latenthash import Gallery
from latenthash.codes.code import Vectors
from latenthash.codes.stream import BATCH
from latenthash.data.reading import Pixels
from latenthash.gallery import adding, shards
from latenthash.system.endings import ended_by_sigterm
from quick_code import Brightness, quick_code, save_blocks

COUNT = 24
SPAWN = multiprocessing.get_context("fork")  # torch takes seconds to import
Rows = dict[str, bytes]


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "ROWS", 4)


@pytest.fixture
def expected(tmp_path: Path) -> Rows:
    names = [f"{i:02d}.png" for i in range(COUNT)]
    return {
        name: save_blocks(tmp_path / "photos" / name, i).tobytes() for i, name in enumerate(names)
    }


def rows(folder: Path) -> Rows:
    if not (folder / "gallery.json").exists():
        return {}
    entries = Gallery.open(folder).entries()
    return {name: entries.codes[i].tobytes() for i, name in enumerate(entries.files)}


def add(folder: Path) -> None:
    Gallery.open(folder / "G").add(quick_code(), folder / "photos")


def compact(folder: Path) -> None:
    Gallery.open(folder / "G").compact()


def killing(owner: object, name: str, at: int, work: Callable[[Path], None], folder: Path) -> None:
    """Do some work, and end without any farewell at the n-th call of a function."""
    function, calls = getattr(owner, name), []

    def counted(*args: object, **kwargs: object) -> object:
        calls.append(name)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    setattr(owner, name, counted)
    work(folder)


def killed(owner: object, name: str, at: int, work: Callable[[Path], None], folder: Path) -> None:
    child = SPAWN.Process(target=killing, args=(owner, name, at, work, folder))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


# While pictures are described, when a shard is written aside, and just before it, or the first of
# all files, gallery.json, appears.
MOMENTS = [
    *[(Brightness, "describe", at) for at in (1, 2)],
    *[(os, "fsync", at) for at in (1, 2, 3, 6)],
    (Path, "replace", 1),
    *[(Path, "rename", at) for at in (1, 3, 4)],
]


@pytest.mark.parametrize(("owner", "name", "at"), MOMENTS, ids=lambda one: str(one))
def test_killed_process_is_continued(
    owner: object, name: str, at: int, tmp_path: Path, expected: Rows
) -> None:
    killed(owner, name, at, add, tmp_path)
    done = len(list((tmp_path / "G").glob("*.parquet")))
    assert rows(tmp_path / "G").items() <= expected.items(), "no shard is half-written"
    later = Gallery.open(tmp_path / "G").add(quick_code(), tmp_path / "photos")
    assert later.unchanged == 4 * done, "what was kept is not read again"
    assert rows(tmp_path / "G") == expected


def stopping(folder: Path) -> None:
    """Add pictures until SIGTERM comes, as a command does."""
    adding.ROWS = 10**6
    describe, calls = Brightness.describe, []

    def counted(self: Brightness, views: Sequence[Pixels]) -> Vectors:
        calls.append(len(views))
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return describe(self, views)

    Brightness.describe = counted  # type: ignore[method-assign]
    with ended_by_sigterm():
        add(folder)


def test_terminated_process_keeps_what_it_has(tmp_path: Path, expected: Rows) -> None:
    child = SPAWN.Process(target=stopping, args=(tmp_path,))
    child.start()
    child.join(60)
    assert child.exitcode == 128 + signal.SIGTERM
    assert rows(tmp_path / "G") == dict(list(expected.items())[:BATCH])
    assert Gallery.open(tmp_path / "G").add(quick_code(), tmp_path / "photos").unchanged == BATCH


PROGRAM = """
import sys
import latenthash
from latenthash.cache import DiskCache
from latenthash.gallery import adding
adding.ROWS, adding.MANY = 8, int(sys.argv[4])
if __name__ == "__main__":
    cache = DiskCache(folder=sys.argv[3], max_bytes=10**9)
    latenthash.Gallery.open(sys.argv[1]).add(latenthash.load("code"), sys.argv[2], cache=cache)
"""


@pytest.mark.slow
@pytest.mark.parametrize("many", ["1000", "1"], ids=["torch", "as of many files"])
def test_killed_command_is_continued_with_the_network_and_workers(
    many: str, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    for i in range(96):
        save_blocks(tmp_path / "photos" / f"{i:02d}.png", i)
    command, last = [sys.executable, "-c", PROGRAM], [str(tmp_path / "cache"), many]
    subprocess.run([*command, whole, tmp_path / "photos", *last], check=True, timeout=600)
    for moment in range(10):  # of shards that are there
        job = subprocess.Popen([*command, tmp_path / "G", tmp_path / "photos", *last])
        while job.poll() is None and len(list((tmp_path / "G").glob("*.parquet"))) < moment:
            time.sleep(0.01)
        time.sleep(0.02 * moment)
        job.kill()
        job.wait()
    subprocess.run([*command, tmp_path / "G", tmp_path / "photos", *last], check=True, timeout=600)
    assert rows(tmp_path / "G") == rows(whole)
    held = [
        name
        for path in (tmp_path / "G").glob("*.parquet")
        for name in parquet.read_table(path)["file"].to_pylist()
    ]
    assert sorted(held) == sorted(set(held)), "no row twice"


@pytest.mark.parametrize(
    ("owner", "name", "at"),
    [(os, "fsync", 1), (Path, "rename", 1), *[(Path, "unlink", at) for at in range(1, 9)]],
    ids=lambda one: str(one),
)
def test_killed_compaction_loses_nothing_and_brings_nothing_back(
    owner: object, name: str, at: int, tmp_path: Path, expected: Rows
) -> None:
    add(tmp_path)
    removed = [tmp_path / "photos" / f"{i:02d}.png" for i in (0, 5, 23)]
    Gallery.open(tmp_path / "G").remove(removed)
    for path in removed:
        del expected[path.name]
    killed(owner, name, at, compact, tmp_path)
    assert rows(tmp_path / "G") == expected
    compact(tmp_path)
    assert rows(tmp_path / "G") == expected
    assert len(list((tmp_path / "G").glob("*.parquet"))) == 1


def test_what_was_written_aside_long_ago_is_swept(tmp_path: Path, expected: Rows) -> None:
    killed(Path, "rename", 1, add, tmp_path)
    (left,) = (tmp_path / "G").glob(".*.tmp")
    add(tmp_path)
    assert left.exists(), "another process may be writing it"
    os.utime(left, (0, time.time() - 2 * shards.LEFT))
    add(tmp_path)
    assert not left.exists()
    assert rows(tmp_path / "G") == expected


def test_several_processes_add_and_compact_at_once(tmp_path: Path, expected: Rows) -> None:
    children = [SPAWN.Process(target=work, args=(tmp_path,)) for work in (add, add, add)]
    for child in children:
        child.start()
    seen: Rows = {}
    while any(child.is_alive() for child in children):
        if (tmp_path / "G/gallery.json").exists():
            compact(tmp_path)
            now = rows(tmp_path / "G")
            assert seen.items() <= now.items() <= expected.items()
            seen = now
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert rows(tmp_path / "G") == expected
    compact(tmp_path)
    assert rows(tmp_path / "G") == expected
