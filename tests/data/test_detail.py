"""What has detail: pictures, drawings, a line of text; what has none: one colour, however saved."""

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from latenthash.data.detail import has_detail
from latenthash.data.reading import Pixels

SIZES = [(512, 384), (60, 40), (8, 8), (30, 500)]


def uniform(height: int, width: int) -> Pixels:
    return np.full((height, width, 3), (120, 80, 200), np.uint8)


def noisy(height: int, width: int) -> Pixels:
    """Add up to one level of 256 to one colour."""
    noise = np.random.default_rng(0).integers(-1, 2, (height, width, 3))
    return (uniform(height, width) + noise).astype(np.uint8)


def sensor(side: int, colour: tuple[int, int, int], sd: float, grey: bool) -> Pixels:
    """Add Gaussian noise to one colour, clipped as a sensor clips it."""
    noise = np.random.default_rng(0).normal(0, sd, (side, side, 1 if grey else 3))
    return (colour + noise).round().clip(0, 255).astype(np.uint8)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def page(height: int, width: int) -> Pixels:
    """Write one line of small text on white."""
    image = Image.new("RGB", (width, height), "white")
    font = ImageFont.load_default(max(6, height // 40))
    ImageDraw.Draw(image).text((width / 2, height / 2), "hello", "black", font, "mm")
    return np.asarray(image)


def gradient(height: int, width: int, top: int = 130) -> Pixels:
    """Go through a few levels of 256, from 120 on."""
    row = np.linspace(120, top, width).round().astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def line(height: int, width: int) -> Pixels:
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[height // 2] = 0
    return pixels


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def points(n: int) -> Pixels:
    pixels = np.zeros((512, 512, 3), np.uint8)
    y, x = np.random.default_rng(0).integers(0, 512, (2, n))
    pixels[y, x] = 255
    return pixels


def drawn(draw: Callable[[ImageDraw.ImageDraw], object]) -> Pixels:
    image = Image.new("RGB", (512, 720), "white")
    draw(ImageDraw.Draw(image))
    return np.asarray(image)


def shaded() -> Pixels:
    """Add noise to shading, which a picture of one wall has."""
    values = gradient(128, 128) + np.random.default_rng(0).normal(0, 3, (128, 128, 3))
    return values.round().astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_detail_is_what_more_than_one_colour_shows(height: int, width: int) -> None:
    one, faint = uniform(height, width), noisy(height, width)
    for plain in (one, faint, jpeg(one, 10), *(jpeg(faint, q) for q in (50, 75, 95))):
        assert not has_detail(plain)
    for draw in (page, gradient, line, noise):
        assert has_detail(draw(height, width)), draw
    colours = uniform(height, width)
    colours[:, width // 2 :] = colours[:, width // 2 :, ::-1]  # as bright, of another colour
    assert has_detail(colours)


FAINT: dict[str, Pixels] = {
    "starfield": points(150),
    **{
        f"pencil circle {width}": drawn(
            lambda d, width=width: d.ellipse((100, 100, 400, 400), outline=(200,) * 3, width=width)
        )
        for width in (1, 2, 4)
    },
    "one letter": drawn(lambda d: d.text((200, 300), "a", "black", ImageFont.load_default(12))),
    "line drawing": drawn(lambda d: d.line((50, 50, 400, 300, 100, 600), "black", 2)),
    **{f"gradient {side}": gradient(side, side, 126) for side in (64, 512)},
    "dark photo": data.astronaut() // 64,
    "pale photo": 220 + data.astronaut() // 32,
    "texture": cv2.cvtColor(data.grass(), cv2.COLOR_GRAY2RGB),
    "shading under noise": shaded(),
}


@pytest.mark.parametrize("name", FAINT)
def test_little_detail_is_detail_also_in_a_jpeg(name: str) -> None:
    assert has_detail(FAINT[name])
    assert has_detail(jpeg(FAINT[name], 50))


# The dark and the bright ones are clipped.
@pytest.mark.parametrize(
    "colour", [(128, 128, 128), (0, 0, 0), (255, 255, 255), (250, 20, 128)], ids=str
)
@pytest.mark.parametrize("side", [64, 512])
def test_noise_of_a_sensor_is_no_detail(side: int, colour: tuple[int, int, int]) -> None:
    for sd, grey in [(0, True), (0.5, False), (1, True), (3, False), (6, True), (12, False)]:
        plain = sensor(side, colour, sd, grey)
        for quality in (None, 30, 75, 90):
            seen = plain if quality is None else jpeg(plain, quality)
            assert not has_detail(seen), (sd, grey, quality)


def test_broken_pixels_are_no_detail() -> None:
    assert not has_detail(points(4))
    assert has_detail(points(8))
