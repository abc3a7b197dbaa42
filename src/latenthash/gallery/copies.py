"""Groups of the same picture among all of a gallery, in memory that does not grow with pairs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from latenthash.gallery.engines import Engine, Numbers
from latenthash.gallery.entries import Entries

STEP, FIRST = 1024, 64  # codes compared with all others at once: at most, and at first
MANY = 2**20  # pairs that are held at once, about: fewer codes are taken where they have more
COLUMNS = ("group", "file", "distance", "chain")

Show: TypeAlias = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True)
class Group:
    """Files that show the same picture.

    Attributes:
        rows: (n,) of the gallery, two or more.
        distances: (n,) bits in which each differs from the first.
        chain: whether some are further apart than the threshold, and hang together by others: then
            it may be of two pictures.
    """

    rows: Numbers
    distances: Numbers
    chain: bool


def groups(
    entries: Entries,
    engine: Engine,
    threshold: int,
    show: Show = iter,
) -> list[Group]:
    """Join pictures within a threshold of each other, and those that these are joined with.

    Every pair is compared once. Files with equal codes are asked for once: a million copies of one
    picture are no million times a million pairs.

    Args:
        entries: of the gallery, N.
        engine: over these.
        threshold: bits.
        show: shows the progress of steps.

    Returns:
        the groups, in the order of their first files.
    """
    usable = np.flatnonzero(entries.usable)
    codes = np.ascontiguousarray(entries.codes[usable])
    _, at = np.unique(codes.view(f"V{codes.shape[1]}").ravel(), return_index=True)
    first = np.zeros(len(entries), np.bool_)  # whether a file is the first with its code
    first[usable[at]] = True
    forest = _Forest(len(entries))
    for query, row in _pairs(entries, engine, threshold, usable[np.sort(at)], show):
        forest.join(query, row)
        # The others of a code hang together with all that it does.
        both = first[row] & (query != row)
        forest.count(query[both], row[both])
    return _grouped(entries, forest, first)


def table(entries: Entries, found: Iterable[Group]) -> pd.DataFrame:
    """Lay out groups, a row a file."""
    rows = [
        (number, entries.files[row], distance, "yes" if group.chain else "")
        for number, group in enumerate(found, 1)
        for row, distance in zip(group.rows.tolist(), group.distances.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _pairs(
    entries: Entries, engine: Engine, threshold: int, queries: Numbers, show: Show
) -> Iterator[tuple[Numbers, Numbers]]:
    """Find the rows from each query's own on that are within, some queries at a time."""
    size = FIRST
    for begin in show(range(0, len(queries), STEP)):
        left = queries[begin : begin + STEP]
        while len(left):
            some, left = left[:size], left[size:]
            found = engine.within(entries.codes[some], threshold, int(some[0]))
            query = some[found.query]
            kept = found.row >= query  # those before were asked for the same pair
            yield query[kept], found.row[kept]
            if len(found.row) > MANY:
                size = max(1, size // 2)
            elif len(found.row) < MANY // 4:
                size = min(STEP, 2 * size)


class _Forest:
    """Rows that hang together, and how many pairs each is one of.

    Args:
        size: N rows.

    Attributes:
        label: (N,) the first row of those that each hangs together with.
        pairs: (N,) of codes within the threshold.
    """

    def __init__(self, size: int) -> None:
        self._label = np.arange(size)
        self._waiting: list[tuple[Numbers, Numbers]] = []
        self._count = 0
        self.pairs = np.zeros(size, np.int64)

    def join(self, one: Numbers, other: Numbers) -> None:
        """Let pairs of rows hang together."""
        apart = one != other
        self._waiting.append((one[apart], other[apart]))
        self._count += int(apart.sum())
        if self._count > MANY:
            self._settle()

    def count(self, one: Numbers, other: Numbers) -> None:
        """Count pairs."""
        for rows in (one, other):
            self.pairs += np.bincount(rows, minlength=len(self.pairs))

    @property
    def label(self) -> Numbers:
        """Settle what hangs together, and return it."""
        self._settle()
        return self._label

    def _settle(self) -> None:
        """Give rows that hang together one label, the first row of them."""
        pairs = [self._label[np.concatenate(side)] for side in zip(*self._waiting, strict=True)]
        self._waiting, self._count = [], 0
        if not pairs:
            return
        labels, at = np.unique(np.concatenate(pairs), return_inverse=True)
        one, other = np.split(at, 2)
        size = len(labels)
        graph = coo_array((np.ones(len(one), np.bool_), (one, other)), shape=(size, size))
        _, part = connected_components(graph, directed=False)
        _, start = np.unique(part, return_index=True)  # labels ascend: the first is the least
        renamed = np.arange(len(self._label))
        renamed[labels] = labels[start[part]]
        self._label = renamed[self._label]


def _grouped(entries: Entries, forest: _Forest, first: NDArray[np.bool_]) -> list[Group]:
    """Collect the rows of each label that has more than one.

    Args:
        entries: of the gallery, N.
        forest: of its rows.
        first: (N,) whether a row is the first of its code.
    """
    label = forest.label
    joined = np.flatnonzero(np.bincount(label, minlength=len(label))[label] > 1)
    if not len(joined):
        return []
    joined = joined[np.argsort(label[joined], kind="stable")]
    found = []
    for rows in np.split(joined, np.flatnonzero(np.diff(label[joined])) + 1):
        differing = np.bitwise_count(entries.codes[rows] ^ entries.codes[rows[0]])
        codes = rows[first[rows]]
        # All are within the threshold of each other where each is in a pair with every other.
        chain = bool((forest.pairs[codes] != len(codes) - 1).any())
        found.append(Group(rows, differing.sum(1, dtype=np.int64), chain))
    return found
