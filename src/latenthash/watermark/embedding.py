"""Embedding: a pattern as strong as a picture bears it, each bit as strong as it needs it."""

from math import log10

import cv2
import numpy as np

from latenthash.data.reading import Pixels
from latenthash.watermark.bch import Bits
from latenthash.watermark.frames import ROWS, Plane, canonical, luma, resized
from latenthash.watermark.pattern import PERIOD, Floats, Pattern, repeated
from latenthash.watermark.similarity import ssim
from latenthash.watermark.whitening import FLOOR, SPREAD, detail, folded, spectrum, whiten

MASK = 0.7  # exponent: amplitudes rise a little slower than the picture's own detail
FINE, FINE_SPREAD = 1.5, 3.0  # px, sigmas: of fine texture, and of how far it hides a mark
LEAST_MASK, MOST_MASK = 0.8, 14.0
LEAST_GAIN = 0.15  # of the gain, for bits that the picture itself favours
MOST_GAIN = 1e3  # grey levels, before the mask
PILOT_GAIN = 0.7  # of the bits' mean
HALVINGS = 30
ROUNDS = 6  # of embedding, each weaker, until the SSIM is reached
ROUNDING = 1 / 12  # mean squared error that whole numbers cost


def mask(plane: Plane) -> Plane:
    """Say how strong a pattern may be in each place of a canonical frame.

    It hides in detail; but beside an edge in flat surroundings, where fine texture is missing, less
    than the detail alone would let one think.
    """
    rough = detail(plane)
    spread = np.sqrt(cv2.GaussianBlur(rough * rough, (0, 0), SPREAD))
    finest = np.abs(plane - cv2.GaussianBlur(plane, (0, 0), FINE))
    fine = cv2.GaussianBlur(finest, (0, 0), FINE_SPREAD)
    most = 2.0 * (2.2 * (fine + 0.8)) ** MASK
    strong: Plane = np.clip(np.minimum((spread + FLOOR) ** MASK, most), LEAST_MASK, MOST_MASK)
    return strong


class Embedding:
    """One picture that one word is embedded in.

    Args:
        pattern: what carries the word.
        pixels: (H, W, 3).
        word: (127,).
    """

    def __init__(self, pattern: Pattern, pixels: Pixels, word: Bits) -> None:
        self._pattern, self._pixels = pattern, pixels
        self._word: Floats = word * 2.0 - 1
        frame = canonical(luma(pixels))
        self._mask = mask(frame)
        self._folded = folded(self._mask**2, PERIOD) / frame.size
        found, noise = spectrum(whiten(frame), PERIOD)
        self._stands = pattern.responses(found, noise)
        # How far a gain of 1 moves a bit, by trial: whitening is not linear.
        unit = repeated(pattern.bits_tile(self._word), frame.shape[::-1]) * self._mask
        moved = pattern.responses(spectrum(whiten(frame + unit), PERIOD)[0], noise)
        self._effect = max(float(((moved - self._stands) * self._word).mean()), 1e-6)

    def to(self, psnr: float, least_ssim: float) -> Pixels:
        """Embed at a PSNR in dB, or above where the SSIM would be too low."""
        for _ in range(ROUNDS):
            marked = self._at(255**2 / 10 ** (psnr / 10))
            found = ssim(self._pixels, marked)
            if found >= least_ssim:
                break
            # What is missing goes about as the squared error does.
            psnr += max(0.1, 10 * log10((1 - found) / (1 - least_ssim)) + 0.05)
        return marked

    def _at(self, error: float) -> Pixels:
        """Embed at a mean squared error of the picture in its own size."""
        wanted = max(error - ROUNDING, 1e-3)
        height, width = self._pixels.shape[:2]
        small = self._residual(wanted)
        residual = resized(small, (width, height))
        # The picture's size may smooth the pattern, or not hold its fast half.
        lost = float(np.vdot(residual, residual)) / residual.size / wanted
        residual *= np.float32(1 / np.sqrt(max(lost, 1e-3)))
        return added(self._pixels, residual)

    def _residual(self, error: float) -> Plane:
        """Find the gain by halving; return what it adds to the canonical frame."""
        low, high = 0.0, MOST_GAIN
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            tile = self._tile(middle)
            if float((tile**2 * self._folded).sum()) > error:
                high = middle
            else:
                low = middle
        return repeated(self._tile(low), self._mask.shape[::-1]) * self._mask

    def _tile(self, gain: float) -> Plane:
        """Return the tile that brings every bit to where a gain brings one that stands at 0."""
        need = gain - self._word * self._stands / self._effect
        gains: Floats = np.maximum(need, LEAST_GAIN * gain)
        pilots = np.float32(PILOT_GAIN * gains.mean()) * self._pattern.pilot_tile
        return self._pattern.bits_tile(self._word * gains) + pilots


def added(pixels: Pixels, residual: Plane) -> Pixels:
    """Add a residual (H, W) to all channels, in whole levels: colours stay nearly as they are."""
    marked = np.empty_like(pixels)
    for top in range(0, len(pixels), ROWS):
        whole = np.rint(residual[top : top + ROWS, :, None]).astype(np.int16)
        marked[top : top + ROWS] = np.clip(pixels[top : top + ROWS] + whole, 0, 255)
    return marked
