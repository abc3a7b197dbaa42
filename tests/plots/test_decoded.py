"""Maps of what a decoder draws where."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from figures import HASH, circles, drawn
from latenthash import plots
from latenthash.hashing.enrolled import Hash
from latenthash.plots import Plane
from latenthash.plots.decoded import GRID


def painter(plane: Plane, low: float, high: float) -> Callable[[np.ndarray], np.ndarray]:
    """A decoder whose pictures say in red and green where in the plane z lies.

    The upper half is marked in blue, to tell pictures that are upside down.
    """

    def decode(z: np.ndarray) -> np.ndarray:
        pictures = np.zeros((len(z), 4, 4, 3))
        pictures[..., :2] = ((plane.project(z) - low) / (high - low))[:, None, None]
        pictures[:, :2, :, 2] = 1
        return pictures

    return decode


def seen(axes: Axes, x: float, y: float) -> np.ndarray:
    """The colour that the image has at a point, as matplotlib itself finds it."""
    (image,) = axes.images
    event = SimpleNamespace(**dict(zip("xy", axes.transData.transform((x, y)), strict=True)))
    return np.asarray(image.get_cursor_data(event))  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [2, 5])
def test_map_shows_each_picture_where_its_latent_lies(k: int) -> None:
    rng = np.random.default_rng(6)
    z = rng.normal(size=(40, k)) * 2 + np.arange(k)
    hash_ = Hash(z[:10].mean(0), 1.5)
    plane = Plane.of(z, hash_.centroid)
    (axes,) = drawn(plots.decoded_map(painter(plane, -30, 30), z, plane, hash_.radius)).axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert right - left == pytest.approx(top - bottom), "the map is a square"
    cell = (right - left) / GRID
    for column in range(GRID):
        for row in range(GRID):
            x, y = left + (column + 0.5) * cell, bottom + (row + 0.5) * cell
            upper, lower = seen(axes, x, y + cell / 4), seen(axes, x, y - cell / 4)
            np.testing.assert_allclose(upper[:2] * 60 - 30, [x, y], atol=1e-9)
            np.testing.assert_allclose(lower[:2] * 60 - 30, [x, y], atol=1e-9)
            assert (upper[2], lower[2]) == (1, 0), "a picture is upside down"


def test_map_of_a_line_varies_along_it_alone() -> None:
    z, hash_ = np.array([[-3.0], [0.0], [5.0]]), Hash(np.array([1.0]), 0.5)
    plane = Plane.of(z, hash_.centroid)
    asked = []

    def decode(points: np.ndarray) -> np.ndarray:
        asked.append(points)
        return np.zeros((len(points), 4, 4, 3))

    drawn(plots.decoded_map(decode, z, plane, hash_.radius))
    (points,) = asked
    np.testing.assert_allclose(np.unique(points.round(9)), np.linspace(-3, 5, GRID))


def test_map_covers_the_latents_and_the_circle() -> None:
    z = np.array([[-4.0, 0.0], [6.0, 1.0]])
    for hash_ in (HASH, Hash(np.array([3.0, 3.0]), 20.0)):
        plane = Plane.of(z, hash_.centroid)
        (axes,) = drawn(plots.decoded_map(painter(plane, -50, 50), z, plane, hash_.radius)).axes
        points = np.vstack([z, hash_.centroid - hash_.radius, hash_.centroid + hash_.radius])
        for (low, high), values in ((axes.get_xlim(), points.T[0]), (axes.get_ylim(), points.T[1])):
            assert low < values.min()
            assert values.max() < high
        assert axes.images[0].get_extent() == [*axes.get_xlim(), *axes.get_ylim()]


def test_map_draws_the_circle_of_the_hash() -> None:
    z = np.array([[-4.0, 0.0], [6.0, 1.0]])
    plane = Plane.of(z, HASH.centroid)
    (axes,) = drawn(plots.decoded_map(painter(plane, -50, 50), z, plane, HASH.radius)).axes
    assert len(circles(axes)) == 2  # red on white
    for circle in circles(axes):
        assert circle.get_center() == (1.0, -2.0)
        assert circle.get_radius() == 1.5
    assert to_rgba(circles(axes)[-1].get_edgecolor()) == to_rgba("tab:red")
    assert axes.get_aspect() == 1
    assert axes.lines[0].get_xydata().tolist() == [[1.0, -2.0]]
