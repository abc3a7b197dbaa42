"""Finding pictures in a gallery: up to which distance, and what a distance means."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd

from latenthash.errors import InputError
from latenthash.gallery.engines import Engine
from latenthash.gallery.entries import Entries
from latenthash.gallery.impostors import Impostors
from latenthash.hashing.printable_code import BITS

AT_ONCE = 64  # queries compared at once
SURE = 0.01  # false matches expected of a query, up to which a match is called the same picture
COLUMNS = ("query", "file", "distance", "false matches", "meaning")
NO_DETAIL = "no detail: nothing tells it from other such pictures"


@dataclass(frozen=True)
class Limit:
    """The distance within which pictures are looked for.

    Attributes:
        distance: bits.
        size: pictures of the gallery that can be found.
        impostors: distances of different pictures; None where nobody measured them.
    """

    distance: int
    size: int
    impostors: Impostors | None

    @classmethod
    def choose(
        cls,
        entries: Entries,
        impostors: Impostors | None,
        false_matches: float,
        distance: int | None = None,
    ) -> "Limit":
        """Choose the distance for a rate of false matches, unless one is given.

        Args:
            entries: of the gallery.
            impostors: distances of different pictures, by the code of the gallery.
            false_matches: expected of one query, at most.
            distance: bits, which decide alone, and which the distances of another code do not
                judge; None for the rate.

        Raises:
            InputError: if no distance has such a rate, or none is known.
        """
        size = int(np.count_nonzero(entries.usable))
        if distance is not None:
            if not 0 <= distance <= BITS:
                raise InputError(f"distance={distance} must be from 0 to {BITS} bits.")
            known = impostors is not None and impostors.tag == entries.tag.hex()
            return cls(distance, size, impostors if known else None)
        if impostors is not None:
            impostors.refuse_other(entries.tag, "this gallery")
        if impostors is None:
            raise InputError(
                f"Nobody measured how near different pictures come by the network "
                f"{entries.tag.hex()}: measure it on pictures of yours, gallery=DIR "
                "calibrate=PATH, or name a distance=N."
            )
        chosen = impostors.limit(false_matches, size)
        if chosen < 0:
            raise InputError(
                f"Among {size:,} pictures no distance is known to bring so few as "
                f"{false_matches:g} false matches: exact copies of a code already may bring "
                f"{impostors.expected(0, size):.2g}. Ask for false_matches of more, or measure "
                "more pictures with calibrate=PATH."
            )
        return cls(chosen, size, impostors)

    def false_matches(self, distance: int) -> float | None:
        """Return how many pictures are expected within a distance of a query by chance, at most."""
        return None if self.impostors is None else self.impostors.expected(distance, self.size)

    def meaning(self, distance: int) -> str:
        """Say in words what a distance in this gallery means."""
        expected = self.false_matches(distance)
        if expected is None:
            return "not measured"
        if expected > 1:
            return f"uncertain: chance brings up to {_number(expected)} so near to a query"
        verdict = "the same picture" if expected <= SURE else "probably the same"
        return (
            f"{verdict}: chance brings one so near in {_number(1 / max(expected, 1e-10))} queries"
        )

    def text(self) -> str:
        """Say in a sentence what is looked for, and what may be wrong."""
        among = f"within {self.distance} of {BITS} bits, among {self.size:,} pictures"
        expected = self.false_matches(self.distance)
        if expected is None or self.impostors is None:
            return f"Looked for {among}; nobody measured how many come so near by chance."
        rate = expected / max(self.size, 1)
        known = "as measured" if rate >= self.impostors.supported else "as extrapolated"
        return (
            f"Looked for {among}: at most {expected:.2g} false matches are expected of a query, "
            f"{known} from {self.impostors.pictures:,} pictures ({self.impostors.of})."
        )


@dataclass(frozen=True)
class Query:
    """A picture that is looked for.

    Attributes:
        name: as in tables.
        code: 32 bytes; None where it has none.
        reason: why it has none.
    """

    name: str
    code: bytes | None
    reason: str = NO_DETAIL


def find(
    entries: Entries, engine: Engine, limit: Limit, queries: Iterable[Query]
) -> Iterator[tuple[object, ...]]:
    """Find every picture of a gallery within a distance of each query.

    Args:
        entries: of the gallery.
        engine: over these.
        limit: the distance.
        queries: taken as they come.

    Yields:
        rows of `COLUMNS`: those of a query by their distance, or one that says why it has none.
    """
    queries = iter(queries)
    while some := list(islice(queries, AT_ONCE)):
        codes = [np.frombuffer(query.code, np.uint8) for query in some if query.code is not None]
        numbers = [i for i, query in enumerate(some) if query.code is not None]
        found: dict[int, list[tuple[int, int]]] = {i: [] for i in numbers}
        if codes:
            pairs = engine.within(np.stack(codes), limit.distance)
            for query, row, distance in zip(
                pairs.query.tolist(), pairs.row.tolist(), pairs.distance.tolist(), strict=True
            ):
                found[numbers[query]].append((row, distance))
        for i, query in enumerate(some):
            for row, distance in found.get(i, ()):
                expected = limit.false_matches(distance)
                shown = "" if expected is None else expected
                meaning = limit.meaning(distance)
                yield (query.name, entries.files[row], distance, shown, meaning)
            if not found.get(i):
                nothing = f"nothing within {limit.distance} bits"
                yield (query.name, "", "", "", query.reason if query.code is None else nothing)


def as_table(rows: Iterable[tuple[object, ...]]) -> pd.DataFrame:
    """Lay out what was found."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS))


def _number(value: float) -> str:
    """Write a count with no more digits than it has."""
    if value >= 1e9:
        return "over a billion"
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 10 else f"{value:.2g}"
