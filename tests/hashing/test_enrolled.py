"""The hash: its centroid, its radius and gate, what it matches, and how it is written down."""

import json
import math
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from latenthash.errors import InputError, JobError
from latenthash.hashing.enrolled import Hash, LatentSet, calibration_rank


def rows(z: object, error: object = None) -> LatentSet:
    """Views of one picture, with errors where there are any."""
    latents = np.asarray(z, dtype=np.float64)
    errors = None if error is None else np.asarray(error, dtype=np.float64)
    return LatentSet(latents, np.zeros(len(latents), np.int64), errors)


TRAIN = rows([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])  # centroid (1, 2)


def ring(
    distances: NDArray[np.float64], error: object = None, centre: tuple[float, float] = (1.0, 2.0)
) -> LatentSet:
    """Latents at the given distances from a centre, each in another direction."""
    angles = np.arange(len(distances))
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    return rows(np.array(centre) + distances[:, None] * directions, error)


@pytest.mark.parametrize(
    ("n", "alpha", "rank"),
    [(19, 0.05, 19), (50, 0.05, 49), (20, 0.05, 20), (39, 0.05, 38), (9, 0.1, 9), (99, 0.3, 70)],
)
def test_radius_is_the_distance_of_the_conformal_rank(n: int, alpha: float, rank: int) -> None:
    # (n + 1) * (1 - alpha): 19, 48.45, 19.95, 38, 9 and 70.
    assert calibration_rank(n, alpha) == rank
    shuffled = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    hash_ = Hash.enroll(TRAIN, ring(shuffled), alpha)
    np.testing.assert_array_equal(hash_.centroid, [1.0, 2.0])
    assert hash_.radius == pytest.approx(rank)


def test_rank_is_not_raised_by_floating_point() -> None:
    # 100 * (1 - 0.3) is 70, and 20 * (1 - 0.05) is 19, whatever the last bit says.
    for per_cent in range(1, 100):
        for n in range(1, 200):
            rank = -(-(n + 1) * (100 - per_cent) // 100)  # exact, in integers
            if rank <= n:
                assert calibration_rank(n, per_cent / 100) == rank


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 19), (0.1, 9), (0.01, 99), (0.3, 3)])
def test_too_few_calibration_views_are_refused_with_the_number_needed(
    alpha: float, needed: int
) -> None:
    with pytest.raises(InputError, match=rf"calibration={needed - 1} .* at least {needed} calibr"):
        calibration_rank(needed - 1, alpha)
    assert calibration_rank(needed, alpha) == needed
    with pytest.raises(InputError, match=f"at least {needed}"):
        Hash.enroll(TRAIN, ring(np.arange(1.0, needed)), alpha)


def test_no_calibration_views_are_refused() -> None:
    with pytest.raises(InputError, match=r"calibration=0 .* at least 19"):
        Hash.enroll(TRAIN, rows(np.empty((0, 2))), 0.05)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 1.5, math.nan, math.inf])
def test_alpha_outside_0_and_1_is_refused(alpha: float) -> None:
    with pytest.raises(InputError, match=r"hash\.alpha=.* must lie between 0 and 1"):
        calibration_rank(50, alpha)


def test_alpha_next_to_1_takes_the_nearest_view() -> None:
    assert calibration_rank(50, 1 - 1e-12) == 1


@pytest.mark.parametrize(("n", "expected"), [(19, 19 / 20), (50, 49 / 51)])
def test_radius_covers_new_views_as_promised(n: int, expected: float) -> None:
    rng = np.random.default_rng(1)
    shares = [
        Hash.enroll(rows(rng.normal(size=(5, 2))), rows(rng.normal(size=(n, 2))), 0.05)
        .matches(rows(rng.normal(size=(50, 2))))
        .mean()
        for _ in range(3000)
    ]
    assert np.mean(shares) == pytest.approx(expected, abs=0.004)  # four standard errors
    assert np.mean(shares) > 0.95 - 0.004


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_latents_that_are_not_finite_are_refused(bad: float) -> None:
    spoilt = ring(np.arange(1.0, 20))
    spoilt.z[[3, 7], 1] = bad
    with pytest.raises(JobError, match="2 of 19 latents or errors are NaN or infinite"):
        Hash.enroll(spoilt, ring(np.arange(1.0, 20)), 0.05)
    with pytest.raises(JobError, match="2 of 19 latents or errors are NaN or infinite"):
        Hash.enroll(TRAIN, spoilt, 0.05)
    hash_ = Hash(np.zeros(2), 1.0)
    with pytest.raises(JobError, match="2 of 19 latents or errors are NaN or infinite"):
        hash_.distances(spoilt.z)
    for measure in (hash_.scores, hash_.matches):
        with pytest.raises(JobError, match="2 of 19 latents or errors are NaN or infinite"):
            measure(spoilt)


@pytest.mark.parametrize("shape", [(4, 3), (4, 1), (2,), (4, 2, 1), (0, 3)])
def test_latents_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    hash_ = Hash(np.zeros(2), 1.0)
    with pytest.raises(ValueError, match="do not fit a hash of k=2"):
        hash_.distances(np.zeros(shape))
    for measure in (hash_.scores, hash_.matches):
        with pytest.raises(ValueError, match="do not fit a hash of k=2"):
            measure(rows(np.zeros(shape)))


def test_calibration_of_another_size_than_training_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit a hash of k=2"):
        Hash.enroll(TRAIN, rows(np.zeros((19, 3))), 0.05)


@pytest.mark.parametrize("shape", [(4,), (0, 2)])
def test_training_latents_without_rows_or_size_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        Hash.enroll(rows(np.zeros(shape)), rows(np.zeros((19, 2))), 0.05)


def test_distances_are_euclidean() -> None:
    hash_ = Hash(np.array([1.0, 2.0]), 5.0)
    z = np.array([[1.0, 2.0], [4.0, 6.0], [1.0, -3.0]])
    np.testing.assert_array_equal(hash_.distances(z), [0.0, 5.0, 5.0])
    np.testing.assert_array_equal(hash_.scores(rows(z)), [0.0, 1.0, 1.0])
    assert hash_.distances(np.empty((0, 2))).shape == (0,)
    assert hash_.matches(rows(np.empty((0, 2)))).shape == (0,)


def test_latent_at_exactly_the_radius_matches() -> None:
    hash_ = Hash(np.array([0.0, 0.0]), 5.0)
    beyond = np.nextafter(5.0, 6.0)
    z = np.array([[3.0, 4.0], [5.0, 0.0], [beyond, 0.0], [0.0, 0.0]])
    assert hash_.matches(rows(z)).tolist() == [True, True, False, True]


def test_smallest_radius_matches_the_centroid_alone() -> None:
    hash_ = Hash(np.array([1.0]), 1e-300)
    assert hash_.matches(rows([[1.0], [1.0 + 1e-12]])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("centroid", "radius"),
    [
        ([0.1, 1 / 3, -0.0], 0.1 + 0.2),
        ([5e-324, sys.float_info.max, -sys.float_info.max], sys.float_info.min),
        ([1e23, 9007199254740993.0, 2.0**-1074], 5e-324),
        ([float(np.float32(0.1))], math.pi),
    ],
)
def test_json_keeps_every_bit(centroid: list[float], radius: float) -> None:
    hash_ = Hash(np.array(centroid), radius)
    again = Hash.from_json(json.loads(json.dumps(hash_.to_json(), allow_nan=False)))
    assert again.centroid.tobytes() == hash_.centroid.tobytes()
    assert again.centroid.dtype == np.float64
    assert again.radius.hex() == radius.hex()
    assert again.gate is None


def test_enrolled_hash_survives_json() -> None:
    rng = np.random.default_rng(2)
    hash_ = Hash.enroll(rows(rng.normal(size=(30, 7))), rows(rng.normal(size=(40, 7))), 0.05)
    again = Hash.from_json(json.loads(json.dumps(hash_.to_json())))
    z = rng.normal(size=(200, 7)) * 2
    np.testing.assert_array_equal(again.distances(z), hash_.distances(z))
    np.testing.assert_array_equal(again.matches(rows(z)), hash_.matches(rows(z)))


def test_json_takes_whole_numbers() -> None:
    hash_ = Hash.from_json({"centroid": [1, 2], "radius": 3})
    assert hash_.centroid.dtype == np.float64
    assert hash_.radius == 3.0


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"centroid": [1.0]},
        {"radius": 1.0},
        {"centroid": None, "radius": 1.0},
        {"centroid": "12", "radius": 1.0},
        {"centroid": ["1.0"], "radius": 1.0},
        {"centroid": [1.0], "radius": "1.0"},
        {"centroid": [1.0, math.nan], "radius": 1.0},
        {"centroid": [1.0], "radius": math.nan},
        {"centroid": [-math.inf], "radius": 1.0},
        {"centroid": [1.0], "radius": math.inf},
        {"centroid": [True, 1.0], "radius": 1.0},
        {"centroid": [1.0], "radius": True},
        {"centroid": [1.0], "radius": -1e-300},
        {"centroid": [1.0], "radius": 0.0},
        {"centroid": [1.0], "radius": 0},
        {"centroid": [], "radius": 1.0},
        {"centroid": [[1.0, 2.0]], "radius": 1.0},
        {"centroid": {"0": 1.0}, "radius": 1.0},
        {"centroid": 1.0, "radius": 1.0},
        {"centroid": [10**400], "radius": 1.0},
        {"centroid": [1.0], "radius": 10**400},
    ],
)
def test_json_of_another_kind_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must be finite numbers|must be above 0"):
        Hash.from_json(values)


# ---- a false-positive rate ----

FAR = rows([[9.0]])  # a view of the Signal that lies beyond the outliers: there is no room


@pytest.mark.parametrize(
    ("fpr", "inside"), [(0.25, [1.0]), (0.5, [1.0, 2.0]), (0.24, []), (0.74, [1.0, 2.0])]
)
def test_radius_for_a_rate_by_hand(fpr: float, inside: list[float]) -> None:
    outliers = rows([[3.0], [1.0], [4.0], [2.0]])
    hash_ = Hash.enroll_at_fpr(rows([[-1.0], [1.0]]), FAR, outliers, fpr)
    assert hash_.centroid.tolist() == [0.0]
    assert sorted(outliers.z[hash_.matches(outliers), 0]) == inside
    # No larger radius does: the next outlier lies just outside.
    assert hash_.radius == np.nextafter(len(inside) + 1, 0)


@pytest.mark.parametrize(
    ("own", "fpr", "radius"),
    [
        ([1.0, -2.0], 0.1, 4.0),  # sqrt(2 * 8), between the Signal's farthest and the limit
        ([1.0, 2.0], 0.5, math.sqrt(2 * 12)),  # two of four outliers may pass
        ([11.0, 0.0], 0.5, math.sqrt(11 * 12)),
        ([1.0, 8.0], 0.1, 8.0),  # no room: the limit itself, just short of the outlier
        ([1.0, 30.0], 0.1, 8.0),
    ],
)
def test_radius_lies_in_the_middle_of_the_room(own: list[float], fpr: float, radius: float) -> None:
    outliers = rows([[12.0], [-8.0], [14.0], [10.0]])
    hash_ = Hash.enroll_at_fpr(rows([[-1.0], [1.0]]), rows([[d] for d in own]), outliers, fpr)
    assert hash_.radius == pytest.approx(radius, rel=1e-12)
    assert hash_.gate is None
    assert hash_.matches(outliers).mean() <= fpr
    assert hash_.matches(rows([[d] for d in own])).tolist() == [abs(d) < radius for d in own]


def test_equal_outliers_do_not_pass_together() -> None:
    outliers = rows([[2.0], [2.0], [2.0], [5.0]])
    hash_ = Hash.enroll_at_fpr(rows([[0.0]]), FAR, outliers, 0.25)
    assert not hash_.matches(outliers).any()


def test_outlier_at_the_centroid_leaves_no_radius() -> None:
    with pytest.raises(InputError, match="has the Signal's own latent"):
        Hash.enroll_at_fpr(rows([[0.0]]), FAR, rows([[0.0], [1.0]]), 0.1)


@pytest.mark.parametrize("fpr", [0.0, 1.0, -0.1])
def test_rate_that_is_none_is_refused(fpr: float) -> None:
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        Hash.enroll_at_fpr(rows([[0.0]]), FAR, rows([[1.0]]), fpr)


# ---- the gate ----


def random(rng: np.random.Generator, n: int) -> LatentSet:
    """Views whose distances and errors are about equally often large."""
    return rows(rng.normal(size=(n, 2)), rng.gamma(2.0, 0.01, n))


def test_score_is_the_larger_of_distance_and_error_by_hand() -> None:
    hash_ = Hash(np.array([1.0, 2.0]), 5.0, 0.5)
    z = [[1.0, 2.0], [4.0, 6.0], [1.0, -8.0], [1.0, 4.0], [1.0, 7.0], [1.0, 2.0]]
    views = rows(z, [0.0, 0.1, 0.25, 1.5, 0.5, np.nextafter(0.5, 1)])
    beyond = 1 + 2**-52
    assert hash_.scores(views).tolist() == [0.0, 1.0, 2.0, 3.0, 1.0, beyond]
    assert hash_.matches(views).tolist() == [True, True, False, False, True, False]
    assert hash_.distances(views.z).tolist() == [0.0, 5.0, 10.0, 2.0, 5.0, 0.0]


def test_hash_without_a_gate_asks_for_no_errors() -> None:
    z = [[3.0, 4.0], [6.0, 8.0]]
    hash_ = Hash(np.zeros(2), 5.0)
    for views in (rows(z), rows(z, [1e9, 1e9])):
        assert hash_.scores(views).tolist() == [1.0, 2.0]
    assert Hash.enroll(TRAIN, ring(np.arange(1.0, 20), np.ones(19)), 0.05).gate is None


def test_radius_and_gate_by_hand() -> None:
    # All training distances are sqrt(5); the 95 % quantile of the errors is .3 + .85 * .1.
    train = rows(TRAIN.z, [0.3, 0.1, 0.4, 0.2])
    distances = math.sqrt(5) * np.arange(1, 40) / 39
    errors = np.full(39, 0.01)
    errors[4], errors[20], errors[3] = 0.385 * 3, 0.385 * 2, 0.385 * 1.5
    # Scores 3, 2, 1.5 and then no more than 1; rank 38 of 39 is the second largest.
    hash_ = Hash.enroll(train, ring(distances, errors), 0.05)
    np.testing.assert_array_equal(hash_.centroid, [1.0, 2.0])
    assert hash_.radius == pytest.approx(2 * math.sqrt(5))
    assert hash_.gate == pytest.approx(2 * 0.385)
    # The same where distances decide.
    distances[[4, 20]] = 3 * math.sqrt(5), 2.5 * math.sqrt(5)
    hash_ = Hash.enroll(train, ring(distances, np.full(39, 0.01)), 0.05)
    assert hash_.radius == pytest.approx(2.5 * math.sqrt(5))
    assert hash_.gate == pytest.approx(2.5 * 0.385)


@pytest.mark.parametrize("seed", range(5))
def test_radius_and_gate_keep_the_proportion_of_the_training_views(seed: int) -> None:
    rng = np.random.default_rng(seed)
    train, calibration, outliers = random(rng, 80), random(rng, 60), random(rng, 200)
    outliers = rows(outliers.z + 9, outliers.error)
    distances = np.linalg.norm(train.z - train.z.mean(0), axis=1)
    proportion = np.quantile(distances, 0.95) / np.quantile(train.error, 0.95)
    for hash_ in (
        Hash.enroll(train, calibration, 0.05),
        Hash.enroll_at_fpr(train, calibration, outliers, 0.1),
        Hash.enroll_at_fpr(train, calibration, random(rng, 200), 0.1),
    ):
        assert hash_.gate is not None
        assert hash_.radius / hash_.gate == pytest.approx(proportion, rel=1e-12)
        np.testing.assert_array_equal(hash_.centroid, train.z.mean(0))


@pytest.mark.parametrize(("n", "expected"), [(19, 19 / 20), (50, 49 / 51)])
def test_radius_and_gate_together_cover_new_views_as_promised(n: int, expected: float) -> None:
    rng = np.random.default_rng(1)
    shares, far, bad = [], [], []
    for _ in range(3000):
        hash_ = Hash.enroll(random(rng, 20), random(rng, n), 0.05)
        new = random(rng, 50)
        assert new.error is not None
        assert hash_.gate is not None
        shares.append(hash_.matches(new).mean())
        far.append((hash_.distances(new.z) > hash_.radius).mean())
        bad.append((new.error > hash_.gate).mean())
    assert np.mean(shares) == pytest.approx(expected, abs=0.004)  # four standard errors
    assert np.mean(shares) > 0.95 - 0.004
    assert min(np.mean(far), np.mean(bad)) > 0.005, "both must refuse for this to say anything"


@pytest.mark.parametrize("seed", range(40))
def test_calibration_view_of_the_conformal_rank_matches_despite_rounding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    calibration = random(rng, 39)
    hash_ = Hash.enroll(random(rng, 20), calibration, 0.05)
    assert hash_.matches(calibration).sum() == 38


def test_gate_for_a_rate_by_hand() -> None:
    # The 95 % quantiles of training are 2 and .5.
    train = rows([[-2.0], [2.0]], [0.5, 0.5])
    own = rows([[1.0], [2.0]], [1.0, 0.5])  # scores 2, of the error, and 1
    outliers = rows([[0.0], [40.0]], [4.0, 0.1])  # scores 8, of the error, and 20
    hash_ = Hash.enroll_at_fpr(train, own, outliers, 0.1)
    assert hash_.radius == pytest.approx(2 * 4)  # sqrt(2 * 8) = 4
    assert hash_.gate == pytest.approx(0.5 * 4)
    assert hash_.matches(own).all()
    assert not hash_.matches(outliers).any()
    hash_ = Hash.enroll_at_fpr(train, own, outliers, 0.5)  # sqrt(2 * 20)
    assert hash_.radius == pytest.approx(2 * math.sqrt(40))
    assert hash_.gate == pytest.approx(0.5 * math.sqrt(40))
    worse = rows([[1.0], [2.0]], [6.0, 0.5])  # a score of 12: no room before 8, but before 20
    hash_ = Hash.enroll_at_fpr(train, worse, outliers, 0.1)
    assert (hash_.radius, hash_.gate) == (pytest.approx(2 * 8), pytest.approx(0.5 * 8))
    assert hash_.matches(worse).tolist() == [False, True]
    assert not hash_.matches(outliers).any()


@pytest.mark.parametrize("seed", range(40))
def test_no_more_outliers_pass_the_gate_than_the_rate_allows_despite_rounding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outliers = random(rng, 50)
    hash_ = Hash.enroll_at_fpr(random(rng, 20), random(rng, 30), outliers, 0.1)
    assert hash_.matches(outliers).sum() == 5


def test_outlier_at_the_centroid_that_is_rebuilt_badly_is_borne() -> None:
    train = rows([[-2.0], [2.0]], [0.5, 0.5])
    hash_ = Hash.enroll_at_fpr(train, train, rows([[0.0]], [4.5]), 0.1)
    assert hash_.radius == pytest.approx(2 * 3)  # sqrt(1 * 9)
    with pytest.raises(InputError, match="has the Signal's own latent"):
        Hash.enroll_at_fpr(train, train, rows([[0.0]], [0.0]), 0.1)


@pytest.mark.parametrize(
    ("train", "radius", "gate"),
    [
        (rows([[3.0]] * 4, [0.2] * 4), 4.0, 0.8),  # one latent: distances keep their scale
        (rows([[2.0], [4.0]], [0.0, 0.0]), 4.0, 4.0),  # no error: errors do
    ],
)
def test_training_views_without_a_scale_leave_limits(
    train: LatentSet, radius: float, gate: float
) -> None:
    calibration = rows([[3.0 + 4.0 * i / 19] for i in range(1, 20)], [0.0] * 19)
    hash_ = Hash.enroll(train, calibration, 0.05)
    assert (hash_.radius, hash_.gate) == (pytest.approx(radius), pytest.approx(gate))


def test_hash_with_a_gate_refuses_latents_without_errors() -> None:
    hash_ = Hash(np.array([1.0, 2.0]), 5.0, 0.5)
    for measure in (hash_.scores, hash_.matches):
        with pytest.raises(ValueError, match="must come with reconstruction errors"):
            measure(TRAIN)
    gated, bare = rows(TRAIN.z, [0.1] * 4), ring(np.arange(1.0, 20))
    with pytest.raises(ValueError, match="must come with reconstruction errors"):
        Hash.enroll(gated, bare, 0.05)
    with pytest.raises(ValueError, match="must come with reconstruction errors"):
        Hash.enroll_at_fpr(gated, gated, bare, 0.05)
    with pytest.raises(ValueError, match="must come with reconstruction errors"):
        Hash.enroll_at_fpr(gated, bare, gated, 0.05)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_errors_that_are_not_finite_are_refused(bad: float) -> None:
    errors = np.ones(19)
    spoilt, sound = ring(np.arange(1.0, 20), errors.copy()), ring(np.arange(1.0, 20), errors)
    assert spoilt.error is not None
    spoilt.error[[3, 7]] = bad
    for train, calibration in ((spoilt, sound), (sound, spoilt)):
        with pytest.raises(JobError, match=r"2 of 19 .* are NaN or infinite"):
            Hash.enroll(train, calibration, 0.05)
    with pytest.raises(JobError, match=r"2 of 19 .* are NaN or infinite"):
        Hash(np.zeros(2), 1.0, 1.0).matches(spoilt)


def test_rows_are_taken_with_their_errors() -> None:
    views = LatentSet(np.arange(6.0).reshape(3, 2), np.array([4, 5, 6]), np.array([0.1, 0.2, 0.3]))
    taken = views.take(np.array([2, 0, 2]))
    assert taken.error is not None
    assert taken.z.tolist() == [[4.0, 5.0], [0.0, 1.0], [4.0, 5.0]]
    assert taken.picture.tolist() == [6, 4, 6]
    assert taken.error.tolist() == [0.3, 0.1, 0.3]
    assert TRAIN.take(np.array([1])).error is None


@pytest.mark.parametrize("gate", [0.1 + 0.2, 5e-324, sys.float_info.max, 1e23])
def test_json_keeps_every_bit_of_the_gate(gate: float) -> None:
    hash_ = Hash(np.array([0.1, 1 / 3]), math.pi, gate)
    again = Hash.from_json(json.loads(json.dumps(hash_.to_json(), allow_nan=False)))
    assert again.gate is not None
    assert again.gate.hex() == gate.hex()
    assert again.radius.hex() == hash_.radius.hex()
    assert again.centroid.tobytes() == hash_.centroid.tobytes()


def test_enrolled_hash_with_a_gate_survives_json() -> None:
    rng = np.random.default_rng(2)
    hash_ = Hash.enroll(random(rng, 30), random(rng, 40), 0.3)
    again = Hash.from_json(json.loads(json.dumps(hash_.to_json())))
    views = random(rng, 200)
    np.testing.assert_array_equal(again.scores(views), hash_.scores(views))
    assert 0 < hash_.matches(views).mean() < 1
    whole = Hash.from_json({"centroid": [1, 2], "radius": 3, "gate": 2})
    assert isinstance(whole.gate, float)
    assert whole.gate == 2.0


@pytest.mark.parametrize(
    "gate",
    [0, 0.0, -1.0, -1e-300, math.nan, math.inf, -math.inf, "1.0", [1.0], {}, True, False, 10**400],
    ids=lambda gate: str(gate)[:9],
)
def test_json_with_a_bad_gate_is_refused(gate: object) -> None:
    with pytest.raises(ValueError, match="gate"):
        Hash.from_json({"centroid": [1.0], "radius": 1.0, "gate": gate})


def test_pooled_sets_keep_their_pictures_apart() -> None:
    one = LatentSet(np.zeros((2, 2)), np.array([0, 1]), np.array([0.1, 0.2]))
    other = LatentSet(np.ones((3, 2)), np.array([0, 0, 1]), np.array([0.3, 0.4, 0.5]))
    pooled = LatentSet.pooled([one, other])
    assert pooled.picture.tolist() == [0, 1, 2, 2, 3]
    assert pooled.z[:, 0].tolist() == [0, 0, 1, 1, 1]
    assert pooled.error is not None and pooled.error.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert LatentSet.pooled([one, LatentSet(other.z, other.picture)]).error is None
