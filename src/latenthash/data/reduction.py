"""From a decoded picture to the square that networks see, without albumentations."""

import cv2
import numpy as np

from latenthash.data.reading import Pixels

TOLERANCE = 16  # of 0..255, within a row or column of a border: compression leaves traces
LEAST = 1 / 3  # of height and of width


def reduced(pixels: Pixels, size: int, trim: bool) -> Pixels:
    """Reduce a picture (H, W, 3) to a square (size, size, 3).

    Args:
        pixels: the picture; where there is nothing to reduce, it is handed on.
        size: px.
        trim: whether uniform borders are cut off first.
    """
    pixels = trimmed(pixels) if trim else pixels
    if pixels.shape[:2] == (size, size):
        return pixels
    # Area interpolation averages over what a pixel covers: no moire from thin lines.
    return cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA).astype(
        np.uint8, copy=False
    )


def trimmed(pixels: Pixels) -> Pixels:
    """Cut off rows and columns of one colour at the edges: bars, paddings, letterboxes.

    A picture of which less than a third would stay on either axis is left as it is.
    """
    return np.ascontiguousarray(pixels[inner_box(pixels)])


def inner_box(pixels: Pixels) -> tuple[slice, slice]:
    """Find the rows and columns that stay when borders are cut off; see `trimmed`."""
    found = (_inner(pixels, 1), _inner(pixels, 0))
    kept = [
        (part.stop - part.start) / side for part, side in zip(found, pixels.shape[:2], strict=True)
    ]
    height, width, _ = pixels.shape
    return found if min(kept) >= LEAST else (slice(0, height), slice(0, width))


def _inner(pixels: Pixels, axis: int) -> slice:
    """Find from where to where lines along an axis hold more than one colour."""
    spread = np.ptp(pixels, axis=axis).max(-1)  # the largest over channels
    busy = np.flatnonzero(spread > TOLERANCE)
    return slice(int(busy[0]), int(busy[-1]) + 1) if len(busy) else slice(0, 0)
