"""The frames in which marks are embedded and read: luma at one size, and parts of it, warped."""

from math import sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from latenthash.data.reading import Pixels
from latenthash.watermark.carrier import Homography

Plane = NDArray[np.float32]  # (H, W)
Valid = NDArray[np.bool_]  # (H, W) where a frame shows the picture

SIDE = 400  # px, the square root of a canonical frame's area
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of R, G, B: ITU-R BT.601
ROWS = 256  # taken at once, to keep memory low
CENTRES = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV counts from pixels' centres


def luma(pixels: Pixels) -> Plane:
    """Return the luma, 0..255."""
    plane = np.empty(pixels.shape[:2], np.float32)
    for top in range(0, len(plane), ROWS):
        plane[top : top + ROWS] = pixels[top : top + ROWS] @ LUMA
    return plane


def canonical_size(width: int, height: int, side: float = SIDE) -> tuple[int, int]:
    """Return width and height of a picture in the canonical frame."""
    scale = side / sqrt(width * height)
    return max(8, round(width * scale)), max(8, round(height * scale))


def resized(plane: Plane, size: tuple[int, int]) -> Plane:
    """Bring a plane to width and height, averaging where it becomes smaller."""
    smaller = size[0] * size[1] < plane.size
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, size, interpolation=how), np.float32)


def canonical(plane: Plane, side: float = SIDE) -> Plane:
    """Bring a plane to the canonical frame, or one of another size."""
    return resized(plane, canonical_size(plane.shape[1], plane.shape[0], side))


def scaling(frame: tuple[int, int], size: tuple[int, int]) -> Homography:
    """Return the homography from a frame to a picture that it is the whole of."""
    return np.diag([size[0] / frame[0], size[1] / frame[1], 1.0])


def warped(plane: Plane, homography: Homography, frame: tuple[int, int]) -> tuple[Plane, Valid]:
    """Show in a frame what a picture has there.

    Args:
        plane: (H, W) of the picture.
        homography: from the frame to the picture.
        frame: width and height in px.

    Returns:
        The frame, its surroundings repeating the picture's border, and where the picture is.
    """
    reduction = sqrt(abs(np.linalg.det(homography[:2, :2])))
    smooth = cv2.GaussianBlur(plane, (0, 0), 0.4 * reduction) if reduction > 1.4 else plane
    matrix = np.linalg.inv(CENTRES) @ homography @ CENTRES
    inverse = cv2.WARP_INVERSE_MAP
    shown = cv2.warpPerspective(
        smooth, matrix, frame, flags=cv2.INTER_CUBIC | inverse, borderMode=cv2.BORDER_REPLICATE
    )
    there = cv2.warpPerspective(
        np.ones(plane.shape, np.uint8), matrix, frame, flags=cv2.INTER_NEAREST | inverse
    )
    return np.asarray(shown, np.float32), there > 0


def unwarped(plane: Plane, homography: Homography, size: tuple[int, int]) -> Plane:
    """Lay what stands in a frame where it belongs in a picture of a size."""
    matrix = np.linalg.inv(CENTRES) @ homography @ CENTRES
    laid = cv2.warpPerspective(
        plane, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(laid, np.float32)
