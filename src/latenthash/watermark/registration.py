"""Registration: whether a picture shows what a small picture of an original shows, and where.

Points of interest of both are matched, a homography is found that many of the matches agree on, and
the pixels are compared where both overlap. A picture is of the same content when both agree.
"""

import io
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.watermark.points import (
    OF_REFERENCE,
    Descriptors,
    Features,
    Points,
    detected,
    features,
    no_points,
    order_of,
)

THUMBNAIL, QUALITY = 320, 75  # px of the longer side, and of the JPEG
RATIO = 0.8  # nearest to second nearest distance (Lowe 2004, section 7.1)
REACH = 3.0  # px of the query within which a match agrees with a homography
INLIERS, CORRELATION = 12, 0.3  # least of both for the same content
ENOUGH = 40  # inliers at which the other ways of looking at the picture are left out
TRIES, SURE, SEED = 4000, 0.9999, 0  # of RANSAC
NARROWEST = 1 / 3.5  # least ratio of a homography's two stretches
SMALLEST, LARGEST = 0.02, 50.0  # of a homography's change of area
WINDOW, FLAT = 4.5, 4.0  # px (sigma) of the local correlation; variance of what has no detail
OVERLAP = 0.05  # least share of the thumbnail that the query shows
Matrix: TypeAlias = NDArray[np.float64]  # (3, 3)


@dataclass(frozen=True)
class Registration:
    """How a picture lies on an original.

    Attributes:
        inliers: distinct matches that agree with the homography.
        homography: (3, 3), px of the original -> px of the picture, both counted from the middle
            of the first; None where there is none.
        mirrored: whether the picture is a mirror image.
        negative: whether it is a negative.
        ncc: local normalised correlation of the pixels, weighted by the original's detail.
    """

    inliers: int
    homography: Matrix | None
    mirrored: bool
    negative: bool
    ncc: float

    @property
    def agrees(self) -> bool:
        """Whether both show the same content."""
        return self.inliers >= INLIERS and self.ncc >= CORRELATION


NOTHING = Registration(0, None, False, False, 0.0)


def thumbnail(pixels: Pixels) -> bytes:
    """Make the JPEG that a manifest holds of an original."""
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


class Reference:
    """An original, as its manifest shows it.

    Args:
        jpeg: of the thumbnail, which is not trusted.
        size: width and height of the original, px.

    Raises:
        InputError: if it is no JPEG of at most 320 px.
    """

    def __init__(self, jpeg: bytes, size: tuple[int, int]) -> None:
        grey = np.asarray(cv2.cvtColor(read_thumbnail(jpeg), cv2.COLOR_RGB2GRAY), np.uint8)
        self._features = detected(grey, size, OF_REFERENCE)
        kinds = product((False, True), (False, True))
        # Of a mirror image or negative, the descriptors are these in another order: the picture
        # itself is looked at once.
        self._seen = {kind: self._features.descriptors[:, order_of(*kind)] for kind in kinds}

    def register(self, picture: Pixels | Features) -> Registration:
        """Register a picture to the original; the same picture always gives the same.

        Args:
            picture: its pixels, or what `features` made of them.
        """
        query = picture if isinstance(picture, Features) else features(picture)
        best = NOTHING
        for (mirrored, negative), descriptors in self._seen.items():
            here, there = self._matched(query, descriptors)
            found = self._registered(query, here, there, mirrored, negative)
            best = max(best, found, key=lambda one: (one.agrees, one.inliers, one.ncc))
            if best.agrees and best.inliers >= ENOUGH:
                break
        return best

    def _matched(self, query: Features, descriptors: Descriptors) -> tuple[Points, Points]:
        """Match points (M, 2) of the thumbnail and of the query, each its best by far."""
        if min(len(descriptors), len(query.descriptors)) < INLIERS:
            return no_points(), no_points()
        likeness = query.descriptors @ descriptors.T
        rows = np.arange(len(likeness))
        nearest = likeness.argmax(1)
        best = likeness[rows, nearest]
        likeness[rows, nearest] = -1.0
        second = likeness.max(1)
        good = 2 - 2 * best < RATIO**2 * (2 - 2 * second)  # squared distances of unit vectors
        return self._features.points[nearest[good]], query.points[good]

    def _registered(
        self, query: Features, here: Points, there: Points, mirrored: bool, negative: bool
    ) -> Registration:
        """Find the homography of matches, and compare the pixels."""
        if len(here) < INLIERS:
            return NOTHING
        # OpenCV takes no homography that mirrors: it gets the picture turned back.
        turned = np.diag([-1.0 if mirrored else 1.0, 1.0, 1.0])
        turned[0, 2] = query.grey.shape[1] - 1 if mirrored else 0
        back = (there * turned.diagonal()[:2] + turned[:2, 2]).astype(np.float32)
        unturned, agreeing = cv2.findHomography(here, back, _ransac())
        if unturned is None or not self._is_plausible(np.asarray(unturned, np.float64)):
            return NOTHING
        matrix = np.asarray(turned @ unturned, np.float64)  # turned is its own inverse
        kept = agreeing.ravel() > 0
        inliers = min(_distinct(here[kept]), _distinct(there[kept]))
        if inliers < INLIERS:
            return Registration(inliers, None, mirrored, negative, 0.0)
        ncc = self._correlation(query, matrix) * (-1 if negative else 1)
        return Registration(inliers, self._in_pixels(matrix, query), mirrored, negative, ncc)

    def _is_plausible(self, matrix: Matrix) -> bool:
        """Say whether a homography is one that a picture comes to by being photographed."""
        height, width = self._features.grey.shape
        x, y = np.meshgrid([0, width / 2, width], [0, height / 2, height])
        at = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        if not np.isfinite(matrix).all():
            return False
        depth = (matrix @ at)[2]
        if depth.min() * depth.max() <= 0 or abs(depth).min() < 0.2 * abs(depth).max():
            return False  # a part of it would lie behind the camera, or far away
        scale = depth[4]  # in the middle
        place = (matrix @ at[:, 4])[:2] / scale
        slope = (matrix[:2, :2] - np.outer(place, matrix[2, :2])) / scale
        large, small = np.linalg.svd(slope, compute_uv=False)
        area = float(np.linalg.det(slope))
        return bool(small > NARROWEST * large and SMALLEST < area < LARGEST)

    def _correlation(self, query: Features, matrix: Matrix) -> float:
        """Correlate the thumbnail with the query that is warped onto it, window by window."""
        original = self._features.grey
        size = original.shape[::-1]
        way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpPerspective(query.grey, matrix, size, flags=way)
        shown = cv2.warpPerspective(np.ones_like(query.grey), matrix, size, flags=way) > 0
        if shown.mean() < OVERLAP:
            return 0.0
        a, b = original.astype(np.float32), warped.astype(np.float32)
        mean_a, mean_b = _smooth(a), _smooth(b)
        variance_a, variance_b = _smooth(a * a) - mean_a**2, _smooth(b * b) - mean_b**2
        covariance = _smooth(a * b) - mean_a * mean_b
        local = covariance / np.sqrt(np.maximum(variance_a, FLAT) * np.maximum(variance_b, FLAT))
        weight = np.sqrt(np.maximum(variance_a, 0)) * shown
        return float((local * weight).sum() / max(float(weight.sum()), 1e-6))

    def _in_pixels(self, matrix: Matrix, query: Features) -> Matrix:
        """Turn a homography of what was compared into one of original and picture."""
        whole = np.linalg.inv(_reducing(query.scale)) @ matrix @ _reducing(self._features.scale)
        return np.asarray(whole / whole[2, 2], np.float64)


def read_thumbnail(jpeg: bytes) -> Pixels:
    """Decode the thumbnail of a manifest, which is not trusted.

    Raises:
        InputError: if it is no JPEG of at most 320 px.
    """
    what = "The thumbnail of a manifest"
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            if max(image.size) > THUMBNAIL:
                raise InputError(f"{what} is larger than {THUMBNAIL} px. It was not made here.")
            return np.asarray(image.convert("RGB"))
    except InputError:
        raise
    except Exception as error:  # decoders answer damaged data with almost any of them
        raise InputError(f"{what} is no JPEG, or damaged ({error}).") from error


def _ransac() -> Any:
    """Return what decides a homography; it has a random state of its own."""
    ways = cv2.UsacParams()
    ways.threshold = REACH
    ways.confidence = SURE
    ways.maxIterations = TRIES
    ways.randomGeneratorState = SEED
    ways.isParallel = False
    ways.sampler = cv2.SAMPLING_UNIFORM
    ways.score = cv2.SCORE_METHOD_MSAC
    ways.loMethod = cv2.LOCAL_OPTIM_INNER_LO
    ways.loIterations = 10
    ways.loSampleSize = 14
    return ways


def _distinct(points: Points) -> int:
    """Count points that are not the same pixel: one may have several directions."""
    return len(np.unique(np.round(points), axis=0))


def _reducing(scale: tuple[float, float]) -> Matrix:
    """Return the way from px of a picture to px of what it was reduced to.

    The middle of the first pixel is 0 in both, so that the first corner is -0.5.
    """
    x, y = scale
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), WINDOW), np.float32)
