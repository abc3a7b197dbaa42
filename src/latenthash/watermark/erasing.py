"""Erasing: take out a mark that was read, so that the next does not add to what is seen."""

from collections.abc import Callable

import numpy as np

from latenthash.data.reading import Pixels
from latenthash.watermark.bch import Bits
from latenthash.watermark.carrier import Geometry
from latenthash.watermark.embedding import PILOT_GAIN, added, mask
from latenthash.watermark.frames import Plane, Valid, luma, resized, unwarped, warped
from latenthash.watermark.pattern import PERIOD, Pattern, Place, laid, repeated
from latenthash.watermark.whitening import spectrum, whiten

FIRST, GROWTH, MOST = 0.05, 1.7, 3.0  # amounts that are tried until nothing is left
STEPS = 3  # of false position after that


def erased(pattern: Pattern, pixels: Pixels, word: Bits, geometry: Geometry) -> Pixels:
    """Subtract the pattern of a word where it lies, as much as leaves its bits at zero.

    Args:
        pattern: which carried it.
        pixels: (H, W, 3).
        word: (127,) that was read.
        geometry: where.
    """
    plane = luma(pixels)
    size = plane.shape[::-1]
    place = Place(0.0, geometry.shift, geometry.turned, geometry.sign)
    signs = 2.0 * word - 1

    def frame_of(some: Plane) -> tuple[Plane, Valid | None]:
        if geometry.whole:
            return resized(some, geometry.frame), None
        return warped(some, geometry.homography, geometry.frame)

    shown, valid = frame_of(plane)
    tile = pattern.bits_tile(signs) + np.float32(PILOT_GAIN) * pattern.pilot_tile
    there = repeated(laid(tile, place), geometry.frame) * mask(shown)
    mark = unwarped(there, geometry.homography, size)
    shown_mark, _ = frame_of(mark)

    def left(amount: float) -> float:
        """Return what the frame still holds of the mark when an amount is taken."""
        found, noise = spectrum(whiten(shown - np.float32(amount) * shown_mark, valid), PERIOD)
        return float((pattern.responses(found, noise, place) * signs).sum())

    return added(pixels, np.float32(-_root(left)) * mark)


def _root(left: Callable[[float], float]) -> float:
    """Find the amount that leaves nothing, by false position."""
    low, high = 0.0, FIRST
    at_low, at_high = left(low), left(high)
    while at_high > 0 and high < MOST:
        low, at_low, high = high, at_high, high * GROWTH
        at_high = left(high)
    amount = low
    for _ in range(STEPS):
        amount = low + (high - low) * at_low / max(at_low - at_high, 1e-9)
        here = left(amount)
        if here > 0:
            low, at_low = amount, here
        else:
            high, at_high = amount, here
    return amount
