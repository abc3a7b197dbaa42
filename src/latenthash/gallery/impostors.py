"""How near codes of different pictures come by chance, and the distance for a wanted rate.

Pairs of photographs say it down to about one in their number. Searching a million pictures asks for
rates far below, which must be extrapolated. Distances have a lower end, 0, and the lower tail of
such a distribution tends to a power of the distance, whose exponent is the local intrinsic
dimension; its estimator is Hill's (Amsaleg et al., Estimating Local Intrinsic Dimensionality,
KDD 2015). All that is said here is an upper bound: the share of pairs that decide the tail is taken
at the upper end of its interval, and the exponent at the lower end of its own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, chi2

from latenthash.errors import InputError
from latenthash.hashing.printable_code import BITS
from latenthash.options.jobs import SHIPPED_CODES
from latenthash.report.tables import write_text
from latenthash.system.files import Unusable, read_bounded
from latenthash.system.paths import path_text

FORMAT = 1
FILE = "impostors.json"  # in a gallery's folder, and in the folder of a bundle
MOST_BYTES = 2**20  # of the file
FEWEST = 40  # pictures: of fewer, hardly a pair is near
DECIDING, MOST_SHARE = 100, 0.01  # pairs of pictures that decide the tail, and their share at most
LEVEL = 0.95  # of each bound, which is one-sided
NOT_SEEN = 3  # trials times a rate, below which seeing none is no news (Hanley and others, 1983)

Counts = NDArray[np.int64]  # (257,) pairs at each distance


@dataclass(frozen=True)
class Impostors:
    """The distances between codes of different pictures, one of each pair edited.

    Attributes:
        tag: 4 hex digits that name the network of the codes.
        pictures: that were compared, each with each.
        pairs: of two different pictures; the edits of one pair are much alike, and count as one.
        counts: (257,) comparisons of an edited picture with another at each distance.
        of: what the pictures are, for people.
    """

    tag: str
    pictures: int
    pairs: int
    counts: Counts
    of: str

    @cached_property
    def rates(self) -> NDArray[np.float64]:
        """The largest share of different pictures that may be within each distance, (257,).

        Down to the nearest `DECIDING` pairs this is the upper end of the share's interval (Clopper
        and Pearson), and below a power of the distance.
        """
        shares = self.counts.cumsum() / self.counts.sum()
        near = shares * self.pairs  # pairs of pictures, in parts where some edits are within
        bounds = beta.ppf(LEVEL, near + 1, np.maximum(self.pairs - near, 1e-9))
        start, exponent = self.tail
        below = (np.arange(start) + 0.5) / (start + 0.5)
        bounds[:start] = np.maximum(bounds[start] * below**exponent, shares[:start])
        # Rounding, and where all pairs are within, must not let a larger distance be rarer.
        return np.maximum.accumulate(np.clip(bounds, 0, 1))

    @cached_property
    def tail(self) -> tuple[int, float]:
        """Where the tail begins, and the least exponent of the distance within it."""
        near = self.counts.cumsum() / self.counts.sum() * self.pairs
        start = int(np.searchsorted(near, min(DECIDING, MOST_SHARE * self.pairs)))
        # Distances are whole numbers, and stand for the half before and behind.
        logs = np.log((start + 0.5) / np.maximum(np.arange(start + 1), 0.5))
        within = self.counts[: start + 1]
        mean = float(within @ logs / within.sum())
        trials = 2 * float(near[start])
        return start, float(chi2.ppf(1 - LEVEL, trials)) / trials / mean

    @property
    def supported(self) -> float:
        """The smallest rate that the pairs can bound by themselves, with no extrapolation."""
        return NOT_SEEN / self.pairs

    def expected(self, distance: int, size: int) -> float:
        """Return how many of a gallery's pictures are within a distance of another by chance.

        Args:
            distance: bits.
            size: pictures in the gallery that can be found.
        """
        return float(self.rates[distance]) * size

    def limit(self, false_matches: float, size: int) -> int:
        """Return the largest distance within which so few false matches are expected of a query.

        Args:
            false_matches: expected of one query.
            size: pictures in the gallery that can be found.

        Returns:
            bits; -1 where there is no such distance.
        """
        return int(np.searchsorted(self.rates * size, false_matches, side="right")) - 1

    def refuse_other(self, tag: bytes, where: str) -> None:
        """Refuse to judge codes of another network.

        Args:
            tag: of the codes.
            where: they come from, for people.

        Raises:
            InputError: that names both.
        """
        if self.tag != tag.hex():
            raise InputError(
                f"The distances of different pictures that are known are those of the network "
                f"{self.tag}, and the codes of {where} are of {tag.hex()}. Measure its own with "
                "gallery=DIR calibrate=PATH, or name a distance=N."
            )

    def text(self) -> str:
        """Write it as `parse` reads it."""
        seen = np.flatnonzero(self.counts)
        values = {
            "format": FORMAT,
            "tag": self.tag,
            "of": self.of,
            "pictures": self.pictures,
            "pairs": self.pairs,
            "distances": {str(d): int(self.counts[d]) for d in seen},
        }
        return json.dumps(values, indent=1) + "\n"

    def write(self, folder: Path) -> None:
        """Write it to a gallery's folder, whole or not at all."""
        write_text(self.text(), folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> "Impostors | None":
        """Read what a folder holds; None where it holds none.

        Raises:
            InputError: if it cannot be read, or was damaged.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            return cls.parse(read_bounded(path, MOST_BYTES))
        except (Unusable, ValueError, RecursionError) as error:
            raise InputError(
                f"{path_text(path)} cannot be used: {error}. Remove it, or measure the distances "
                "of different pictures anew: gallery=DIR calibrate=PATH."
            ) from error

    @classmethod
    def parse(cls, text: str | bytes) -> "Impostors":
        """Read what `text` wrote.

        Raises:
            ValueError: if it is nothing of the kind.
        """
        values = json.loads(text)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError(f"it is no distribution of distances of format {FORMAT}")
        counts = np.zeros(BITS + 1, np.int64)
        distances = values.get("distances")
        if not isinstance(distances, dict):
            raise ValueError("it has no distances")
        for distance, count in distances.items():
            if not distance.isdecimal() or int(distance) > BITS:
                raise ValueError(f"{distance!r:.40} is no distance of 0 to {BITS}")
            counts[int(distance)] = _whole(count, 1, 2**53 // (BITS + 1))
        tag, of = values.get("tag"), values.get("of")
        if not (isinstance(tag, str) and len(tag) == 4 and set(tag) <= set("0123456789abcdef")):
            raise ValueError("its tag is not one of 4 hex digits")
        if not isinstance(of, str) or len(of) > 200:
            raise ValueError("it does not say of what pictures it is")
        pictures = _whole(values.get("pictures"), FEWEST, 10**7)
        pairs = _whole(values.get("pairs"), 1, pictures * (pictures - 1) // 2)
        if not counts.any():
            raise ValueError("it has no distances")
        return cls(tag, pictures, pairs, counts, of)


def measure(
    tag: bytes, bits: NDArray[np.uint8], group: Sequence[int] | NDArray[np.int64], of: str
) -> Impostors:
    """Compare every edited picture with every other picture as it is.

    Args:
        tag: of the network.
        bits: (P, 1 + E, 32) packed codes; those of the pictures themselves come first.
        group: (P,); pictures of one group are nearly the same, and are not compared.
        of: what the pictures are, for people.

    Raises:
        InputError: if there are too few pictures.
    """
    group = np.asarray(group)
    different = group[:, None] != group
    pairs = int(different.sum()) // 2
    if len(bits) < FEWEST or not pairs:
        raise InputError(
            f"{len(bits)} pictures say too little of how near different pictures come: give "
            f"{FEWEST} or more, of which some hundreds are better. A rate of 1e-5 without "
            "extrapolation takes 800."
        )
    counts = pair_counts(bits[:, 1:], bits[:, 0], different)
    return Impostors(tag.hex(), len(bits), pairs, counts, of)


def pair_counts(
    edited: NDArray[np.uint8], originals: NDArray[np.uint8], wanted: NDArray[np.bool_]
) -> Counts:
    """Count the pairs of an edited picture and one as it is at each distance, (257,).

    Args:
        edited: (P, E, 32) packed codes.
        originals: (P, 32).
        wanted: (P, P) whether the edits of one picture are compared with another.
    """
    counts = np.zeros(BITS + 1, np.int64)
    references = np.ascontiguousarray(originals).view(np.uint64)
    for codes, others in zip(edited, wanted, strict=True):
        words = np.ascontiguousarray(codes).view(np.uint64)
        distances = np.bitwise_count(words[:, None] ^ references[others]).sum(-1, dtype=np.int64)
        counts += np.bincount(distances.ravel(), minlength=BITS + 1)
    return counts


def known_impostors(gallery: Path, tag: bytes) -> Impostors | None:
    """Read what is known of a network's codes: what the user measured, or else what ships.

    Args:
        gallery: its folder.
        tag: of the network.

    Returns:
        the user's own, be it of this network or not; None where nothing is known.

    Raises:
        InputError: if the gallery's cannot be read.
    """
    own = Impostors.read(gallery)
    if own is not None:
        return own
    for name in SHIPPED_CODES:
        with as_file(files("latenthash") / "shipped" / name) as folder:
            shipped = Impostors.read(folder)
        if shipped is not None and shipped.tag == tag.hex():
            return shipped
    return None


def _whole(value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{value!r:.40} is no whole number from {least} to {most}")
    return value
