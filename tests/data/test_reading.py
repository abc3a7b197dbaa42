"""Reading picture files: every kind becomes the RGB it stands for, every bad one is refused."""

import base64
import hashlib
import io
import os
import re
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from latenthash.data import reading
from latenthash.data.reading import Pixels, Reader
from latenthash.system.files import Unusable

WIDTH, HEIGHT = 48, 32
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
D50 = (0.9642, 1.0, 0.8249)  # white point of the space that profiles connect to
SRGB = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


# Pictures


def plain(*colour: int, dtype: type = np.uint8) -> NDArray[Any]:
    """Return a picture of one colour; one value gives a grey picture without channel axis."""
    values: NDArray[Any] = np.full((HEIGHT, WIDTH, len(colour)), colour, dtype)
    return values[..., 0] if len(colour) == 1 else values


def corners() -> Pixels:
    """Return a grey picture with a block of another colour in three corners."""
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    pixels[:8, :8], pixels[:8, -8:], pixels[-8:, :8] = RED, GREEN, BLUE
    return pixels


def textured(seed: int = 0) -> Pixels:
    """Return a smooth random picture."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)


def encoded(pixels: Pixels, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def assert_all(pixels: Pixels, *colour: int, within: int = 0) -> None:
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels.astype(int), np.broadcast_to(colour, pixels.shape), 0, within)


def refusal(reader: Reader, path: Path) -> str:
    with pytest.raises(Unusable) as caught:
        reader.read(path)
    return str(caught.value)


# Colour profiles and EXIF data, built by hand


def profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ") -> bytes:
    """Build an ICC profile of version 2."""
    place, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, place + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(
        ">I4xI4s4s4s12x4s", place + len(body), 0x02100000, kind, space, connection, b"acsp"
    )
    head = head.ljust(68, b"\0") + _xyz(*D50)[8:]
    return head.ljust(128, b"\0") + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _linear() -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">I", 0)


def linear_rgb() -> bytes:
    """Build the profile of sRGB's primaries without its curve."""
    columns = {
        name: _xyz(*xyz) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), SRGB, strict=True)
    }
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _linear())
    return profile(b"RGB ", {b"wtpt": _xyz(*D50), **columns, **curves})


def linear_grey() -> bytes:
    return profile(b"GRAY", {b"wtpt": _xyz(*D50), b"kTRC": _linear()})


def cyan_is_grey() -> bytes:
    """Build a CMYK profile in which full cyan looks mid grey, all else white."""
    tables = bytes(range(256))
    grid = np.full((2, 2, 2, 2, 3), (255, 128, 128), np.uint8)  # Lab 100 0 0
    grid[1, 0, 0, 0] = (128, 128, 128)  # Lab 50.2 0 0
    identity = (1, 0, 0, 0, 1, 0, 0, 0, 1)
    lut = struct.pack(">4s4xBBBx9i", b"mft1", 4, 3, 2, *(value << 16 for value in identity))
    lut += 4 * tables + grid.tobytes() + 3 * tables
    return profile(b"CMYK", {b"wtpt": _xyz(*D50), b"A2B0": lut}, b"Lab ")


def srgb(linear: float) -> int:
    """Encode linear light in [0, 1] as sRGB, 0..255."""
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * value)


def exif(*entries: bytes) -> bytes:
    head = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, len(entries))
    return head + b"".join(entries) + bytes(4)


def turned(orientation: int) -> bytes:
    return struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)


# How the file of an upright picture is stored, from the EXIF standard: which side of the
# picture the first row and the first column are.
STORED = {
    1: lambda upright: upright,  # top, left
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.transpose(1, 0, 2),  # left, top
    6: lambda upright: upright[:, ::-1].transpose(1, 0, 2),  # right, top
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),  # right, bottom
    8: lambda upright: upright[::-1].transpose(1, 0, 2),  # left, bottom
}


@pytest.mark.parametrize("orientation", STORED)
def test_every_exif_orientation_is_turned_upright(
    orientation: int, reader: Reader, tmp_path: Path
) -> None:
    stored = np.ascontiguousarray(STORED[orientation](corners()))
    path = tmp_path / "a.png"
    path.write_bytes(encoded(stored, "PNG", exif=exif(turned(orientation))))
    np.testing.assert_array_equal(reader.read(path).pixels, corners())


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 95, "subsampling": 0}), ("WEBP", {"lossless": True}), ("TIFF", {})],
)
def test_orientation_is_applied_once_in_every_format(
    kind: str, options: dict[str, Any], reader: Reader, tmp_path: Path
) -> None:
    data = Image.Exif()
    data[0x0112] = 6
    path = tmp_path / "a"
    path.write_bytes(
        encoded(np.ascontiguousarray(STORED[6](corners())), kind, exif=data, **options)
    )
    pixels = reader.read(path).pixels.astype(int)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(pixels[3, 3], RED, atol=6)
    np.testing.assert_allclose(pixels[3, -4], GREEN, atol=6)
    np.testing.assert_allclose(pixels[-4, 3], BLUE, atol=6)
    np.testing.assert_allclose(pixels[-4, -4], 128, atol=6)


def test_exif_with_one_damaged_entry_still_turns_the_picture(
    reader: Reader, tmp_path: Path
) -> None:
    resolution_as_text = struct.pack(">HHI4s", 0x011A, 2, 3, b"72\0\0")
    path = tmp_path / "a.png"
    data = exif(turned(8), resolution_as_text)
    path.write_bytes(encoded(np.ascontiguousarray(STORED[8](corners())), "PNG", exif=data))
    np.testing.assert_array_equal(reader.read(path).pixels, corners())


def test_damaged_exif_is_left_out(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(corners(), "PNG", exif=b"Exif\0\0no TIFF header at all"))
    picture = reader.read(path)
    np.testing.assert_array_equal(picture.pixels, corners())
    (remark,) = picture.remarks
    assert "EXIF" in remark


# Kinds of pictures


def test_rgb_png_is_read_exactly(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(textured(), "PNG"))
    picture = reader.read(path)
    np.testing.assert_array_equal(picture.pixels, textured())
    assert picture.name == "a.png"
    assert picture.digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_kind_is_told_from_the_content_not_the_name(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(textured(), "PNG"))
    np.testing.assert_array_equal(reader.read(path).pixels, textured())


def test_grey_becomes_three_equal_channels(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(textured()[..., 0], "PNG"))
    np.testing.assert_array_equal(reader.read(path).pixels, np.stack([textured()[..., 0]] * 3, 2))


def test_jpeg_is_close_to_what_was_written(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(textured(), "JPEG", quality=95, subsampling=0))
    difference = reader.read(path).pixels.astype(int) - textured()
    assert np.abs(difference).max() < 12


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_palette_is_looked_up(kind: str, reader: Reader, tmp_path: Path) -> None:
    indices = np.zeros((HEIGHT, WIDTH), np.uint8)
    indices[:, WIDTH // 2 :] = 1
    image = Image.fromarray(indices, "L").convert("P")
    image.putpalette([10, 20, 30, 200, 150, 100])
    image.save(tmp_path / "a", kind)
    pixels = reader.read(tmp_path / "a").pixels
    assert (pixels[:, : WIDTH // 2] == (10, 20, 30)).all()
    assert (pixels[:, WIDTH // 2 :] == (200, 150, 100)).all()


@pytest.mark.parametrize(
    ("kind", "transparency", "expected"),
    [
        ("PNG", 1, (255, 255, 255)),  # the index is transparent
        ("GIF", 1, (255, 255, 255)),
        ("PNG", bytes([255, 128]), (227, 202, 177)),  # 128/255 of it, 127/255 of white
    ],
)
def test_transparent_palette_entry_shows_the_background(
    kind: str,
    transparency: int | bytes,
    expected: tuple[int, int, int],
    reader: Reader,
    tmp_path: Path,
) -> None:
    indices = np.zeros((HEIGHT, WIDTH), np.uint8)
    indices[:, WIDTH // 2 :] = 1
    image = Image.fromarray(indices, "L").convert("P")
    image.putpalette([10, 20, 30, 200, 150, 100])
    image.save(tmp_path / "a", kind, transparency=transparency)
    pixels = reader.read(tmp_path / "a").pixels
    assert (pixels[:, : WIDTH // 2] == (10, 20, 30)).all()
    assert (pixels[:, WIDTH // 2 :] == expected).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("background", "expected"),
    [
        # 10 x 128/255 + 255 x 127/255 = 132.02, and so on
        ((255, 255, 255), (132, 137, 142)),
        # 5.02 + 0, 10.04 + 63.75, 15.06 + 127
        ((0, 128, 255), (5, 74, 142)),
    ],
)
def test_half_transparent_pixels_mix_with_the_background(
    kind: str, background: tuple[int, int, int], expected: tuple[int, int, int], tmp_path: Path
) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    (tmp_path / "a").write_bytes(encoded(plain(10, 20, 30, 128), kind, **options))
    assert_all(Reader(512, 10**6, background).read(tmp_path / "a").pixels, *expected)


def test_fully_transparent_and_opaque_pixels(tmp_path: Path) -> None:
    pixels = plain(10, 20, 30, 0)
    pixels[:, WIDTH // 2 :, 3] = 255
    (tmp_path / "a.png").write_bytes(encoded(pixels, "PNG"))
    read = Reader(512, 10**6, (1, 2, 3)).read(tmp_path / "a.png").pixels
    assert (read[:, : WIDTH // 2] == (1, 2, 3)).all()
    assert (read[:, WIDTH // 2 :] == (10, 20, 30)).all()


def test_grey_with_alpha_mixes_with_the_background(tmp_path: Path) -> None:
    Image.fromarray(plain(100, 64), "LA").save(tmp_path / "a.png")
    # 100 x 64/255 = 25.10; and 191/255 of the background: 0, 74.90, 191
    read = Reader(512, 10**6, (0, 100, 255)).read(tmp_path / "a.png").pixels
    assert_all(read, 25, 100, 216)


@pytest.mark.parametrize(("pixels", "transparency"), [(plain(77), 77), (plain(9, 8, 7), (9, 8, 7))])
def test_png_colour_declared_transparent_shows_the_background(
    pixels: Pixels, transparency: Any, reader: Reader, tmp_path: Path
) -> None:
    pixels[0, 0] = 1
    (tmp_path / "a.png").write_bytes(encoded(pixels, "PNG", transparency=transparency))
    read = reader.read(tmp_path / "a.png").pixels
    assert (read[0, 0] == 1).all()
    assert (read[1:] == 255).all()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_inks_become_the_colours_they_leave(kind: str, reader: Reader, tmp_path: Path) -> None:
    inks = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    inks[:, :16] = (0, 255, 255, 0)  # magenta and yellow: red
    inks[:, 16:32] = (255, 0, 255, 0)  # cyan and yellow: green
    inks[:, 32:] = (0, 0, 0, 255)  # black
    Image.fromarray(inks, "CMYK").save(tmp_path / "a", kind)
    pixels = reader.read(tmp_path / "a").pixels.astype(int)
    for column, colour in ((4, RED), (24, GREEN), (44, (0, 0, 0))):
        np.testing.assert_allclose(pixels[16, column], colour, atol=4)


# 255 x value / 65535, rounded
DEEP = {0: 0, 0x8000: 128, 0xFFFF: 255, 0x4000: 64, 257 * 77: 77, 200: 1}


def deep_grey() -> NDArray[np.uint16]:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint16)
    for column, value in enumerate(DEEP):
        pixels[:, 8 * column : 8 * column + 8] = value
    return pixels


def write_pgm(path: Path, pixels: NDArray[np.uint16]) -> None:
    path.write_bytes(b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) + pixels.astype(">u2").tobytes())


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda path, x: cv2.imwrite(f"{path}.png", x), id="png"),
        pytest.param(lambda path, x: cv2.imwrite(f"{path}.tif", x), id="tiff_lzw"),
        pytest.param(lambda path, x: tifffile.imwrite(f"{path}.tif", x), id="tiff"),
        pytest.param(
            lambda path, x: tifffile.imwrite(f"{path}.tif", x, byteorder=">"), id="tiff_big_endian"
        ),
        pytest.param(lambda path, x: write_pgm(path, x), id="pgm"),
    ],
)
def test_sixteen_bit_grey_is_scaled_not_clipped(write: Any, reader: Reader, tmp_path: Path) -> None:
    write(tmp_path / "a", deep_grey())
    (path,) = tmp_path.iterdir()
    pixels = reader.read(path).pixels
    for column, value in enumerate(DEEP.values()):
        assert (pixels[:, 8 * column : 8 * column + 8] == value).all(), column


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_sixteen_bit_colour_is_scaled(kind: str, reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    cv2.imwrite(str(path), plain(0x4000, 0xFFFF, 0x8000, dtype=np.uint16))  # BGR
    assert_all(reader.read(path).pixels, 128, 255, 64)


def test_sixteen_bit_big_endian_colour_tiff_is_scaled(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    pixels = plain(0x8000, 0xFFFF, 0x4000, dtype=np.uint16)
    tifffile.imwrite(path, pixels, byteorder=">", photometric="rgb")
    assert_all(reader.read(path).pixels, 128, 255, 64)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_is_black_and_white(kind: str, reader: Reader, tmp_path: Path) -> None:
    bits = np.indices((HEIGHT, WIDTH)).sum(0) % 3 == 0
    Image.fromarray(bits).save(tmp_path / "a", kind)
    expected = np.where(bits, 255, 0)[..., None].repeat(3, 2)
    np.testing.assert_array_equal(reader.read(tmp_path / "a").pixels, expected)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF"])
def test_first_picture_of_several_is_taken(kind: str, reader: Reader, tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in (RED, BLUE))
    first.save(tmp_path / "a", kind, save_all=True, append_images=[second])
    assert_all(reader.read(tmp_path / "a").pixels, *RED)


def test_webp_is_read(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "a.webp").write_bytes(encoded(textured(), "WEBP", lossless=True))
    np.testing.assert_array_equal(reader.read(tmp_path / "a.webp").pixels, textured())


# Colour profiles


def test_rgb_profile_is_converted_to_srgb(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(plain(128, 64, 20), "PNG", icc_profile=linear_rgb()))
    expected = [srgb(value / 255) for value in (128, 64, 20)]
    assert expected == [188, 137, 79]
    assert_all(reader.read(path).pixels, *expected, within=1)


def test_srgb_profile_changes_nothing(reader: Reader, tmp_path: Path) -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (tmp_path / "a.png").write_bytes(encoded(textured(), "PNG", icc_profile=own))
    difference = reader.read(tmp_path / "a.png").pixels.astype(int) - textured()
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("make", [linear_rgb, linear_grey])
@pytest.mark.parametrize("alpha", [False, True])
def test_grey_pictures_follow_grey_and_rgb_profiles(
    make: Any, alpha: bool, reader: Reader, tmp_path: Path
) -> None:
    pixels, mode = (plain(128, 255), "LA") if alpha else (plain(128), "L")
    Image.fromarray(pixels, mode).save(tmp_path / "a.png", icc_profile=make())
    assert_all(reader.read(tmp_path / "a.png").pixels, 188, 188, 188, within=1)


def test_sixteen_bit_grey_follows_its_profile(reader: Reader, tmp_path: Path) -> None:
    image = Image.fromarray(plain(0x8000, dtype=np.uint16))
    image.save(tmp_path / "a.png", icc_profile=linear_grey())
    assert_all(reader.read(tmp_path / "a.png").pixels, 188, 188, 188, within=1)


def test_palette_follows_its_profile(reader: Reader, tmp_path: Path) -> None:
    image = Image.new("P", (WIDTH, HEIGHT), 1)
    image.putpalette([0, 0, 0, 128, 64, 20])
    image.save(tmp_path / "a.png", icc_profile=linear_rgb())
    assert_all(reader.read(tmp_path / "a.png").pixels, 188, 137, 79, within=1)


def test_profile_applies_to_the_picture_but_not_to_the_background(tmp_path: Path) -> None:
    pixels = plain(128, 128, 128, 128)
    pixels[:, : WIDTH // 2, 3] = 0
    path = tmp_path / "a.png"
    path.write_bytes(encoded(pixels, "PNG", icc_profile=linear_rgb()))
    read = Reader(512, 10**6, (10, 100, 200)).read(path).pixels.astype(int)
    assert (read[:, : WIDTH // 2] == (10, 100, 200)).all()
    # 188 x 128/255 = 94.37; and 127/255 of the background: 4.98, 49.80, 99.61
    np.testing.assert_allclose(read[0, -1], (99, 144, 194), atol=1)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_profile_is_converted_to_srgb(kind: str, reader: Reader, tmp_path: Path) -> None:
    inks = plain(255, 0, 0, 0)
    Image.fromarray(inks, "CMYK").save(tmp_path / "a", kind, icc_profile=cyan_is_grey())
    # Lab 50.2 0 0 has the luminance ((50.2 + 16) / 116)^3; without a profile it were 0 255 255.
    grey = srgb(((128 / 255 * 100 + 16) / 116) ** 3)
    assert grey == 119
    assert_all(reader.read(tmp_path / "a").pixels, grey, grey, grey, within=2)


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(b"not a profile", id="text"),
        pytest.param(linear_rgb()[:100], id="cut_head"),
        pytest.param(linear_rgb()[:200], id="cut_table"),
        pytest.param(profile(b"RGB ", {}), id="no_tags"),
        pytest.param(cyan_is_grey(), id="of_another_kind"),
        pytest.param(linear_grey(), id="of_grey_pictures"),
    ],
)
def test_profile_that_cannot_be_used_is_left_out(
    damaged: bytes, reader: Reader, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(textured(), "PNG", icc_profile=damaged))
    picture = reader.read(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.pixels, textured())
    (remark,) = picture.remarks
    assert "profile" in remark


def test_what_pillow_warns_of_is_a_remark_and_no_warning(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    data = encoded(textured(), "TIFF", software="x" * 50)
    where = data.index(struct.pack("<HHI", 305, 2, 51))  # the text's length, beyond the file
    path.write_bytes(data[: where + 4] + struct.pack("<I", 10**6) + data[where + 8 :])
    picture = reader.read(path)
    np.testing.assert_array_equal(picture.pixels, textured())
    assert picture.remarks
    assert len(set(picture.remarks)) == len(picture.remarks)
    assert reader.read(path).remarks == picture.remarks, "not only the first time"


# Refused


def test_file_without_permission_is_refused(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(textured(), "PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert refusal(reader, path) == "cannot be opened (Permission denied)"


def test_text_is_refused(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("Not a picture, whatever its name says.\n" * 20)
    assert refusal(reader, tmp_path / "a.jpg") == "is not a picture that can be read"


# How files begin -> what the refusal advises, where nothing can read them.
BEGINNINGS = {
    b"ftypheic": r"\(HEIC needs: pip install 'latenthash\[heif\]'\)$",
    b"ftypheix": r"latenthash\[heif\]",
    b"ftypmif1": r"latenthash\[heif\]",
    b"ftypavif": "Pillow 11.3",
    b"ftypisom": "is not a picture that can be read$",
    b"ftypqt  ": "is not a picture that can be read$",
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_refusal_names_what_would_read_the_file(
    beginning: bytes, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_register_heif", lambda: False)
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    Image.init()
    monkeypatch.setattr(Image, "ID", [])  # as if Pillow could open nothing
    (tmp_path / "a").write_bytes(struct.pack(">I", 24) + beginning + bytes(40))
    message = refusal(reader, tmp_path / "a")
    assert message.startswith("is not a picture that can be read")
    assert re.search(BEGINNINGS[beginning], message)


# 48 x 32 px of one colour, from pillow-heif.
HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAA"
    "AAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAABwAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAAB"
    "AABodmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADw"
    "NgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAA"
    "AAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcA"
    "AAADAAAAABAAAAIAAAAAH////wAAAAAv///+AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWB"
    "AgMFhAAAACRtZGF0AAAAGCgBrxOA9SeBP/5ZR//R9nh83O1+efLU8A=="
)


def test_heic_is_read_where_the_extra_is(reader: Reader, tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    (tmp_path / "a.jpg").write_bytes(base64.b64decode(HEIC))
    assert_all(reader.read(tmp_path / "a.jpg").pixels, 200, 100, 50, within=2)
    (tmp_path / "a.jpg").write_bytes(base64.b64decode(HEIC)[:300])
    assert "heif" not in refusal(reader, tmp_path / "a.jpg")


def test_drawing_that_another_program_would_have_to_run_is_refused(
    reader: Reader, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(textured(), "EPS"))
    assert refusal(reader, tmp_path / "a.jpg").startswith("is a drawing")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated_file_is_refused(kind: str, kept: float, reader: Reader, tmp_path: Path) -> None:
    data = encoded(textured(), kind)
    (tmp_path / "a").write_bytes(data[: int(len(data) * kept)])
    message = refusal(reader, tmp_path / "a")
    # WebP is told by its length, TIFF by its table at the end.
    assert message.startswith(("is truncated or damaged", "is not a picture that can be read"))
    if kind in ("JPEG", "PNG"):
        assert message.startswith("is truncated or damaged")


@pytest.mark.parametrize("beginning", [b"\xff\xd8\xff", b"GIF89a\x10\0\x10\0\0\0\0"])
def test_file_that_begins_well_and_goes_on_with_junk_is_given_up(
    beginning: bytes, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading._BoundedReads, "reads_left", 1000)
    (tmp_path / "a").write_bytes(beginning)
    os.truncate(tmp_path / "a", 70 * 10**6)
    assert refusal(reader, tmp_path / "a").endswith("(its parts are too many)")


def test_png_with_corrupted_bytes_in_the_middle_is_refused(reader: Reader, tmp_path: Path) -> None:
    data = bytearray(encoded(textured(), "PNG"))
    middle = len(data) // 2
    data[middle : middle + 20] = bytes(20)
    (tmp_path / "a.png").write_bytes(data)
    assert refusal(reader, tmp_path / "a.png").startswith("is truncated or damaged")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"exif": exif(turned(6)), "icc_profile": linear_rgb()}),
        ("PNG", {"exif": exif(turned(6)), "icc_profile": linear_rgb()}),
        ("WEBP", {"exif": exif(turned(6)), "icc_profile": linear_rgb()}),
        ("GIF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("BMP", {}),
        ("PPM", {}),
        ("DDS", {}),
    ],
)
def test_damage_anywhere_is_either_survived_or_refused_in_words(
    kind: str, options: dict[str, Any], reader: Reader, tmp_path: Path
) -> None:
    whole = encoded(textured(), kind, **options)
    rng = np.random.default_rng(0)
    path = tmp_path / "a"
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        for place in rng.integers(len(data) if rng.random() < 0.5 else 300, size=3) % len(data):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        try:
            pixels = reader.read(path).pixels
        except ValueError as error:
            refused += 1
            assert str(error).startswith(("is ", "has ", "holds ")), error
        else:
            assert pixels.ndim == 3
    assert refused


def bomb(width: int, height: int) -> bytes:
    """Build a PNG of which only the head is there."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


@pytest.mark.parametrize("height", [1001, 2000, 2001, 30_000, 2**31 - 1])
def test_too_many_pixels_are_refused_before_decoding(
    height: int, reader: Reader, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(bomb(1000, height) + b"\0\0\0\1IDAT" + bytes(1))
    message = refusal(reader, tmp_path / "a.png")
    assert "over the limit of 1,000,000" in message
    assert "data.reader.max_pixels" in message


def test_limit_itself_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(textured(), "PNG"))
    read = Reader(512, WIDTH * HEIGHT, (0, 0, 0)).read(tmp_path / "a.png")
    assert read.pixels.shape == (HEIGHT, WIDTH, 3)
    message = refusal(Reader(512, WIDTH * HEIGHT - 1, (0, 0, 0)), tmp_path / "a.png")
    assert message.startswith("has 48 x 32 pixels, over the limit of 1,535")


def test_raised_limit_holds_in_place_of_pillows_own(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", WIDTH * HEIGHT // 3)
    (tmp_path / "a.png").write_bytes(encoded(textured(), "PNG"))
    np.testing.assert_array_equal(reader.read(tmp_path / "a.png").pixels, textured())
    (tmp_path / "b.png").write_text("")
    refusal(reader, tmp_path / "b.png")
    assert Image.MAX_IMAGE_PIXELS == WIDTH * HEIGHT // 3


@pytest.mark.parametrize(("height", "width"), [(7, 40), (40, 7), (1, 1)])
def test_picture_below_eight_pixels_is_refused(
    height: int, width: int, reader: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(np.zeros((height, width, 3), np.uint8), "PNG"))
    expected = f"is {width} x {height} px; both sides must be at least 8 px"
    assert refusal(reader, path) == expected


def test_picture_of_eight_pixels_is_read(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(textured()[:8, :8].copy(), "PNG"))
    np.testing.assert_array_equal(reader.read(tmp_path / "a.png").pixels, textured()[:8, :8])


# Size and name


@pytest.mark.parametrize(
    ("shape", "reduced"),
    [((40, 100), (20, 50)), ((100, 40), (50, 20)), ((64, 64), (50, 50)), ((51, 50), (50, 49))],
)
def test_longer_side_is_reduced_to_the_working_size(
    shape: tuple[int, int], reduced: tuple[int, int], tmp_path: Path
) -> None:
    height, width = shape
    ramp = np.linspace(0, 250, width).round().astype(np.uint8)
    pixels = np.broadcast_to(ramp[None, :, None], (height, width, 3)).copy()
    (tmp_path / "a.png").write_bytes(encoded(pixels, "PNG"))
    read = Reader(50, 10**6, (0, 0, 0)).read(tmp_path / "a.png").pixels
    assert read.shape == (*reduced, 3)
    # The same ramp, read at the centres of the larger pixels.
    centres = (np.arange(reduced[1]) + 0.5) * width / reduced[1] - 0.5
    expected = np.interp(centres, np.arange(width), np.linspace(0, 250, width))
    np.testing.assert_allclose(read[reduced[0] // 2, 3:-3, 0], expected[3:-3], atol=2)


@pytest.mark.parametrize("working_size", [WIDTH, WIDTH + 1, 512])
def test_picture_is_never_enlarged(working_size: int, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(textured(), "PNG"))
    read = Reader(working_size, 10**6, (0, 0, 0)).read(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(read, textured())


def test_turned_picture_is_reduced_by_its_longer_side(tmp_path: Path) -> None:
    data = encoded(np.zeros((100, 60, 3), np.uint8), "PNG", exif=exif(turned(6)))
    (tmp_path / "a.png").write_bytes(data)
    assert Reader(50, 10**6, (0, 0, 0)).read(tmp_path / "a.png").pixels.shape == (30, 50, 3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"b\xe4r.png", r"b\xe4r.png"),  # no UTF-8
        (b"\x1b[31mred.png", r"\x1b[31mred.png"),
        (b"two\nlines.png", r"two\nlines.png"),
        ("\u202egnp.exe".encode(), r"\u202egnp.exe"),
        ("Mädchen 寿司.png".encode(), "Mädchen 寿司.png"),
    ],
)
def test_name_is_text_that_steers_nothing(
    name: bytes, expected: str, reader: Reader, tmp_path: Path
) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path / "x").removesuffix(b"x") + name))
    path.write_bytes(encoded(textured(), "PNG"))
    assert reader.read(path).name == expected


def test_picture_too_narrow_after_reduction_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (8, 5000)).save(tmp_path / "thin.png")
    with pytest.raises(ValueError, match="is too narrow"):
        Reader(512, 10**6, (255, 255, 255)).read(tmp_path / "thin.png")


# Bytes, and what Pillow has opened


KINDS: dict[str, bytes] = {
    "png": encoded(textured(), "PNG"),
    "jpeg": encoded(textured(), "JPEG", quality=60),
    "turned": encoded(textured(), "JPEG", exif=b"Exif\0\0" + struct.pack(
        "<2sHIHHHIII", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0
    )),
    "grey of 16 bits": encoded(plain(40_000, dtype=np.uint16), "PNG"),
    "colour key": encoded(plain(*RED), "PNG", transparency=RED),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_picture_is_the_same_from_a_file_its_bytes_and_pillow(
    reader: Reader, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "a").write_bytes(KINDS[kind])
    expected = reader.read(tmp_path / "a")
    found = reader.read_bytes(KINDS[kind])
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert (found.name, found.digest) == ("", expected.digest)
    with Image.open(tmp_path / "a") as image:
        np.testing.assert_array_equal(reader.take(image).pixels, expected.pixels)
        image.load()
        np.testing.assert_array_equal(reader.take(image).pixels, expected.pixels)
        assert image.size in ((WIDTH, HEIGHT), (HEIGHT, WIDTH)), "it is not reduced itself"


def test_turned_picture_is_upright(reader: Reader) -> None:
    assert reader.read_bytes(KINDS["turned"]).pixels.shape == (WIDTH, HEIGHT, 3)


def test_what_pillow_made_is_reduced_as_a_file_is() -> None:
    small, whole = Reader(16, 10**6, (0, 0, 0)), Image.fromarray(textured())
    pixels = small.take(whole).pixels
    assert pixels.shape == (11, 16, 3)
    np.testing.assert_array_equal(pixels, small.read_bytes(KINDS["png"]).pixels)
    assert whole.size == (WIDTH, HEIGHT)
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert not small.take(clear).pixels.any(), "the background is seen"


@pytest.mark.parametrize("limit", [1, 100])
def test_too_many_bytes_or_pixels_are_refused(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SLACK", 0)
    reader = Reader(512, limit, (0, 0, 0))
    with pytest.raises(Unusable, match=f"bytes, over the limit of {8 * limit}"):
        reader.read_bytes(KINDS["png"])
    with pytest.raises(Unusable, match=f"48 x 32 pixels, over the limit of {limit}"):
        reader.take(Image.fromarray(textured()))


def test_threads_that_decode_leave_settings_as_they_were(reader: Reader) -> None:
    before = Image.MAX_IMAGE_PIXELS, warnings.filters[:]
    data = [KINDS["png"], KINDS["jpeg"], b"nothing"] * 20

    def read(one: bytes) -> bool:
        try:
            return reader.read_bytes(one).pixels.any()
        except Unusable:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(read, data)) == 40
    assert (Image.MAX_IMAGE_PIXELS, warnings.filters[:]) == before
