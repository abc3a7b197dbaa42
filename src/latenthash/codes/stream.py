"""Picture files into descriptions, as they come: decoded on all cores, described in batches.

Processes of workers import this, so it does without torch.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from latenthash.codes.code import Described, Source
from latenthash.codes.work import Work, complete, work_of
from latenthash.codes.workers import in_workers, may_start, most_at_once
from latenthash.data.detail import has_detail
from latenthash.data.reading import Reader
from latenthash.data.sources import Unread, named
from latenthash.system.files import Unusable

Result = TypeVar("Result")

FEW = 32  # files at most that are read here: other processes take two seconds to start
HANDED = 8  # files handed to a worker at once: one takes milliseconds
ENDS = "ends the process that reads it"  # the reason of a file that no process survives
BATCH = 16  # files whose pictures are described at once: more are no faster


@dataclass(frozen=True)
class DescribedFile:
    """A picture file that could be read.

    Attributes:
        name: as in tables, which may be shared.
        digest: sha256 hex of the file's bytes.
        described: (D,) what the source says of the picture. None where the picture has no
            detail: what it says of one such picture it says of all.
        remarks: what of the file was left out or looked odd.
    """

    name: str
    digest: str
    described: Described | None
    remarks: tuple[str, ...]


# A file that is not described yet, and (1, ...) that a worker made of it: None where it has no
# detail. Or why it cannot be read.
_Read: TypeAlias = tuple[DescribedFile, NDArray[Any] | None] | Unread


def describe_files(
    paths: Iterable[Path], given: Path | None, reader: Reader, source: Source
) -> Iterator[DescribedFile | Unread]:
    """Describe picture files, and hold no more of them than what is under way.

    Args:
        paths: of the files.
        given: the folder in which they were found, or the one file itself; pictures are named by
            their path within it. None names them by their own.
        reader: how files are decoded.
        source: what describes the pictures.

    Yields:
        what is said of each file, or why it cannot be read, in the order of the paths.
    """
    work, place = work_of(source), Path.cwd()
    paths = iter(paths)
    first = list(islice(paths, FEW + 1))
    tasks = ((path, given, place, reader, work) for path in chain(first, paths))
    described = partial(_completed, source)
    if len(first) <= FEW or not may_start():
        for some in _batched((_read(*task) for task in tasks), BATCH):
            yield from described(some)
        return
    read = in_workers(_read, tasks, HANDED, _ended)
    for results in _in_threads(described, _batched(read, BATCH)):
        yield from results


def _in_threads(
    function: Callable[[Sequence[_Read]], Result], batches: Iterable[Sequence[_Read]]
) -> Iterator[Result]:
    """Call a function with each batch, in as many threads as there are cores, in their order.

    Each thread computes alone. Threads that shared a batch would wait for each other, which takes
    several times as long where other processes want the cores, as those that decode do.
    """
    threads = most_at_once()
    waiting: deque[Future[Result]] = deque()
    with _ALONE:
        pool = ThreadPoolExecutor(threads)
        try:
            for some in batches:
                waiting.append(pool.submit(function, some))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


class _Alone:
    """Lets new threads compute alone, for as long as anybody asks for it: torch has one setting."""

    def __init__(self) -> None:
        self._lock, self._asking, self._before = Lock(), 0, 1

    def __enter__(self) -> None:
        import torch  # here, for workers import this module

        with self._lock:
            if not self._asking:
                self._before = torch.get_num_threads()
                torch.set_num_threads(1)
            self._asking += 1

    def __exit__(self, *_: object) -> None:
        import torch

        with self._lock:
            self._asking -= 1
            if not self._asking:
                torch.set_num_threads(self._before)


_ALONE = _Alone()


def _read(path: Path, given: Path | None, place: Path, reader: Reader, work: Work) -> _Read:
    """Decode a file, and do a worker's work for the source; a worker may have begun elsewhere."""
    name = named(path, given)
    try:
        picture = reader.read(place / path)
    except Unusable as error:
        return Unread(name, path, str(error))
    made = work([picture.pixels]) if has_detail(picture.pixels) else None
    return DescribedFile(name, picture.digest, None, picture.remarks), made


def _ended(path: Path, given: Path | None, *_: object) -> _Read:
    """Say of a file that it ended the process that read it, for `_read`'s arguments."""
    return Unread(named(path, given), path, ENDS)


def _completed(source: Source, files: Sequence[_Read]) -> list[DescribedFile | Unread]:
    """Describe what was made of files, all at once."""
    made = [file[1] for file in files if not isinstance(file, Unread) and file[1] is not None]
    rows = iter(complete(source, np.concatenate(made)) if made else ())
    done: list[DescribedFile | Unread] = []
    for file in files:
        if isinstance(file, Unread):
            done.append(file)
        else:
            found, view = file
            done.append(found if view is None else replace(found, described=next(rows)))
    return done


def _batched(items: Iterable[_Read], count: int) -> Iterator[list[_Read]]:
    """Take items a few at a time; the last may be fewer."""
    items = iter(items)
    while some := list(islice(items, count)):
        yield some
