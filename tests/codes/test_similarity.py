"""Figures of codes: hand-computed cases, brute force, and thresholds that see no test row."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from latenthash.benchmark.judging import Half, difference, halves, judge
from latenthash.benchmark.leaderboard import (
    HardPairs,
    breaking_points,
    every_rate,
    hard_table,
    leaderboard,
    summary,
    text,
)
from latenthash.codes.code import AbsentCode, Code, Vectors, latent_codes
from latenthash.codes.similarity import (
    NO_PAIR,
    Bootstrap,
    Pairs,
    Rate,
    degrees_of_freedom,
    interval,
    similarities,
    threshold,
)
from latenthash.data.edits.suite import SuiteEdit
from latenthash.errors import InputError
from latenthash.hashing.projections import directions


class Given:
    """A source of descriptions that are given."""

    key = "given"
    side = None
    trim = False
    kind = np.float32

    def __init__(self, dimensions: int = 16) -> None:
        self.dimensions = dimensions

    def describe(self, views: object) -> Vectors:  # noqa: D102
        raise AssertionError("nothing is described here")


def same(x: Vectors) -> Vectors:
    return x


PLAIN = Code("plain", Given(), 4, same, same, 1.0)


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
    pairs = Pairs.of(queries, references, np.arange(3), same)
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
    pairs = Pairs.of(queries, references, np.array([0, 1, 0]), same)
    none = NO_PAIR
    assert pairs.impostors[:, 0].tolist() == [[none, 1, none], [1, none, 1], [none, 1, none]]


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    queries, references = rng.normal(size=(4, 6, 5)), rng.normal(size=(4, 5))
    whole = Pairs.of(queries, references, np.arange(4), same)
    monkeypatch.setattr("latenthash.codes.similarity.BLOCK", 7)
    blocks = Pairs.of(queries, references, np.arange(4), same)
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


# ---- judging ----


def described(rng: np.random.Generator, pictures: int, edits: int, noise: float) -> Vectors:
    own = rng.normal(size=(pictures, 1, 16))
    x = own + noise * rng.normal(size=(pictures, 1 + edits, 16))
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def half(*numbers: int, group: list[int] | None = None, resamples: int = 50) -> Half:
    labels = np.array(numbers if group is None else group)
    return Half(np.array(numbers), labels, Bootstrap(len(numbers), resamples, (numbers[0],)))


FIRST, LAST = range(6), range(6, 12)


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


# ---- codes of a latent ----


def test_latent_codes_compare_as_they_say() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(6, 8)).astype(np.float32)
    codes = {code.name: code for code in latent_codes(Given(8))}
    assert list(codes) == [
        "latent-float", "latent-64", "latent-128", "latent-256", "latent-reliable-256"
    ]  # fmt: skip
    plain = codes["latent-float"]
    squared = ((z[:, None] - z[None]) ** 2).sum(-1)
    np.testing.assert_allclose(plain.queries(z) @ plain.references(z).T, 1 - squared / 2, atol=1e-4)
    bits = codes["latent-64"]
    signs = z @ directions(8, 64) > 0
    differing = (signs[:, None] != signs[None]).sum(-1)
    np.testing.assert_array_equal(bits.queries(z) @ bits.references(z).T, 64 - 2 * differing)
    assert [code.size for code in codes.values()] == [32, 8, 16, 32, 160]


def test_reliable_bits_are_those_farthest_from_changing() -> None:
    z = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    code = latent_codes(Given(8))[-1]
    vectors = code.references(z)
    projected = z @ directions(8, 1024)
    for row, values in zip(vectors, projected, strict=True):
        assert (row != 0).sum() == 256
        assert np.abs(values[row != 0]).min() >= np.abs(values[row == 0]).max()
        np.testing.assert_array_equal(np.sign(values[row != 0]), row[row != 0])
    # A picture agrees with itself in all of them.
    np.testing.assert_array_equal(np.diag(code.queries(z) @ vectors.T), code.span)


@pytest.mark.parametrize(("dimensions", "bits"), [(8, 4), (8, 8), (2, 16)])
def test_directions_are_orthogonal_as_far_as_they_can_be(dimensions: int, bits: int) -> None:
    d: NDArray[np.float64] = directions(dimensions, bits).astype(np.float64)
    assert d.shape == (dimensions, bits)
    product = d.T @ d if dimensions >= bits else d @ d.T
    np.testing.assert_allclose(product, np.eye(min(dimensions, bits)), atol=1e-6)


# ---- the leaderboard ----


def test_absent_codes_come_last_with_their_reason() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.2, 0.001], 238.0)
    board = leaderboard([judgement], [AbsentCode("other", "not installed")], 100)
    assert board["code"].tolist() == ["plain", "other"]
    assert board["ms per picture"].tolist() == ["240", ""]
    assert board["bytes"].tolist() == [4, ""], "a whole number stays one"
    assert board["TPR at FPR 0.001"][1] == "not installed"
    shown = summary(board, 100, None)
    assert shown["TPR at FPR 0.001"][1] == "not installed"
    assert shown["against the best, FPR 0.001"].tolist() == ["", ""]
    other = summary(board, 100, 0.2)
    assert other["TPR at FPR 0.2"][1] == "not installed"
    assert other["realised FPR 0.2"][1] == ""


def test_rate_that_the_user_names_has_its_collisions() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.2, 0.001], 1.0)
    board = leaderboard([judgement], [], 1e6)
    wrong = judgement.points[0.2].realised_fpr
    assert wrong.value > 0
    shown = summary(board, 1e6, 0.2)
    assert list(shown)[2:5] == ["TPR at FPR 0.2", "realised FPR 0.2", "wrong among 1e+06, FPR 0.2"]
    assert shown["wrong among 1e+06, FPR 0.2"][0] == text(wrong, 1e6)
    assert shown["TPR at FPR 0.2"][0] == text(judgement.points[0.2].tpr)
    assert text(Rate(0.25, 0.003671, 1), 1e6) == "250000 [3670, 1000000]"
    assert text(Rate(0.00012, 0.0000409, 0.1)) == "0.00012 [4.09e-05, 0.1]"


def test_every_rate_has_a_row_for_other_programs() -> None:
    x = described(np.random.default_rng(0), 12, 2, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.2, 0.001], 1.0)
    edits = [SuiteEdit("v", name, "any", None, None) for name in ("flip", "blur")]  # type: ignore[arg-type]
    rows = every_rate([judgement], edits, {"quarters": HardPairs(7, [Rate(0.5, 0.25, 0.75)])})
    assert rows["figure"].tolist() == [
        "tpr_at_fpr_0.2", "realised_fpr_0.2", "tpr_at_fpr_0.001", "realised_fpr_0.001", "rank1",
        "tpr_against_the_best", "edits/flip/tpr", "edits/blur/tpr", "hard/quarters",
    ]  # fmt: skip
    assert rows.iloc[-1].tolist() == ["plain", "hard/quarters", 0.5, 0.25, 0.75, True]
    tpr = judgement.points[0.2].tpr
    assert rows.iloc[0].tolist() == ["plain", "tpr_at_fpr_0.2", tpr.value, tpr.low, tpr.high, True]
    # 15 pairs of pictures say nothing of 1 in 1,000.
    resolved = rows.set_index("figure")["resolved"]
    assert not resolved["tpr_at_fpr_0.001"]
    assert not resolved["edits/flip/tpr"]


def test_hard_negatives_are_laid_out_with_the_number_of_pairs() -> None:
    x = described(np.random.default_rng(0), 12, 2, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.001], 1.0)
    rates = [Rate(0.5, 0.25, 0.75)]
    table = hard_table([judgement], {"a": HardPairs(7, rates), "b": HardPairs(1, rates)})
    assert table.to_dict("records") == [
        {"code": "plain", "a (7 pairs)": "0.5 [0.25, 0.75]", "b (1 pair)": "0.5 [0.25, 0.75]"}
    ]


# ---- breaking points ----


def test_code_holds_until_it_breaks_for_the_first_time() -> None:
    table = pd.DataFrame(
        {
            "edit": ["r2", "r5", "r9", "q90", "q50", "flip", "alone"],
            "family": ["rotation"] * 3 + ["jpeg"] * 2 + ["flip", "blur"],
            "strength": [2.0, 5, 9, 90, 50, np.nan, 1],
            "unit": ["degrees"] * 3 + ["quality"] * 2 + ["", "px"],
            "a": [0.9, 0.6, 0.2, 0.7, 0.2, 1.0, 1.0],
            "b": [0.4, 0.9, 0.9, 1.0, 0.5, 1.0, 1.0],
        }
    )
    assert breaking_points(table).to_dict("records") == [
        # From .6 at 5 degrees to .2 at 9: half at 6; from .7 at 90 to .2 at 50: half at 74.
        {"family": "rotation", "unit": "degrees", "a": "6", "b": "-"},
        {"family": "jpeg", "unit": "quality", "a": "74", "b": "all"},
    ]
