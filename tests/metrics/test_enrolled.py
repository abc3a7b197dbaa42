"""The held-out figures against hand-computed cases and other people's code."""

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    roc_auc_score,
    silhouette_score,
)

from latenthash.errors import JobError
from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.metrics import enrolled as metrics
from latenthash.metrics.bootstrap import Measure

# Protocol, task 1; hash/radius is logged by the run itself.
PROTOCOL = {
    *("test/tpr", "test/fpr_noise_edited", "test/fpr_noise_similar", "test/fpr_unseen"),
    *("test/fpr_unseen_worst", "test/eer_unseen"),
    *("test/auroc_noise_edited", "test/auroc_noise_similar", "test/auroc_unseen"),
    *("test/tpr_at_fpr_0.01_unseen", "test/tpr_at_fpr_0.001_unseen"),
    *("separation/silhouette", "separation/davies_bouldin", "separation/calinski_harabasz"),
    *("separation/fisher", "separation/margin"),
    *("edits/jpeg", "edits/text_big"),
}
REALISED = {"test/realised_fpr_0.01_unseen", "test/realised_fpr_0.001_unseen"}
HASH = Hash(np.array([1.0, -1.0]), 2.0)


def views(distances: list[float], picture: list[int] | None = None) -> LatentSet:
    """Latents at the given distances from HASH, each in another direction."""
    angles = np.arange(len(distances))
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    z = HASH.centroid + np.array(distances)[:, None] * directions
    return LatentSet(z, np.array(picture or [0] * len(distances)))


def cloud(rng: np.random.Generator, centre: tuple[float, float], pictures: int) -> LatentSet:
    """Eight views of each picture, around a centre of its own."""
    centres = rng.normal(centre, 0.8, (pictures, 2))
    return LatentSet(
        np.repeat(centres, 8, axis=0) + rng.normal(0, 0.6, (8 * pictures, 2)),
        np.repeat(np.arange(pictures), 8),
    )


def sane() -> tuple[dict[str, LatentSet], dict[str, LatentSet]]:
    rng = np.random.default_rng(3)
    signal = LatentSet(HASH.centroid + rng.normal(0, 0.8, (50, 2)), np.zeros(50, int))
    test = {
        "signal": signal,
        "noise_edited": cloud(rng, (4, -1), 1),
        "noise_similar": cloud(rng, (-2, 2), 6),
        "unseen": cloud(rng, (2, -3), 12),
    }
    edited = {
        "jpeg": LatentSet(signal.z[:20] * 1.1, signal.picture[:20]),
        "text_big": LatentSet(signal.z + 1.2, signal.picture),
    }
    return test, edited


def judge(
    test: dict[str, LatentSet], edited: dict[str, LatentSet], resamples: int = 100, seed: int = 0
) -> dict[str, Measure]:
    figures = metrics.held_out(HASH, test, edited, resamples, seed)
    assert len({figure.name for figure in figures}) == len(figures)
    return {figure.name: figure for figure in figures}


def test_gate_judges_by_the_larger_of_distance_and_error() -> None:
    test, edited = sane()

    def with_errors(sets: dict[str, LatentSet], error: float) -> dict[str, LatentSet]:
        return {
            name: LatentSet(rows.z, rows.picture, np.full(len(rows.z), error))
            for name, rows in sets.items()
        }

    def found(error: float, foreign: float) -> dict[str, float]:
        sets = with_errors(test, foreign) | with_errors({"signal": test["signal"]}, error)
        gated = Hash(HASH.centroid, HASH.radius, 0.5)
        figures = metrics.held_out(gated, sets, with_errors(edited, error), 20, 0)
        return {figure.name: figure.value for figure in figures}

    plain = {name: figure.value for name, figure in judge(test, edited, 20).items()}
    assert found(0.0, 0.0) == plain, "no error: the distances decide alone"
    bad = found(0.0, 1e9)
    assert bad["test/tpr"] == plain["test/tpr"] > 0
    for role in ("noise_edited", "noise_similar", "unseen"):
        assert plain[f"test/auroc_{role}"] < 1
        assert (bad[f"test/fpr_{role}"], bad[f"test/auroc_{role}"]) == (0.0, 1.0)
    assert bad["test/fpr_unseen_worst"] == 0
    assert bad["test/tpr_at_fpr_0.001_unseen"] == 1
    separation = {name for name in plain if name.startswith("separation/")}
    assert {name: bad[name] for name in separation} == {name: plain[name] for name in separation}
    none = found(0.6, 0.0)
    assert none["test/tpr"] == none["edits/jpeg"] == none["edits/text_big"] == 0


# ---- single figures ----


@pytest.mark.parametrize(
    ("signal", "foreign", "expected"),
    [
        ([1, 2], [3, 4], 1.0),
        ([3, 4], [1, 2], 0.0),
        ([1, 3], [2, 4], 0.75),  # 1 < 2, 1 < 4, 3 < 4
        ([1, 1, 1], [1, 1], 0.5),  # ties count half
        ([1, 2], [2, 3], 0.875),  # three wins and a tie of four pairs
        ([5], [1, 2, 6, 7], 0.5),
    ],
)
def test_auroc_by_hand(signal: list[float], foreign: list[float], expected: float) -> None:
    assert metrics.auroc(np.array(signal, float), np.array(foreign, float)) == expected


def test_auroc_is_that_of_sklearn_with_and_without_ties() -> None:
    rng = np.random.default_rng(0)
    for decimals in (0, 1, 12):
        signal = rng.normal(1, 1, 37).round(decimals)
        foreign = rng.normal(2, 1, 91).round(decimals)
        labels = np.repeat([1, 0], [37, 91])
        expected = roc_auc_score(labels, -np.concatenate([signal, foreign]))
        assert metrics.auroc(signal, foreign) == pytest.approx(expected, rel=1e-12)


def test_roc_rises_from_0_to_1_through_every_radius() -> None:
    fpr, tpr = metrics.roc_points(np.array([1.0, 2.0, 3.0, 5.0]), np.array([4.0, 6.0]))
    assert list(zip(fpr, tpr, strict=True)) == [
        (0, 0), (0, 0.25), (0, 0.5), (0, 0.75), (0.5, 0.75), (0.5, 1), (1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fpr", "tpr", "expected"),
    [
        ([0, 1], [0, 1], 0.5),
        ([0, 0, 1], [0, 1, 1], 0.0),  # sets lie apart
        ([0, 1, 1], [0, 0, 1], 1.0),  # every foreign view lies nearer
        ([0, 0.5, 1], [0, 0.8, 1], 1 / 2.6),  # 1 - x = 1.6 x
        ([0, 0.4, 0.4, 1], [0, 0.2, 0.9, 1], 0.4),  # the curve crosses on a step
        ([0, 0, 0.25, 0.25, 1], [0, 0.75, 0.75, 1, 1], 0.25),
    ],
)
def test_equal_error_rate_by_hand(fpr: list[float], tpr: list[float], expected: float) -> None:
    rate = metrics.equal_error_rate(np.array(fpr, float), np.array(tpr, float))
    assert rate == pytest.approx(expected, abs=1e-9)


def test_equal_error_rate_of_distances_by_hand() -> None:
    # At a radius of 4 one of four signals is missed and one of four foreigners let in.
    roc = metrics.roc_points(np.array([1.0, 2, 3, 5]), np.array([4.0, 6, 7, 8]))
    assert metrics.equal_error_rate(*roc) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0.01, (0.7, 0.005)), (0.001, (0.5, 0.0)), (0.02, (0.9, 0.02)), (0.019, (0.7, 0.005))],
)
def test_operating_point_by_hand(limit: float, expected: tuple[float, float]) -> None:
    fpr = np.array([0, 0, 0.005, 0.005, 0.02, 1])
    tpr = np.array([0, 0.5, 0.6, 0.7, 0.9, 1])
    assert metrics.tpr_at_fpr(fpr, tpr, limit) == expected


def test_operating_point_admits_the_foreign_views_that_the_limit_allows() -> None:
    signal = np.array([1.0, 2.5, 3.5, 9.0])
    for foreign, realised, tpr in (
        (np.arange(2.0, 102.0), 0.01, 0.5),  # one of 100 at most: the one at 2
        (np.arange(2.0, 101.0), 0.0, 0.25),  # one of 99 would be too many
        (np.arange(2.0, 302.0), 0.01, 0.75),  # three of 300: those at 2, 3 and 4
    ):
        assert metrics.tpr_at_fpr(*metrics.roc_points(signal, foreign), 0.01) == (tpr, realised)


def test_operating_point_does_not_split_ties() -> None:
    roc = metrics.roc_points(np.array([1.0, 2.0, 2.0]), np.array([2.0, 3.0]))
    assert metrics.tpr_at_fpr(*roc, 0.49) == (pytest.approx(1 / 3), 0.0)


def test_worst_picture_by_hand() -> None:
    within = np.array([True, False, True, True, False, False])
    assert metrics.worst_picture(within, np.array([0, 0, 2, 2, 2, 7])) == pytest.approx(2 / 3)
    assert metrics.worst_picture(within, np.array([5, 9, 9, 9, 9, 9])) == 1.0
    assert metrics.worst_picture(np.zeros(3, bool), np.array([1, 1, 4])) == 0.0


def test_fisher_by_hand() -> None:
    # Means 1 and 11 about 6: S_B = 4 * 25; S_W = four views, each 1 from its mean.
    z = np.array([[0.0], [2.0], [10.0], [12.0]])
    assert metrics.fisher(z, np.array([0, 0, 1, 1])) == pytest.approx(25)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_fisher_is_the_trace_by_way_of_the_total_scatter(k: int) -> None:
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1, 2], [20, 35, 11])
    z = rng.normal(size=(66, k)) @ rng.normal(size=(k, k)) + rng.normal(size=(3, k))[labels]
    total = np.cov(z.T, bias=True).reshape(k, k) * len(z)
    within = sum(
        np.cov(z[labels == c].T, bias=True).reshape(k, k) * (labels == c).sum() for c in range(3)
    )
    expected = np.trace(np.linalg.solve(within, total)) - k
    assert metrics.fisher(z, labels) == pytest.approx(expected, rel=1e-9)
    # It does not depend on the units of the axes.
    assert metrics.fisher(3 * z @ rng.normal(size=(k, k)), labels) == pytest.approx(expected)


def test_separation_by_hand_and_by_sklearn() -> None:
    test, _ = sane()
    distances = {role: HASH.distances(rows.z) for role, rows in test.items()}
    distances["noise_edited"] = np.arange(0.0, 11.0)
    distances["noise_similar"] = np.arange(11.0, 21.0)  # the 5 % quantile of 0..20 is 1
    values = metrics.separation(test, distances, 0.5)
    roles = ("signal", "noise_edited", "noise_similar")  # the unseen are in none of the sets
    z = np.concatenate([test[role].z for role in roles])
    labels = np.concatenate([[role] * len(test[role].z) for role in roles])
    assert values == {
        "separation/silhouette": pytest.approx(silhouette_score(z, labels)),
        "separation/davies_bouldin": pytest.approx(davies_bouldin_score(z, labels)),
        "separation/calinski_harabasz": pytest.approx(calinski_harabasz_score(z, labels)),
        "separation/fisher": pytest.approx(metrics.fisher(z, np.repeat([0, 1, 2], [50, 8, 48]))),
        "separation/margin": 2.0,
    }


# ---- the table ----


def test_every_figure_of_the_protocol_is_there() -> None:
    assert set(judge(*sane(), resamples=2)) == PROTOCOL | REALISED


def test_values_by_hand() -> None:
    test = {
        "signal": views([0.5, 1.0, 1.9, 2.5]),
        "noise_edited": views([1.5, 3, 4, 5]),
        "noise_similar": views([3, 4, 5, 6], [0, 0, 1, 1]),
        "unseen": views([0.7, 1.2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 1, 1, 1, 1]),
    }
    edited = {"jpeg": views([1, 3, 3, 3]), "text_big": views([1, 1])}
    figures = judge(test, edited, resamples=2)
    expected = {
        "test/tpr": 3 / 4,
        "test/fpr_noise_edited": 1 / 4,
        "test/fpr_noise_similar": 0,
        "test/fpr_unseen": 2 / 8,
        "test/fpr_unseen_worst": 2 / 4,
        "test/auroc_noise_edited": 14 / 16,  # 1.5 lies nearer than 1.9 and 2.5
        "test/auroc_noise_similar": 1.0,
        "test/auroc_unseen": (8 + 7 + 6 + 6) / 32,
        "test/eer_unseen": 1 / 4,  # at a radius of 1.9
        "test/tpr_at_fpr_0.01_unseen": 1 / 4,
        "test/realised_fpr_0.01_unseen": 0,
        "test/tpr_at_fpr_0.001_unseen": 1 / 4,
        "test/realised_fpr_0.001_unseen": 0,
        "separation/margin": np.quantile([1.5, 3, 4, 5, 3, 4, 5, 6], 0.05) / 2,
        "edits/jpeg": 1 / 4,
        "edits/text_big": 1.0,
    }
    assert {name: figures[name].value for name in expected} == pytest.approx(expected)
    shares = {name: figure.trials for name, figure in figures.items() if figure.trials}
    assert shares == {
        "test/tpr": 4, "test/fpr_noise_edited": 4, "test/fpr_noise_similar": 4,
        "test/fpr_unseen": 8, "edits/jpeg": 4, "edits/text_big": 2,
        "test/realised_fpr_0.01_unseen": 8, "test/realised_fpr_0.001_unseen": 8,
        "test/fpr_unseen_worst": 4,
    }  # fmt: skip


def test_latents_that_are_not_finite_are_refused() -> None:
    test, edited = sane()
    test["unseen"].z[5, 0] = np.nan
    with pytest.raises(JobError, match="1 of 96 latents or errors are NaN or infinite"):
        judge(test, edited)


# ---- intervals ----


def test_rule_of_three_at_0_and_1() -> None:
    test, _ = sane()
    test["unseen"] = views([9.0] * 30, [*range(30)])
    test["signal"] = views([1.0] * 60)
    edited = {"jpeg": views([1.0, 1.0]), "text_big": views([9.0, 9.0])}
    figures = judge(test, edited, resamples=20)
    assert _interval(figures["test/fpr_unseen"]) == (0, 0, pytest.approx(0.1))
    assert figures["test/fpr_unseen"].text == "0 (< 0.1: none in 30)"
    assert _interval(figures["test/tpr"]) == (1, pytest.approx(0.95), 1)
    assert figures["test/tpr"].text == "1 [0.95, 1]"
    # Three of two views is no rate; the interval stays within 0 and 1.
    assert _interval(figures["edits/jpeg"]) == (1, 0, 1)
    assert _interval(figures["edits/text_big"]) == (0, 0, 1)
    assert figures["test/realised_fpr_0.001_unseen"].text == "0 (< 0.1: none in 30)"
    # One view each: nothing can be said of the worst picture.
    assert figures["test/fpr_unseen_worst"].text == "0 (< 1: none in 1)"


def test_intervals_contain_the_value() -> None:
    figures = judge(*sane(), resamples=150)
    for figure in figures.values():
        assert figure.low <= figure.high
        if figure.name.startswith(("test/", "edits/")):
            assert figure.low <= figure.value <= figure.high, figure
    for name in ("test/tpr", "test/auroc_unseen", "test/eer_unseen", "separation/fisher"):
        assert figures[name].low < figures[name].high


def test_interval_of_a_share_is_that_of_scipy() -> None:
    test, edited = sane()
    test["signal"] = views([1.0] * 48 + [3.0] * 12)
    test["unseen"] = views([1.0] * 10 + [3.0] * 40, [*range(50)])
    figures = judge(test, edited, resamples=400)
    for name, hits, n in (("test/tpr", 48, 60), ("test/fpr_unseen", 10, 50)):
        theirs = scipy.stats.bootstrap(
            (np.repeat([1.0, 0.0], [hits, n - hits]),), np.mean,
            n_resamples=2000, method="percentile", rng=np.random.default_rng(0),
        ).confidence_interval  # fmt: skip
        assert figures[name].value == hits / n
        assert figures[name].low == pytest.approx(theirs.low, abs=0.03)
        assert figures[name].high == pytest.approx(theirs.high, abs=0.03)


def test_interval_over_few_pictures_is_wider_than_over_their_views() -> None:
    test, edited = sane()
    distances = [1.0] * 60 + [3.0] * 60  # three pictures match in every view, three in none
    test["unseen"] = views(distances, list(np.repeat(np.arange(6), 20)))
    by_picture = judge(test, edited)["test/fpr_unseen"]
    test["unseen"] = views(distances, [*range(120)])
    by_view = judge(test, edited)["test/fpr_unseen"]
    assert by_picture.value == by_view.value == 0.5
    # The spread of a share goes with the root of the number of draws: of 6, and of 120.
    ratio = (by_picture.high - by_picture.low) / (by_view.high - by_view.low)
    assert 3 < ratio < 6.5


def test_same_seed_gives_the_same_table_and_another_seed_another() -> None:
    first, again, other = (judge(*sane(), resamples=30, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert [f.value for f in first.values()] == [f.value for f in other.values()]
    assert [f.low for f in first.values()] != [f.low for f in other.values()]


def test_take_repeats_rows_with_their_pictures() -> None:
    rows = LatentSet(np.array([[1.0], [2.0], [3.0]]), np.array([4, 5, 6]))
    taken = rows.take(np.array([2, 0, 2]))
    assert taken.z.ravel().tolist() == [3.0, 1.0, 3.0]
    assert taken.picture.tolist() == [6, 4, 6]


def _interval(figure: Measure) -> tuple[float, float, float]:
    return figure.value, figure.low, figure.high
