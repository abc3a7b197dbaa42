"""Marked pictures as files."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from latenthash.data.reading import Reader
from latenthash.watermark.files import WRITTEN, Format, encoded, format_of

READER = Reader(512, 10**6, (255, 255, 255))
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # it holds the time
PIXELS = np.random.default_rng(0).integers(10, 240, (40, 64, 3)).astype(np.uint8)


def exif(orientation: int) -> Image.Exif:
    data = Image.Exif()
    data[ExifTags.Base.Artist] = "somebody"
    data[ExifTags.Base.Orientation] = orientation
    return data


@pytest.mark.parametrize("kind", WRITTEN)
def test_copy_keeps_what_the_file_says_of_itself(kind: Format, tmp_path: Path) -> None:
    path = tmp_path / "original.png"
    Image.fromarray(PIXELS).save(path, exif=exif(6), icc_profile=PROFILE)
    original = READER.original(path)
    assert original.picture.pixels.shape == (64, 40, 3)  # upright
    copy = tmp_path / "copy"
    copy.write_bytes(encoded(original, original.picture.pixels, kind, 90))
    read = READER.original(copy)
    assert read.profile == PROFILE
    with Image.open(copy) as image:
        assert image.format == kind.upper()
        assert image.getexif()[ExifTags.Base.Artist] == "somebody"
        assert image.getexif()[ExifTags.Base.Orientation] == 1
    if kind != "jpeg":
        np.testing.assert_array_equal(read.picture.pixels, np.rot90(PIXELS, 3))


def test_original_has_its_full_size(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.fromarray(np.zeros((20, 900, 3), np.uint8)).save(path)
    assert READER.original(path).picture.pixels.shape == (20, 900, 3)
    assert READER.read(path).pixels.shape[1] == 512


def test_change_is_added_to_what_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "original.tif"
    Image.fromarray(PIXELS).save(path, icc_profile=PROFILE)
    original = READER.original(path)
    marked = original.picture.pixels + np.uint8(3)
    with Image.open(BytesIO(encoded(original, marked, "png", 90))) as image:
        np.testing.assert_array_equal(np.asarray(image), original.stored + 3)


def test_damaged_profile_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "original.png"
    Image.fromarray(PIXELS).save(path, icc_profile=b"no profile")
    assert READER.original(path).profile is None


def deep() -> Image.Image:
    return Image.fromarray(np.arange(40 * 64, dtype=np.uint16).reshape(40, 64) * 25)


@pytest.mark.parametrize(
    ("name", "image", "more", "said"),
    [
        ("a.png", Image.fromarray(PIXELS), {}, None),
        ("a.jpg", Image.fromarray(PIXELS), {}, None),
        ("a.png", deep(), {}, "16 bits a channel"),
        ("a.png", Image.fromarray(PIXELS).convert("RGBA"), {}, "transparency"),
        *(
            (name, Image.fromarray(PIXELS), {
                "save_all": True, "append_images": [Image.fromarray(PIXELS[::-1])]
            }, "frames or pages")
            for name in ("a.tif", "a.gif", "a.webp")
        ),
    ],
)  # fmt: skip
def test_original_tells_what_a_copy_lacks(
    tmp_path: Path, name: str, image: Image.Image, more: dict[str, Any], said: str | None
) -> None:
    image.save(tmp_path / name, **more)
    remarks = READER.original(tmp_path / name).picture.remarks
    assert len(remarks) == (said is not None)
    assert all(said is not None and said in remark for remark in remarks)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.JPG", "jpeg"), ("a.webp", "webp"), ("a.tif", "tiff"), ("a.heic", "png")]
)
def test_format_follows_the_original(name: str, kind: str) -> None:
    assert format_of(Path(name)) == kind
