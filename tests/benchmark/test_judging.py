"""Judging: figures of brute force, and thresholds that see no test row."""

from dataclasses import replace

import numpy as np
import pytest

from given import FIRST, LAST, PLAIN, described, half
from latenthash.benchmark.judging import difference, halves, judge
from latenthash.codes.similarity import Rate, interval, threshold
from latenthash.errors import InputError


def test_figures_are_those_of_brute_force() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.05], 1.0)
    wrong = [x[i, 1 + e] @ x[j, 0] for i in range(6) for e in range(3) for j in range(6) if i != j]
    limit = threshold(np.array(wrong, np.float32), 0.05)
    hits = [[x[i, 1 + e] @ x[i, 0] >= limit for e in range(3)] for i in LAST]
    point = judgement.points[0.05]
    assert point.threshold == pytest.approx(limit)
    assert point.tpr.value == pytest.approx(np.mean(hits))
    assert [rate.value for rate in point.tpr_by_edit] == pytest.approx(np.mean(hits, 0))
    impostors = [
        x[i, 1 + e] @ x[j, 0] >= limit for i in LAST for e in range(3) for j in LAST if i != j
    ]
    assert point.realised_fpr.value == pytest.approx(np.mean(impostors))
    firsts = [np.argmax(x[LAST, 0] @ x[i, 1 + e]) == i - 6 for i in LAST for e in range(3)]
    assert judgement.rank1.value == pytest.approx(np.mean(firsts))


def test_draws_set_the_threshold_anew_and_count_anew() -> None:
    x = described(np.random.default_rng(0), 12, 3, 1.2)
    calibration, test = half(*FIRST), half(*LAST)
    point = judge(PLAIN, x, calibration, test, [0.2], 1.0).points[0.2]
    expected = []
    for limits, shares in zip(calibration.bootstrap.counts, test.bootstrap.weights, strict=True):
        wrong = [
            x[i, 1 + e] @ x[j, 0]
            for i in FIRST for e in range(3) for j in FIRST if i != j
            for _ in range(limits[i] * limits[j])
        ]  # fmt: skip
        limit = threshold(np.array(wrong, np.float32), 0.2)
        hits = [np.mean([x[i, 1 + e] @ x[i, 0] >= limit for e in range(3)]) for i in LAST]
        expected.append(shares @ hits)
    assert len(set(expected)) > 10
    np.testing.assert_allclose(point.tpr_drawn, expected)
    assert (point.tpr.low, point.tpr.high) == pytest.approx(interval(np.array(expected)))


def test_threshold_never_sees_a_test_row() -> None:
    rng = np.random.default_rng(0)
    x = described(rng, 12, 3, 0.6)
    poisoned = x.copy()
    poisoned[6:] = rng.normal(size=poisoned[6:].shape) * 1e6
    limits = [
        judge(PLAIN, rows, half(*FIRST), half(*LAST), [0.05], 1.0).points[0.05].threshold
        for rows in (x, poisoned)
    ]
    assert limits[0] == limits[1]


def test_threshold_never_sees_pictures_of_one_group() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    x[1] = x[0]  # nearly the same
    x[7] = x[6]
    alone = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.05], 1.0).points[0.05]
    calibration = half(*FIRST, group=[0, 0, 2, 3, 4, 5])
    test = half(*LAST, group=[6, 6, 8, 9, 10, 11])
    grouped = judge(PLAIN, x, calibration, test, [0.05], 1.0).points[0.05]
    assert grouped.threshold < alone.threshold
    assert alone.realised_fpr.value > grouped.realised_fpr.value
    own = [x[i, 1 + e] @ x[i, 0] for i in FIRST for e in range(3)]
    assert alone.threshold > min(own), "the pair of one group sets the threshold"


def test_rate_that_calibration_cannot_resolve_is_marked() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    # 6 pictures make 15 pairs; that each is seen under 3 edits makes no more of them.
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.07, 0.06], 1.0)
    assert judgement.points[0.07].resolved
    assert not judgement.points[0.06].resolved


def test_code_that_is_better_everywhere_is_told_apart() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    y = x.copy()
    y[6:, 1:] = described(np.random.default_rng(1), 6, 3, 0.6)[:, 1:]  # of other pictures
    good, bad = (judge(PLAIN, z, half(*FIRST), half(*LAST), [0.2], 1.0).points[0.2] for z in (x, y))
    found = difference(bad, good)
    assert found.value == pytest.approx(bad.tpr.value - good.tpr.value)
    assert found.low < found.value < found.high < 0
    shifted = replace(good, tpr_drawn=good.tpr_drawn - 0.125)
    apart = difference(shifted, good)
    assert (apart.low, apart.high) == pytest.approx((-0.125, -0.125)), "draw by draw"
    assert difference(good, good) == Rate(0, 0, 0)


def test_halves_are_disjoint_and_follow_the_content() -> None:
    digests = ["c", "a", "d", "b", "e"]
    calibration, test = halves(digests, np.array([0, 1, 2, 3, 0]), 10, 0)
    assert calibration.numbers.tolist() == [1, 3]
    assert test.numbers.tolist() == [0, 2, 4]
    assert test.group.tolist() == [0, 2, 0]
    again, _ = halves(digests[::-1], np.arange(5), 10, 0)
    assert {digests[::-1][i] for i in again.numbers} == {"a", "b"}
    of_four = halves(["a", "b", "c", "d"], np.arange(4), 10, 0)
    draws = [part.bootstrap.counts.tolist() for part in of_four]
    assert draws[0] != draws[1], "halves are drawn independently"


def test_half_of_one_group_is_refused() -> None:
    with pytest.raises(InputError, match="no pair of different ones"):
        halves(["a", "b", "c", "d"], np.array([0, 0, 1, 2]), 10, 0)
