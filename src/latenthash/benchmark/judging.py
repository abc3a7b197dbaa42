"""What a code is worth: threshold from one half of the pictures, figures from the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash.benchmark.codes import Code, Described
from latenthash.benchmark.scores import (
    Bootstrap,
    Pairs,
    Rate,
    by_picture,
    degrees_of_freedom,
    threshold,
)

OPERATING_POINTS = (0.01, 0.001, 0.0001)  # false-positive rates


@dataclass(frozen=True)
class Verdict:
    """A code at one false-positive rate.

    Attributes:
        fpr: that was asked for.
        threshold: similarity from which pairs are called the same, set on calibration pictures.
        resolved: whether calibration had as many impostor pairs as such a rate needs.
        tpr: share of test queries that match their own reference.
        realised_fpr: share of test impostor pairs that match.
        tpr_by_picture: (P,) shares of the test pictures.
        tpr_by_edit: (E,) shares of the edits.
    """

    fpr: float
    threshold: float
    resolved: bool
    tpr: Rate
    realised_fpr: Rate
    tpr_by_picture: NDArray[np.float64]
    tpr_by_edit: NDArray[np.float64]


@dataclass(frozen=True)
class Judgement:
    """All figures of a code.

    Attributes:
        code: that was judged.
        verdicts: one for each false-positive rate.
        rank1: share of test queries whose own reference is the most similar of all.
        freedom: effective degrees of freedom of impostor similarities; None when all are equal.
        milliseconds: to describe one picture.
    """

    code: Code
    verdicts: Mapping[float, Verdict]
    rank1: Rate
    freedom: float | None
    milliseconds: float


def judge(
    code: Code,
    described: Described,
    calibration: NDArray[np.int64],
    test: NDArray[np.int64],
    bootstrap: Bootstrap,
    fprs: Sequence[float],
    milliseconds: float,
) -> Judgement:
    """Judge a code.

    Args:
        code: to be judged.
        described: (P, 1 + E, D) of its source; the pictures themselves come first.
        calibration: numbers of the pictures that set thresholds.
        test: numbers of those that give the figures; none is in both.
        bootstrap: over the test pictures.
        fprs: false-positive rates.
        milliseconds: to describe one picture.
    """
    limits = pairs(code, described[calibration])
    judged = pairs(code, described[test])
    verdicts = {fpr: _verdict(fpr, limits, judged, bootstrap) for fpr in fprs}
    first = by_picture(judged.first, judged.picture)
    return Judgement(
        code,
        verdicts,
        bootstrap.rate(first, len(judged.first)),
        degrees_of_freedom(judged.impostors / code.span),
        milliseconds,
    )


def halves(digests: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split pictures into those that calibrate and those that test.

    By their content, so that a picture stays in its half whatever others there are beside it.
    """
    order = np.argsort(digests, kind="stable")
    middle = len(order) // 2
    return np.sort(order[:middle]), np.sort(order[middle:])


def pairs(code: Code, described: Described) -> Pairs:
    """Compare every edited picture with every picture.

    Args:
        code: whose vectors are compared.
        described: (P, 1 + E, D) of its source; the pictures themselves come first.
    """
    pictures, views, dimensions = described.shape
    edits = views - 1
    queries = described[:, 1:].reshape(-1, dimensions)
    picture = np.repeat(np.arange(pictures), edits)
    edit = np.tile(np.arange(edits), pictures)
    references = code.references(described[:, 0])
    return Pairs.of(queries, references, picture, edit, code.queries)


def _by_pair(wrong: NDArray[np.bool_], picture: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give for each picture and reference the share of wrong matches (Q, P - 1), as (P, P)."""
    pictures = wrong.shape[1] + 1
    shares = np.zeros((pictures, pictures))
    others = ~np.eye(pictures, dtype=bool)
    sums = np.zeros((pictures, pictures - 1))
    np.add.at(sums, picture, wrong)
    shares[others] = (sums / np.bincount(picture)[:, None]).ravel()
    return shares


def _verdict(fpr: float, limits: Pairs, judged: Pairs, bootstrap: Bootstrap) -> Verdict:
    limit = threshold(limits.impostors, fpr)
    same, wrong = judged.genuine >= limit, judged.impostors >= limit
    by_edit = np.bincount(judged.edit, same) / np.bincount(judged.edit)
    of_pictures = by_picture(same, judged.picture)
    return Verdict(
        fpr,
        limit,
        limits.impostors.size * fpr >= 1,
        bootstrap.rate(of_pictures, same.size),
        bootstrap.pair_rate(_by_pair(wrong, judged.picture), wrong.size),
        of_pictures,
        by_edit,
    )
