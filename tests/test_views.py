"""Views are pure, and edits do what their names say."""

from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image
from torch.utils.data import DataLoader

from latenthash.data.reading import Picture
from latenthash.data.views import Text, Views, pipeline, view_seed

CONF = Path(__file__).parent.parent / "conf"
EDITS = OmegaConf.load(CONF / "augment" / "unseen_edits.yaml")


def augment() -> list[A.BasicTransform]:
    node = OmegaConf.load(CONF / "augment" / "rotate_shift_scale.yaml")
    return list(instantiate(node, _convert_="all").values())


def edit(name: str) -> A.BasicTransform:
    return instantiate(EDITS[name], _convert_="all")


def picture(seed: int = 0, height: int = 48, width: int = 64) -> Picture:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return Picture(str(seed), np.kron(blocks, np.ones((8, 8, 1), np.uint8)), str(seed))


def views(seed: int = 0, split: str = "train", count: int = 6, pictures: int = 2) -> Views:
    edits = pipeline([*augment(), edit("noise")], 32)
    return Views([picture(i) for i in range(pictures)], edits, seed, split, count)


def test_view_depends_on_nothing_but_its_place() -> None:
    forwards = [views()[i] for i in range(6)]
    backwards = views()
    for i in reversed(range(6)):
        np.testing.assert_array_equal(backwards[i], forwards[i])


def test_seed_split_and_index_each_change_a_view() -> None:
    base = views()[0]
    for other in (views(seed=1)[0], views(split="test")[0], views()[2]):
        assert np.abs(base.astype(int) - other).mean() > 5


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more than there are cores
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_views_are_the_same_for_any_number_of_workers(workers: int) -> None:
    alone = [views(count=12)[i] for i in range(12)]
    loader = DataLoader(views(count=12), batch_size=2, num_workers=workers)
    together = np.concatenate([batch.numpy() for batch in loader])
    np.testing.assert_array_equal(together, alone)
    assert len({view.tobytes() for view in together}) == 12


def test_seeds_of_splits_and_indices_are_distinct() -> None:
    splits = ("train", "validation", "calibration", "test", "edits/jpeg_50")
    seeds = {view_seed(s, split, i) for s in (0, 1) for split in splits for i in range(200)}
    assert len(seeds) == 2 * 5 * 200
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_every_picture_gets_a_view_in_turn() -> None:
    few = Views([picture(i) for i in range(5)], pipeline([], 8), 0, "train", 3)
    assert len(few) == 5
    many = Views([picture(i) for i in range(2)], pipeline([], 8), 0, "train", 5)
    for i in range(5):
        np.testing.assert_array_equal(many[i], few[i % 2])
    with pytest.raises(IndexError):
        many[5]


def test_pipeline_without_edits_averages_over_areas() -> None:
    shown = pipeline([], 8)(image=picture(height=64, width=64).pixels)["image"]
    blocks = picture(height=64, width=64).pixels.reshape(8, 8, 8, 8, 3).mean((1, 3))
    np.testing.assert_allclose(shown, blocks, atol=0.51)


def test_rotation_shift_and_scale_stay_within_their_ranges() -> None:
    side = 200
    pixels = np.zeros((side, side, 3), np.uint8)
    marks = ((70, 70), (130, 70))  # x, y of two dots whose images show the whole transform
    for channel, mark in enumerate(marks):
        colour = [0, 0, 0]
        colour[channel] = 255
        cv2.circle(pixels, mark, 4, colour, -1)
    transform = A.Compose(augment())
    found = []
    for seed in range(60):
        transform.set_random_seed(seed)
        shown = transform(image=pixels)["image"].astype(float)
        y, x = np.mgrid[:side, :side]
        dots = [
            complex((shown[..., c] * x).sum(), (shown[..., c] * y).sum()) / shown[..., c].sum()
            for c in (0, 1)
        ]
        turn = (dots[1] - dots[0]) / 60
        centre = complex(99.5, 99.5)
        shift = dots[0] - centre - turn * (complex(70, 70) - centre)
        angle = np.degrees(np.angle(turn))
        found.append((angle, abs(turn), shift.real / side, shift.imag / side))
    low, high = np.min(found, 0), np.max(found, 0)
    assert (low >= [-30.5, 0.79, -0.105, -0.105]).all()
    assert (high <= [30.5, 1.21, 0.105, 0.105]).all()
    # The ranges are used, not only kept.
    assert (low <= [-20, 0.87, -0.06, -0.06]).all()
    assert (high >= [20, 1.13, 0.06, 0.06]).all()


@pytest.mark.parametrize("name", sorted(EDITS))
def test_every_unseen_edit_changes_the_picture_and_keeps_its_shape(name: str) -> None:
    pixels = picture(height=128, width=160).pixels
    before = pixels.copy()
    transform = A.Compose([edit(name)])
    transform.set_random_seed(0)
    shown = transform(image=pixels)["image"]
    assert shown.shape == pixels.shape
    assert shown.dtype == np.uint8
    assert np.abs(shown.astype(int) - pixels).mean() > 0.5
    np.testing.assert_array_equal(pixels, before)


def apply(name: str, pixels: np.ndarray) -> np.ndarray:
    return A.Compose([edit(name)])(image=pixels)["image"]


def test_flip_grey_brightness_contrast_and_gamma_by_hand() -> None:
    pixels = picture().pixels
    np.testing.assert_array_equal(apply("flip", pixels), pixels[:, ::-1])
    grey = pixels @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(apply("grey", pixels), np.stack([grey] * 3, -1), atol=1)
    np.testing.assert_allclose(
        apply("brightness", pixels), (pixels + 0.2 * 255).clip(0, 255), atol=1
    )
    np.testing.assert_allclose(apply("contrast", pixels), (pixels * 1.3).clip(0, 255), atol=1)
    np.testing.assert_allclose(apply("gamma", pixels), 255 * (pixels / 255) ** 1.5, atol=1)


@pytest.mark.parametrize("quality", [50, 20])
def test_jpeg_is_as_coarse_as_pillows_at_the_same_quality(quality: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=quality)
    reference = np.asarray(Image.open(tmp_path / "a.jpg")).astype(int)
    error = np.abs(apply(f"jpeg_{quality}", pixels).astype(int) - pixels).mean()
    assert error == pytest.approx(np.abs(reference - pixels).mean(), rel=0.05)


def test_crop_keeps_seventy_percent_of_the_area() -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    edge = round(200 * (1 - 0.7**0.5) / 2)  # what a centred crop of that area cuts off
    pixels[edge : 200 - edge, edge : 200 - edge] = 255
    assert apply("crop_70", pixels).min() == 255
    pixels[edge : edge + 4] = 0
    assert apply("crop_70", pixels)[0].max() == 0


def test_padding_puts_a_black_tenth_around() -> None:
    shown = apply("padding", np.full((120, 120, 3), 255, np.uint8))
    assert (shown[:9] == 0).all()
    assert (shown[:, :9] == 0).all()
    assert (shown[12:-12, 12:-12] == 255).all()


def test_text_stands_in_the_lower_part() -> None:
    pixels = np.full((200, 300, 3), 100, np.uint8)
    shown = A.Compose([Text("Text", 0.12)])(image=pixels)["image"]
    changed = np.flatnonzero((shown != 100).any((1, 2)))
    assert 140 < changed.min() < changed.max() < 200
    assert {0, 255} <= set(np.unique(shown))
    assert (pixels == 100).all()
