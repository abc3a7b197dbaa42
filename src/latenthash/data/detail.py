"""Whether a picture shows anything: what is of one colour has no hash of its own."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 128  # px; noise of single pixels averages out on the way there, and drawings stay
# Standard deviation, of 0..255, below which there is no detail. One colour with faint noise stays
# below it, also as a JPEG of quality 50; one line of small text on a page has 4.
LEAST = 2.0


def has_detail(pixels: NDArray[np.uint8]) -> bool:
    """Say whether (H, W, 3) RGB pixels show more than one colour with some noise."""
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return bool(np.asarray(image, np.float64).std(axis=(0, 1)).max() >= LEAST)
