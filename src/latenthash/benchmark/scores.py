"""Figures of a code (protocol, task 2): one encoder, any picture, no enrolment.

A query is an edited picture, a reference the picture itself. A genuine pair is of one picture, an
impostor pair of two. The more similar, the sooner a pair is called the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash.benchmark.codes import Described, Floats
from latenthash.bootstrap import LEVEL

BLOCK = 4096  # queries compared at once


@dataclass(frozen=True)
class Pairs:
    """Similarities of the queries of one half of the pictures to all references of that half.

    Attributes:
        genuine: (Q,) similarity of each query to its own reference.
        impostors: (Q, P - 1) similarity to all others.
        picture: (Q,) number of the picture each query is of, 0 to P - 1.
        edit: (Q,) number of the edit each query is made by.
        first: (Q,) whether no other reference is as similar as its own.
    """

    genuine: Floats
    impostors: Floats
    picture: NDArray[np.int64]
    edit: NDArray[np.int64]
    first: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        queries: Described,
        references: Floats,
        picture: NDArray[np.int64],
        edit: NDArray[np.int64],
        vectors: Callable[[Described], Floats],
    ) -> "Pairs":
        """Compare queries (Q, D) with references (P, E) by inner product.

        Args:
            queries: descriptions.
            references: vectors.
            picture: (Q,) see above.
            edit: (Q,) see above.
            vectors: queries (B, D) -> vectors (B, E); asked for a block at a time.
        """
        genuine = np.empty(len(queries), np.float32)
        impostors = np.empty((len(queries), len(references) - 1), np.float32)
        for start, similarity in similarities(queries, references, vectors):
            block = slice(start, start + len(similarity))
            own = np.arange(len(references)) == picture[block, None]
            genuine[block] = similarity[own]
            impostors[block] = similarity[~own].reshape(len(similarity), -1)
        return cls(genuine, impostors, picture, edit, genuine > impostors.max(1))


def similarities(
    queries: Described, references: Floats, vectors: Callable[[Described], Floats]
) -> Iterator[tuple[int, Floats]]:
    """Compare queries (Q, D) with references (P, E), some rows at a time.

    Args:
        queries: descriptions.
        references: vectors.
        vectors: queries (B, D) -> vectors (B, E).

    Yields:
        number of the first query, and inner products (B, P).
    """
    for start in range(0, len(queries), BLOCK):
        yield start, vectors(queries[start : start + BLOCK]) @ references.T


def threshold(impostors: Floats, fpr: float) -> float:
    """Find the least similarity that at most a share fpr of impostor pairs reaches.

    With fewer than 1 / fpr pairs nothing is known of rates that small, and what no pair
    reaches is the best that can be said.
    """
    allowed = int(fpr * impostors.size)
    flat = impostors.ravel()
    # The one after the last that may pass: everything above it passes, and ties do not.
    limit = np.partition(flat, flat.size - allowed - 1)[flat.size - allowed - 1]
    return float(np.nextafter(np.float32(limit), np.float32(np.inf)))


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval.

    Attributes:
        value: the share.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float


class Bootstrap:
    """Draws of pictures, the same for every code, so that codes can be compared pair by pair.

    Args:
        pictures: number of pictures.
        resamples: number of draws.
        seed: of the draws.
    """

    def __init__(self, pictures: int, resamples: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        draws = rng.integers(pictures, size=(resamples, pictures))
        # (resamples, P): how often each picture was drawn
        self.weights = np.apply_along_axis(np.bincount, 1, draws, None, pictures) / pictures

    def rate(self, shares: NDArray[np.float64], trials: int) -> Rate:
        """Give the mean of per-picture shares (P,), of `trials` in all.

        A share of exactly 0 or 1 has its interval from the rule of three.
        """
        value = float(shares.mean())
        low, high = (float(v) for v in np.quantile(self.weights @ shares, LEVEL))
        if value == 0:
            high = min(1.0, 3 / trials)
        if value == 1:
            low = max(0.0, 1 - 3 / trials)
        return Rate(value, low, high)

    def pair_rate(self, shares: NDArray[np.float64], trials: int) -> Rate:
        """Give the mean of shares (P, P) of pairs of two pictures; both of a pair are drawn.

        Args:
            shares: of the queries of picture p, how many match reference r; the diagonal is 0.
            trials: queries times references in all.
        """
        n = len(shares)
        value = float(shares.sum() / (n * (n - 1)))
        # Of each draw, the pairs of two different pictures; a draw of one alone has none.
        among = np.maximum(1 - (self.weights**2).sum(1), 1 / n)
        drawn = ((self.weights @ shares) * self.weights).sum(1) / among
        low, high = (float(v) for v in np.quantile(drawn, LEVEL))
        return Rate(value, low, min(1.0, 3 / trials) if value == 0 else high)

    def difference(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> Rate:
        """Give the mean of a - b, per-picture shares (P,) of two codes (paired bootstrap)."""
        low, high = (float(v) for v in np.quantile(self.weights @ (a - b), LEVEL))
        return Rate(float((a - b).mean()), low, high)


def by_picture(values: NDArray[np.generic], picture: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average rows (Q, ...) over the queries of each picture, to (P,)."""
    rows = values.reshape(len(values), -1).mean(1)
    shares: NDArray[np.float64] = np.bincount(picture, rows) / np.bincount(picture)
    return shares


def degrees_of_freedom(impostors: Floats) -> float | None:
    """Count the independent bits that impostor distances behave like (Daugman 2003).

    mean (1 - mean) / variance of distances in [0, 1]: (1 - similarity) / 2, which is the share of
    bits that differ when the similarity of a code to itself is 1. None when all are equal, as
    those of two pictures can be: there is nothing to tell it from.
    """
    # Of similarities, so that there need be no second array of distances.
    mean = (1 - impostors.mean(dtype=np.float64)) / 2
    variance = impostors.var(dtype=np.float64) / 4
    return float(mean * (1 - mean) / variance) if variance > 0 else None
