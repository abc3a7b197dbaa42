"""Peaks: where between pixels a maximum lies, and the affine map that brings peaks to others."""

import cv2
import numpy as np
from numpy.typing import NDArray

from latenthash.watermark.frames import Plane
from latenthash.watermark.pattern import Floats

REACHES = (4, 3, 2, 2)  # bins about where a peak should be, in each round
LEAST_PEAKS = 8
DARK = 1.5  # amplitude below which a peak is noise
FAR = 2.0  # times the median error, and a bin at least: peaks further off are wrong


def at(plane: Plane, points: Floats) -> Floats:
    """Return the values of a plane in points (K, 2), right and down, between pixels too."""
    columns, rows = (points[:, i].astype(np.float32)[None] for i in (0, 1))
    return np.asarray(cv2.remap(plane, columns, rows, cv2.INTER_CUBIC)[0], np.float64)


def vertices(before: Floats, here: Floats, after: Floats) -> Floats:
    """Return where the parabola through three neighbours has its maximum, in pixels from here."""
    bend = 2 * here - before - after
    return np.where(bend > 0, (after - before) / 2 / np.where(bend > 0, bend, 1), 0)


def maxima(windows: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Find the maximum of each window, between pixels.

    Args:
        windows: (K, 2 r + 1, 2 r + 1).

    Returns:
        (K, 2) right and down of the middle in px, and the values (K,) of the pixels.
    """
    count, side = windows.shape[:2]
    reach = side // 2
    each = np.arange(count)
    row, column = np.divmod(windows.reshape(count, -1).argmax(1), side)
    value = windows[each, row, column].astype(np.float64)
    inner = (row > 0) & (row < side - 1) & (column > 0) & (column < side - 1)
    r, c = np.clip(row, 1, side - 2), np.clip(column, 1, side - 2)
    right = vertices(windows[each, r, c - 1], windows[each, r, c], windows[each, r, c + 1])
    down = vertices(windows[each, r - 1, c], windows[each, r, c], windows[each, r + 1, c])
    offsets = np.stack([column - reach + inner * right, row - reach + inner * down], 1)
    return offsets, value


def refined(amplitudes: Plane, frequencies: Floats, guess: Floats) -> Floats:
    """Fit a linear map of frequencies to the peaks near where a guess has them.

    Args:
        amplitudes: (P, P), frequency 0 in the middle.
        frequencies: (K, 2) of the pilots, cycles a px.
        guess: (2, 2).

    Returns:
        (2, 2); the guess where too few peaks are there.
    """
    matrix, side = guess, len(amplitudes)
    for reach in REACHES:
        expected = frequencies @ matrix.T * side + side / 2
        nearest = np.rint(expected).astype(int)
        inside = ((nearest > reach) & (nearest < side - reach - 1)).all(1)
        if inside.sum() < LEAST_PEAKS:
            break
        source, expected, nearest = frequencies[inside], expected[inside], nearest[inside]
        steps = np.arange(-reach, reach + 1)
        rows = nearest[:, 1, None, None] + steps[:, None]
        columns = nearest[:, 0, None, None] + steps
        windows = amplitudes[rows, columns]
        away = (columns - expected[:, 0, None, None]) ** 2 + (
            rows - expected[:, 1, None, None]
        ) ** 2
        # Of two peaks the one nearer to the guess is likelier.
        offsets, value = maxima(windows * np.exp(-away / (2 * (reach / 1.5) ** 2)))
        points = (nearest + offsets - side / 2) / side
        fitted = _fitted(source, points, np.maximum(value - DARK, 0) ** 2, side)
        if fitted is None:
            break
        change = abs(np.linalg.det(fitted)) / abs(np.linalg.det(matrix))
        if not 0.3 <= change <= 3:
            break
        matrix = fitted
    return matrix


def _fitted(source: Floats, points: Floats, weights: Floats, side: int) -> Floats | None:
    """Fit the map by weighted least squares, three times without those that are far off."""
    for _ in range(3):
        if (weights > 0).sum() < LEAST_PEAKS - 2:
            return None
        root = np.sqrt(weights)[:, None]
        solution = np.linalg.lstsq(source * root, points * root, rcond=None)[0]
        errors = np.linalg.norm(source @ solution - points, axis=1) * side
        weights = weights * (errors < max(1.0, FAR * float(np.median(errors))))
    return np.asarray(solution.T, np.float64)
