"""Figures of codes: hand-computed cases, brute force, and thresholds that see no test row."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from latenthash.benchmark.codes import Absent, Code, Floats, latent_codes
from latenthash.benchmark.judging import halves, judge
from latenthash.benchmark.leaderboard import breaking_points, leaderboard, summary, text
from latenthash.benchmark.scores import (
    Bootstrap,
    Pairs,
    Rate,
    by_picture,
    degrees_of_freedom,
    similarities,
    threshold,
)
from latenthash.data.suite import SuiteEdit
from latenthash.projections import directions


class Given:
    """A source of descriptions that are given."""

    identity = "given"
    side = None
    trim = False
    kind = np.float32

    def __init__(self, dimensions: int = 16) -> None:
        self.dimensions = dimensions

    def describe(self, views: object) -> Floats:  # noqa: D102
        raise AssertionError("nothing is described here")


def same(x: Floats) -> Floats:
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


# ---- pairs ----


def test_pairs_by_hand() -> None:
    references = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
    queries = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]], np.float32)
    pairs = Pairs.of(queries, references, np.array([0, 1, 1]), np.array([0, 0, 1]), same)
    assert pairs.genuine.tolist() == [1, 2, 1]
    assert pairs.impostors.tolist() == [[0, 1], [0, 2], [3, 4]]
    # The first two are as similar to the last reference: a tie is not a first place.
    assert pairs.first.tolist() == [False, False, False]


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    queries, references = rng.normal(size=(23, 5)), rng.normal(size=(4, 5))
    picture = np.arange(23) % 4
    whole = Pairs.of(queries, references, picture, picture, same)
    monkeypatch.setattr("latenthash.benchmark.scores.BLOCK", 7)
    blocks = Pairs.of(queries, references, picture, picture, same)
    assert [start for start, _ in similarities(queries, references, same)] == [0, 7, 14, 21]
    np.testing.assert_allclose(blocks.genuine, whole.genuine)
    np.testing.assert_allclose(blocks.impostors, whole.impostors)


# ---- intervals ----


def test_interval_is_that_of_drawn_pictures() -> None:
    shares = np.array([1.0, 0.5, 0.0, 0.25])
    rate = Bootstrap(4, 5000, 0).rate(shares, 100)
    rng = np.random.default_rng(1)
    draws = [rng.choice(shares, 4).mean() for _ in range(5000)]
    assert rate.value == pytest.approx(0.4375)
    assert [rate.low, rate.high] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.04)


def test_nothing_in_n_trials_has_the_rule_of_three() -> None:
    draws = Bootstrap(5, 100, 0)
    assert draws.rate(np.zeros(5), 60) == Rate(0.0, 0.0, 0.05)
    assert draws.rate(np.ones(5), 60) == Rate(1.0, 0.95, 1.0)
    assert text(Rate(0.0, 0.0, 0.05)) == "0 (< 0.05)"
    assert text(Rate(0.5, 0.25, 0.75), 10) == "5 [2.5, 7.5]"


def test_codes_that_differ_everywhere_by_the_same_are_told_apart() -> None:
    a = np.linspace(0, 0.9, 10)
    difference = Bootstrap(10, 500, 0).difference(a, a + 0.05)
    assert [difference.low, difference.value, difference.high] == pytest.approx([-0.05] * 3)


def test_shares_of_pictures_by_hand() -> None:
    values = np.array([True, False, True, True])
    np.testing.assert_array_equal(by_picture(values, np.array([0, 0, 1, 1])), [0.5, 1.0])


def test_random_bits_have_as_many_degrees_of_freedom() -> None:
    bits = np.random.default_rng(0).choice([-1.0, 1.0], (300, 128))
    similarity = (bits @ bits.T)[np.triu_indices(300, 1)] / 128
    assert degrees_of_freedom(similarity.astype(np.float32)) == pytest.approx(128, rel=0.05)


def test_equal_impostors_have_no_degrees_of_freedom() -> None:
    assert degrees_of_freedom(np.full(6, 0.25, np.float32)) is None


# ---- judging ----


def described(rng: np.random.Generator, pictures: int, edits: int, noise: float) -> Floats:
    own = rng.normal(size=(pictures, 1, 16))
    x = own + noise * rng.normal(size=(pictures, 1 + edits, 16))
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def test_figures_are_those_of_brute_force() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    calibration, test = np.arange(6), np.arange(6, 12)
    judgement = judge(PLAIN, x, calibration, test, Bootstrap(6, 50, 0), [0.05], 1.0)
    wrong = [x[i, 1 + e] @ x[j, 0] for i in range(6) for e in range(3) for j in range(6) if i != j]
    limit = threshold(np.array(wrong, np.float32), 0.05)
    hits = [[x[i, 1 + e] @ x[i, 0] >= limit for e in range(3)] for i in test]
    verdict = judgement.verdicts[0.05]
    assert verdict.threshold == pytest.approx(limit)
    assert verdict.tpr.value == pytest.approx(np.mean(hits))
    np.testing.assert_allclose(verdict.tpr_by_edit, np.mean(hits, 0))
    np.testing.assert_allclose(verdict.tpr_by_picture, np.mean(hits, 1))
    impostors = [
        x[i, 1 + e] @ x[j, 0] >= limit for i in test for e in range(3) for j in test if i != j
    ]
    assert verdict.realised_fpr.value == pytest.approx(np.mean(impostors))
    firsts = [np.argmax(x[test, 0] @ x[i, 1 + e]) == i - 6 for i in test for e in range(3)]
    assert judgement.rank1.value == pytest.approx(np.mean(firsts))


def test_threshold_never_sees_a_test_row() -> None:
    rng = np.random.default_rng(0)
    x = described(rng, 12, 3, 0.6)
    poisoned = x.copy()
    poisoned[6:] = rng.normal(size=poisoned[6:].shape) * 1e6
    limits = [
        judge(PLAIN, rows, np.arange(6), np.arange(6, 12), Bootstrap(6, 10, 0), [0.05], 1.0)
        .verdicts[0.05].threshold
        for rows in (x, poisoned)
    ]  # fmt: skip
    assert limits[0] == limits[1]


def test_rate_that_calibration_cannot_resolve_is_marked() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    fprs = [0.1, 0.001]  # 6 x 3 x 5 = 90 impostor pairs
    judgement = judge(PLAIN, x, np.arange(6), np.arange(6, 12), Bootstrap(6, 10, 0), fprs, 1.0)
    assert judgement.verdicts[0.1].resolved
    assert not judgement.verdicts[0.001].resolved


def test_halves_are_disjoint_and_follow_the_content() -> None:
    digests = ["c", "a", "d", "b", "e"]
    calibration, test = halves(digests)
    assert calibration.tolist() == [1, 3]
    assert test.tolist() == [0, 2, 4]
    again = halves(digests[::-1])
    assert {digests[::-1][i] for i in again[0]} == {"a", "b"}


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
    draws = Bootstrap(6, 10, 0)
    judgement = judge(PLAIN, x, np.arange(6), np.arange(6, 12), draws, [0.001], 238.0)
    board = leaderboard([judgement], [Absent("other", "not installed")], draws, 100)
    assert board["code"].tolist() == ["plain", "other"]
    assert board["ms per picture"].tolist() == ["240", ""]
    assert board["bytes"].tolist() == [4, ""], "a whole number stays one"
    assert board["TPR at FPR 0.001"][1] == "not installed"
    assert summary(board)["TPR at FPR 0.001"][1] == "not installed"


# ---- breaking points ----


def test_code_holds_until_it_breaks_for_the_first_time() -> None:
    def edit(name: str, family: str, strength: float | None) -> SuiteEdit:
        return SuiteEdit("v", name, family, strength, None)  # type: ignore[arg-type]

    edits = [
        edit("r2", "rotation", 2), edit("r5", "rotation", 5), edit("r9", "rotation", 9),
        edit("flip", "flip", None), edit("alone", "blur", 1),
    ]  # fmt: skip
    table = pd.DataFrame(
        {
            "edit": [e.name for e in edits],
            "family": [e.family for e in edits],
            "strength": [e.strength for e in edits],
            "a": [0.9, 0.5, 0.2, 1.0, 1.0],
            "b": [0.4, 0.9, 0.9, 1.0, 1.0],
        }
    )
    points = breaking_points(table, edits)
    assert points.to_dict("records") == [{"family": "rotation", "a": "r5", "b": "-"}]


def test_rate_of_pairs_draws_both_pictures_of_a_pair() -> None:
    # One reference that all queries match: with only queries drawn the rate would hardly move.
    shares = np.zeros((50, 50))
    shares[:, 7] = 1
    shares[7, 7] = 0
    rate = Bootstrap(50, 2000, 0).pair_rate(shares, 50 * 49)
    assert rate.value == pytest.approx(49 / (50 * 49))
    assert rate.low == 0
    assert rate.high > 0.05
    none = Bootstrap(50, 100, 0).pair_rate(np.zeros((50, 50)), 2450)
    assert (none.value, none.low, none.high) == (0, 0, 3 / 2450)
    everything = 1 - np.eye(50)
    all_ = Bootstrap(50, 100, 0).pair_rate(everything, 2450)
    assert (all_.low, all_.high) == pytest.approx((1, 1))
