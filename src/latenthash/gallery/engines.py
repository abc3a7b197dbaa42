"""What finds all codes of a gallery within a distance; every engine finds the same rows."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from latenthash.codes.workers import most_at_once
from latenthash.errors import InputError
from latenthash.gallery.entries import Entries

Numbers: TypeAlias = NDArray[np.int64]
Codes: TypeAlias = NDArray[np.uint8]  # (N, 32)

SEARCHING = ("auto", "numpy", "faiss", "postgres")
BLOCK = 2**16  # codes compared at once: what is computed of them stays in a core's cache
WORDS = 4  # of 64 bits in a code
DENSE = 16  # where 1 code in so many is within after half of its bits, the others are counted too
NEEDS_FAISS = "engine=faiss needs: pip install 'latenthash[search]'."


@dataclass(frozen=True)
class Pairs:
    """Queries and the rows that are within a distance of them, by query, distance and row.

    Attributes:
        query: (P,) number of the query.
        row: (P,) of the gallery.
        distance: (P,) bits that differ.
    """

    query: Numbers
    row: Numbers
    distance: Numbers

    @classmethod
    def ordered(cls, parts: Sequence[tuple[Numbers, Numbers, Numbers]]) -> "Pairs":
        """Put parts (query, row, distance), each of some pairs, into one order."""
        query, row, distance = (
            np.concatenate([part[i] for part in parts] or [np.zeros(0, np.int64)]) for i in range(3)
        )
        order = np.lexsort((row, distance, query))
        return cls(query[order], row[order], distance[order])


class Engine(Protocol):
    """What finds the codes of a gallery's usable rows."""

    def within(self, queries: Codes, threshold: int, first: int = 0) -> Pairs:
        """Find every row that differs from a query in no more than so many bits.

        Args:
            queries: (Q, 32).
            threshold: bits.
            first: row; those before it are left out.
        """


class Searched(Protocol):
    """Codes that are searched, such as the entries of a gallery."""

    @property
    def codes(self) -> Codes:
        """The codes, (N, 32)."""

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(N,) which of them can be found."""


class NumpyEngine:
    """Counts differing bits with numpy, in as many threads as there are cores.

    Args:
        entries: 32 bytes of each usable one are held.
    """

    def __init__(self, entries: Searched) -> None:
        self._rows, codes = usable_codes(entries)
        # A word of all codes lies in one piece: (4, N).
        self._words = np.ascontiguousarray(codes.view(np.uint64).T)

    def within(self, queries: Codes, threshold: int, first: int = 0) -> Pairs:
        """Find every row within a distance; see `Engine`."""
        start = int(np.searchsorted(self._rows, first))
        words = np.ascontiguousarray(queries).view(np.uint64)
        threads = min(most_at_once(), len(words))
        if threads < 2:
            return Pairs.ordered(self._found(words, range(len(words)), threshold, start))
        with ThreadPoolExecutor(threads) as pool:
            parts = pool.map(
                lambda some: self._found(words, some, threshold, start),
                [range(i, len(words), threads) for i in range(threads)],
            )
            return Pairs.ordered([part for found in parts for part in found])

    def _found(
        self, words: NDArray[np.uint64], numbers: range, threshold: int, start: int
    ) -> list[tuple[Numbers, Numbers, Numbers]]:
        """Compare some queries with all codes from a place on, a block at a time."""
        found = []
        for begin in range(start, len(self._rows), BLOCK):
            block = self._words[:, begin : begin + BLOCK]
            scratch = _Scratch(block.shape[1])
            for i in numbers:
                at, distance = scratch.within(block, words[i], threshold)
                if len(at):
                    rows = self._rows[begin + at]
                    found.append((np.full(len(at), i), rows, distance))
        return found


class _Scratch:
    """Arrays that the comparison of one query with a block writes to, and that the next reuses."""

    def __init__(self, size: int) -> None:
        self._differing = np.empty(size, np.uint64)
        self._count, self._sum = np.empty((2, size), np.uint8)
        self._near = np.empty(size, np.bool_)

    def within(
        self, block: NDArray[np.uint64], query: NDArray[np.uint64], threshold: int
    ) -> tuple[Numbers, Numbers]:
        """Return the places in a block (4, B) that are within, and their distances.

        Most codes are too far away after half of their bits, and the rest is not counted.
        """
        half = WORDS // 2
        self._add(block[:half], query[:half], self._sum)
        np.less_equal(self._sum, min(threshold, 64 * half), out=self._near)
        if DENSE * np.count_nonzero(self._near) < len(self._near):
            at = np.flatnonzero(self._near)
            rest = np.bitwise_count(block[half:, at] ^ query[half:, None])
            distance = self._sum[at] + rest.sum(0, dtype=np.int64)
            kept = distance <= threshold
            return at[kept], distance[kept]
        first = self._sum.astype(np.int64)  # of 256 bits, 8 cannot count all
        self._add(block[half:], query[half:], self._sum)
        distance = first + self._sum
        at = np.flatnonzero(distance <= threshold)
        return at, distance[at]

    def _add(
        self, block: NDArray[np.uint64], query: NDArray[np.uint64], total: NDArray[np.uint8]
    ) -> None:
        """Count the differing bits of at most three words."""
        for i, (words, word) in enumerate(zip(block, query, strict=True)):
            np.bitwise_xor(words, word, out=self._differing)
            np.bitwise_count(self._differing, out=self._count if i else total)
            if i:
                np.add(total, self._count, out=total)


class FaissEngine:
    """Searches with faiss's exact index of bits, in as many threads as there are cores.

    Args:
        entries: 32 bytes of each usable one are held.

    Raises:
        InputError: if faiss is not installed.
    """

    def __init__(self, entries: Searched) -> None:
        if find_spec("faiss") is None:
            raise InputError(NEEDS_FAISS)
        logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # it tells what it loads
        import faiss  # of the extra `search`

        self._rows, codes = usable_codes(entries)
        self._blocks: list[tuple[int, Any]] = []  # so that those before a row can be left out
        for begin in range(0, len(codes), BLOCK):
            index = faiss.IndexBinaryFlat(8 * codes.shape[1])
            index.add(codes[begin : begin + BLOCK])
            self._blocks.append((begin, index))

    def within(self, queries: Codes, threshold: int, first: int = 0) -> Pairs:
        """Find every row within a distance; see `Engine`."""
        start = int(np.searchsorted(self._rows, first))
        queries = np.ascontiguousarray(queries)
        found = []
        for begin, index in self._blocks:
            if begin + index.ntotal <= start or not len(queries):
                continue
            limits, distances, at = index.range_search(queries, threshold + 1)  # not reached
            query = np.repeat(np.arange(len(queries)), np.diff(limits.astype(np.int64)))
            kept = begin + at >= start
            rows = self._rows[begin + at[kept]]
            found.append((query[kept], rows, distances[kept].astype(np.int64)))
        return Pairs.ordered(found)


@contextmanager
def open_engine(
    name: str, entries: Entries, gallery: Path, database: str | None = None
) -> Iterator[Engine]:
    """Open an engine over the usable rows of a gallery.

    Args:
        name: `auto` is that of `engine_here`.
        entries: of the gallery.
        gallery: its folder.
        database: URI of PostgreSQL.

    Raises:
        InputError: if it needs what is not installed, or the database cannot be used.
    """
    if name not in SEARCHING:
        raise InputError(f"engine={name} does not search: give one of {', '.join(SEARCHING)}.")
    if name == "postgres":
        if find_spec("psycopg") is None:
            raise InputError("engine=postgres needs: pip install 'latenthash[postgres]'.")
        from latenthash.gallery.postgres import PostgresEngine  # of the extra `postgres`

        with PostgresEngine.open(entries, gallery, database) as engine:
            yield engine
    elif name == "auto":
        yield engine_here(entries)
    else:
        yield FaissEngine(entries) if name == "faiss" else NumpyEngine(entries)


def engine_here(entries: Searched) -> Engine:
    """Return faiss where it is installed, which takes two thirds of numpy's time, or else numpy.

    benchmarks/finding.py measures both.
    """
    return NumpyEngine(entries) if find_spec("faiss") is None else FaissEngine(entries)


def usable_codes(entries: Searched) -> tuple[Numbers, Codes]:
    """Return the usable rows, (N,), and their codes, (N, 32), in one piece."""
    rows = np.flatnonzero(entries.usable)
    return rows, np.ascontiguousarray(entries.codes[rows])
