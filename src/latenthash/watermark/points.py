"""Points of interest of a picture, by which it is found in another (RootSIFT).

SIFT is of Lowe (2004), its square root of Arandjelovic and Zisserman (2012).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from latenthash.data.reading import Pixels

SIDE = 480  # px of the longer side that a picture is reduced to
CONTRAST = 0.02  # the least of a point
OF_REFERENCE = 600  # most points of a thumbnail
OF_PICTURE = 1500  # most of a picture: of one that is full of text, the strongest are the text's
CELLS, DIRECTIONS = 4, 8  # of a descriptor: 4 x 4 cells of 8 directions each
Points: TypeAlias = NDArray[np.float32]  # (K, 2) x, y in px
Descriptors: TypeAlias = NDArray[np.float32]  # (K, 128), of length 1


@dataclass(frozen=True)
class Features:
    """Points of interest of a picture.

    Attributes:
        grey: (H, W) that they were found in.
        points: (K, 2).
        descriptors: (K, 128).
        scale: px of `grey` a px of the picture, along x and y.
    """

    grey: NDArray[np.uint8]
    points: Points
    descriptors: Descriptors
    scale: tuple[float, float]


def features(pixels: Pixels) -> Features:
    """Find the points of interest of a picture, once for all originals it is compared with."""
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    factor = SIDE / max(height, width)
    if factor < 1:
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return detected(np.asarray(grey, np.uint8), (width, height), OF_PICTURE)


def detected(grey: NDArray[np.uint8], size: tuple[int, int], most: int) -> Features:
    """Find points of a picture that was reduced.

    Args:
        grey: (H, W).
        size: width and height before, px.
        most: points.
    """
    scale = (grey.shape[1] / size[0], grey.shape[0] / size[1])
    keypoints, found = _sift(most).detectAndCompute(grey, None)
    if found is None:
        return Features(grey, no_points(), np.zeros((0, 128), np.float32), scale)
    points = np.array([point.pt for point in keypoints], np.float32)
    roots = np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-9))
    return Features(grey, points, roots.astype(np.float32), scale)


@cache
def _sift(most: int) -> Any:
    return cv2.SIFT.create(nfeatures=most, contrastThreshold=CONTRAST, enable_precise_upscale=True)


def order_of(mirrored: bool, negative: bool) -> NDArray[np.int64]:
    """Return where each number of a descriptor stands in that of the mirror image or negative.

    A descriptor is laid out along the direction of its point. In a mirror image, what was on the
    left of that direction is on the right, and angles run backwards. In a negative, the direction
    turns round, so that the cells are gone through from the other end.
    """
    order = np.arange(CELLS * CELLS * DIRECTIONS).reshape(CELLS, CELLS, DIRECTIONS)
    if mirrored:
        order = order[::-1, :, -np.arange(DIRECTIONS)]
    if negative:
        order = order[::-1, ::-1]
    return order.ravel()


def no_points() -> Points:
    """Return the points of a picture that has none, (0, 2)."""
    return np.zeros((0, 2), np.float32)
