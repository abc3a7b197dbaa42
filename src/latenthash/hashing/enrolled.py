"""The hash: the centroid of the Signal's latents, and the radius within which a latent matches."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash.errors import InputError, JobError

Latents = NDArray[np.float64]  # (N, k)
ROUNDING_MARGIN = 1e-12  # by which scaled limits are moved to the side that was promised
SCALE_QUANTILE = 0.95  # of training views, at which radius and gate have the same score


@dataclass(frozen=True)
class LatentSet:
    """Latents of the views of one set.

    Attributes:
        z: (N, k).
        picture: (N,) which picture of the set each view is of.
        error: (N,) how badly the model rebuilds each view; None where that is not asked.
    """

    z: Latents
    picture: NDArray[np.int64]
    error: NDArray[np.float64] | None = None

    @classmethod
    def pooled(cls, sets: Sequence[LatentSet]) -> LatentSet:
        """Concatenate several sets; their pictures are numbered anew, so that none coincide."""
        first = np.cumsum([0, *(int(rows.picture.max()) + 1 for rows in sets[:-1])])
        errors = [rows.error for rows in sets if rows.error is not None]
        return cls(
            np.concatenate([rows.z for rows in sets]),
            np.concatenate([rows.picture + n for rows, n in zip(sets, first, strict=True)]),
            np.concatenate(errors) if len(errors) == len(sets) else None,
        )

    def take(self, rows: NDArray[np.int64]) -> LatentSet:
        """Pick rows, with repetition."""
        error = None if self.error is None else self.error[rows]
        return LatentSet(self.z[rows], self.picture[rows], error)


@dataclass(frozen=True)
class Hash:
    """Centroid, radius and gate of one picture in a latent space.

    Attributes:
        centroid: (k,) mean of the Signal's training latents.
        radius: R, in units of the latent space.
        gate: E, the largest reconstruction error of a match; None where it is not asked.
    """

    centroid: NDArray[np.float64]
    radius: float
    gate: float | None = None

    @classmethod
    def enroll(cls, train: LatentSet, calibration: LatentSet, alpha: float) -> Hash:
        """Take the centroid from training views, radius and gate from calibration views.

        Both limits are the split-conformal quantile (Vovk et al. 2005; protocol, task 1) of the
        Signal's scores: a new view of it matches with probability at least 1 - alpha.

        Args:
            train: the Signal's training views; those with errors make a hash with a gate.
            calibration: n views that training never saw.
            alpha: share of the Signal's views that may not match.

        Raises:
            InputError: if n is too small for alpha, or all calibration latents are the same.
            ValueError: if the sizes k differ, or train is empty.
            JobError: if a value is not finite.
        """
        rank = calibration_rank(len(calibration.z), alpha)
        hash_ = cls._unscaled(train)
        return hash_._scaled(float(np.sort(hash_.scores(calibration))[rank - 1]), ROUNDING_MARGIN)

    @classmethod
    def enroll_at_fpr(
        cls, train: LatentSet, calibration: LatentSet, others: LatentSet, fpr: float
    ) -> Hash:
        """Take the centroid from training views, radius and gate from views of other pictures.

        The limits are the largest that at most a share fpr of the others' views passes. Where
        all of the Signal's views are nearer than that, there is room on both sides, and the
        limits are the geometric mean of the two: as far from false negatives as from false
        positives.

        Args:
            train: the Signal's training views; those with errors make a hash with a gate.
            calibration: views of the Signal that training never saw.
            others: n views of other pictures, none of a training view. With fewer than 1 / fpr
                of them the limits end before the nearest.
            fpr: false-positive rate.

        Raises:
            InputError: if fpr is not in (0, 1), or another picture has the Signal's own latent.
            ValueError: if the sizes k differ, or train is empty.
            JobError: if a value is not finite.
        """
        if not 0 < fpr < 1:
            raise InputError(f"hash.fpr={fpr} must lie between 0 and 1.")
        hash_ = cls._unscaled(train)
        scores = np.sort(hash_.scores(others))
        limit = float(np.nextafter(scores[int(fpr * len(scores))], -math.inf))
        if limit <= 0:
            raise InputError(
                "A calibration view of another picture has the Signal's own latent, so no radius "
                f"has a false-positive rate of {fpr}. Take other pictures or another model."
            )
        own = float(hash_.scores(calibration).max())
        return hash_._scaled(math.sqrt(limit * own) if 0 < own < limit else limit, -ROUNDING_MARGIN)

    @classmethod
    def _unscaled(cls, train: LatentSet) -> Hash:
        """Take the centroid, and limits that training views reach about equally often.

        Only the ratio of radius and gate is kept: calibration views set their scale.
        """
        if train.z.ndim != 2 or train.z.size == 0:
            raise ValueError(f"training latents of shape {train.z.shape} have no centroid")
        centroid = _finite(train.z).mean(0)
        if train.error is None:
            return cls(centroid, 1.0)
        radius = float(np.quantile(cls(centroid, 1.0).distances(train.z), SCALE_QUANTILE))
        gate = float(np.quantile(_finite(train.error), SCALE_QUANTILE))
        # Views that are all alike, or all rebuilt without an error, have no scale.
        return cls(centroid, radius or 1.0, gate or 1.0)

    def _scaled(self, factor: float, margin: float) -> Hash:
        """Multiply both limits by factor, and by 1 + margin where a product has to be rounded."""
        if factor <= 0:
            raise InputError(
                "All calibration views of the Signal have one and the same latent: a picture of "
                "one colour has no content to hash. Give data.signal a picture with detail."
            )
        if self.gate is None:
            return Hash(self.centroid, self.radius * factor)
        factor *= 1 + margin
        return Hash(self.centroid, self.radius * factor, self.gate * factor)

    def distances(self, z: Latents) -> NDArray[np.float64]:
        """Measure the Euclidean distance of each latent z (N, k) to the centroid, as (N,).

        Raises:
            ValueError: if the size of a latent is not that of the centroid.
            JobError: if a latent is not finite.
        """
        if z.ndim != 2 or z.shape[1] != len(self.centroid):
            raise ValueError(
                f"latents of shape {z.shape} do not fit a hash of k={len(self.centroid)}: "
                "they must come from the model that made the hash"
            )
        distances: NDArray[np.float64] = np.linalg.norm(_finite(z) - self.centroid, axis=1)
        return distances

    def scores(self, rows: LatentSet) -> NDArray[np.float64]:
        """Return max(d / R, e / E) of each view, (N,); d / R where the hash has no gate.

        Raises:
            ValueError: if the hash has a gate and the views no errors.
            JobError: if a value is not finite.
        """
        scores = self.distances(rows.z) / self.radius
        if self.gate is None:
            return scores
        if rows.error is None:
            raise ValueError("this hash has a gate: latents must come with reconstruction errors")
        return np.maximum(scores, _finite(rows.error) / self.gate)

    def matches(self, rows: LatentSet) -> NDArray[np.bool_]:
        """Say for each view whether its score is at most 1, as (N,)."""
        return self.scores(rows) <= 1

    def to_json(self) -> dict[str, object]:
        """Return the hash as JSON values; floats survive the round trip exactly."""
        values: dict[str, object] = {"centroid": self.centroid.tolist(), "radius": self.radius}
        return values if self.gate is None else values | {"gate": self.gate}

    @classmethod
    def from_json(cls, values: dict[str, object]) -> Hash:
        """Read what `to_json` gave.

        Raises:
            ValueError: if a value is missing or is not of its kind.
        """
        centroid, radius, gate = (values.get(name) for name in ("centroid", "radius", "gate"))
        numbers = [*centroid, radius] if isinstance(centroid, list) and centroid else [None]
        if not all(_is_finite(x) for x in numbers):
            raise ValueError("centroid and radius must be finite numbers")
        if not isinstance(radius, int | float) or radius <= 0:
            raise ValueError(f"radius {radius} must be above 0")
        if gate is not None and not (
            _is_finite(gate) and isinstance(gate, int | float) and gate > 0
        ):
            raise ValueError(f"gate {gate} must be a number above 0")
        return cls(
            np.array(centroid, dtype=np.float64),
            float(radius),
            None if gate is None else float(gate),
        )


def calibration_rank(n: int, alpha: float) -> int:
    """Return the rank, from 1, of the calibration distance that becomes the radius.

    Raises:
        InputError: if n views cannot give a quantile that high, or alpha is not in (0, 1).
    """
    if not 0 < alpha < 1:
        raise InputError(f"hash.alpha={alpha} must lie between 0 and 1.")
    # Rounding first: (n + 1) * (1 - alpha) may land just above the integer it stands for.
    rank = max(1, math.ceil(round((n + 1) * (1 - alpha), 9)))
    if rank > n:
        raise InputError(
            f"data.views.calibration={n} is too few for hash.alpha={alpha}: at least "
            f"{math.ceil(round((1 - alpha) / alpha, 9))} calibration views are needed."
        )
    return rank


def _finite(z: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = np.isfinite(z).all(axis=tuple(range(1, z.ndim)))
    if not finite.all():
        raise JobError(
            f"{(~finite).sum()} of {len(z)} latents or errors are NaN or infinite: the training "
            "diverged. Lower model.learning_rate."
        )
    return z


def _is_finite(x: object) -> bool:
    """Say whether x, a JSON value, is a number that a float can hold."""
    if isinstance(x, bool) or not isinstance(x, int | float):
        return False
    return abs(x) <= sys.float_info.max
