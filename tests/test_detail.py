"""What has detail: pictures, drawings, a line of text; what has none: one colour, however saved."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latenthash.data.detail import has_detail

Pixels = NDArray[np.uint8]

SIZES = [(512, 384), (60, 40), (8, 8), (30, 500)]


def uniform(height: int, width: int) -> Pixels:
    return np.full((height, width, 3), (120, 80, 200), np.uint8)


def noisy(height: int, width: int) -> Pixels:
    """Add up to one level of 256 to one colour."""
    noise = np.random.default_rng(0).integers(-1, 2, (height, width, 3))
    return (uniform(height, width) + noise).astype(np.uint8)


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


def gradient(height: int, width: int) -> Pixels:
    """Go through ten levels of 256."""
    row = np.linspace(120, 130, width).round().astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def line(height: int, width: int) -> Pixels:
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[height // 2] = 0
    return pixels


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


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
