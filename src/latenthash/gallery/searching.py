"""Searching a gallery from a program: what `Gallery.find` and `Gallery.duplicates` do."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latenthash.errors import InputError
from latenthash.gallery.copies import groups
from latenthash.gallery.engines import open_engine
from latenthash.gallery.entries import Entries
from latenthash.gallery.finding import Limit
from latenthash.gallery.impostors import known_impostors
from latenthash.library.hashes import Hash


@dataclass(frozen=True)
class Search:
    """How a gallery is searched.

    Attributes:
        false_matches: expected of one query at most, which sets the distance.
        distance: bits, which decide alone; None for the rate.
        engine: `auto`, `numpy`, `faiss` or `postgres`.
        database: URI of PostgreSQL.
    """

    false_matches: float = 0.01
    distance: int | None = None
    engine: str = "auto"
    database: str | None = None

    def limit(self, entries: Entries, folder: Path) -> Limit:
        """Choose the distance for a gallery.

        Raises:
            InputError: if none is known for the rate.
        """
        impostors = known_impostors(folder, entries.tag)
        return Limit.choose(entries, impostors, self.false_matches, self.distance)


@dataclass(frozen=True)
class Near:
    """A picture of a gallery that is near one that was looked for.

    Attributes:
        file: relative to the gallery's root.
        distance: bits that differ, of 256.
        false_matches: how many are expected to be so near by chance, at most; None where nobody
            measured it.
        meaning: the same in words.
    """

    file: str
    distance: int
    false_matches: float | None
    meaning: str


@dataclass(frozen=True)
class Copies:
    """Files of a gallery that show the same picture.

    Attributes:
        files: relative to the gallery's root.
        distances: bits in which each differs from the first.
        chain: whether some are further apart than the threshold.
    """

    files: tuple[str, ...]
    distances: tuple[int, ...]
    chain: bool


def find_near(entries: Entries, folder: Path, hash_: Hash, search: Search) -> list[Near]:
    """Find every picture of a gallery that is near a hash, the nearest first.

    Raises:
        InputError: if the hash is of another network or has no detail, or see `Search.limit`.
    """
    if hash_.tag != entries.tag:
        raise InputError(
            f"The gallery holds codes of the network {entries.tag.hex()}, and this hash is of "
            f"{hash_.tag.hex()}: their bits mean different things. Use the code of the gallery."
        )
    if not hash_.detail:
        raise InputError("The picture shows no detail: nothing tells it from other such pictures.")
    limit = search.limit(entries, folder)
    with open_engine(search.engine, entries, folder, search.database) as engine:
        pairs = engine.within(np.frombuffer(hash_.packed, np.uint8)[None], limit.distance)
    return [
        Near(entries.files[row], distance, limit.false_matches(distance), limit.meaning(distance))
        for row, distance in zip(pairs.row.tolist(), pairs.distance.tolist(), strict=True)
    ]


def find_copies(entries: Entries, folder: Path, search: Search) -> list[Copies]:
    """Group the files of a gallery that show the same picture.

    Raises:
        InputError: see `Search.limit`; or if the engine is PostgreSQL.
    """
    if search.engine == "postgres":
        raise InputError("Duplicates are found in memory: use engine numpy or faiss.")
    limit = search.limit(entries, folder)
    with open_engine(search.engine, entries, folder) as engine:
        found = groups(entries, engine, limit.distance)
    return [
        Copies(
            tuple(entries.files[row] for row in group.rows.tolist()),
            tuple(group.distances.tolist()),
            group.chain,
        )
        for group in found
    ]
