"""Views: what they depend on and what they do not, and what every edit does."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import albumentations as A
import cv2
import numpy as np
import pytest
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image
from scipy import ndimage
from torch.utils.data import DataLoader

from editing import applied, textured
from latenthash.data.reading import Picture, Pixels
from latenthash.data.views import Edit, TrimBorders, Views, pipeline, view_seed
from photographs import photo
from project import CONF

AUGMENT = CONF / "augment"


@cache
def edits(name: str) -> dict[str, Edit]:
    """Build the edits that a file of the config group names."""
    built: dict[str, Edit] = instantiate(OmegaConf.load(AUGMENT / name), _convert_="all")
    return built


UNSEEN = sorted(edits("unseen_edits.yaml"))


def pictures(count: int) -> list[Picture]:
    return [Picture(f"p{i}", textured(i), f"{i:064d}") for i in range(count)]


def moving() -> A.Compose:
    """Return a pipeline that draws from every random state albumentations has."""
    noise = A.GaussNoise(std_range=(0.05, 0.2), p=0.7)
    return pipeline([*edits("rotate_shift_scale.yaml").values(), noise, A.Blur(p=0.5)], 24)


def views(
    seed: int = 0, split: str = "train", count: int = 12, edits: A.Compose | None = None, n: int = 3
) -> Views:
    return Views(pictures(n), edits or moving(), seed, split, count)


# Views


def test_same_arguments_give_the_same_bytes() -> None:
    one, other = views(), views()
    for index in range(len(one)):
        assert one[index].tobytes() == other[index].tobytes()


def test_all_views_differ_between_indices_seeds_and_splits() -> None:
    sets = [views(), views(seed=1), views(split="validation"), views(split="test")]
    seen = {view.tobytes() for s in sets for view in (s[i] for i in range(len(s)))}
    assert len(seen) == 4 * 12


def test_order_of_access_does_not_matter() -> None:
    forwards = [views()[i].tobytes() for i in range(12)]
    backwards = views()
    np.random.default_rng(5).random(9)
    assert [backwards[i].tobytes() for i in reversed(range(12))] == forwards[::-1]
    assert [backwards[i].tobytes() for i in (7, 7, 2, 7)] == [forwards[i] for i in (7, 7, 2, 7)]


@pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:.*fork")
def test_views_do_not_depend_on_the_number_of_workers() -> None:
    alone = np.stack([views()[i] for i in range(12)])
    for workers in (0, 1, 2):
        loader: DataLoader[Any] = DataLoader(views(), batch_size=2, num_workers=workers)
        together = np.concatenate([batch.numpy() for batch in loader])
        np.testing.assert_array_equal(together, alone, f"{workers} workers")
    assert len({view.tobytes() for view in alone}) == 12


def test_view_seeds_fit_32_bits_and_follow_the_run_seed_split_and_index() -> None:
    # First 4 bytes of `printf 0/train/0 | sha256sum`, and so on.
    assert view_seed(0, "train", 0) == 0x58FA7E87
    assert view_seed(3, "edits/grey", 41) == 0xA291DF9C
    seeds = [view_seed(s, split, i) for s in (0, 1) for split in "ab" for i in range(500)]
    assert len(set(seeds)) == 2000
    assert min(seeds) >= 0
    assert 2**31 < max(seeds) < 2**32


@pytest.mark.parametrize(("asked", "given"), [(1, 3), (3, 3), (4, 4), (12, 12)])
def test_count_is_raised_to_the_number_of_pictures(asked: int, given: int) -> None:
    assert len(views(count=asked)) == given


def test_views_end() -> None:
    for index in (12, 13, -1):
        with pytest.raises(IndexError):
            views()[index]


def test_view_i_is_of_picture_i_modulo_their_number() -> None:
    unedited = views(edits=pipeline([], 24), count=8)
    for index in range(8):
        expected = cv2.resize(textured(index % 3), (24, 24), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(unedited[index], expected)


@pytest.mark.parametrize(("height", "width"), [(20, 90), (90, 20), (24, 24), (10, 12)])
def test_views_are_squares_of_rgb_bytes(height: int, width: int) -> None:
    picture = Picture("p", textured(0, height, width), "")
    view = Views([picture], moving(), 0, "train", 1)[0]
    assert view.shape == (24, 24, 3)
    assert view.dtype == np.uint8


def test_reduction_averages_over_what_a_pixel_covers() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 96, 3), dtype=np.uint8)
    reduced = pipeline([], 12)(image=pixels)["image"].astype(int)
    expected = pixels.reshape(12, 4, 12, 8, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(reduced, expected, atol=1)


def test_drawing_views_leaves_the_pictures_as_they_were() -> None:
    for edit in (*edits("unseen_edits.yaml").values(), *edits("rotate_shift_scale.yaml").values()):
        picture = Picture("p", textured(0), "")
        Views([picture], pipeline([edit], 40), 0, "test", 1)[0]
        np.testing.assert_array_equal(picture.pixels, textured(0))


# The enrolment pipeline


def spots(height: int, width: int) -> Pixels:
    """Draw one spot in each channel: at the centre, 16 px to its right, 16 px below it."""
    rows, columns = np.indices((height, width))
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    channels = [
        np.exp(-((rows - middle[0] - down) ** 2 + (columns - middle[1] - right) ** 2) / 18)
        for down, right in ((0, 0), (0, 16), (16, 0))
    ]
    return (255 * np.stack(channels, 2)).round().astype(np.uint8)


def centroids(pixels: Pixels) -> NDArray[np.float64]:
    """Find the spots: x and y of each."""
    return np.array([ndimage.center_of_mass(pixels[..., c])[::-1] for c in range(3)])


def test_views_are_turned_shifted_and_scaled_within_the_stated_ranges() -> None:
    height, width = 121, 161
    start = centroids(spots(height, width))
    np.testing.assert_allclose(start[0], [80, 60], atol=0.01)
    (affine,) = edits("rotate_shift_scale.yaml").values()
    angles, shifts, scales = [], [], []
    for index in range(300):
        affine.set_random_seed(index)
        centre, right, below = centroids(affine(image=spots(height, width))["image"])
        across, down = (right - centre) / 16, (below - centre) / 16
        # Lengths stay equal and angles right: neither shear nor a change of proportions.
        assert np.linalg.norm(across) == pytest.approx(np.linalg.norm(down), abs=0.02)
        assert across @ down == pytest.approx(0, abs=0.02)
        angles.append(np.degrees(np.arctan2(across[1], across[0])))
        scales.append(np.linalg.norm(across))
        shifts.append((centre - start[0]) / (width, height))
    for values, low, high, slack in (
        (np.array(angles), -30, 30, 0.5),
        (np.array(scales), 0.8, 1.2, 0.02),
        (np.array(shifts)[:, 0], -0.1, 0.1, 0.01),
        (np.array(shifts)[:, 1], -0.1, 0.1, 0.01),
    ):
        assert low - slack < values.min() < low + (high - low) / 20
        assert high - (high - low) / 20 < values.max() < high + slack
        # Drawn evenly. Shifts are cut to whole pixels, which takes a little off their spread.
        assert values.mean() == pytest.approx((low + high) / 2, abs=(high - low) / 20)
        assert values.std() == pytest.approx((high - low) / 12**0.5, rel=0.15)
    assert np.abs(np.corrcoef([angles, scales, *np.transpose(shifts)]) - np.eye(4)).max() < 0.2


def test_views_continue_the_border_outside_the_picture() -> None:
    (affine,) = edits("rotate_shift_scale.yaml").values()
    framed = np.full((60, 60, 3), 255, np.uint8)
    framed[5:-5, 5:-5] = (255, 0, 0)
    beyond = 0
    for index in range(20):
        affine.set_random_seed(index)
        view = affine(image=framed)["image"]
        assert (view[..., 0] == 255).all()  # nothing but white, red, and between
        assert (view[20:40, 20:40] == (255, 0, 0)).all()
        beyond += int((view[..., 1] == 255).sum())
    # The frame alone has 1100 px; turned and shrunk pictures leave more.
    assert beyond / 20 > 1200


# The unseen edits


@pytest.mark.parametrize("name", UNSEEN)
def test_every_unseen_edit_changes_the_picture_and_keeps_its_shape(name: str) -> None:
    pixels = textured(1, 60, 80)
    edited = applied(edits("unseen_edits.yaml")[name], pixels)
    assert edited.shape == pixels.shape
    assert edited.dtype == np.uint8
    assert (edited != pixels).mean() > 0.02
    np.testing.assert_array_equal(pixels, textured(1, 60, 80))


def ramp(height: int, width: int) -> Pixels:
    """Draw a picture whose red tells the column, its green the row."""
    rows, columns = np.indices((height, width))
    planes = (columns / (width - 1), rows / (height - 1), np.zeros((height, width)))
    return (255 * np.stack(planes, 2)).round().astype(np.uint8)


@pytest.mark.parametrize("quality", [20, 50])
def test_jpeg_compresses_at_its_quality(quality: int) -> None:
    pixels = textured(2, 64, 96)

    def through_jpeg(value: int) -> NDArray[np.int64]:
        buffer = io.BytesIO()
        # albumentations hands RGB to an encoder that expects BGR.
        Image.fromarray(pixels[..., ::-1].copy()).save(buffer, "JPEG", quality=value)
        return np.asarray(Image.open(buffer), np.int64)[..., ::-1]

    edited = applied(edits("unseen_edits.yaml")[f"jpeg_{quality}"], pixels)
    error = {
        v: np.abs(edited - through_jpeg(v)).mean() for v in (quality - 8, quality, quality + 8)
    }
    assert error[quality] < 0.5
    assert min(error[quality - 8], error[quality + 8]) > 2 * error[quality] + 1


def test_flip_mirrors_left_and_right() -> None:
    pixels = textured(3)
    edited = applied(edits("unseen_edits.yaml")["flip"], pixels)
    np.testing.assert_array_equal(edited, pixels[:, ::-1])


def test_grey_is_the_luma_in_all_channels() -> None:
    pixels = textured(4)
    edited = applied(edits("unseen_edits.yaml")["grey"], pixels)
    luma = pixels @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(edited.astype(int), luma[..., None].repeat(3, 2), atol=1)


def test_crop_keeps_70_percent_of_the_area_about_the_centre() -> None:
    height, width = 300, 400
    edited = applied(edits("unseen_edits.yaml")["crop_70"], ramp(height, width)).astype(int)
    # 0.0817 of each side, in whole pixels.
    for plane, cut, length in ((0, 32, width), (1, 24, height)):
        kept = length - 2 * cut
        source = cut + (np.arange(length) + 0.5) * kept / length - 0.5
        line = edited[height // 2, :, 0] if plane == 0 else edited[:, width // 2, 1]
        expected = 255 * source / (length - 1)
        np.testing.assert_allclose(line[3:-3], expected[3:-3], atol=1.5)
    kept_area = (300 - 2 * 24) * (400 - 2 * 32) / (300 * 400)
    assert kept_area == pytest.approx(0.70, abs=0.01)


def test_padding_adds_a_tenth_of_black_on_each_side() -> None:
    height, width = 100, 200
    pixels = ramp(height, width)
    pixels[..., 2] = 255
    edited = applied(edits("unseen_edits.yaml")["padding"], pixels).astype(int)
    rows = (np.arange(height) + 0.5) * 1.2 - 0.5 - 10
    columns = (np.arange(width) + 0.5) * 1.2 - 0.5 - 20
    inside = ((rows > 1) & (rows < height - 2))[:, None] & ((columns > 1) & (columns < width - 2))
    outside = ((rows < -2) | (rows > height + 1))[:, None] | (columns < -2) | (columns > width + 1)
    assert (edited[outside] == 0).all()
    assert (edited[inside][:, 2] == 255).all()
    expected = np.broadcast_to(255 * columns / (width - 1), (height, width))
    np.testing.assert_allclose(edited[inside][:, 0], expected[inside], atol=2)
    expected = np.broadcast_to(255 * rows[:, None] / (height - 1), (height, width))
    np.testing.assert_allclose(edited[inside][:, 1], expected[inside], atol=3)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("brightness", lambda x: np.clip(x + 0.2 * 255, 0, 255)),
        ("contrast", lambda x: np.clip(1.3 * x, 0, 255)),
        ("gamma", lambda x: 255 * (x / 255) ** 1.5),
    ],
)
def test_tones_follow_their_formula(
    name: str, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> None:
    tones = np.arange(256, dtype=np.uint8).reshape(16, 16)[..., None].repeat(3, 2)
    edited = applied(edits("unseen_edits.yaml")[name], tones)
    np.testing.assert_allclose(edited.astype(int), change(tones.astype(float)), atol=1)


def test_blur_is_a_gaussian_of_4_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    edited = applied(edits("unseen_edits.yaml")["blur"], pixels).astype(int)
    expected = ndimage.gaussian_filter(pixels.astype(float), (4, 4, 0))
    np.testing.assert_allclose(edited[20:-20, 20:-20], expected[20:-20, 20:-20], atol=1.5)


def test_noise_has_a_tenth_of_the_range_as_deviation() -> None:
    grey = np.full((100, 100, 3), 128, np.uint8)
    noise = applied(edits("unseen_edits.yaml")["noise"], grey) - 128.0
    assert noise.mean() == pytest.approx(0, abs=1)
    assert noise.std() == pytest.approx(25.5, rel=0.03)
    assert np.abs(np.corrcoef(noise.reshape(-1, 3).T) - np.eye(3)).max() < 0.05


# Borders


@pytest.mark.parametrize("colour", [0, 255, 40])
def test_uniform_borders_are_cut_and_nothing_else(colour: int) -> None:
    inner = photo(2).pixels
    framed = np.full((120, 130, 3), colour, np.uint8)
    framed[20:84, 30:110] = inner
    np.testing.assert_array_equal(TrimBorders()(image=framed)["image"], inner)
    np.testing.assert_array_equal(TrimBorders()(image=inner)["image"], inner)


def test_picture_that_is_nearly_all_border_stays_as_it_is() -> None:
    framed = np.zeros((120, 130, 3), np.uint8)
    framed[50:60, 50:60] = photo(2).pixels[:10, :10]
    np.testing.assert_array_equal(TrimBorders()(image=framed)["image"], framed)
    blank = np.full((20, 20, 3), 7, np.uint8)
    np.testing.assert_array_equal(TrimBorders()(image=blank)["image"], blank)
