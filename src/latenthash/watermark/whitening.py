"""Whitening: what of a picture's spectrum a mark is read from, and how noisy it is there."""

import cv2
import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from latenthash.watermark.frames import Plane, Valid

Spectrum = NDArray[np.complex64]  # (period, period)
Power = NDArray[np.float64]  # (period,) of rings of width 1 / period, from the middle out

BLOCK, HOP = 16, 8  # px, of the short-time Fourier transform
FLOOR = 20.0  # grey levels: amplitudes below are not raised to those above
SPREAD = 9.0  # px, sigma: brightness over more than this is taken away first
WINDOW = np.sqrt(np.outer(np.hanning(BLOCK + 1)[:-1], np.hanning(BLOCK + 1)[:-1]))
WINDOW = WINDOW.astype(np.float32)


def detail(plane: Plane) -> Plane:
    """Take away the brightness of the surroundings."""
    return plane - cv2.GaussianBlur(plane, (0, 0), SPREAD)


def whiten(plane: Plane, valid: Valid | None = None) -> Plane:
    """Bring all amplitudes of all blocks to about the same, and keep the phases.

    A picture's own detail is noise to a mark, and it is strongest where there is most of it: after
    this no part of the picture drowns the others.

    Args:
        plane: (H, W) of a frame.
        valid: where the frame shows the picture; all of it where None.

    Returns:
        (H, W), 0 outside the picture.
    """
    if valid is not None:
        inside = valid.astype(np.float32)
        share = cv2.GaussianBlur(inside, (0, 0), SPREAD) + 1e-3
        plane = np.where(valid, plane, cv2.GaussianBlur(plane * inside, (0, 0), SPREAD) / share)
    height, width = plane.shape
    below, right = -height % HOP + BLOCK, -width % HOP + BLOCK
    padded = np.pad(detail(plane), ((HOP, below), (HOP, right))).astype(np.float32)
    blocks = sliding_window_view(padded, (BLOCK, BLOCK))[::HOP, ::HOP]
    spectra = scipy.fft.rfft2(blocks * WINDOW, axes=(2, 3))
    spectra /= np.abs(spectra) + np.float32(FLOOR)
    blocks = scipy.fft.irfft2(spectra, s=(BLOCK, BLOCK), axes=(2, 3)) * WINDOW
    white = np.zeros(padded.shape, np.float32)
    for i in range(2):
        for j in range(2):
            some = blocks[i::2, j::2]  # which touch, and do not overlap
            rows, columns = some.shape[0] * BLOCK, some.shape[1] * BLOCK
            flat = some.transpose(0, 2, 1, 3).reshape(rows, columns)
            white[i * HOP : i * HOP + rows, j * HOP : j * HOP + columns] += flat
    white = BLOCK * white[HOP : HOP + height, HOP : HOP + width]
    return white if valid is None else white * valid


def folded(plane: Plane, period: int) -> Plane:
    """Add up all periods of a plane, to (period, period)."""
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % period), (0, -width % period)))
    rows, columns = padded.shape[0] // period, padded.shape[1] // period
    total: Plane = padded.reshape(rows, period, columns, period).sum((0, 2))
    return total


def spectrum(white: Plane, period: int) -> tuple[Spectrum, Power]:
    """Return the spectrum of what repeats with a period, and the power of the noise in it.

    Two periods are folded onto each other: the frequencies between the pattern's hold none of it,
    and tell how much noise each ring has.

    Args:
        white: (H, W), whitened.
        period: px.
    """
    double = 2 * period
    found = scipy.fft.fft2(folded(white, double))
    index = scipy.fft.fftfreq(double, 1 / double)
    u, v = np.meshgrid(index, index)
    between = ((u % 2 != 0) | (v % 2 != 0)) & (np.abs(u) > 2) & (np.abs(v) > 2)
    ring = (np.hypot(u, v)[between] / 2).astype(int)
    count = np.bincount(ring, minlength=period)
    power = np.bincount(ring, np.abs(found[between]) ** 2, minlength=period)
    noise = np.where(count > 0, power / np.maximum(count, 1), np.inf)
    # A picture of one colour has none at all.
    return found[::2, ::2], np.maximum(noise, 1e-12)
