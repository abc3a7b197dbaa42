"""The stage of the benchmark: pictures that are marked and registered, and thieves beside them."""

import time
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from latenthash.data.reading import Picture
from latenthash.errors import InputError
from latenthash.library.code import Code
from latenthash.system.terminal import track
from latenthash.watermark.bindings import Binding
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.codec import to_word
from latenthash.watermark.describing import described
from latenthash.watermark.keys import Signer
from latenthash.watermark.manifest import Manifest
from latenthash.watermark.registry import Registry
from latenthash.watermark.signed import sign
from latenthash.watermark.trials import Marked

FAR = 10**6  # bits, further than any: a picture is not compared with itself


class Stage:
    """Marks pictures and registers them.

    Args:
        registry: open for appending.
        code: that hashes pictures.
        carrier: of the marks.
        bindings: whatever one of them needs of a picture is in its manifest.
    """

    def __init__(
        self, registry: Registry, code: Code, carrier: Carrier, bindings: Sequence[Binding]
    ) -> None:
        self._registry = registry
        self._code = code
        self._carrier = carrier
        self._bindings = bindings
        self._bearing: dict[str, bool] = {}

    def marked(
        self, pictures: Sequence[Picture], others: Sequence[Picture], count: int, owner: Signer,
        thief: Signer,
    ) -> list[Marked]:  # fmt: skip
        """Mark pictures and register them, and then a thief's claim to each marked one.

        Args:
            pictures: to be marked.
            others: that thieves have beside these.
            count: of either, onto which a mark will be copied: those that look most like its own.
            owner: of the pictures.
            thief: who registers marked pictures as his own.

        Raises:
            InputError: if one is too small to bear a mark.
        """
        every = [*pictures, *others]
        alike = nearest(hashed(self._code, every), len(every))
        made = []
        for picture in track(pictures, "Marking"):
            signed = sign(self._manifest(picture, owner), owner)
            self._registry.append(signed)
            started = time.thread_time()
            try:
                pixels = self._carrier.embed(picture.pixels, to_word(signed.id))
            except InputError as error:
                raise InputError(f"{picture.name}: {error}") from error
            made.append((signed, pixels, time.thread_time() - started))
        found = []
        for picture, near, (signed, pixels, seconds) in zip(pictures, alike, made, strict=False):
            shown = Picture(picture.name, pixels, picture.digest)
            claim = sign(self._manifest(shown, thief), thief)
            self._registry.append(claim)
            chosen = list(islice((every[i] for i in near if self._bears(every[i])), count))
            found.append(
                Marked(picture, pixels, signed.id, claim.id, signed.manifest, chosen, seconds)
            )
        return found

    def _bears(self, picture: Picture) -> bool:
        """Say whether a picture is large enough to bear a mark."""
        if picture.digest not in self._bearing:
            try:
                self._carrier.embed(picture.pixels, to_word(bytes(8)))
                self._bearing[picture.digest] = True
            except InputError:
                self._bearing[picture.digest] = False
        return self._bearing[picture.digest]

    def _manifest(self, picture: Picture, signer: Signer) -> Manifest:
        hash_ = self._code.hash(picture.pixels)
        return described(picture, hash_, self._code, self._carrier, self._bindings, signer)


def hashed(code: Code, pictures: Sequence[Picture]) -> NDArray[np.uint8]:
    """Return the codes of pictures, (N, 32)."""
    hashes = [code.hash(picture.pixels).packed for picture in track(pictures, "Hashing")]
    return np.stack([np.frombuffer(packed, np.uint8) for packed in hashes])


def nearest(codes: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """Return the numbers (N, count) of the pictures most like each, the most alike first."""
    count = min(count, len(codes) - 1)
    return np.stack([row.argsort(kind="stable")[:count] for row in _apart(codes)])


def calibrated(codes: NDArray[np.uint8], count: int, fpr: float) -> int:
    """Set the limit of a code on pictures that look alike: each with those most like it.

    Limits that were set on any two pictures take more of alike ones for the same.

    Args:
        codes: (N, 32) of different pictures.
        count: pictures that each is compared with.
        fpr: share of these pairs that may be within the limit.

    Returns:
        bits.
    """
    count = min(count, len(codes) - 1)
    pairs = np.sort(np.concatenate([np.sort(row)[:count] for row in _apart(codes)]))
    return max(int(pairs[int(fpr * len(pairs))]) - 1, 0)


def _apart(codes: NDArray[np.uint8]) -> Iterator[NDArray[np.int64]]:
    """Count the bits in which each picture differs from each other one; itself is far away."""
    for i, code in enumerate(codes):
        row = np.bitwise_count(codes ^ code).sum(1).astype(np.int64)
        row[i] = FAR
        yield row
