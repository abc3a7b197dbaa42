"""Figures of retrieval against their definitions, pair by pair, and by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from latenthash.metrics.retrieval import (
    average_precision,
    count_reaching,
    normalised,
    precision_of_one,
    recall_at_precision,
)
from rankings import walked


def test_figures_of_draws_are_those_of_a_walk_down_all_pairs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        similarity = rng.integers(0, 6, (5, 7)).astype(np.float32)  # few values: many ties
        is_true = rng.random((5, 7)) < 0.2
        is_true[0, 0] = True
        query, reference = np.nonzero(is_true)
        order = np.argsort(similarity[query, reference], kind="stable")
        query, limits = query[order], similarity[query, reference][order]
        draws = np.vstack([np.ones(5, int), rng.multinomial(5, [0.2] * 5, 6)])
        counts = count_reaching(np.where(is_true, -np.inf, similarity), limits)
        true, false = (
            draws[:, query][:, ::-1].astype(float),
            (draws @ counts)[:, ::-1].astype(float),
        )
        precision, recall = average_precision(true, false), recall_at_precision(true, false, 0.6)
        for row, draw in enumerate(draws):
            pairs = [
                (float(similarity[q, r]), bool(is_true[q, r]))
                for q in range(5)
                for r in range(7)
                for _ in range(draw[q])
            ]
            if any(one for _, one in pairs):
                assert (precision[row], recall[row]) == pytest.approx(walked(pairs, 0.6))
            else:
                assert np.isnan([precision[row], recall[row]]).all()


def test_figures_by_hand() -> None:
    # In order: true, false, true and false alike (the false first), true, true.
    true = np.ones((1, 4))
    false = np.array([[0.0, 2.0, 2.0, 2.0]])
    assert average_precision(true, false)[0] == pytest.approx((1 + 2 / 4 + 3 / 5 + 4 / 6) / 4)
    assert recall_at_precision(true, false, 0.9)[0] == 0.25
    assert recall_at_precision(true, false, 0.6)[0] == 1
    assert recall_at_precision(true, false + 1, 0.9)[0] == 0


def test_counting_includes_what_equals_a_limit() -> None:
    counts = count_reaching(np.array([[1.0, 2.0, 2.0, 3.0], [0.0, 0, 0, 9]]), np.array([2.0, 2, 3]))
    assert counts.tolist() == [[3, 3, 1], [1, 1, 1]]


def test_precision_of_one_is_the_area_by_trapezoids() -> None:
    def area(rank: int) -> float:
        left = 1.0 if rank == 0 else 0 / rank  # precision before the true one, and with it
        return (left + 1 / (rank + 1)) / 2

    ranks: NDArray[np.int64] = np.arange(6)
    assert precision_of_one(ranks).tolist() == pytest.approx([area(int(r)) for r in ranks])


def test_normalised_subtracts_the_mean_of_the_nearest() -> None:
    similarity = np.array([[4.0, -2.0]], np.float32)
    background = np.array([[9.0, 1.0, 5.0, 2.0]], np.float32)
    mean = (9 + 5 + 2) / 3
    assert normalised(similarity, background, 3) / 3 == pytest.approx(similarity - mean)
    assert np.unique(normalised(similarity, background, 3) % 1).tolist() == [0], "whole numbers"
