"""Whether a picture has detail: one without has no hash of its own.

One colour stays one colour under a sensor's noise and in a JPEG. Three things are no noise:
values that stand out, as stars and strokes do; cells that are like their neighbours, as in
gradients and dark photos; and a spread that no sensor has. What is no more than noise by all three
has no detail, such as a faint regular texture. Hot pixels on one colour pass for stars.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

CELL = 16  # px, as large as a JPEG's blocks of colour; less where there would be too few cells
MIN_CELLS = 16
NOISE_QUANTILE = 0.25  # of the cells' spreads, taken for the noise: strokes are in few cells
# All in levels of 256. Noise of standard deviation 12 stays below, also in a JPEG of quality 10.
MAX_NOISE = 16.0  # standard deviation of a sensor's noise
OUTLIER_OFFSET, OUTLIER_FACTOR = 30.0, 7.0  # outliers differ by more than OFFSET + FACTOR * noise
MIN_OUTLIERS = 5  # pixels; fewer are broken ones
MIN_SHARED = 8.0  # standard deviation of what neighbours share, times px of a cell
MAX_RATIO = 0.4  # variance between neighbours, against that of all cells; noise has 1


def has_detail(pixels: NDArray[np.uint8]) -> bool:
    """Say whether (H, W, 3) RGB pixels show more than one colour with some noise."""
    # First, for it is what most pictures answer to: the spread is more than any sensor has.
    if cv2.meanStdDev(pixels)[1].max() > MAX_NOISE:
        return True
    values = pixels.astype(np.float32)
    height, width, _ = values.shape
    side = CELL
    while side > 1 and (height // side) * (width // side) < MIN_CELLS:
        side //= 2
    rows, columns = height // side, width // side
    cells = values[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
    noise = np.quantile(cells.std((1, 3)), NOISE_QUANTILE, axis=(0, 1))
    away = np.abs(values - np.median(values, (0, 1)))
    if (away > OUTLIER_OFFSET + OUTLIER_FACTOR * noise).any(-1).sum() >= MIN_OUTLIERS:
        return True
    means = cells.mean((1, 3), dtype=np.float64)
    steps = np.concatenate([np.diff(means, axis=axis).reshape(-1, 3) for axis in (0, 1)])
    # As von Neumann's ratio does: of independent values, both variances are the same.
    between, whole = np.square(steps).mean(0).sum() / 2, means.var((0, 1)).sum()
    return bool(whole - between > (MIN_SHARED / side) ** 2 and between < MAX_RATIO * whole)
