"""The plane in which latents are drawn."""

import numpy as np
import pytest

from figures import HASH
from latenthash.plots import Plane


@pytest.mark.parametrize("k", [2, 3, 5])
def test_projecting_what_was_lifted_changes_nothing(k: int) -> None:
    rng = np.random.default_rng(1)
    plane = Plane.of(rng.normal(size=(30, k)) * np.arange(1, k + 1), rng.normal(size=k))
    points = rng.normal(size=(20, 2)) * 10
    lifted = plane.lift(points)
    assert lifted.shape == (20, k)
    np.testing.assert_allclose(plane.project(lifted), points, atol=1e-12)


def test_line_is_its_own_plane_with_one_axis() -> None:
    plane = Plane.of(np.array([[1.0], [3.0]]), np.array([2.0]))
    np.testing.assert_array_equal(plane.project(np.array([[1.0], [4.0]])), [[1, 0], [4, 0]])
    np.testing.assert_array_equal(plane.lift(np.array([[1.0, 0.0], [4.0, 9.0]])), [[1], [4]])
    assert plane.axes_labels() == ("$z_0$", "")
    assert not plane.projected


def test_plane_of_two_dimensions_is_the_latent_space_itself() -> None:
    z = np.random.default_rng(2).normal(size=(10, 2)) * [1, 9]
    plane = Plane.of(z, HASH.centroid)
    np.testing.assert_array_equal(plane.project(z), z)
    np.testing.assert_allclose(plane.lift(z), z, atol=1e-12)
    assert plane.axes_labels() == ("$z_0$", "$z_1$")
    assert not plane.projected


@pytest.mark.parametrize("k", [1, 2, 5])
def test_plane_passes_through_the_centroid(k: int) -> None:
    rng = np.random.default_rng(3)
    centroid = rng.normal(size=k) * 5
    plane = Plane.of(rng.normal(size=(30, k)), centroid)
    np.testing.assert_allclose(plane.lift(plane.project(centroid[None])), centroid[None])


def test_plane_spans_the_directions_of_most_variance() -> None:
    rng = np.random.default_rng(4)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    z = 7 + (rng.normal(size=(4000, 5)) * [0.1, 10, 0.2, 0.1, 3]) @ turn.T
    plane = Plane.of(z, np.zeros(5))
    assert plane.projected
    np.testing.assert_allclose(plane.basis.T @ plane.basis, np.eye(2), atol=1e-12)
    for axis, direction in ((0, turn[:, 1]), (1, turn[:, 4])):
        assert abs(plane.basis[:, axis] @ direction) == pytest.approx(1, abs=1e-3)
    assert "principal axis" in plane.axes_labels()[0]


def test_projection_never_lengthens_a_distance() -> None:
    rng = np.random.default_rng(5)
    z = rng.normal(size=(50, 5))
    plane = Plane.of(z, z.mean(0))
    flat = np.linalg.norm(plane.project(z) - plane.project(z.mean(0)[None]), axis=1)
    assert (flat <= np.linalg.norm(z - z.mean(0), axis=1) + 1e-12).all()
