"""Figures of codes: thresholds, pairs and intervals, by hand and by brute force."""

import numpy as np
import pytest

from given import same
from latenthash.benchmark.leaderboard import text
from latenthash.codes.similarity import (
    NO_PAIR,
    Bootstrap,
    PairScores,
    Rate,
    degrees_of_freedom,
    similarities,
    threshold,
)

# ---- thresholds ----


@pytest.mark.parametrize(
    ("impostors", "fpr", "passing"),
    [
        ([0.1, 0.2, 0.3, 0.4], 0.25, [0.4]),
        ([0.1, 0.2, 0.3, 0.4], 0.5, [0.3, 0.4]),
        ([0.1, 0.2, 0.3, 0.4], 0.24, []),
        # Of three equal ones, one alone cannot pass.
        ([0.0, 1.0, 1.0, 1.0], 0.25, []),
        ([0.0, 0.5, 1.0, 1.0], 0.5, [1.0, 1.0]),
    ],
)
def test_threshold_by_hand(impostors: list[float], fpr: float, passing: list[float]) -> None:
    values = np.array(impostors, np.float32)
    limit = threshold(values, fpr)
    assert values[values >= limit].tolist() == pytest.approx(passing)


def test_threshold_is_the_least_that_keeps_the_rate() -> None:
    values = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    for fpr in (0.1, 0.01, 0.001):
        limit = threshold(values, fpr)
        assert (values >= limit).mean() <= fpr
        # Any lower one lets too many in.
        below = values[values < limit].max()
        assert (values >= below).mean() > fpr


def test_pairs_that_are_none_do_not_count() -> None:
    values = np.array([0.1, 0.4, NO_PAIR, 0.2, 0.3, NO_PAIR], np.float32)
    assert threshold(values, 0.25) == pytest.approx(0.3), "one of four may pass"


# ---- pairs ----


def test_pairs_by_hand() -> None:
    references = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
    queries = np.array(
        [[[1.0, 0.0], [2.0, 1.0]], [[0.0, 2.0], [3.0, 1.0]], [[0.0, 1.0], [5.0, 5.0]]], np.float32
    )
    pairs = PairScores.of(queries, references, np.arange(3), same)
    assert pairs.genuine.tolist() == [[1, 2], [2, 1], [1, 10]]
    none = NO_PAIR
    assert pairs.impostors.tolist() == [
        [[none, 0, 1], [none, 1, 3]],
        [[0, none, 2], [3, none, 4]],
        [[0, 1, none], [5, 5, none]],
    ]
    # Four are as similar to another reference, or less: a tie is not a first place.
    assert pairs.first.tolist() == [[False, False], [False, False], [False, True]]
    assert pairs.others.tolist() == (~np.eye(3, dtype=bool)).tolist()


def test_pictures_of_one_group_are_no_impostors() -> None:
    references = np.eye(3, dtype=np.float32)
    queries = np.ones((3, 1, 3), np.float32)
    pairs = PairScores.of(queries, references, np.array([0, 1, 0]), same)
    none = NO_PAIR
    assert pairs.impostors[:, 0].tolist() == [[none, 1, none], [1, none, 1], [none, 1, none]]


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    queries, references = rng.normal(size=(4, 6, 5)), rng.normal(size=(4, 5))
    whole = PairScores.of(queries, references, np.arange(4), same)
    monkeypatch.setattr("latenthash.codes.similarity.BLOCK", 7)
    blocks = PairScores.of(queries, references, np.arange(4), same)
    starts = [start for start, _ in similarities(queries.reshape(24, 5), references, same)]
    assert starts == [0, 7, 14, 21]
    np.testing.assert_allclose(blocks.genuine, whole.genuine)
    np.testing.assert_allclose(blocks.impostors, whole.impostors)


# ---- intervals ----


def test_interval_is_that_of_drawn_pictures() -> None:
    shares = np.array([1.0, 0.5, 0.0, 0.25])
    rate = Bootstrap(4, 5000, (0,)).rate(shares)
    rng = np.random.default_rng(1)
    draws = [rng.choice(shares, 4).mean() for _ in range(5000)]
    assert rate.value == pytest.approx(0.4375)
    assert [rate.low, rate.high] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.04)


def test_nothing_in_n_pictures_has_the_rule_of_three() -> None:
    draws = Bootstrap(60, 100, (0,))
    assert draws.rate(np.zeros(60)) == Rate(0.0, 0.0, 0.05)
    assert draws.rate(np.ones(60)) == Rate(1.0, 0.95, 1.0)
    assert text(Rate(0.0, 0.0, 0.05)) == "0 (< 0.05)"
    assert text(Rate(0.5, 0.25, 0.75), 10) == "5 [2.5, 7.5]"
    one = Bootstrap(1, 10, (0,))
    assert one.rate(np.ones(1)) == Rate(1.0, 0.0, 1.0), "one picture says nothing of others"


def test_thresholds_of_draws_are_those_of_the_drawn_pairs() -> None:
    rng = np.random.default_rng(0)
    pictures, edits = 7, 5
    impostors = rng.integers(-8, 9, size=(pictures, edits, pictures)).astype(np.float32)  # ties
    impostors[np.arange(pictures), :, np.arange(pictures)] = NO_PAIR
    impostors[2, :, 3] = impostors[3, :, 2] = NO_PAIR  # one group
    draws = Bootstrap(pictures, 50, (0,))
    fprs = (0.3, 0.05, 0.001)
    found = draws.thresholds(impostors, fprs)
    for counts, row in zip(draws.counts, found, strict=True):
        # The pairs written out, as often as they were drawn.
        times = np.broadcast_to((counts[:, None] * counts)[:, None], impostors.shape)
        drawn = np.repeat(impostors.ravel(), times.ravel())
        drawn = drawn[drawn > NO_PAIR]
        np.testing.assert_array_equal(row, [threshold(drawn, fpr) for fpr in fprs])


def test_most_similar_pairs_alone_decide_the_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    impostors = np.random.default_rng(0).normal(size=(30, 20, 30)).astype(np.float32)
    impostors[np.arange(30), :, np.arange(30)] = NO_PAIR
    draws = Bootstrap(30, 40, (0,))
    whole = draws.thresholds(impostors, (0.01, 0.001))
    monkeypatch.setattr("latenthash.codes.similarity.DECIDING", 10)
    np.testing.assert_array_equal(draws.thresholds(impostors, (0.01, 0.001)), whole)


def test_of_many_pairs_some_stand_for_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    impostors = np.random.default_rng(0).random((30, 20, 30), np.float32)
    impostors[np.arange(30), :, np.arange(30)] = NO_PAIR
    draws = Bootstrap(30, 40, (0,))
    whole = draws.thresholds(impostors, (0.5, 0.1))
    monkeypatch.setattr("latenthash.codes.similarity.MOST", 3000)
    some = draws.thresholds(impostors, (0.5, 0.1))
    assert not np.array_equal(some, whole)
    # Similarities are spread evenly from 0 to 1: of six pairs one alone is looked at.
    np.testing.assert_allclose(some, whole, atol=0.06)
    np.testing.assert_allclose(some.mean(0), whole.mean(0), atol=0.01)


def test_draw_of_one_picture_has_no_threshold() -> None:
    draws = Bootstrap(2, 20, (0,))
    impostors = np.array([[[NO_PAIR, 0.5]], [[0.25, NO_PAIR]]], np.float32)
    found = draws.thresholds(impostors, (0.5,))
    alone = (draws.counts == 2).any(1)
    assert alone.any()
    assert not alone.all()
    np.testing.assert_array_equal(np.isnan(found[:, 0]), alone)


def test_rate_of_pairs_draws_both_pictures_of_a_pair() -> None:
    # One reference that all queries match: with only queries drawn the rate would hardly move.
    others = ~np.eye(50, dtype=bool)
    shares = np.zeros((50, 50))
    shares[:, 7] = 1
    draws = Bootstrap(50, 2000, (0,))
    rate = draws.pair_rate(shares, others)
    assert rate.value == pytest.approx(49 / (50 * 49))
    assert rate.low == 0
    assert rate.high > 0.05
    none = draws.pair_rate(np.zeros((50, 50)), others)
    assert (none.value, none.low, none.high) == (0, 0, 3 / (50 * 49 / 2))
    every = draws.pair_rate(np.ones((50, 50)), others)
    assert (every.low, every.high) == pytest.approx((1, 1))


def test_draws_with_no_pair_say_nothing_of_the_rate() -> None:
    others = np.zeros((11, 11), bool)
    others[10, :10] = others[:10, 10] = True  # ten of one group, and one
    draws = Bootstrap(11, 200, (0,))
    assert (draws.counts[:, 10] == 0).any()
    assert draws.pair_rate(others.astype(float), others) == Rate(1, 1, 1)


def test_pairs_of_a_group_are_no_part_of_the_rate() -> None:
    others = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0]], bool)
    shares = np.array([[0, 1, 0.5], [1, 0, 0], [0, 0.5, 0]])
    assert Bootstrap(3, 10, (0,)).pair_rate(shares, others).value == pytest.approx(0.25)


def test_random_bits_have_as_many_degrees_of_freedom() -> None:
    bits = np.random.default_rng(0).choice([-1.0, 1.0], (300, 128))
    impostors = (bits @ bits.T).astype(np.float32)
    np.fill_diagonal(impostors, NO_PAIR)
    assert degrees_of_freedom(impostors[:, None], 128) == pytest.approx(128, rel=0.05)


def test_equal_impostors_have_no_degrees_of_freedom() -> None:
    assert degrees_of_freedom(np.full((2, 3, 1), 0.25, np.float32), 1) is None


def test_latents_that_are_no_unit_vectors_have_no_degrees_of_freedom() -> None:
    assert degrees_of_freedom(np.array([[[0.5, -3.0, 0.2]]], np.float32), 1) is None
