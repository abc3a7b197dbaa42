"""The hash: the centroid of the Signal's latents, and the radius within which a latent matches."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash import InputError

Latents = NDArray[np.float64]  # (N, k)


@dataclass(frozen=True)
class LatentSet:
    """Latents of the views of one set.

    Attributes:
        z: (N, k).
        picture: (N,) which picture of the set each view is of.
    """

    z: Latents
    picture: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> LatentSet:
        """Pick rows, with repetition."""
        return LatentSet(self.z[rows], self.picture[rows])


@dataclass(frozen=True)
class Hash:
    """Centroid and radius of one picture in a latent space.

    Attributes:
        centroid: (k,) mean of the Signal's training latents.
        radius: R, in units of the latent space.
    """

    centroid: NDArray[np.float64]
    radius: float

    @classmethod
    def enroll(cls, train: Latents, calibration: Latents, alpha: float) -> Hash:
        """Take the centroid from training views and the radius from calibration views.

        R is the split-conformal quantile (Vovk et al. 2005; protocol, task 1): a new view of
        the Signal lies within it with probability at least 1 - alpha.

        Args:
            train: (N, k) latents of the Signal's training views.
            calibration: (n, k) latents of views that training never saw.
            alpha: share of the Signal's views that may fall outside R.

        Raises:
            InputError: if n is too small for alpha, or all calibration latents are one.
            ValueError: if a latent is not finite, the sizes k differ, or train is empty.
        """
        rank = calibration_rank(len(calibration), alpha)
        if train.ndim != 2 or train.size == 0:
            raise ValueError(f"training latents of shape {train.shape} have no centroid")
        centroid = _finite(train).mean(0)
        distances = cls(centroid, math.inf).distances(calibration)
        radius = float(np.sort(distances)[rank - 1])
        if radius == 0:
            raise InputError(
                "All calibration views of the Signal have one and the same latent: a picture of "
                "one colour has no content to hash. Give data.signal a picture with detail."
            )
        return cls(centroid, radius)

    @classmethod
    def enroll_at_fpr(cls, train: Latents, outliers: Latents, fpr: float) -> Hash:
        """Take the centroid from training views and the radius from outliers.

        R is the largest radius within which at most a share fpr of outlier views lies.

        Args:
            train: (N, k) latents of the Signal's training views.
            outliers: (n, k) latents of calibration views of other pictures. With fewer than
                1 / fpr of them R is just short of the nearest.
            fpr: false-positive rate.

        Raises:
            InputError: if fpr is not in (0, 1), or an outlier lies at the centroid.
            ValueError: if a latent is not finite, the sizes k differ, or train is empty.
        """
        if not 0 < fpr < 1:
            raise InputError(f"hash.fpr={fpr} must lie between 0 and 1.")
        if train.ndim != 2 or train.size == 0:
            raise ValueError(f"training latents of shape {train.shape} have no centroid")
        centroid = _finite(train).mean(0)
        distances = np.sort(cls(centroid, math.inf).distances(outliers))
        radius = float(np.nextafter(distances[int(fpr * len(distances))], -math.inf))
        if radius <= 0:
            raise InputError(
                "A calibration view of the outliers has the Signal's own latent, so no radius has "
                f"a false-positive rate of {fpr}. Take other outliers or another model."
            )
        return cls(centroid, radius)

    def distances(self, z: Latents) -> NDArray[np.float64]:
        """Measure the Euclidean distance of each latent z (N, k) to the centroid, as (N,).

        Raises:
            ValueError: if a latent is not finite or its size is not that of the centroid.
        """
        if z.ndim != 2 or z.shape[1] != len(self.centroid):
            raise ValueError(
                f"latents of shape {z.shape} do not fit a hash of k={len(self.centroid)}: "
                "they must come from the model that made the hash"
            )
        distances: NDArray[np.float64] = np.linalg.norm(_finite(z) - self.centroid, axis=1)
        return distances

    def matches(self, z: Latents) -> NDArray[np.bool_]:
        """Say for each latent z (N, k) whether it lies within R of the centroid, as (N,)."""
        return self.distances(z) <= self.radius

    def to_json(self) -> dict[str, object]:
        """Give the hash as JSON values; floats survive the round trip exactly."""
        return {"centroid": self.centroid.tolist(), "radius": self.radius}

    @classmethod
    def from_json(cls, values: dict[str, object]) -> Hash:
        """Read what `to_json` gave.

        Raises:
            ValueError: if a value is missing or is not of its kind.
        """
        centroid, radius = values.get("centroid"), values.get("radius")
        numbers = [*centroid, radius] if isinstance(centroid, list) and centroid else [None]
        if not all(_is_finite(x) for x in numbers):
            raise ValueError("centroid and radius must be finite numbers")
        if not isinstance(radius, int | float) or radius < 0:
            raise ValueError(f"radius {radius} must not be negative")
        return cls(np.array(centroid, dtype=np.float64), float(radius))


def calibration_rank(n: int, alpha: float) -> int:
    """Give the rank, from 1, of the calibration distance that becomes the radius.

    Raises:
        InputError: if n views cannot give a quantile that high, or alpha is not in (0, 1).
    """
    if not 0 < alpha < 1:
        raise InputError(f"hash.alpha={alpha} must lie between 0 and 1.")
    # Rounding first: (n + 1) * (1 - alpha) may land a hair above the integer it stands for.
    rank = max(1, math.ceil(round((n + 1) * (1 - alpha), 9)))
    if rank > n:
        raise InputError(
            f"data.views.calibration={n} is too few for hash.alpha={alpha}: at least "
            f"{math.ceil(round((1 - alpha) / alpha, 9))} calibration views are needed."
        )
    return rank


def _finite(z: Latents) -> Latents:
    if not np.isfinite(z).all():
        bad = int((~np.isfinite(z).all(axis=1)).sum())
        raise ValueError(
            f"{bad} of {len(z)} latents are NaN or infinite: training diverged; "
            "lower model.learning_rate"
        )
    return z


def _is_finite(x: object) -> bool:
    """Say whether x, a JSON value, is a number that a float can hold."""
    if isinstance(x, bool) or not isinstance(x, int | float):
        return False
    return abs(x) <= sys.float_info.max
