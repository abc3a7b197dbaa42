"""Alignment: how parts of a picture are off the pilots, and the homography that mends it."""

import cv2
import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from latenthash.watermark.carrier import Homography
from latenthash.watermark.frames import Plane, Valid
from latenthash.watermark.pattern import PERIOD, Place, laid
from latenthash.watermark.peaks import maxima

BLOCK = PERIOD  # px, so that all blocks see the pattern in one of four phases
HOP = BLOCK // 2
REACH = 8  # px, the most that a block may be off
PADDED = 144  # px, so that blocks do not wrap around within the reach
LEAST_SNR = 4.0  # of a block's peak
LEAST_VALID = 0.5  # share of a block that must show the picture
TOLERANCE = 1.2  # px, of RANSAC
HALF_WHITE = 0.7  # exponent of the amplitudes that are divided by
WINDOW = np.outer(np.hanning(BLOCK + 2)[1:-1], np.hanning(BLOCK + 2)[1:-1]).astype(np.float32)


def aligned(
    white: Plane, valid: Valid, place: Place, pilots: Plane, homography: Homography
) -> Homography | None:
    """Mend a homography by the shifts of blocks against the pilots.

    Args:
        white: (H, W) whitened frame.
        valid: where it shows the picture.
        place: of the pilots in it.
        pilots: their tile.
        homography: from the frame to the picture.

    Returns:
        A better one, or None where too few blocks agree.
    """
    height, width = white.shape
    shape = [max(BLOCK, -(-(side - HOP) // HOP) * HOP + HOP) for side in (height, width)]
    padding = [(0, shape[0] - height), (0, shape[1] - width)]
    blocks = sliding_window_view(np.pad(white, padding), (BLOCK, BLOCK))[::HOP, ::HOP]
    whole = np.pad(valid, padding).astype(np.float32)
    share = sliding_window_view(whole, (BLOCK, BLOCK))[::HOP, ::HOP].mean((2, 3))
    rows, columns = np.nonzero(share >= LEAST_VALID)
    if len(rows) < 4:
        return None
    seen = scipy.fft.rfft2(blocks[rows, columns] * WINDOW, s=(PADDED, PADDED))
    tile = np.tile(laid(pilots, place), (2, 2))
    phases = np.stack([tile[y : y + BLOCK, x : x + BLOCK] for y in (0, HOP) for x in (0, HOP)])
    known = scipy.fft.rfft2(phases * WINDOW, s=(PADDED, PADDED))
    product = seen * np.conj(known)[2 * (rows % 2) + columns % 2]
    product /= np.abs(seen) ** np.float32(HALF_WHITE) + np.float32(1e-3)
    places = scipy.fft.irfft2(product, s=(PADDED, PADDED))
    near = np.arange(-REACH, REACH + 1)
    offsets, value = maxima(places[:, near[:, None], near])
    clear = value / (places.std((1, 2)) + 1e-9) >= LEAST_SNR
    middles = np.stack([columns, rows], 1)[clear] * HOP + BLOCK / 2
    return _mended(middles, middles + offsets[clear], homography)


def _mended(
    source: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    target: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    homography: Homography,
) -> Homography | None:
    """Fit what most blocks agree on: a homography of eight or more, else an affine map."""
    if len(source) < 4:
        return None
    if len(source) >= 8:
        change, inliers = cv2.findHomography(source, target, cv2.RANSAC, TOLERANCE)
    else:
        affine, inliers = cv2.estimateAffine2D(
            source, target, method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE
        )
        change = None if affine is None else np.vstack([affine, [0, 0, 1]])
    if change is None or inliers.sum() < 4:
        return None
    mended: Homography = homography @ change
    return mended
