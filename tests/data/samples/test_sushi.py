"""Tests of the pictures of plates of sushi."""

from __future__ import annotations

import functools
import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from latenthash.data.samples.sushi import render_sushi

SIZE = 96
COUNT = 12


@functools.cache
def plate(index: int, size: int = SIZE) -> NDArray[np.uint8]:
    """Return the picture, rendered once for all tests."""
    return render_sushi(index, size)


@pytest.mark.parametrize("size", [SIZE, 700])
def test_is_a_square_rgb_picture_of_the_size_asked_for(size: int) -> None:
    assert plate(0, size).shape == (size, size, 3)
    assert plate(0, size).dtype == np.uint8


def test_same_number_gives_same_bytes_whatever_came_before_and_whatever_the_threads() -> None:
    first, _ = plate(5).tobytes(), plate(6)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1 if threads > 1 else 4)
        assert render_sushi(5, SIZE).tobytes() == first
    finally:
        cv2.setNumThreads(threads)


def test_every_plate_differs_from_every_other() -> None:
    for one, other in itertools.combinations(range(COUNT), 2):
        difference = np.abs(plate(one).astype(float) - plate(other)).mean()
        # Camera noise alone gives about 1; another table or another plate gives far more.
        assert difference > 15.0, (one, other)


def test_every_plate_is_well_exposed_and_detailed() -> None:
    for index in range(COUNT):
        grey = plate(index).mean(axis=2)
        assert 50.0 < grey.mean() < 205.0, index
        assert grey.std() > 25.0, index
        assert np.abs(np.diff(grey, axis=1)).mean() > 3.0, index


def test_every_plate_shows_white_rice_and_coloured_food() -> None:
    for index in range(COUNT):
        picture = plate(index).astype(int)
        high, low = picture.max(axis=2), picture.min(axis=2)
        assert ((low > 170) & (high - low < 50)).mean() > 0.01, index
        assert (high - low > 90).mean() > 0.01, index


def test_a_small_picture_looks_like_the_large_one_scaled_down() -> None:
    scaled = cv2.resize(plate(1, 512), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(scaled.ravel(), plate(1).ravel())[0, 1] > 0.99
