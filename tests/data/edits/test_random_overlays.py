"""Random edits that draw: what they leave alone, what they cover, and that seeds decide it."""

import albumentations as A
import numpy as np
import pytest

from latenthash.data.edits.random_overlays import Page, Shapes, Writing
from latenthash.data.reading import Pixels

EDITS = [Writing((1, 4), (0.06, 0.35)), Page(), Shapes()]


def picture(height: int = 90, width: int = 120) -> Pixels:
    return np.random.default_rng(0).integers(40, 200, (height, width, 3), dtype=np.uint8)


def edited(edit: A.BasicTransform, seed: int, pixels: Pixels) -> Pixels:
    chain = A.Compose([edit])
    chain.set_random_seed(seed)
    return np.asarray(chain(image=pixels)["image"])


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: type(edit).__name__)
def test_seed_decides(edit: A.BasicTransform) -> None:
    pixels = picture()
    before = pixels.copy()
    outputs = [edited(edit, seed, pixels) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert outputs[0].shape != outputs[2].shape or (outputs[0] != outputs[2]).any()
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: type(edit).__name__)
@pytest.mark.parametrize("size", [(8, 8), (8, 200), (200, 8)])
def test_any_size_can_be_edited(edit: A.BasicTransform, size: tuple[int, int]) -> None:
    for seed in range(20):
        out = edited(edit, seed, picture(*size))
        assert out.dtype == np.uint8 and out.shape[2] == 3
        grows = isinstance(edit, Page)
        assert out.shape[0] >= size[0] if grows else out.shape[:2] == size


def covered(edit: A.BasicTransform) -> float:
    """The mean share of a grey picture that is drawn upon."""
    grey = np.full((90, 120, 3), 128, np.uint8)
    return float(np.mean([(edited(edit, seed, grey) != 128).mean() for seed in range(40)]))


def test_more_and_larger_lines_cover_more() -> None:
    small, large = covered(Writing((1, 1), (0.06, 0.08))), covered(Writing((3, 4), (0.25, 0.3)))
    assert 0 < small < 0.1 < large


def test_the_picture_lies_whole_on_its_page() -> None:
    pixels = picture(30, 40)
    for seed in range(10):
        page = edited(Page(), seed, pixels)
        assert page.shape[0] > 30 and page.shape[1] >= 40
        windows = np.lib.stride_tricks.sliding_window_view(page, (30, 40, 3))[:, :, 0]
        assert (windows == pixels).all((2, 3, 4)).sum() == 1


def test_shapes_cover_some_and_leave_some() -> None:
    assert 0.05 < covered(Shapes()) < 0.6
