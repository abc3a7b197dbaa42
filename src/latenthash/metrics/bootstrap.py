"""Measured values with 95 % bootstrap intervals over pictures (protocol, statistics)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import sklearn
from numpy.typing import NDArray

from latenthash.hashing.enrolled import LatentSet
from latenthash.system.terminal import track

LEVEL = (0.025, 0.975)  # a 95 % interval


@dataclass(frozen=True)
class Measure:
    """One measured value of the table.

    Attributes:
        name: as in MLflow.
        value: point estimate.
        low: lower end of its 95 % interval.
        high: upper end.
        trials: number of views behind a share; None for what is not a share.
    """

    name: str
    value: float
    low: float
    high: float
    trials: int | None = None

    @property
    def interval(self) -> tuple[float, float, float]:
        """The value and both ends of its interval, as figures draw them."""
        return self.value, self.low, self.high

    @property
    def text(self) -> str:
        """The value as people read it; a share that was never met is printed as its bound."""
        if self.trials and self.value == 0:
            return f"0 (< {self.high:.3g}: none in {self.trials})"
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def bootstrap(
    measure: Callable[[Mapping[str, LatentSet]], dict[str, float]],
    sets: Mapping[str, LatentSet],
    trials: Callable[[str, Mapping[str, LatentSet]], int | None],
    resamples: int,
    rng: np.random.Generator,
) -> list[Measure]:
    """Measure the sets, and again on draws of their pictures.

    Args:
        measure: sets -> name -> value.
        sets: the rows that are drawn from, each set on its own.
        trials: (name, sets) -> number of views behind a share; None for what is no share. A
            share of exactly 0 or 1 has its interval from the rule of three (Hanley and
            Lippman-Hand 1983).
        resamples: number of draws.
        rng: draws the pictures.
    """
    values = measure(sets)
    # The rows were validated by the call above; thousands more checks take longer than the figures.
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        draws = [
            measure({name: rows.take(resample(rows.picture, rng)) for name, rows in sets.items()})
            for _ in track(range(resamples), "Bootstrap")
        ]
    measures = []
    for name, value in values.items():
        low, high = np.quantile([draw[name] for draw in draws], LEVEL)
        n = trials(name, sets)
        if n and value == 0:
            high = min(1.0, 3 / n)
        if n and value == 1:
            low = max(0.0, 1 - 3 / n)
        measures.append(Measure(name, value, float(low), float(high), n))
    return measures


def resample(picture: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw pictures with replacement and return the rows (M,) of their views.

    Views of one picture are not independent, so pictures are drawn; a set of one picture has
    only its views to draw from.
    """
    pictures = np.unique(picture)
    if len(pictures) == 1:
        return rng.integers(len(picture), size=len(picture))
    order = np.argsort(picture, kind="stable")
    rows = np.split(order, np.searchsorted(picture[order], pictures[1:]))
    return np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
