"""Reduction to the square that networks see: as albumentations did it, and without it."""

import albumentations as A
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from latenthash.data.reduction import reduced, trimmed
from latenthash.data.views import pipeline
from photographs import photo


@pytest.mark.parametrize("size", [8, 33, 64, 100])
def test_square_is_the_one_that_albumentations_makes(size: int) -> None:
    pixels = photo(1).pixels
    expected = A.Resize(size, size, interpolation=cv2.INTER_AREA)(image=pixels)["image"]
    np.testing.assert_array_equal(reduced(pixels, size, trim=False), expected)
    np.testing.assert_array_equal(pipeline([], size)(image=pixels)["image"], expected)


def test_each_number_is_the_mean_of_what_it_covers() -> None:
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    blocks: NDArray[np.float64] = pixels.reshape(2, 2, 2, 3, 3).mean((1, 3))
    np.testing.assert_allclose(reduced(pixels, 2, trim=False), blocks, atol=0.5)


def test_borders_are_cut_off_first() -> None:
    inner = photo(2).pixels
    framed = np.zeros((120, 130, 3), np.uint8)
    framed[20:84, 30:110] = inner
    np.testing.assert_array_equal(trimmed(framed), inner)
    expected = reduced(inner, 24, trim=False)
    np.testing.assert_array_equal(reduced(framed, 24, trim=True), expected)
    np.testing.assert_array_equal(pipeline([], 24, trim=True)(image=framed)["image"], expected)
    assert not np.array_equal(reduced(framed, 24, trim=False), expected)


def test_square_of_that_size_stays_as_it_is() -> None:
    pixels = photo(0).pixels[:40, :40]
    assert reduced(pixels, 40, trim=False) is pixels
