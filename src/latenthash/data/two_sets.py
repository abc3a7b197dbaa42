"""Two sets of pictures that share none: one sets limits, the other is judged."""

import random

from latenthash.cache import DiskCache
from latenthash.data.reading import Reader
from latenthash.data.sources import load_pictures
from latenthash.errors import InputError

FEWEST = 2  # pictures of each: limits and attacks are of pairs


class TwoSets:
    """Read pictures that set limits, and pictures that are judged.

    Args:
        outliers: source of those that set limits.
        unseen: source of those that are judged.
        reader: how picture files are decoded.
        pictures: most that are judged, and most that set limits; None takes all.
        others: pictures that look most like one, onto which its mark is copied.
        seed: the run's seed, which chooses them.
        cache: where embedded pictures are kept.

    Raises:
        InputError: everything that is wrong with the sources, at once.
    """

    def __init__(
        self,
        *,
        outliers: str | None,
        unseen: str | None,
        reader: Reader,
        pictures: int | None,
        others: int,
        seed: int,
        cache: DiskCache | None,
    ) -> None:
        sources = {"outliers": outliers, "unseen": unseen}
        missing = [
            f"data.{role} is not set; give a folder: data.{role}=PATH."
            for role, source in sources.items()
            if source is None
        ]
        given = {role: source for role, source in sources.items() if source is not None}
        found = load_pictures(given, reader, cache, missing)
        few = [
            f"data.{role} holds one picture; {FEWEST} are needed."
            for role, some in found.items()
            if len(some) < FEWEST
        ]
        if few:
            raise InputError(few)
        chosen = {}
        for role, some in found.items():
            # By content: neither names nor their order decide.
            ordered = sorted(some, key=lambda picture: picture.digest)
            random.Random(seed).shuffle(ordered)
            chosen[role] = ordered[:pictures]
        self.outliers, self.unseen = chosen["outliers"], chosen["unseen"]
        self.others = others
