"""Every kind of picture file becomes the RGB values that a viewer shows, or is refused."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from latenthash.data.reading import Reader

READER = Reader(working_size=64, max_pixels=10_000, background=(255, 0, 0))


def read(path: Path) -> np.ndarray:
    return READER.read(path).pixels


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as caught:
        READER.read(path)
    return str(caught.value)


@pytest.fixture
def marked() -> Image.Image:
    """A blue picture, 20 wide and 10 high, whose upper left corner is white."""
    image = Image.new("RGB", (20, 10), (0, 0, 255))
    image.paste((255, 255, 255), (0, 0, 5, 5))
    return image


@pytest.mark.parametrize(
    ("orientation", "corner", "shape"),
    [
        (1, (0, 0), (10, 20)), (2, (0, -1), (10, 20)), (3, (-1, -1), (10, 20)),
        (4, (-1, 0), (10, 20)), (5, (0, 0), (20, 10)), (6, (0, -1), (20, 10)),
        (7, (-1, -1), (20, 10)), (8, (-1, 0), (20, 10)),
    ],
)  # fmt: skip
def test_exif_orientation_is_applied(
    tmp_path: Path, marked: Image.Image, orientation: int,
    corner: tuple[int, int], shape: tuple[int, int],
) -> None:  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    marked.save(tmp_path / "a.png", exif=exif)
    pixels = read(tmp_path / "a.png")
    assert pixels.shape[:2] == shape
    corners = {(y, x): tuple(pixels[y, x]) for y in (0, -1) for x in (0, -1)}
    assert [place for place, colour in corners.items() if colour == (255, 255, 255)] == [corner]


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("LA", (0, 128), (127, 0, 0)),
        ("RGBA", (0, 0, 255, 0), (255, 0, 0)),
        ("RGBA", (0, 0, 255, 51), (204, 0, 51)),
        ("I;16", 0x8000, (128, 128, 128)),
        ("I;16", 0xFFFF, (255, 255, 255)),
        ("I;16", 256, (1, 1, 1)),
    ],
)
def test_modes_become_rgb_over_the_background(
    tmp_path: Path, mode: str, colour: object, expected: tuple[int, int, int]
) -> None:
    Image.new(mode, (16, 12), colour).save(tmp_path / "a.png")  # type: ignore[arg-type]
    pixels = read(tmp_path / "a.png")
    assert pixels.dtype == np.uint8
    assert pixels.shape == (12, 16, 3)
    np.testing.assert_allclose(pixels, np.broadcast_to(expected, pixels.shape), atol=1)


def test_palette_with_a_transparent_entry(tmp_path: Path) -> None:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 255, 0, 0, 0, 255])
    image.paste(0, (0, 0, 8, 16))
    image.save(tmp_path / "opaque.png")
    image.save(tmp_path / "clear.png", transparency=0)
    assert tuple(read(tmp_path / "opaque.png")[0, 0]) == (0, 255, 0)
    assert tuple(read(tmp_path / "clear.png")[0, 0]) == (255, 0, 0)
    assert tuple(read(tmp_path / "clear.png")[0, -1]) == (0, 0, 255)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_colour_is_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), np.full((16, 16, 3), (0, 0x8000, 0xFFFF), np.uint16))  # BGR
    np.testing.assert_allclose(read(path)[0, 0], (255, 128, 0), atol=1)


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bit_grey_tiff_of_either_byte_order(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (16, 16), 0x4000).save(tmp_path / "a.tif")
    assert tuple(read(tmp_path / "a.tif")[0, 0]) == (64, 64, 64)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk(tmp_path: Path, suffix: str) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / f"a.{suffix}")
    red, green, blue = (int(value) for value in read(tmp_path / f"a.{suffix}")[8, 8])
    assert red > 200
    assert max(green, blue) < 60


def test_colour_profile_is_applied(tmp_path: Path) -> None:
    # A profile whose red and blue primaries are those of XYZ: colours look different in sRGB.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
    image = Image.new("RGB", (16, 16), (255, 0, 0))
    image.save(tmp_path / "plain.png", icc_profile=srgb)
    image.save(tmp_path / "swapped.png", icc_profile=swapped)
    image.save(tmp_path / "unfit.png", icc_profile=profile)
    image.save(tmp_path / "damaged.png", icc_profile=b"no profile")
    np.testing.assert_allclose(read(tmp_path / "plain.png")[0, 0], (255, 0, 0), atol=2)
    red, _, blue = (int(value) for value in read(tmp_path / "swapped.png")[0, 0])
    assert blue > 200 > red, "red of the swapped profile is sRGB's blue"
    for name in ("unfit.png", "damaged.png"):
        assert tuple(read(tmp_path / name)[0, 0]) == (255, 0, 0)


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert tuple(read(tmp_path / "a.gif")[0, 0]) == (255, 0, 0)


def test_lossless_webp(tmp_path: Path, marked: Image.Image) -> None:
    marked.save(tmp_path / "a.webp", lossless=True)
    np.testing.assert_array_equal(read(tmp_path / "a.webp"), np.asarray(marked))


@pytest.mark.parametrize(
    ("size", "expected"), [((128, 64), (32, 64)), ((50, 100), (64, 32)), ((40, 30), (30, 40))]
)
def test_longer_side_is_reduced_and_never_enlarged(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png").shape[:2] == expected


def test_digest_is_that_of_the_file(tmp_path: Path, marked: Image.Image) -> None:
    import hashlib

    marked.save(tmp_path / "a.png")
    expected = hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    assert READER.read(tmp_path / "a.png").digest == expected


def test_name_that_is_not_utf8_is_escaped(tmp_path: Path, marked: Image.Image) -> None:
    path = tmp_path / "caf\udce9.png"
    marked.save(path)
    assert READER.read(path).name.endswith("caf\\xe9.png")


def encoded(kind: str) -> bytes:
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    data = encoded(kind)
    (tmp_path / "a").write_bytes(data[: int(share * len(data))])
    assert "damaged" in refusal(tmp_path / "a") or "not a picture" in refusal(tmp_path / "a")


def test_corrupted_png_is_refused(tmp_path: Path) -> None:
    data = bytearray(encoded("PNG"))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    assert "damaged" in refusal(tmp_path / "a.png")


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.jpg").mkdir()
    assert refusal(tmp_path / "text.jpg") == "is not a picture that can be read"
    assert refusal(tmp_path / "empty.png") == "is empty (0 bytes)"
    assert "cannot be opened" in refusal(tmp_path / "folder.jpg")
    assert "cannot be opened" in refusal(tmp_path / "missing.png")


def test_size_limits(tmp_path: Path) -> None:
    Image.new("L", (101, 100)).save(tmp_path / "large.png")
    Image.new("L", (7, 100)).save(tmp_path / "small.png")
    Image.new("L", (100, 100)).save(tmp_path / "fits.png")
    assert "101 x 100 pixels, over the limit of 10,000" in refusal(tmp_path / "large.png")
    assert "is 7 x 100 px" in refusal(tmp_path / "small.png")
    assert read(tmp_path / "fits.png").shape == (64, 64, 3)


def test_limit_holds_before_pixels_are_decoded(tmp_path: Path) -> None:
    # A header that promises 60,000 x 60,000 pixels over a few bytes of data.
    data = bytearray(encoded("PNG"))
    import struct
    import zlib

    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "bomb.png").write_bytes(data)
    assert "over the limit" in refusal(tmp_path / "bomb.png")


def test_floating_point_tiff_is_refused(tmp_path: Path) -> None:
    Image.new("F", (16, 16), 0.5).save(tmp_path / "a.tif")
    assert "floating-point" in refusal(tmp_path / "a.tif")
