"""Whether a picture shows anything: what does not has no hash of its own.

One colour stays one colour under a sensor's noise and in a JPEG. Three things are no noise:
values that stand out, as stars and strokes do; cells that are like their neighbours, as in
gradients and dark photos; and a spread that no sensor has. What is no more than noise by all three
has no detail, such as a faint regular texture. Hot pixels on one colour pass for stars.
"""

import numpy as np
from numpy.typing import NDArray

CELL, FEWEST = 16, 16  # px, and how many cells; a JPEG's blocks of colour are as large
QUIET = 0.25  # quantile of the cells' spreads that tells the noise; strokes leave most cells alone
# All in levels of 256. Noise of standard deviation 12 stays below, also in a JPEG of quality 10.
LOUDEST = 16.0  # standard deviation of a sensor's noise
FAINT, TIMES = 30.0, 7.0  # what stands out differs by more than FAINT + TIMES * noise
MARKS = 5  # pixels that have to stand out; fewer are broken ones
SMOOTH = 8.0  # standard deviation of what neighbours share, times px of a cell
ALIKE = 0.4  # variance between neighbours, against that of all cells; noise has 1


def has_detail(pixels: NDArray[np.uint8]) -> bool:
    """Say whether (H, W, 3) RGB pixels show more than one colour with some noise."""
    values = pixels.astype(np.float32)
    height, width, _ = values.shape
    side = CELL
    while side > 1 and (height // side) * (width // side) < FEWEST:
        side //= 2
    rows, columns = height // side, width // side
    cells = values[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
    if values.std((0, 1)).max() > LOUDEST:
        return True
    noise = np.quantile(cells.std((1, 3)), QUIET, axis=(0, 1))
    away = np.abs(values - np.median(values, (0, 1)))
    if (away > FAINT + TIMES * noise).any(-1).sum() >= MARKS:
        return True
    means = cells.mean((1, 3), dtype=np.float64)
    steps = np.concatenate([np.diff(means, axis=axis).reshape(-1, 3) for axis in (0, 1)])
    # As von Neumann's ratio does: of independent values, both variances are the same.
    between, whole = np.square(steps).mean(0).sum() / 2, means.var((0, 1)).sum()
    return bool(whole - between > (SMOOTH / side) ** 2 and between < ALIKE * whole)
