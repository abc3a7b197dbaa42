"""The tiled carrier: a word goes in, and comes out of edited copies."""

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, camera, cat

from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.codec import Reading, decode, known, to_word
from latenthash.watermark.similarity import psnr, ssim
from latenthash.watermark.tiled import Tiled

IDENTITY, OTHER = b"identity", b"somebody"
CARRIER: Carrier = Tiled("of the tests", psnr=40.5, ssim=0.97)


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    how = cv2.INTER_AREA if width < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), np.uint8)


def marked(pixels: Pixels) -> Pixels:
    return CARRIER.embed(pixels, to_word(IDENTITY))


def read(pixels: Pixels) -> Reading:
    return decode(CARRIER.read(np.ascontiguousarray(pixels)))


def turned(pixels: Pixels, degrees: float, scale: float = 1.0) -> Pixels:
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height)), np.uint8)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def seen_aslant(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array([[6, 4], [-9, 3], [-4, -8], [7, -5]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    return np.asarray(cv2.warpPerspective(pixels, matrix, (width, height)), np.uint8)


PICTURE = astronaut()
MARKED = marked(PICTURE)
EDITS: dict[str, Callable[[Pixels], Pixels]] = {
    "shifted": lambda p: np.roll(p, (13, -29), (0, 1)),
    "jpeg 50": lambda p: jpeg(p, 50),
    "half size": lambda p: resized(p, 256, 256),
    "twice the size": lambda p: resized(p, 1024, 1024),
    "cropped": lambda p: p[31:-40, 22:-57],
    "turned by 7 degrees": lambda p: turned(p, 7),
    "turned and smaller": lambda p: turned(p, -30, 0.8),
    "quarter turn": lambda p: np.rot90(p),
    "half turn": lambda p: p[::-1, ::-1],
    "mirrored": lambda p: p[:, ::-1],
    "inverted": lambda p: 255 - p,
    "squeezed": lambda p: resized(p[40:-40, 30:-30], 360, 512),
    "seen aslant": seen_aslant,
    "in grey": lambda p: np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, 2),
}


@pytest.mark.parametrize("edit", EDITS)
def test_id_survives(edit: str) -> None:
    assert read(EDITS[edit](MARKED)).identity == IDENTITY


@pytest.mark.parametrize("size", [(512, 512), (333, 241), (200, 163), (900, 301), (1601, 1203)])
def test_pictures_of_any_size_bear_a_mark_of_the_strength_asked_for(size: tuple[int, int]) -> None:
    pixels = resized(cat(), *size)
    result = marked(pixels)
    assert result.shape == pixels.shape
    assert psnr(pixels, result) > 40.3
    assert ssim(pixels, result) >= 0.97
    assert read(result).identity == IDENTITY


def test_psnr_is_met_where_ssim_allows_it() -> None:
    weak = Tiled("of the tests", psnr=43.0, ssim=0.9).embed(PICTURE, to_word(IDENTITY))
    assert psnr(PICTURE, weak) == pytest.approx(43.0, abs=0.2)


def test_ssim_is_met_where_the_picture_is_smooth() -> None:
    smooth = np.asarray(cv2.GaussianBlur(PICTURE, (0, 0), 6), np.uint8)
    strict = Tiled("of the tests", psnr=38.0, ssim=0.985)
    result = strict.embed(smooth, to_word(IDENTITY))
    assert ssim(smooth, result) >= 0.985
    assert psnr(smooth, result) > 38.5


def test_grey_pictures_stay_grey() -> None:
    grey = np.repeat(camera()[..., None], 3, 2)
    result = marked(grey)
    assert (result == result[..., :1]).all()
    assert read(result).identity == IDENTITY


def test_original_stays_as_it_is() -> None:
    pixels = PICTURE.copy()
    pixels.flags.writeable = False
    marked(pixels)


@pytest.mark.parametrize("pixels", [PICTURE, np.zeros((300, 200, 3), np.uint8)])
def test_pictures_without_a_mark_have_no_id(pixels: Pixels) -> None:
    reading = read(pixels)
    assert reading.identity is None
    assert known(reading.attempts, [IDENTITY])[0] < 5


def test_one_colour_bears_a_mark() -> None:
    flat = np.full((400, 400, 3), 128, np.uint8)
    result = marked(flat)
    assert psnr(flat, result) > 40.3
    assert read(result).identity == IDENTITY


def test_another_key_reads_nothing() -> None:
    assert decode(Tiled("another", 40.5, 0.97).read(MARKED)).identity is None


def test_marks_of_two_keys_live_side_by_side() -> None:
    other = Tiled("another", 40.5, 0.97)
    both = other.embed(MARKED, to_word(OTHER))
    assert read(both).identity == IDENTITY
    assert decode(other.read(both)).identity == OTHER


@pytest.mark.parametrize("size", [(100, 100), (159, 160), (2000, 40), (8, 8)])
def test_small_pictures_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=f"{size[0]} x {size[1]} px is too small .* 160 x 160"):
        marked(resized(PICTURE, *size))


@pytest.mark.parametrize("size", [(8, 8), (9, 500)])
def test_small_pictures_are_read_all_the_same(size: tuple[int, int]) -> None:
    assert read(resized(PICTURE, *size)).identity is None


def test_reading_begins_with_the_picture_as_it_is() -> None:
    assert next(CARRIER.read(MARKED)).level == "as it is"
    assert len(read(MARKED).attempts) == 1


def test_bits_are_read_where_the_pilots_are_gone() -> None:
    spectrum = np.fft.fft2(MARKED.astype(float), axes=(0, 1))
    carriers = CARRIER._pattern.pilots / 128 * 400 / 512  # type: ignore[attr-defined]
    for u, v in np.concatenate([carriers, -carriers]):
        row, column = round(v * 512) % 512, round(u * 512) % 512
        rows, columns = (np.arange(k - 2, k + 3) % 512 for k in (row, column))
        spectrum[np.ix_(rows, columns)] = 0
    without = np.fft.ifft2(spectrum, axes=(0, 1)).real
    reading = read(np.clip(np.rint(without), 0, 255).astype(np.uint8))
    assert reading.identity == IDENTITY
    assert reading.attempt.level == "as it is, without pilots"


def test_geometry_tells_how_the_picture_was_edited() -> None:
    reading = read(turned(MARKED, 20))
    matrix = reading.attempt.geometry.homography[:2, :2]
    assert np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0])) % 180 == pytest.approx(20, abs=0.3)
    assert np.sqrt(np.linalg.det(matrix)) == pytest.approx(512 / 400, rel=0.01)


def test_mark_is_read_where_registration_says() -> None:
    matrix = np.vstack([cv2.getRotationMatrix2D((256, 256), 11, 0.9), [0, 0, 1]])
    view = np.asarray(cv2.warpAffine(MARKED, matrix[:2], (512, 512)), np.uint8)
    centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    homography = centre @ matrix @ np.linalg.inv(centre)
    reading = decode(CARRIER.read_through(view, homography, (512, 512)))
    assert reading.identity == IDENTITY
    assert len(reading.attempts) == 1


@pytest.mark.parametrize("edit", ["jpeg 50", "turned by 7 degrees", "half turn"])
def test_erased_mark_is_gone_and_another_takes_its_place(edit: str) -> None:
    view = np.ascontiguousarray(EDITS[edit](MARKED))
    erased = CARRIER.erase(view, to_word(IDENTITY), read(view).attempt.geometry)
    assert read(erased).identity is None
    again = CARRIER.embed(erased, to_word(OTHER))
    assert read(again).identity == OTHER


def test_erasing_brings_the_picture_nearer_to_the_original() -> None:
    erased = CARRIER.erase(MARKED, to_word(IDENTITY), read(MARKED).attempt.geometry)
    assert psnr(PICTURE, erased) > 46


def test_name_is_of_what_readers_must_know() -> None:
    assert Tiled("a", 40.5, 0.97).name == Tiled("a", 38.0, 0.95).name != Tiled("b", 40.5, 0.97).name
