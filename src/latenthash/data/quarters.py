"""The four quarters of a picture: parts of one scene that share no pixel."""

import numpy as np
from numpy.typing import NDArray

from latenthash.data.reading import Picture


def quarter(picture: Picture, corner: int) -> Picture:
    """Cut out one of the four quarters, 0 to 3 by rows, which share no pixel."""
    return Picture(
        f"{picture.name} [{corner}]",
        cut(picture.pixels, corner),
        f"{picture.digest}/quarter {corner}",
    )


def cut(pixels: NDArray[np.uint8], corner: int) -> NDArray[np.uint8]:
    """Cut out one of the four quarters of (H, W, 3) pixels: (H/2, W/2, 3), a copy."""
    y, x = (side // 2 for side in pixels.shape[:2])
    row, column = divmod(corner, 2)
    half = pixels[y:] if row else pixels[:y]
    return np.ascontiguousarray(half[:, x:] if column else half[:, :x])
