"""The pattern: which frequencies of a tile carry pilots and which carry bits, drawn from a key."""

from dataclasses import dataclass
from hashlib import shake_256
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from latenthash.watermark.bch import LENGTH
from latenthash.watermark.carrier import Soft
from latenthash.watermark.frames import Plane
from latenthash.watermark.whitening import Power, Spectrum

Floats = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]
Bins = NDArray[np.int64]  # (K, 2) cycles a period, right and down

PERIOD = 128  # px of the canonical frame
LOW, HIGH = 0.025, 0.2  # cycles a px, of all: slower ones are seen, faster ones are lost
PILOT_LOW, PILOT_HIGH = 0.05, 0.18  # cycles a px, of the pilots
PILOTS = 40
MIDDLE, TILT = 0.15, -0.4  # amplitudes go as (frequency / MIDDLE) ** TILT, as pictures' own do
MOST_PILOT, MOST_BIT = 4.0, 6.0  # standard deviations that one frequency may count for
LEAST_SNR, MOST_SNR = 0.02, 16.0  # power of a ring above its noise's


@dataclass(frozen=True)
class Place:
    """Where the pilots are found.

    Attributes:
        peak: in standard deviations of all other places.
        shift: px right and down from the frame's corner to the tile's.
        turned: whether the tile lies upside down.
        sign: -1 where light and dark changed places, else 1.
    """

    peak: float
    shift: tuple[int, int]
    turned: bool
    sign: int


CORNER = Place(peak=0.0, shift=(0, 0), turned=False, sign=1)  # where it is embedded


class Pattern:
    """A tile that repeats all over the canonical frame.

    Args:
        key: any text; without it nothing is found.

    Attributes:
        pilots: (K, 2) of known phases, one in each of as many sectors, so that any turn shows.
        pilot_tile: (128, 128) of the pilots alone, of standard deviation 1.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        bins = _band()
        radius = np.hypot(*bins.T) / PERIOD
        angle = np.arctan2(bins[:, 1], bins[:, 0])
        sector = np.floor(angle * PILOTS / np.pi).astype(int)
        fit = (radius >= PILOT_LOW) & (radius < PILOT_HIGH)
        chance = np.where(fit, self._uniform("pilots", len(bins)), 2)
        first = np.array([np.where(sector == k, chance, 3).argmin() for k in range(PILOTS)])
        self.pilots: Bins = bins[first]
        self._phase: Complex = np.exp(2j * np.pi * self._uniform("phases", PILOTS))
        amplitudes: Complex = self._phase * _amplitude(self.pilots)
        tile = _tile(self.pilots, amplitudes)
        self.pilot_tile: Plane = (tile / tile.std()).astype(np.float32)
        self._divide(np.delete(bins, first, 0))

    def _divide(self, bins: Bins) -> None:
        """Deal the real and imaginary parts of all bins out to the bits, from slow to fast."""
        slow = np.argsort(np.hypot(*bins.T), kind="stable")
        self._rounds = 2 * len(bins) // LENGTH  # parts that each bit has
        parts = self._rounds * LENGTH
        self._data: Bins = bins[slow][: -(-parts // 2)]
        self._ring = np.hypot(*self._data.T).astype(int)
        chance = self._uniform("bits", parts).reshape(self._rounds, LENGTH)
        self._owner = chance.argsort(1).ravel()
        self._sign = np.where(self._uniform("signs", parts) < 0.5, -1.0, 1.0)
        self._scale = 1.0
        self._scale = 1 / float(self.bits_tile(np.ones(LENGTH)).std())

    def _uniform(self, use: str, count: int) -> NDArray[np.float64]:
        """Draw numbers in [0, 1) from the key: the same for ever, which numpy's need not be."""
        stream = shake_256(f"{self._key}/{use}".encode()).digest(8 * count)
        return np.frombuffer(stream, ">u8") / 2.0**64

    def bits_tile(self, gains: Floats) -> Plane:
        """Return a tile (128, 128) of the bits alone.

        Args:
            gains: (127,) amplitude of each bit, below 0 for a 0; all of 1 give a standard
                deviation of 1.
        """
        parts = np.zeros(2 * len(self._data))
        parts[: len(self._owner)] = gains[self._owner] * self._sign
        values: Complex = parts.view(np.complex128) * _amplitude(self._data)
        return (self._scale * _tile(self._data, values)).astype(np.float32)

    def responses(self, found: Spectrum, noise: Power, place: Place = CORNER) -> Floats:
        """Return how strongly each bit (127,) stands in a spectrum, linear in the mark."""
        found = np.conj(found) if place.turned else found
        return place.sign * self._gathered(self._parts(found, noise, place.shift))

    def soft(self, found: Spectrum, noise: Power, place: Place) -> Soft:
        """Return soft bits (127,): rings that hold more of the mark count for more."""
        found = np.conj(found) if place.turned else found
        parts = self._parts(found, noise, place.shift)
        ring = np.repeat(self._ring, 2)[: len(parts)]
        count = np.bincount(ring, minlength=PERIOD)
        power = np.bincount(ring, parts**2, minlength=PERIOD) / np.maximum(count, 1)
        smooth = np.convolve(power, [0.25, 0.5, 0.25], "same")
        snr = np.sqrt(np.clip(smooth - 1, LEAST_SNR, MOST_SNR))
        soft: Soft = place.sign * self._gathered(np.clip(parts, -MOST_BIT, MOST_BIT) * snr[ring])
        return soft

    def _parts(self, found: Spectrum, noise: Power, shift: tuple[int, int]) -> Floats:
        """Return real and imaginary parts of the bits' bins, in standard deviations of noise."""
        turn = np.exp(2j * np.pi * (self._data @ np.array(shift)) / PERIOD)
        values = _at(found, self._data) * turn / np.sqrt(noise[self._ring] / 2)
        return np.stack([values.real, values.imag], 1).ravel()[: len(self._owner)]

    def _gathered(self, parts: Floats) -> Soft:
        return np.bincount(self._owner, parts * self._sign, minlength=LENGTH).astype(np.float64)

    def place(self, found: Spectrum, noise: Power, near: int | None = None) -> Place:
        """Find the pilots in a spectrum: by correlation in all places, upside down too.

        Args:
            found: (128, 128).
            noise: (128,) of each ring.
            near: px; shifts may be no larger, and upside down is not tried. None: all are tried.
        """
        values = _at(found, self.pilots) / np.sqrt(noise[np.hypot(*self.pilots.T).astype(int)])
        values = values / np.maximum(1, np.abs(values) / MOST_PILOT)
        best = None
        for turned in (False, True) if near is None else (False,):
            known = (np.conj(values) if turned else values) * np.conj(self._phase)
            places = _tile(self.pilots, known)
            strength = np.abs(places)
            if near is not None:
                away = np.minimum(np.arange(PERIOD), PERIOD - np.arange(PERIOD))
                strength = np.where(np.maximum.outer(away, away) <= near, strength, 0)
            down, right = np.unravel_index(strength.argmax(), strength.shape)
            peak = float(strength[down, right] / (places.std() + 1e-12))
            if best is None or peak > best.peak:
                sign = -1 if places[down, right] < 0 else 1
                best = Place(peak, (int(right), int(down)), turned, sign)
        assert best is not None
        return best


def laid(tile: Plane, place: Place) -> Plane:
    """Return a tile as it lies in a frame where its pilots were found in a place."""
    moved = np.roll(tile, place.shift[::-1], (0, 1))
    if place.turned:
        moved = np.roll(moved[::-1, ::-1], (1, 1), (0, 1))
    return moved * np.float32(place.sign)


def repeated(tile: Plane, frame: tuple[int, int]) -> Plane:
    """Repeat a tile over a frame of a width and height."""
    width, height = frame
    times = (-(-height // len(tile)), -(-width // len(tile)))
    return np.tile(tile, times)[:height, :width]


def _band() -> Bins:
    """List the bins of half the band, without the axes, where the edges of pictures lie."""
    index = np.arange(-PERIOD // 2, PERIOD // 2)
    u, v = (part.ravel() for part in np.meshgrid(index, index))
    radius = np.hypot(u, v) / PERIOD
    there = (v > 0) & (u != 0) & (radius >= LOW) & (radius < HIGH)
    return np.stack([u[there], v[there]], 1)


def _amplitude(bins: Bins) -> Floats:
    amplitude: Floats = (np.hypot(*bins.T) / PERIOD / MIDDLE) ** TILT
    return amplitude


def _at(found: Spectrum, bins: Bins) -> Complex:
    return found[bins[:, 1] % PERIOD, bins[:, 0] % PERIOD].astype(np.complex128)


def _tile(bins: Bins, values: Complex) -> Floats:
    """Return the real tile (128, 128) whose spectrum has these values in these bins."""
    whole = np.zeros((PERIOD, PERIOD), np.complex128)
    whole[bins[:, 1] % PERIOD, bins[:, 0] % PERIOD] = values
    whole[-bins[:, 1] % PERIOD, -bins[:, 0] % PERIOD] = np.conj(values)
    tile: Floats = scipy.fft.ifft2(whole).real
    return tile
