"""Tests of the picture of the globe."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from latenthash.data.samples.earth import render_earth

SIZE = 160


@functools.cache
def globe(size: int = SIZE, seed: int = 0) -> NDArray[np.uint8]:
    """Return the picture, rendered once for all tests."""
    return render_earth(size, seed)


def share(mask: NDArray[np.bool_]) -> float:
    """Return the part of the picture a mask covers."""
    return float(mask.mean())


def test_is_a_square_rgb_picture() -> None:
    assert globe().shape == (SIZE, SIZE, 3)
    assert globe().dtype == np.uint8


def test_same_seed_gives_same_bytes_and_another_seed_another_planet() -> None:
    assert render_earth(64, 3).tobytes() == render_earth(64, 3).tobytes()
    difference = np.abs(render_earth(64, 3).astype(float) - render_earth(64, 4))
    # Half of the picture is black space in both, so the discs differ by twice as much.
    assert difference.mean() > 10.0


def test_space_is_dark_and_the_centre_is_lit() -> None:
    corner = SIZE // 12
    for rows in (slice(0, corner), slice(-corner, None)):
        for columns in (slice(0, corner), slice(-corner, None)):
            assert globe()[rows, columns].mean() < 12.0
    middle = slice(SIZE * 3 // 8, SIZE * 5 // 8)
    assert globe()[middle, middle].mean() > 70.0


def test_the_lit_disc_has_a_plausible_area() -> None:
    # The whole disc has 0.55 of the area; the night side takes part of it away.
    assert 0.35 < share(globe().max(axis=2) > 40) < 0.62


def test_has_ocean_land_and_clouds() -> None:
    for seed in (0, 1):
        red, green, blue = (globe(SIZE, seed)[..., plane].astype(int) for plane in range(3))
        assert share((blue > red + 25) & (blue > green + 15) & (blue > 60)) > 0.05
        assert share((red > blue + 15) | (green > blue + 8)) > 0.02
        assert share(np.minimum(np.minimum(red, green), blue) > 170) > 0.03


def test_a_small_picture_looks_like_the_large_one_scaled_down() -> None:
    scaled = cv2.resize(globe(), (64, 64), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(scaled.ravel(), globe(64).ravel())[0, 1] > 0.96
