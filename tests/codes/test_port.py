"""What is written down for ports: the program of docs/export.md comes to the pixels of ours."""

import re
from hashlib import sha256
from textwrap import dedent
from types import SimpleNamespace

import numpy as np
import PIL
import pytest
from PIL import Image

from latenthash.codes.port import DRAWN, drawn, examples
from latenthash.data.reading import Reader
from latenthash.data.reduction import inner_box, reduced, trimmed
from project import ROOT

READER_OF_CODE = Reader(512, 10**8, (255, 255, 255))
BLOCK = re.compile(r"(?m)(?:^ {4}.*\n|^\n(?=(?:\n)* {4}))+")


@pytest.fixture(scope="module")
def port() -> SimpleNamespace:
    """Return the functions of the page, which know numpy and nothing of the project."""
    text = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    blocks = [dedent(block) for block in BLOCK.findall(text)]
    names: dict[str, object] = {}
    program = "\n".join(block for block in blocks if "def " in block)
    exec(compile(program, "docs/export.md", "exec"), names)
    return SimpleNamespace(**names)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("side", [192, 224, 64])
def test_views_are_ours_to_the_level(port: SimpleNamespace, side: int) -> None:
    shown = [drawn(*one) for one in DRAWN]
    shown += [noise(*size) for size in ((512, 341), (193, 512), (100, 512), (64, 80), (192, 192))]
    for pixels in shown:
        np.testing.assert_array_equal(port.reduced(pixels, side), reduced(pixels, side, False))


def test_photographs_come_to_our_views(port: SimpleNamespace) -> None:
    shown = examples(READER_OF_CODE)[len(DRAWN) :]
    assert len(shown) > 15
    for one in shown:
        assert one.source["file"].count("/") >= 1
        view = port.reduced(one.pixels, 192)
        assert sha256(view).digest() == sha256(reduced(one.pixels, 192, False)).digest()


@pytest.mark.parametrize("size", [(60, 90), (200, 40), (8, 8)])
@pytest.mark.parametrize("border", [(0, 0, 0, 0), (5, 0, 0, 7), (20, 20, 10, 3), (90, 90, 60, 60)])
def test_borders_are_cut_as_ours_are(
    port: SimpleNamespace, size: tuple[int, int], border: tuple[int, int, int, int]
) -> None:
    top, bottom, left, right = border
    inside = noise(*size)
    pixels = np.pad(inside, ((top, bottom), (left, right), (0, 0)), constant_values=9)
    np.testing.assert_array_equal(port.trimmed(pixels), trimmed(pixels))
    rows, columns = inner_box(pixels)
    np.testing.assert_array_equal(pixels[rows, columns], trimmed(pixels))


def test_picture_of_one_colour_is_not_cut(port: SimpleNamespace) -> None:
    plain = np.full((30, 40, 3), 7, np.uint8)
    assert port.trimmed(plain).shape == trimmed(plain).shape == plain.shape


@pytest.mark.parametrize(
    "size",
    [
        (300, 512),
        (513, 512),
        (600, 900),
        (1024, 1024),
        (1100, 2300),
        (100, 5000),
        (900, 31),
        (3000, 700),
    ],
)
def test_working_size_is_what_pillow_makes(port: SimpleNamespace, size: tuple[int, int]) -> None:
    pixels = noise(*size)
    image = Image.fromarray(pixels)
    image.thumbnail((512, 512), Image.Resampling.LANCZOS)
    ours = READER_OF_CODE.take(Image.fromarray(pixels)).pixels
    np.testing.assert_array_equal(ours, np.asarray(image))
    if size[0] > size[1] and int(PIL.__version__.partition(".")[0]) < 13:
        pytest.skip("this version of Pillow reduces high pictures in another order")
    np.testing.assert_array_equal(port.shrunk(pixels, 512), ours)


def test_drawn_pictures_follow_their_formula() -> None:
    pixels = drawn(70, 90, 3)
    for y, x, c in ((3, 3, 0), (40, 80, 2), (66, 86, 1)):
        assert pixels[y, x, c] == (3 * x + 5 * y + 40 * c + x * y // 64) % 256
    for y, x in ((2, 50), (67, 50), (30, 2), (30, 87)):
        assert pixels[y, x].tolist() == [255] * 3
