"""What a code is worth: threshold from one half of the pictures, figures from the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash.codes.code import Code, Described
from latenthash.codes.similarity import (
    Bootstrap,
    PairScores,
    Rate,
    degrees_of_freedom,
    interval,
    threshold,
)
from latenthash.errors import InputError

FALSE_POSITIVE_RATES = (0.01, 0.001, 0.0001)  # at which codes are judged


@dataclass(frozen=True)
class Half:
    """One half of the pictures.

    Attributes:
        numbers: (P,) of its pictures.
        group: (P,) pictures of one group are nearly the same, and no impostors of each other.
        bootstrap: draws of its pictures.
    """

    numbers: NDArray[np.int64]
    group: NDArray[np.int64]
    bootstrap: Bootstrap


@dataclass(frozen=True)
class OperatingPoint:
    """A code at one false-positive rate.

    Attributes:
        fpr: that was asked for.
        threshold: similarity from which pairs are called the same, set on calibration pictures.
        resolved: whether calibration had as many pairs of pictures as such a rate needs.
        tpr: share of test queries that match their own reference.
        realised_fpr: share of test impostor pairs that match; its interval is that of this very
            threshold.
        tpr_by_edit: E rates, one of each edit.
        tpr_drawn: (R,) the share in each draw of calibration and of test pictures.
    """

    fpr: float
    threshold: float
    resolved: bool
    tpr: Rate
    realised_fpr: Rate
    tpr_by_edit: Sequence[Rate]
    tpr_drawn: NDArray[np.float64]


@dataclass(frozen=True)
class Judgement:
    """All figures of a code.

    Attributes:
        code: that was judged.
        points: an operating point for each false-positive rate.
        rank1: share of test queries whose own reference is the most similar of all.
        freedom: effective degrees of freedom of impostor similarities; None when there are none.
        milliseconds: to describe one picture; None of codes that were given.
    """

    code: Code
    points: Mapping[float, OperatingPoint]
    rank1: Rate
    freedom: float | None
    milliseconds: float | None


def judge(
    code: Code,
    described: Described,
    calibration: Half,
    test: Half,
    fprs: Sequence[float],
    milliseconds: float | None,
) -> Judgement:
    """Judge a code.

    Args:
        code: to be judged.
        described: (P, 1 + E, D) of its source; the pictures themselves come first.
        calibration: sets thresholds.
        test: gives the figures; no picture is in both.
        fprs: false-positive rates.
        milliseconds: to describe one picture, where that is known.
    """
    limits = pairs(code, described, calibration)
    drawn = calibration.bootstrap.thresholds(limits.impostors, fprs)
    judged = pairs(code, described, test)
    points = {
        fpr: _operating_point(fpr, limits, drawn[:, column], judged, test.bootstrap)
        for column, fpr in enumerate(fprs)
    }
    return Judgement(
        code,
        points,
        test.bootstrap.rate(judged.first.mean(1)),
        degrees_of_freedom(judged.impostors, code.span),
        milliseconds,
    )


def halves(
    digests: Sequence[str], group: NDArray[np.int64], resamples: int, seed: int
) -> tuple[Half, Half]:
    """Split pictures into those that calibrate and those that test.

    By their content: names and order decide nothing.

    Args:
        digests: of P pictures.
        group: (P,) pictures of one group are nearly the same.
        resamples: number of draws for intervals.
        seed: of the draws.

    Raises:
        InputError: if the pictures of a half are all of one group.
    """
    calibration, test = (
        Half(numbers, group[numbers], Bootstrap(len(numbers), resamples, (seed, part)))
        for part, numbers in enumerate(split_pictures(digests))
    )
    if min(len(np.unique(half.group)) for half in (calibration, test)) < 2:
        raise InputError(
            "Of the pictures that calibrate, or of those that test, all are of one group: there is "
            "no pair of different ones. Add pictures, or take some out of groups=."
        )
    return calibration, test


def split_pictures(digests: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of the pictures that calibrate, and of those that test."""
    order = np.argsort(digests, kind="stable")
    middle = len(order) // 2
    return np.sort(order[:middle]), np.sort(order[middle:])


def pairs(code: Code, described: Described, half: Half) -> PairScores:
    """Compare every edited picture of a half with every picture of it.

    Args:
        code: whose vectors are compared.
        described: (P, 1 + E, D) of its source; the pictures themselves come first.
        half: of the P pictures.
    """
    rows = described[half.numbers]
    references = code.references(rows[:, 0])
    return PairScores.of(rows[:, 1:], references, half.group, code.queries, code.compare)


def false_positive_rates(own: float | None) -> list[float]:
    """Return the rates at which codes are judged, the largest first.

    Args:
        own: one that the user adds.
    """
    # As it is written in tables: two rates that read the same would be one column.
    more = [] if own is None else [float(f"{own:g}")]
    return sorted({*FALSE_POSITIVE_RATES, *more}, reverse=True)


def difference(a: OperatingPoint, b: OperatingPoint) -> Rate:
    """Return how much more TPR a code has than another at the same rate (paired bootstrap)."""
    return Rate(a.tpr.value - b.tpr.value, *interval(a.tpr_drawn - b.tpr_drawn))


def _operating_point(
    fpr: float,
    limits: PairScores,
    drawn: NDArray[np.float64],
    judged: PairScores,
    bootstrap: Bootstrap,
) -> OperatingPoint:
    limit = threshold(limits.impostors, fpr)
    # The views of one pair of pictures are much alike: they are one trial.
    of_pictures = int(limits.others.sum()) // 2
    same = judged.genuine >= limit
    # A draw of calibration pictures with no pair in it says nothing of the threshold.
    drawn = np.where(np.isnan(drawn), limit, drawn)
    by_edit = np.stack(
        [
            weights @ (judged.genuine >= one)
            for weights, one in zip(bootstrap.weights, drawn, strict=True)
        ]
    )
    return OperatingPoint(
        fpr,
        limit,
        of_pictures * fpr >= 1,
        bootstrap.rate_of(float(same.mean()), by_edit.mean(1)),
        bootstrap.pair_rate((judged.impostors >= limit).mean(1), judged.others),
        [bootstrap.rate_of(*edit) for edit in zip(same.mean(0).tolist(), by_edit.T, strict=True)],
        by_edit.mean(1),
    )
