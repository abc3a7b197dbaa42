"""The tiled carrier: spread spectrum that repeats, informed of the picture, with pilots."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import sqrt

import cv2
import numpy as np

from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.watermark.alignment import aligned
from latenthash.watermark.bch import Bits
from latenthash.watermark.carrier import Attempt, Geometry, Homography
from latenthash.watermark.embedding import Embedding
from latenthash.watermark.erasing import erased
from latenthash.watermark.frames import (
    SIDE,
    Plane,
    canonical,
    canonical_size,
    luma,
    resized,
    scaling,
    warped,
)
from latenthash.watermark.pattern import CORNER, HIGH, PERIOD, Pattern, Place
from latenthash.watermark.synchronisation import Candidate, Synchroniser
from latenthash.watermark.whitening import Power, Spectrum, spectrum, whiten

LEAST_SIDE = round(2 * HIGH * SIDE)  # px: a smaller picture does not hold the fastest bits
LARGEST = 1200  # px, the square root of the area at which larger pictures are searched
ASPECTS = (0.8, 1.25, 0.667, 1.5)  # of pictures that were squeezed
ROUNDS = 3  # of alignment, the first without
HOPELESS = 4.0  # a peak of the pilots that noise has too
MOST_FRAME, LEAST_FRAME = 1600, 24  # px each way
NEAR = 7  # px that a mark may be off where registration says it is
LEAST_SHOWN = 0.05  # of a frame


@dataclass(frozen=True)
class Tiled:
    """Hides a word in the luma, by a pattern that repeats every 128 px of a frame of 400 px.

    Args:
        key: any text that draws the pattern: marks of two keys live side by side.
        psnr: dB, of marked pictures; more where the SSIM asks for it.
        ssim: the least of marked pictures.
    """

    key: str
    psnr: float
    ssim: float
    _pattern: Pattern = field(init=False, repr=False, compare=False)
    _synchroniser: Synchroniser = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pattern", Pattern(self.key))
        object.__setattr__(self, "_synchroniser", Synchroniser(self._pattern.pilots))

    @property
    def name(self) -> str:
        """See `Carrier.name`: how strong a mark is does not matter to who reads it."""
        return f"tiled-1/{self.key}"

    def embed(self, pixels: Pixels, word: Bits) -> Pixels:
        """Hide a word; see `Carrier.embed`."""
        height, width = pixels.shape[:2]
        if sqrt(height * width) < LEAST_SIDE or min(height, width) < LEAST_SIDE // 2:
            raise InputError(
                f"A picture of {width} x {height} px is too small to bear a mark: it must have "
                f"{LEAST_SIDE} x {LEAST_SIDE} px or as many of another shape, and no side below "
                f"{LEAST_SIDE // 2} px."
            )
        return Embedding(self._pattern, pixels, word).to(self.psnr, self.ssim)

    def read(self, pixels: Pixels) -> Iterator[Attempt]:
        """Read as it is, then turned and scaled, then without noise, then squeezed."""
        plane = luma(pixels)
        height, width = plane.shape
        yield from self._as_is(plane, (width, height), "as it is")
        if sqrt(height * width) > LARGEST:
            plane = canonical(plane, LARGEST)
        to_full = scaling(plane.shape[::-1], (width, height))
        yield from self._search(plane, to_full, "searched")
        clean = _without_noise(plane)
        yield from self._as_is(clean, (width, height), "without noise")
        yield from self._search(clean, to_full, "searched without noise")
        yield from self._search(plane, to_full, "squeezed", ASPECTS)

    def read_through(
        self, pixels: Pixels, homography: Homography, size: tuple[int, int]
    ) -> Iterator[Attempt]:
        """Read where a registration says; see `Carrier.read_through`."""
        frame = canonical_size(*size)
        start = homography @ scaling(frame, size)
        yield from self._refined(luma(pixels), start, np.eye(3), frame, "registered", NEAR)

    def erase(self, pixels: Pixels, word: Bits, geometry: Geometry) -> Pixels:
        """Take out a mark; see `Carrier.erase`."""
        return erased(self._pattern, pixels, word, geometry)

    def _as_is(self, plane: Plane, size: tuple[int, int], level: str) -> Iterator[Attempt]:
        """Read the whole picture: where the pilots are, and where they were embedded."""
        frame = canonical_size(*size)
        found, noise = spectrum(whiten(resized(plane, frame)), PERIOD)
        geometry = Geometry(frame, scaling(frame, size), whole=True)
        place = self._pattern.place(found, noise)
        yield self._attempt(found, noise, place, geometry, level)
        if (place.shift, place.turned) != (CORNER.shift, CORNER.turned):
            # Of a picture that is blurred, say, bits may be left and no pilots.
            yield self._attempt(found, noise, CORNER, geometry, f"{level}, without pilots")

    def _attempt(
        self, found: Spectrum, noise: Power, place: Place, geometry: Geometry, level: str
    ) -> Attempt:
        soft = self._pattern.soft(found, noise, place)
        there = replace(geometry, shift=place.shift, turned=place.turned, sign=place.sign)
        return Attempt(soft, place.peak, there, level)

    def _search(
        self, plane: Plane, to_full: Homography, level: str, aspects: tuple[float, ...] = (1.0,)
    ) -> Iterator[Attempt]:
        """Read at each candidate of the synchroniser."""
        for candidate in self._synchroniser.candidates(plane, aspects):
            start, frame = _around(candidate, plane)
            if min(frame) >= LEAST_FRAME and max(frame) <= MOST_FRAME:
                yield from self._refined(plane, start, to_full, frame, level)

    def _refined(
        self,
        plane: Plane,
        homography: Homography,
        to_full: Homography,
        frame: tuple[int, int],
        level: str,
        near: int | None = None,
    ) -> Iterator[Attempt]:
        """Read through a homography, and through better ones while there is hope."""
        for _ in range(ROUNDS):
            shown, valid = warped(plane, homography, frame)
            if valid.mean() < LEAST_SHOWN:
                return
            white = whiten(shown, valid)
            geometry = Geometry(frame, to_full @ homography, whole=False)
            found, noise = spectrum(white, PERIOD)
            place = self._pattern.place(found, noise, near)
            yield self._attempt(found, noise, place, geometry, level)
            if near is None and place.peak < HOPELESS:
                return
            better = aligned(white, valid, place, self._pattern.pilot_tile, homography)
            if better is None:
                return
            homography = better


def _around(candidate: Candidate, plane: Plane) -> tuple[Homography, tuple[int, int]]:
    """Return a frame that holds the whole picture, and the homography from it to the picture."""
    height, width = plane.shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]])
    there = corners @ np.linalg.inv(candidate.matrix).T
    low = there.min(0)
    size = np.ceil(there.max(0) - low).astype(int)
    homography = np.eye(3)
    homography[:2, :2] = candidate.matrix
    homography[:2, 2] = candidate.matrix @ low
    return homography, (int(size[0]), int(size[1]))


def _without_noise(plane: Plane) -> Plane:
    """Take away single odd pixels, and smooth a little."""
    whole = np.clip(plane, 0, 255).astype(np.uint8)
    median = cv2.medianBlur(whole, 3).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(median, (0, 0), 0.7), np.float32)
