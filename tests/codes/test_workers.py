"""The benchmark's processes: no further ahead than they should be, and gone with who began them."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest
from field import ALWAYS, installed

from latenthash.benchmark.controls import Thumbnail
from latenthash.cache import DiskCache
from latenthash.codes import workers
from latenthash.codes.describe import describe
from latenthash.codes.pictures import list_pictures, quarters, stereo
from latenthash.codes.workers import in_workers
from latenthash.data.edits.suite import Suite
from photographs import READER, save_photos


def test_results_are_not_made_far_ahead_of_who_takes_them() -> None:
    drawn: list[int] = []

    def tasks() -> Iterator[tuple[int]]:
        for i in range(100):
            drawn.append(i)
            yield (i,)

    results = in_workers(abs, tasks())
    most = workers.AHEAD * workers.MOST
    for taken in range(3):
        assert next(results) == taken
        assert len(drawn) <= taken + most
    assert list(results) == list(range(3, 100)), "and in their order"


def test_workers_end_with_a_process_that_was_killed() -> None:
    busy = "for _ in in_workers(bytes, ((10**7,) for _ in iter(int, 1))): print('more', flush=True)"
    script = f"from latenthash.codes.workers import in_workers\n{busy}"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == b"more\n"
        job.kill()
        job.communicate(timeout=60)  # ends when all who share its output have ended


def test_workers_do_without_torch(suite: Suite, cache: DiskCache, tmp_path: Path) -> None:
    workers._workers.cache_clear()  # for this module, which others had to load, needs torch
    save_photos(tmp_path, 4)
    found = list_pictures(str(tmp_path / "photos"), READER)
    parts = [item for item, _ in (*quarters(found), *stereo(READER))]
    sources = [Thumbnail(), *(code.source for code in installed(*ALWAYS))]
    describe([*found, *parts], suite.edits, suite, sources, cache, READER)
    asked = ("'torch' in __import__('sys').modules",)
    assert set(in_workers(eval, [asked] * 2 * workers.MOST)) == {False}


def test_only_the_task_that_ends_processes_is_given_up() -> None:
    tasks = [(f"__import__('os')._exit(9) if {i} == 5 else {i}",) for i in range(12)]
    found = list(in_workers(eval, tasks, 3, lambda task: -1))
    assert found == [0, 1, 2, 3, 4, -1, *range(6, 12)]
    with pytest.raises(BrokenExecutor):
        list(in_workers(eval, tasks, 3))
    assert list(in_workers(abs, [(-1,)])) == [1], "the next call has others"
