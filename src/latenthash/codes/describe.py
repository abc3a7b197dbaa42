"""Describing every picture under every edit, on all cores, once.

What a source says of one picture is one entry of the cache, to which every run adds what it
describes: a run that was killed goes on where it stopped, and more edits cost no more than
themselves. All peers together have one entry: a file costs as much as their hashes. When one of
them is new, the others are hashed again.
"""

import logging
import pickle
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from numpy.typing import NDArray

from latenthash.cache import DiskCache, cache_key
from latenthash.codes.code import Described, HashError, Source
from latenthash.codes.peers import own_functions, parts, together
from latenthash.codes.work import Work, complete, work_of
from latenthash.codes.workers import in_workers
from latenthash.data.edits.suite import LIBRARIES, SuiteEdit
from latenthash.data.reading import READING, Picture, Reader
from latenthash.errors import InputError, JobError
from latenthash.system.terminal import track

log = logging.getLogger(__name__)

VIEWS = 8  # handed to a worker at once, or one picture under all edits: a view takes milliseconds


class Edits(Protocol):
    """What names edits in the cache: a `Suite`, or `Unedited`."""

    @property
    def edits(self) -> Sequence[SuiteEdit]:
        """All of them, in their order."""

    @property
    def digest(self) -> str:
        """What decides what they do to a picture."""


@dataclass(frozen=True)
class Unedited:
    """No edits: pictures are described as they are.

    Attributes:
        edits: none.
        digest: names these descriptions in the cache.
    """

    edits: tuple[SuiteEdit, ...] = ()
    digest: str = "unedited"


@dataclass(frozen=True)
class Item:
    """A picture to be described.

    Attributes:
        name: as in tables, which may be shared.
        digest: the picture's, by which its descriptions are kept.
        load: gives the picture, or a ValueError that says why it cannot.
        path: of its file; None where it has none.
    """

    name: str
    digest: str
    load: Callable[[], Picture]
    path: Path | None = None

    def read(self) -> Picture:
        """Return the picture.

        Raises:
            InputError: if it cannot be read any more, or is another one now.
        """
        try:
            picture = self.load()
        except InputError:  # names the picture that this one is a part of
            raise
        except ValueError as error:
            raise InputError(
                f"{self.name} {error}, but could be read when the run began. Bring it back or "
                "leave it out, and run again: what was described is kept."
            ) from error
        if picture.digest != self.digest:
            raise InputError(
                f"{self.name} was changed since the run began. Run again: what was described of "
                "other pictures is kept."
            )
        return picture


def describe(
    items: Sequence[Item],
    edits: Sequence[SuiteEdit],
    suite: Edits,
    sources: Sequence[Source],
    cache: DiskCache,
    reader: Reader,
) -> dict[str, Described]:
    """Describe pictures as they are and under each edit.

    Args:
        items: P pictures.
        edits: E edits of the suite.
        suite: theirs, which names them in the cache.
        sources: those with the same key are asked once.
        cache: where descriptions are kept.
        reader: how the pictures are decoded.

    Returns:
        key of the source -> (P, 1 + E, D); the picture itself comes first.

    Raises:
        InputError: naming pictures that cannot be read any more, when all others are described.
        HashError: naming hashes that failed, and of which picture, when all others are described.
        JobError: if a process died, naming the hashes of users that it worked on.
    """
    order = {edit.name: row for row, edit in enumerate(suite.edits, start=1)}
    rows = np.array([0, *(order[edit.name] for edit in edits)])
    made_by = [suite.digest, READING, repr(reader), *LIBRARIES]
    by_key = {source.key: source for source in together(sources)}
    known = {
        key: _Rows(s, cache, [cache_key("rows", key, *made_by, i.digest) for i in items], rows)
        for key, s in by_key.items()
    }
    _complete(items, dict(zip(rows[1:].tolist(), edits, strict=True)), known)
    return {
        key: part for s in by_key.values() for key, part in parts(s, known[s.key].described).items()
    }


def _complete(
    items: Sequence[Item], by_row: Mapping[int, SuiteEdit], known: Mapping[str, "_Rows"]
) -> None:
    """Describe what is missing, on all cores.

    Args:
        items: P pictures.
        by_row: row -> the edit whose view it describes.
        known: key of a source -> its rows, to which the missing ones are added.

    Raises:
        InputError: see `describe`.
        HashError: see `describe`.
        JobError: see `describe`.
    """
    missing = [{key: k.missing(i) for key, k in known.items()} for i in range(len(items))]
    left = [len(set().union(*of.values())) for of in missing]
    views = 1 + len(by_row)  # of a picture
    log.info(
        "%d pictures, each as it is and under %d edits: %d of %d views are described already.",
        len(items), len(by_row), len(items) * views - sum(left), len(items) * views,
    )  # fmt: skip
    todo = [i for i, count in enumerate(left) if count]
    # Packed, for it goes along with every picture: workers come and go, and edits are much alike.
    work = {key: work_of(k.source) for key, k in known.items()}
    packed = zlib.compress(pickle.dumps((by_row, work)))
    tasks = ((packed, items[i], missing[i]) for i in todo)
    results = in_workers(_described, tasks, max(1, VIEWS // views))
    problems: list[str] = []
    faults: dict[str, str] = {}  # the first of each source
    try:
        for i, result in track(zip(todo, results, strict=True), "Describing pictures", len(todo)):
            if isinstance(result, InputError):
                problems += result.problems
                continue
            for key, made in result.items():
                if isinstance(made, HashError):
                    faults = made.faults | faults
                else:
                    known[key].add(i, missing[i][key], complete(known[key].source, made))
    except TerminatedWorkerError as error:
        raise _died(
            [k.source for key, k in known.items() if any(m[key] for m in missing)]
        ) from error
    if problems:
        raise InputError(problems)
    if faults:
        raise HashError(faults)


def _died(sources: Sequence[Source]) -> JobError:
    """Say who may have ended a process that described pictures by these sources."""
    own = " or ".join(own_functions(sources))
    why = f"{own} crashed or ended it, or" if own else "probably"
    out = "Leave the hash out by peers=, or run" if own else "Run"
    return JobError(
        f"A process that described pictures died: {why} memory ran out. {out} again: what was "
        "described is kept."
    )


class _Rows:
    """The rows by which a source describes pictures, at hand and in the cache.

    An entry is an array (rows, D): row 0 for the picture itself, row n for the suite's n-th edit.
    A row that is not described is NaN, or 0 where there are only -1 and 1. It ends with the last
    that is, for most derived pictures are never edited.

    Args:
        source: whose descriptions they are.
        cache: where entries are.
        keys: P, of the pictures' entries.
        rows: (R,) that are asked for.

    Attributes:
        described: (P, R, D).
    """

    def __init__(
        self, source: Source, cache: DiskCache, keys: Sequence[str], rows: NDArray[np.int64]
    ) -> None:
        self.source, self.cache, self.keys, self.rows = source, cache, keys, rows
        self.described = self._blank(len(keys), len(rows))
        for i, key in enumerate(keys):
            entry = cache.read_array(key)
            if entry is not None:
                self._take(i, entry)

    def missing(self, i: int) -> list[int]:
        """Return the rows of a picture that are asked for and not described."""
        first = self.described[i, :, 0]
        blank = first == 0 if self.source.kind is np.int8 else np.isnan(first)
        rows: list[int] = self.rows[blank].tolist()
        return rows

    def add(self, i: int, rows: Sequence[int], described: Described) -> None:
        """Take and keep what was said of a picture, (len(rows), D)."""
        entry = self.cache.read_array(self.keys[i])  # again: another run may have added to it
        grown = self._blank(max(rows[-1] + 1, 0 if entry is None else len(entry)))
        if entry is not None:
            grown[: len(entry)] = entry
        grown[rows] = described
        self.cache.write_array(self.keys[i], grown)
        self._take(i, grown)

    def _take(self, i: int, entry: Described) -> None:
        there = self.rows < len(entry)
        self.described[i, there] = entry[self.rows[there]]

    def _blank(self, *shape: int) -> Described:
        """Return rows that are not described, (*shape, D)."""
        kind = self.source.kind
        return np.full((*shape, self.source.dimensions), 0 if kind is np.int8 else np.nan, kind)


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> tuple[Mapping[int, SuiteEdit], Mapping[str, Work]]:
    by_row, work = pickle.loads(zlib.decompress(packed))
    return by_row, work


def _described(
    packed: bytes, item: Item, missing: Mapping[str, Sequence[int]]
) -> dict[str, NDArray[Any] | HashError] | InputError:
    """Edit a picture, and make the rows that each source misses; one edit is held at a time.

    Returns:
        key of a source -> its rows, or the first fault of it.
    """
    by_row, work = _unpacked(packed)
    try:
        picture = item.read()
    except InputError as error:
        return error
    made: dict[str, list[NDArray[Any]]] = {key: [] for key, rows in missing.items() if rows}
    faulty: dict[str, HashError] = {}
    for row in sorted(set().union(*missing.values())):
        pixels = picture.pixels
        if row:
            pixels = by_row[row].apply(pixels, picture.digest)
        for key in made.keys() - faulty.keys():
            if row in missing[key]:
                try:
                    made[key].append(work[key]([pixels]))
                except HashError as error:
                    under = f" under {by_row[row].name}" if row else ""
                    faulty[key] = HashError(
                        {k: f"{did}, of {item.name}{under}" for k, did in error.faults.items()}
                    )
    return {key: faulty.get(key) or np.concatenate(rows) for key, rows in made.items()}
