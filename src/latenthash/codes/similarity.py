"""Figures of a code (protocol, task 2): one encoder, any picture, no enrolment.

A query is an edited picture, a reference the picture itself. A genuine pair is of one picture, an
impostor pair of two. The more similar, the sooner a pair is called the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from latenthash.codes.code import Described, Vectors, inner
from latenthash.metrics.bootstrap import LEVEL

Similarities: TypeAlias = NDArray[np.float32]

BLOCK = 4096  # queries compared at once
NO_PAIR = -np.inf  # similarity of what is no impostor pair
# Of the most similar impostor pairs, at least how many decide the thresholds of draws, and how
# many times those that the rate lets pass: a draw may leave out whatever was most similar. Of more
# than the last number every second, third ... stands for its neighbours.
DECIDING, MARGIN, MOST = 50_000, 5, 200_000
ROUNDING = 1e-3  # by which a distance may pass its bounds


@dataclass(frozen=True)
class PairScores:
    """Similarities of the queries of one half of the pictures to all references of that half.

    Attributes:
        genuine: (P, E) similarity of each picture's queries to its own reference.
        impostors: (P, E, P) similarity to all others; NO_PAIR to its own and those of its group.
    """

    genuine: Similarities
    impostors: Similarities

    @classmethod
    def of(
        cls,
        queries: Described,
        references: Vectors,
        group: NDArray[np.int64],
        vectors: Callable[[Described], Vectors],
        compare: Callable[[Vectors, Vectors], Vectors] = inner,
    ) -> "PairScores":
        """Compare queries (P, E, D) with references (P, V).

        Args:
            queries: descriptions of the edited pictures.
            references: vectors.
            group: (P,); pictures of one group are no impostors of each other.
            vectors: queries (B, D) -> vectors (B, V); asked for a block at a time.
            compare: vectors (B, V) and (P, V) -> similarities (B, P).
        """
        pictures, edits, dimensions = queries.shape
        picture = np.repeat(np.arange(pictures), edits)
        genuine = np.empty(len(picture), np.float32)
        impostors = np.empty((len(picture), pictures), np.float32)
        flat = queries.reshape(-1, dimensions)
        for start, similarity in similarities(flat, references, vectors, compare):
            block = slice(start, start + len(similarity))
            of = picture[block]
            genuine[block] = similarity[np.arange(len(of)), of]
            impostors[block] = np.where(group[of, None] == group, NO_PAIR, similarity)
        return cls(genuine.reshape(pictures, edits), impostors.reshape(pictures, edits, pictures))

    @property
    def others(self) -> NDArray[np.bool_]:
        """Say for each picture which references are impostors, (P, P)."""
        others: NDArray[np.bool_] = self.impostors[:, 0] > NO_PAIR
        return others

    @property
    def first(self) -> NDArray[np.bool_]:
        """Say of which queries no other reference is as similar as its own, (P, E)."""
        first: NDArray[np.bool_] = self.genuine > self.impostors.max(2)
        return first


def similarities(
    queries: Described,
    references: Vectors,
    vectors: Callable[[Described], Vectors],
    compare: Callable[[Vectors, Vectors], Vectors] = inner,
) -> Iterator[tuple[int, Similarities]]:
    """Compare queries (Q, D) with references (P, V), some rows at a time.

    Args:
        queries: descriptions.
        references: vectors.
        vectors: queries (B, D) -> vectors (B, V).
        compare: vectors (B, V) and (P, V) -> similarities (B, P).

    Yields:
        number of the first query, and similarities (B, P).
    """
    for start in range(0, len(queries), BLOCK):
        yield start, compare(vectors(queries[start : start + BLOCK]), references)


def threshold(impostors: Similarities, fpr: float) -> float:
    """Find the least similarity that at most a share fpr of impostor pairs reaches.

    With fewer than 1 / fpr pairs nothing is known of rates that small, and what no pair
    reaches is the best that can be said.

    Args:
        impostors: similarities of any shape; what is NO_PAIR does not count.
        fpr: the share.
    """
    flat = impostors.ravel()
    allowed = int(fpr * np.count_nonzero(flat > NO_PAIR))
    # The one after the last that may pass: everything above it passes, and ties do not.
    return _above(np.partition(flat, flat.size - allowed - 1)[flat.size - allowed - 1])


def _above(similarity: np.float32) -> float:
    return float(np.nextafter(np.float32(similarity), np.float32(np.inf)))


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
    """Draws of pictures, the same for every code, so that codes can be compared draw by draw.

    Args:
        pictures: number of pictures, P.
        resamples: number of draws, R.
        seed: of the draws.

    Attributes:
        counts: (R, P) how often each picture was drawn.
    """

    def __init__(self, pictures: int, resamples: int, seed: Sequence[int]) -> None:
        rng = np.random.default_rng(seed)
        draws = rng.integers(pictures, size=(resamples, pictures))
        self.counts: NDArray[np.int64] = np.apply_along_axis(np.bincount, 1, draws, None, pictures)
        self.weights = self.counts / pictures

    def rate(self, shares: NDArray[np.float64]) -> Rate:
        """Return the mean of per-picture shares (P,)."""
        return self.rate_of(float(shares.mean()), self.weights @ shares)

    def rate_of(self, value: float, drawn: NDArray[np.float64], trials: int | None = None) -> Rate:
        """Return a share with the interval of what it was in the draws (R,).

        Of a share of exactly 0 or 1 the rule of three bounds the interval: 3 / P, for the views
        of a picture are not independent.

        Args:
            value: the share.
            drawn: in the draws.
            trials: pictures that it is of, where these are not all.
        """
        low, high = interval(drawn)
        bound = min(1.0, 3 / (trials or self.counts.shape[1]))
        if value == 0:
            high = max(high, bound)
        if value == 1:
            low = min(low, 1 - bound)
        return Rate(value, low, high)

    def pair_rate(self, shares: NDArray[np.float64], others: NDArray[np.bool_]) -> Rate:
        """Return the mean of shares of pairs of two pictures; both of a pair are drawn.

        Args:
            shares: (P, P) of the queries of picture p, how many match reference r.
            others: (P, P) which of them are pairs.

        Returns:
            the rate; of exactly 0, at most 3 in as many trials as there are pairs of pictures:
            edits and directions of one pair are not independent.
        """
        pairs = int(others.sum())
        value = float(shares[others].sum() / pairs)
        among = self._drawn(others)
        seen = among > 0  # a draw of one picture, or one group, has no pair
        drawn = self._drawn(np.where(others, shares, 0))[seen] / among[seen]
        low, high = interval(drawn) if seen.any() else (0.0, 1.0)
        return Rate(value, low, min(1.0, 6 / pairs) if value == 0 else high)

    def thresholds(self, impostors: Similarities, fprs: Sequence[float]) -> NDArray[np.float64]:
        """Find what `threshold` gives for each draw of the pictures and each rate, (R, F).

        NaN where a draw has no impostor pair.

        Args:
            impostors: (P, E, P) similarities; NO_PAIR where there is no pair.
            fprs: F false-positive rates.
        """
        flat = impostors.ravel()
        count = int(np.count_nonzero(flat > NO_PAIR))
        kept = [min(count, max(DECIDING, int(MARGIN * fpr * count))) for fpr in fprs]
        least = np.partition(flat, flat.size - max(kept))[flat.size - max(kept)]
        top = np.flatnonzero(flat >= least)
        top = top[np.argsort(-flat[top])]
        totals = impostors.shape[1] * self._drawn(impostors[:, 0] > NO_PAIR)
        found = np.full((len(self.counts), len(fprs)), np.nan)
        for column, (fpr, most) in enumerate(zip(fprs, kept, strict=True)):
            step = -(-most // MOST)
            some = top[:most:step]
            query, _, reference = np.unravel_index(some, impostors.shape)
            for row, (counts, total) in enumerate(zip(self.counts, totals, strict=True)):
                if total:
                    passed = step * np.cumsum(counts[query] * counts[reference])
                    # The first that may not pass. Where it is not among them, what the last lets
                    # pass is within the rate.
                    at = np.searchsorted(passed, fpr * total, side="right")
                    found[row, column] = _above(flat[some[min(at, len(some) - 1)]])
        return found

    def _drawn(self, of_pairs: NDArray[Any]) -> NDArray[np.float64]:
        """Add up values (P, P) of pairs as often as each draw has them, to (R,)."""
        counts = self.counts.astype(np.float64)
        drawn: NDArray[np.float64] = ((counts @ of_pairs) * counts).sum(1)
        return drawn


def interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of the 95 % interval of drawn values (R,)."""
    low, high = np.quantile(drawn, LEVEL)
    return float(low), float(high)


def degrees_of_freedom(impostors: Similarities, span: float) -> float | None:
    """Count the independent bits that impostor distances behave like (Daugman 2003).

    mean (1 - mean) / variance of distances in [0, 1]: (1 - similarity / span) / 2, which is the
    share of bits that differ.

    Args:
        impostors: (P, E, P) similarities; NO_PAIR where there is no pair.
        span: similarity of a code to itself.

    Returns:
        the number. None when all are equal, as those of two pictures can be: there is nothing to
        tell it from. None, too, when a similarity is below -span, as of latents that are not
        unit vectors, or the span is 0, as of L1: their distances have no end.
    """
    if not span:
        return None

    def distances() -> Iterator[NDArray[np.float64]]:
        for row in impostors:  # a picture at a time: no second array as large as the first
            yield (1 - row[row > NO_PAIR].astype(np.float64) / span) / 2

    count = sum(x.size for x in distances())
    mean = sum(float(x.sum()) for x in distances()) / count
    variance = sum(float(((x - mean) ** 2).sum()) for x in distances()) / count
    if variance == 0 or max(x.max(initial=0) for x in distances()) > 1 + ROUNDING:
        return None
    return mean * (1 - mean) / variance
