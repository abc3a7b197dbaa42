"""Reading a user's picture file as RGB, whatever its kind; files are untrusted."""

import hashlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from latenthash.terminal import escaped

log = logging.getLogger(__name__)

MIN_SIDE = 8  # px; below this there is no content to hash
DEEP_GREY = ("I", "I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes for 16-bit grey
GREY = ("1", "L", "LA")
DRAWINGS = ("EPS", "WMF")  # Pillow hands these to other programs
ALLOW = "raise max_pixels to allow it: data.reader.max_pixels in training, else reader.max_pixels"
UPRIGHT = {  # what undoes each EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Picture:
    """An original picture, before any edit.

    Attributes:
        name: how tables and figures call it, which may be shared: its path within the folder
            that was given, its own name, or `embedded:<set>/<name>`.
        pixels: (H, W, 3) RGB uint8.
        digest: sha256 hex of the file's bytes (of the pixels when it has no file).
    """

    name: str
    pixels: NDArray[np.uint8]
    digest: str


def shown(path: Path) -> str:
    """Give a path as text that any table or figure can hold.

    Bytes that are not UTF-8, line breaks and what steers a terminal are escaped.
    """
    return escaped(os.fsencode(path).decode(errors="backslashreplace"))


@dataclass(frozen=True)
class Reader:
    """How picture files become RGB arrays.

    Attributes:
        working_size: px; a longer side is reduced to this once, so that edits cost the same
            for every camera.
        max_pixels: width x height above which a file is refused before it is decoded.
        background: RGB 0..255 behind transparent pixels.
    """

    working_size: int
    max_pixels: int
    background: tuple[int, int, int]

    def read(self, path: Path) -> Picture:
        """Decode one file.

        Raises:
            ValueError: why the file cannot be used, without its name.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ValueError(f"cannot be opened ({error.strerror})") from error
        image = _rgb(_upright(self._decode(data)), self.background)
        image.thumbnail((self.working_size, self.working_size), Image.Resampling.LANCZOS)
        if min(image.size) < MIN_SIDE:
            raise ValueError(
                f"is too narrow: reduced to {self.working_size} px it has {image.width} x "
                f"{image.height}; both sides must be at least {MIN_SIDE} px"
            )
        return Picture(shown(Path(path.name)), np.asarray(image), hashlib.sha256(data).hexdigest())

    def _decode(self, data: bytes) -> Image.Image:
        if not data:
            raise ValueError("is empty (0 bytes)")
        with _refusing_damage(self.max_pixels):
            image = Image.open(io.BytesIO(data))
        self._check_size(*image.size)
        if image.format in DRAWINGS:
            raise ValueError("is a drawing, not pixels; save it as PNG")
        with _refusing_damage(self.max_pixels):
            image.load()
        return image

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self.max_pixels:
            raise ValueError(
                f"has {width} x {height} pixels, over the limit of {self.max_pixels:,} ({ALLOW})"
            )
        if min(width, height) < MIN_SIDE:
            raise ValueError(f"is {width} x {height} px; both sides must be at least {MIN_SIDE} px")


@contextmanager
def _refusing_damage(max_pixels: int) -> Iterator[None]:
    """Give Pillow the pixel limit, and turn what it raises into why a file cannot be used."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels
    try:
        with warnings.catch_warnings():
            # Pillow refuses twice the limit and warns of less, which `_check_size` refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except UnidentifiedImageError as error:
        raise ValueError("is not a picture that can be read") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"is over the limit of {max_pixels:,} pixels ({ALLOW})") from error
    except Exception as error:  # decoders answer damaged data with almost any of them
        raise ValueError(f"is truncated or damaged ({error})") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _upright(image: Image.Image) -> Image.Image:
    # ImageOps.exif_transpose also writes the EXIF data anew, and fails where a part is damaged.
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception as error:
        log.warning("EXIF data are damaged and were left out: %s", error)
        return image
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _rgb(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode in DEEP_GREY:
        image = _eight_bits(image)
    elif image.mode == "F":
        raise ValueError("holds floating-point values of unknown range; save it as 8 or 16 bits")
    grey, alpha = image.mode in GREY, None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    if image.mode != "CMYK":
        image = image.convert("L" if grey else "RGB")
    if profile:
        image = _to_srgb(image, profile)
    image = image.convert("RGB")
    if alpha is not None:
        # After the profile, which does not apply to the background.
        canvas = Image.new("RGB", image.size, tuple(background))  # a list, from YAML
        canvas.paste(image, mask=alpha)
        return canvas
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    # Pillow's own conversion clips at 255, which turns a 16-bit picture white.
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("holds grey values beyond 16 bits; save it as 8 or 16 bits")
    return Image.fromarray((values / 257).round().astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if image.mode == "L" and source.profile.xcolor_space == "RGB ":
            image = image.convert("RGB")
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        log.warning("A colour profile is damaged or of another kind, and was left out: %s", error)
        return image
    assert converted is not None  # None is returned only for inPlace=True
    return converted
