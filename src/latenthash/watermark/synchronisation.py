"""Synchronisation: how a picture was turned, scaled, mirrored or stretched, from its pilots alone.

In the spectrum of a whitened picture the pilots are a constellation of peaks. In log-polar
coordinates turns and scales are shifts, found by correlation (O'Ruanaidh and Pun 1998, Signal
Processing 66); the peaks then give the affine map.
"""

from dataclasses import dataclass
from math import exp, log, pi, sqrt

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from latenthash.watermark.frames import SIDE, Plane, canonical_size, resized
from latenthash.watermark.pattern import MIDDLE, PERIOD, Bins, Floats
from latenthash.watermark.peaks import at, refined
from latenthash.watermark.whitening import whiten

FINER = 1.25  # of the canonical frame's side: what was made smaller within the picture shows too
TRANSFORM = 1024  # px, of the discrete Fourier transform
FADE = 16  # px, over which the picture's border, an edge of its own, fades out
SURROUNDINGS = 31  # bins, whose mean amplitude is 1
MOST = 4.0  # amplitude that one bin may count for
ANGLES, RADII = 720, 560  # of half a turn, and of the radii
PADDED = 1024  # radii, so that shifts do not wrap around
NEAREST, FARTHEST = 0.03, 0.48  # cycles a px
STEP = log(FARTHEST / NEAREST) / RADII
CROWDING = 7  # cells about a maximum where no other is sought
TOP = 4  # maxima of each mirror image and aspect
SURE = 60.0  # score above which more than two candidates are worth a try
MOST_CANDIDATES = 5


@dataclass(frozen=True)
class Candidate:
    """A linear map that may have been done to a marked picture.

    Attributes:
        matrix: (2, 2) from the canonical frame of the marked picture to the picture, in px.
        score: how bright the pilots are, at most 4 each.
    """

    matrix: Floats
    score: float


class Synchroniser:
    """Finds linear maps by pilots.

    Args:
        pilots: (K, 2) bins.
    """

    def __init__(self, pilots: Bins) -> None:
        self._frequencies = pilots / PERIOD
        angles = np.arange(ANGLES) * pi / ANGLES
        radii = NEAREST * np.exp(np.arange(RADII) * STEP) * TRANSFORM
        self._columns = (TRANSFORM / 2 + radii * np.cos(angles)[:, None]).astype(np.float32)
        self._rows = (TRANSFORM / 2 + radii * np.sin(angles)[:, None]).astype(np.float32)
        self._templates: dict[tuple[bool, float], NDArray[np.complex64]] = {}

    def candidates(self, plane: Plane, aspects: tuple[float, ...] = (1.0,)) -> list[Candidate]:
        """List maps worth trying, the most likely first.

        Args:
            plane: (H, W) luma of the picture.
            aspects: changes of width over height that are looked for.
        """
        height, width = plane.shape
        frame = canonical_size(width, height, FINER * SIDE)
        scale = sqrt(frame[0] * frame[1] / (width * height))
        amplitudes = _amplitudes(whiten(resized(plane, frame)))
        bright = cv2.dilate(np.minimum(amplitudes, MOST), np.ones((3, 3)))
        polar = cv2.remap(bright, self._columns, self._rows, cv2.INTER_LINEAR)
        spectrum = scipy.fft.rfft2(polar - polar.mean(), s=(ANGLES, PADDED))
        guesses: list[tuple[float, Floats]] = []
        for aspect in aspects:
            for mirrored in (False, True):
                guesses += self._guesses(spectrum, mirrored, aspect)
        guesses.sort(key=lambda guess: -guess[0])
        found = []
        for _, guess in guesses[: 2 * TOP]:
            forward = refined(amplitudes, self._frequencies, guess)
            peaks = self._frequencies @ forward.T * TRANSFORM + TRANSFORM / 2
            score = float(np.minimum(at(amplitudes, peaks), MOST).sum())
            # Frequencies go as the inverse transpose of places.
            found.append(Candidate(np.linalg.inv(forward).T / scale, score))
        found.sort(key=lambda candidate: -candidate.score)
        more = [candidate for candidate in found[2:MOST_CANDIDATES] if candidate.score >= SURE]
        return found[:2] + more

    def _guesses(
        self, spectrum: NDArray[np.complex64], mirrored: bool, aspect: float
    ) -> list[tuple[float, Floats]]:
        """Return the maxima of a correlation: how far they stand out, and the map (2, 2)."""
        product = spectrum * self._template(mirrored, aspect)
        places = scipy.fft.irfft2(product, s=(ANGLES, PADDED))[:, :RADII]
        spread = 1.48 * float(np.median(np.abs(places[::4, ::4]))) + 1e-9
        mirror = np.diag([1.0, -1.0 if mirrored else 1.0])
        stretch = np.diag([sqrt(aspect), 1 / sqrt(aspect)])
        found: list[tuple[float, Floats]] = []
        for _ in range(TOP):
            row, column = (int(k) for k in np.unravel_index(places.argmax(), places.shape))
            angle, size = row * pi / ANGLES, NEAREST * exp(column * STEP) / MIDDLE
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            found.append((float(places[row, column]) / spread, size * turn @ mirror @ stretch))
            rows = np.arange(row - CROWDING, row + CROWDING + 1) % ANGLES
            places[rows, max(0, column - CROWDING) : column + CROWDING + 1] = -np.inf
        return found

    def _template(self, mirrored: bool, aspect: float) -> NDArray[np.complex64]:
        """Return the conjugate spectrum of the pilots in log-polar coordinates."""
        if (mirrored, aspect) not in self._templates:
            sign = -1 if mirrored else 1
            points = self._frequencies * [sqrt(aspect), sign / sqrt(aspect)]
            angle = np.arctan2(points[:, 1], points[:, 0]) % pi
            rows = np.round(angle / pi * ANGLES).astype(int) % ANGLES
            radius = np.hypot(*points.T)
            columns = np.round(np.log(radius / MIDDLE) / STEP).astype(int) % PADDED
            dots = np.zeros((ANGLES, PADDED), np.float32)
            np.add.at(dots, (rows, columns), 1)
            smooth = cv2.GaussianBlur(dots, (0, 0), 1.0)
            self._templates[mirrored, aspect] = np.conj(scipy.fft.rfft2(smooth))
        return self._templates[mirrored, aspect]


def _amplitudes(white: Plane) -> Plane:
    """Return amplitudes (1024, 1024) over those around them, the slowest in the middle."""
    height, width = white.shape
    fades = [
        np.minimum(1, (np.minimum(np.arange(n), np.arange(n)[::-1]) + 1) / FADE).astype(np.float32)
        for n in (height, width)
    ]
    faded = (white * np.outer(*fades))[:TRANSFORM, :TRANSFORM]
    half = np.abs(scipy.fft.rfft2(faded, s=(TRANSFORM, TRANSFORM)))
    middle = TRANSFORM // 2
    whole = np.empty((TRANSFORM, TRANSFORM), np.float32)
    whole[:, : middle + 1] = half
    whole[:, middle + 1 :] = np.roll(half[::-1], 1, 0)[:, middle - 1 : 0 : -1]
    shifted = np.fft.fftshift(whole)
    around = cv2.blur(shifted, (SURROUNDINGS, SURROUNDINGS)) + np.float32(1e-6)
    return np.asarray(shifted / around, np.float32)
