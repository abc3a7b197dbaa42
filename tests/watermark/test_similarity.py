"""PSNR and SSIM against scikit-image's."""

from math import inf

import numpy as np
import pytest
from skimage.data import astronaut
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from latenthash.watermark.similarity import psnr, ssim


@pytest.mark.parametrize("shape", [(512, 512), (519, 40), (7, 9), (300, 511)])
def test_figures_are_those_of_scikit_image(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    original = np.resize(astronaut(), (*shape, 3))
    for spread in (1, 5, 60):
        noisy = np.clip(original + rng.normal(0, spread, original.shape), 0, 255).astype(np.uint8)
        expected = structural_similarity(original, noisy, channel_axis=2)
        assert ssim(original, noisy) == pytest.approx(expected, abs=2e-4)
        expected = peak_signal_noise_ratio(original, noisy)
        assert psnr(original, noisy) == pytest.approx(expected)


def test_bright_flat_picture_loses_nothing_to_rounding() -> None:
    white = np.full((50, 50, 3), 250, np.uint8)
    noisy = white + np.random.default_rng(0).integers(0, 3, white.shape).astype(np.uint8)
    expected = structural_similarity(white, noisy, channel_axis=2)
    assert ssim(white, noisy) == pytest.approx(expected, abs=1e-3)


def test_picture_is_like_itself() -> None:
    assert psnr(astronaut(), astronaut()) == inf
    assert ssim(astronaut(), astronaut()) == pytest.approx(1)


def test_strips_of_a_large_picture_stand_for_all() -> None:
    rng = np.random.default_rng(0)
    large = np.tile(astronaut(), (5, 5, 1))
    noisy = np.clip(large + rng.normal(0, 6, large.shape), 0, 255).astype(np.uint8)
    assert ssim(large, noisy) == pytest.approx(ssim(large[:512], noisy[:512]), abs=5e-3)
