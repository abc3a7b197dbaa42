"""Persistence of maps: of known homology, beside gudhi's general complex, and how stable it is."""

import numpy as np
import pytest
from gudhi import CubicalComplex
from numpy.typing import NDArray

from fitting import maps
from latenthash.models.components.persistence import cubical_diagram, lifetimes, on_all_cores

Maps = NDArray[np.float32]


def peaks() -> Maps:
    """A peak of 1 and one of .6, joined by a ridge whose lowest point is .2."""
    picture = np.zeros((8, 8), np.float32)
    picture[3, 1:6] = [1, 0.5, 0.2, 0.4, 0.6]
    return picture


def ring() -> Maps:
    """A ring of .8 around a hole of .1."""
    picture = np.zeros((8, 8), np.float32)
    picture[2:6, 2:6] = 0.8
    picture[3:5, 3:5] = 0.1
    return picture


def test_two_peaks_live_apart_until_their_valley() -> None:
    diagram = cubical_diagram(peaks()[None])
    np.testing.assert_allclose(diagram, [[0, 0, -0.6, -0.2]], atol=1e-6)
    np.testing.assert_allclose(lifetimes(diagram, 1), [0.4, 0, 0], atol=1e-6)


def test_a_ring_lives_until_its_hole_is_filled() -> None:
    # Alone, its .8 is the picture's maximum: born at level 1, filled at 1/8.
    diagram = cubical_diagram(ring()[None])
    np.testing.assert_allclose(diagram, [[0, 1, -1, -0.125]], atol=1e-6)
    np.testing.assert_allclose(lifetimes(diagram, 1), [0, 0, 0.875], atol=1e-6)


def test_levels_are_shares_of_the_pictures_maximum_not_the_maps() -> None:
    picture = np.stack([ring(), peaks(), 0 * ring()])
    expected = [0, 0, 0.7, 0.4, 0, 0, 0, 0, 0]
    for scale in (1, 5, 0.01):
        found = lifetimes(cubical_diagram(scale * picture), 3)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_longest_lifetimes_come_first_in_every_channel() -> None:
    diagram = np.array(
        [
            [2, 0, 0, 0.1], [0, 0, 0, 0.2], [2, 0, 0.1, 0.8], [2, 0, 0, 0.5], [2, 1, 0, 0.3],
            [2, 1, 0, 0.6], [0, 1, 0.5, 0.9],
        ]
    )  # fmt: skip
    expected = [[0.2, 0, 0.4], [0, 0, 0], [0.7, 0.5, 0.6]]
    np.testing.assert_allclose(lifetimes(diagram, 3), np.ravel(expected))


def test_cubical_diagrams_against_gudhis_general_complex() -> None:
    picture = maps(1)[0].numpy()
    diagram = cubical_diagram(picture)
    for channel, values in enumerate(-picture / picture.max()):
        complex_ = CubicalComplex(top_dimensional_cells=values)
        complex_.compute_persistence()
        for dimension in (0, 1):
            expected = complex_.persistence_intervals_in_dimension(dimension)
            rows = diagram[(diagram[:, 0] == channel) & (diagram[:, 1] == dimension), 2:]
            expected = expected[np.isfinite(expected[:, 1])]
            np.testing.assert_allclose(
                rows[np.lexsort(rows.T)], expected[np.lexsort(expected.T)], atol=1e-6
            )


def test_a_picture_without_activation_has_no_topology() -> None:
    assert cubical_diagram(np.zeros((2, 8, 8), np.float32)).shape == (0, 4)
    assert not lifetimes(np.empty((0, 4)), 2).any()


@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2])
def test_lifetimes_move_by_at_most_twice_the_noise(noise: float) -> None:
    rng = np.random.default_rng(0)
    picture = maps(1)[0].numpy()
    picture /= picture.max()
    shaken = picture + noise * rng.uniform(-1, 1, picture.shape).astype(np.float32)
    shaken.flat[picture.argmax()] = 1  # else the levels are rescaled as well
    shaken = shaken.clip(max=1)
    change = lifetimes(cubical_diagram(shaken), 4) - lifetimes(cubical_diagram(picture), 4)
    assert np.abs(change).max() <= 2 * noise + 1e-6
    assert np.abs(change).max() > 0


def test_work_on_all_cores_keeps_its_order() -> None:
    items = list(range(100))
    assert on_all_cores(str, items, "Numbers") == [str(i) for i in items]
