"""The hash: its centroid, its radius, what it matches, and how it is written down."""

import json
import math
import sys

import numpy as np
import pytest

from latenthash import InputError
from latenthash.hashing import Hash, calibration_rank

TRAIN = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])  # centroid (1, 2)


def ring(distances: np.ndarray, centre: tuple[float, float] = (1.0, 2.0)) -> np.ndarray:
    """Latents at the given distances from a centre, each in another direction."""
    angles = np.arange(len(distances))
    return np.array(centre) + distances[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])


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
        Hash.enroll(TRAIN, np.empty((0, 2)), 0.05)


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
        Hash.enroll(rng.normal(size=(5, 2)), rng.normal(size=(n, 2)), 0.05)
        .matches(rng.normal(size=(50, 2)))
        .mean()
        for _ in range(3000)
    ]
    assert np.mean(shares) == pytest.approx(expected, abs=0.004)  # four standard errors
    assert np.mean(shares) > 0.95 - 0.004


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_latents_that_are_not_finite_are_refused(bad: float) -> None:
    spoilt = ring(np.arange(1.0, 20))
    spoilt[[3, 7], 1] = bad
    with pytest.raises(ValueError, match="2 of 19 latents are NaN or infinite"):
        Hash.enroll(spoilt, ring(np.arange(1.0, 20)), 0.05)
    with pytest.raises(ValueError, match="2 of 19 latents are NaN or infinite"):
        Hash.enroll(TRAIN, spoilt, 0.05)
    hash_ = Hash(np.zeros(2), 1.0)
    for measure in (hash_.distances, hash_.matches):
        with pytest.raises(ValueError, match="2 of 19 latents are NaN or infinite"):
            measure(spoilt)


@pytest.mark.parametrize("shape", [(4, 3), (4, 1), (2,), (4, 2, 1), (0, 3)])
def test_latents_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    hash_ = Hash(np.zeros(2), 1.0)
    for measure in (hash_.distances, hash_.matches):
        with pytest.raises(ValueError, match="do not fit a hash of k=2"):
            measure(np.zeros(shape))


def test_calibration_of_another_size_than_training_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit a hash of k=2"):
        Hash.enroll(TRAIN, np.zeros((19, 3)), 0.05)


@pytest.mark.parametrize("shape", [(4,), (0, 2)])
def test_training_latents_without_rows_or_size_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        Hash.enroll(np.zeros(shape), np.zeros((19, 2)), 0.05)


def test_distances_are_euclidean() -> None:
    hash_ = Hash(np.array([1.0, 2.0]), 5.0)
    z = np.array([[1.0, 2.0], [4.0, 6.0], [1.0, -3.0]])
    np.testing.assert_array_equal(hash_.distances(z), [0.0, 5.0, 5.0])
    assert hash_.distances(np.empty((0, 2))).shape == (0,)


def test_latent_at_exactly_the_radius_matches() -> None:
    hash_ = Hash(np.array([0.0, 0.0]), 5.0)
    beyond = np.nextafter(5.0, 6.0)
    z = np.array([[3.0, 4.0], [5.0, 0.0], [beyond, 0.0], [0.0, 0.0]])
    assert hash_.matches(z).tolist() == [True, True, False, True]


def test_radius_of_nought_matches_the_centroid_alone() -> None:
    hash_ = Hash(np.array([1.0]), 0.0)
    assert hash_.matches(np.array([[1.0], [1.0 + 1e-12]])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("centroid", "radius"),
    [
        ([0.1, 1 / 3, -0.0], 0.1 + 0.2),
        ([5e-324, sys.float_info.max, -sys.float_info.max], sys.float_info.min),
        ([1e23, 9007199254740993.0, 2.0**-1074], 0.0),
        ([float(np.float32(0.1))], math.pi),
    ],
)
def test_json_keeps_every_bit(centroid: list[float], radius: float) -> None:
    hash_ = Hash(np.array(centroid), radius)
    again = Hash.from_json(json.loads(json.dumps(hash_.to_json(), allow_nan=False)))
    assert again.centroid.tobytes() == hash_.centroid.tobytes()
    assert again.centroid.dtype == np.float64
    assert again.radius.hex() == radius.hex()


def test_enrolled_hash_survives_json() -> None:
    rng = np.random.default_rng(2)
    hash_ = Hash.enroll(rng.normal(size=(30, 7)), rng.normal(size=(40, 7)), 0.05)
    again = Hash.from_json(json.loads(json.dumps(hash_.to_json())))
    z = rng.normal(size=(200, 7)) * 2
    np.testing.assert_array_equal(again.distances(z), hash_.distances(z))
    np.testing.assert_array_equal(again.matches(z), hash_.matches(z))


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
        {"centroid": [], "radius": 1.0},
        {"centroid": [[1.0, 2.0]], "radius": 1.0},
        {"centroid": {"0": 1.0}, "radius": 1.0},
        {"centroid": 1.0, "radius": 1.0},
        {"centroid": [10**400], "radius": 1.0},
        {"centroid": [1.0], "radius": 10**400},
    ],
)
def test_json_of_another_kind_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must be finite numbers|must not be negative"):
        Hash.from_json(values)


# ---- a false-positive rate ----


@pytest.mark.parametrize(
    ("fpr", "inside"), [(0.25, [1.0]), (0.5, [1.0, 2.0]), (0.24, []), (0.74, [1.0, 2.0])]
)
def test_radius_for_a_rate_by_hand(fpr: float, inside: list[float]) -> None:
    outliers = np.array([[3.0], [1.0], [4.0], [2.0]])
    hash_ = Hash.enroll_at_fpr(np.array([[-1.0], [1.0]]), outliers, fpr)
    assert hash_.centroid.tolist() == [0.0]
    assert sorted(outliers[hash_.matches(outliers), 0]) == inside
    # No larger radius does: the next outlier lies just outside.
    assert hash_.radius == pytest.approx(len(inside) + 1)


def test_equal_outliers_do_not_pass_together() -> None:
    outliers = np.array([[2.0], [2.0], [2.0], [5.0]])
    hash_ = Hash.enroll_at_fpr(np.array([[0.0]]), outliers, 0.25)
    assert not hash_.matches(outliers).any()


def test_outlier_at_the_centroid_leaves_no_radius() -> None:
    with pytest.raises(InputError, match="has the Signal's own latent"):
        Hash.enroll_at_fpr(np.array([[0.0]]), np.array([[0.0], [1.0]]), 0.1)


@pytest.mark.parametrize("fpr", [0.0, 1.0, -0.1])
def test_rate_that_is_none_is_refused(fpr: float) -> None:
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        Hash.enroll_at_fpr(np.array([[0.0]]), np.array([[1.0]]), fpr)
