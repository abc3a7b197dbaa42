"""Read a user's picture file as RGB, whatever its kind; files are untrusted."""

import hashlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from io import BufferedReader, BytesIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from latenthash.data.colours import loaded_bits, rgb, rgb_profile, stored_bits
from latenthash.system.files import LARGEST, Unusable, open_regular
from latenthash.system.paths import path_text

Pixels: TypeAlias = NDArray[np.uint8]  # (H, W, 3) RGB
Unreadable: TypeAlias = Literal["refuse", "skip"]

READING = "reading 3"  # changed whenever files give other pixels, of which caches know nothing
MIN_SIDE = 8  # px; below this there is no content to hash
DRAWINGS = ("EPS", "WMF")  # Pillow hands these to other programs
ALLOW = "raise max_pixels to allow it: data.reader.max_pixels in training, else reader.max_pixels"
PIXEL_BYTES = 8  # four channels of 16 bits, not compressed
SLACK = 2**26  # bytes of a file beside its pixels: previews, profiles, EXIF data
UPRIGHT = {  # what undoes each EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
NO_PICTURE = "is not a picture that can be read"
HEIC = (b"ftyphe", b"ftypmif1", b"ftypmsf1")  # from the fifth byte on
TIFF = (b"II*\0", b"MM\0*")
# Pillow's limit and Python's warnings belong to the whole process: one thread decodes at a time.
_DECODING = Lock()
if hasattr(os, "register_at_fork"):  # a child that is forked meanwhile would wait for ever
    os.register_at_fork(
        before=_DECODING.acquire,
        after_in_parent=_DECODING.release,
        after_in_child=_DECODING.release,
    )


@dataclass(frozen=True)
class Picture:
    """An original picture, before any edit.

    Attributes:
        name: how tables and figures call it, which may be shared: its path within the folder
            that was given, its own name, or `embedded:<set>/<name>`.
        pixels: (H, W, 3).
        digest: sha256 hex of the file's bytes (of the pixels when it has no file).
        remarks: what of the file was left out or looked odd.
    """

    name: str
    pixels: Pixels
    digest: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Original:
    """A picture at its full size, with what a copy of its file keeps.

    Attributes:
        picture: what it shows: sRGB, upright.
        stored: (H, W, 3) RGB as its colour profile means it, upright; `picture.pixels` themselves
            where there is no profile, or the file holds other than 8 bits of grey or RGB.
        profile: the ICC profile that `stored` is meant by; None is sRGB.
        exif: EXIF data of an upright picture; None where there are none, or they are damaged.
    """

    picture: Picture
    stored: Pixels
    profile: bytes | None
    exif: bytes | None


@dataclass(frozen=True)
class Reader:
    """How picture files become RGB arrays.

    Attributes:
        working_size: px; a longer side is reduced to this once, so that edits cost the same
            for every camera.
        max_pixels: width x height above which a file is refused before it is decoded.
        background: RGB 0..255 behind transparent pixels.
        unreadable: whether files of a folder that cannot be read are refused, or left out.
    """

    working_size: int
    max_pixels: int
    background: tuple[int, int, int]
    unreadable: Unreadable = field(default="refuse", repr=False)  # changes no picture

    def read(self, path: Path) -> Picture:
        """Decode one file.

        Raises:
            Unusable: why the file cannot be used, without its name.
        """
        return self._read(_BoundedReads(self._opened(path).detach()), path_text(Path(path.name)))

    def load(self, path: Path) -> bytes:
        """Read the bytes of one file, for `read_bytes` to decode elsewhere.

        Raises:
            Unusable: why the file cannot be used, without its name.
        """
        with self._opened(path) as file:
            try:
                return file.read(self._most_bytes)
            except OSError as error:
                raise Unusable(f"cannot be read ({error.strerror})") from error

    def read_bytes(self, data: bytes) -> Picture:
        """Decode the bytes of a file.

        Raises:
            Unusable: why they cannot be used, without a name.
        """
        if not data:
            raise Unusable("is empty (0 bytes)")
        if len(data) > self._most_bytes:
            raise Unusable(
                f"has {len(data):,} bytes, over the limit of {self._most_bytes:,} ({ALLOW})"
            )
        # BytesIO has all that a raw file has.
        return self._read(_BoundedReads(BytesIO(data)), "")

    def original(self, path: Path) -> Original:
        """Decode one file at its full size, whatever the working size.

        Raises:
            Unusable: why the file cannot be used, without its name.
        """
        _register_heif()
        full, remarks = replace(self, working_size=self.max_pixels), list[str]()
        opened = open_regular(path, self._most_bytes, f" ({ALLOW})").detach()
        with _BoundedReads(opened) as file, self._refusing_damage(file, remarks):
            image, bits = self._decode(file)
            pixels = full._pixels(image, bits, file, remarks)
            stored, profile = pixels, rgb_profile(image)
            if bits != 8 or image.mode not in ("L", "RGB") or image.has_transparency_data:
                profile = None
            if profile is not None:
                plain, orientation = image.convert("RGB"), _orientation(image, [])
                if orientation in UPRIGHT:
                    plain = plain.transpose(UPRIGHT[orientation])
                stored = np.asarray(plain)
            exif = _upright_exif(image)
            remarks += _not_copied(image, bits)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        picture = Picture(path_text(Path(path.name)), pixels, digest, _once(remarks))
        return Original(picture, stored, profile, exif)

    def take(self, image: Image.Image) -> Picture:
        """Take a picture that Pillow has opened.

        One that is not loaded yet is read as its file would be. Of one that is, or has no file,
        the pixels are taken, with the profile and the orientation that it names.

        Raises:
            Unusable: why it cannot be used, without a name.
        """
        file = getattr(image, "fp", None)
        if file is not None and getattr(image, "tile", None) and not image.tell():
            try:
                with _DECODING:  # of a picture that threads share
                    place = file.tell()
                    file.seek(0)
                    data = file.read(self._most_bytes + 1)
                    file.seek(place)
            except (OSError, ValueError) as error:  # such as a file that was closed
                raise Unusable(f"cannot be read ({error})") from error
            return self.read_bytes(data)
        remarks: list[str] = []
        file = BytesIO()
        with self._refusing_damage(file, remarks):
            self._check_size(image)
            image.load()
            pixels = self._pixels(image, loaded_bits(image), file, remarks)
        return Picture("", pixels, hashlib.sha256(pixels.tobytes()).hexdigest(), _once(remarks))

    def _opened(self, path: Path) -> BufferedReader:
        return open_regular(path, self._most_bytes, f" ({ALLOW})")

    @property
    def _most_bytes(self) -> int:
        """The bytes that a file may have."""
        return min(LARGEST, PIXEL_BYTES * self.max_pixels + SLACK)

    def _read(self, opened: "_BoundedReads", name: str) -> Picture:
        """Decode an open file, and close it."""
        _register_heif()
        remarks: list[str] = []
        with opened as file, self._refusing_damage(file, remarks):
            image, bits = self._decode(file)
            pixels = self._pixels(image, bits, file, remarks)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Picture(name, pixels, digest, _once(remarks))

    def _decode(self, file: BufferedReader) -> tuple[Image.Image, int]:
        """Load a picture if it may be; say how many bits a channel has in the file."""
        image = Image.open(file)  # no pixels yet
        self._check_size(image)
        if image.format in DRAWINGS:
            raise Unusable("is a drawing, not pixels; save it as PNG")
        bits = stored_bits(image)
        image.load()
        return image, bits

    def _check_size(self, image: Image.Image) -> None:
        """Refuse a picture with too many pixels, or hardly any."""
        width, height = image.size
        if width * height > self.max_pixels:
            raise Unusable(
                f"has {width} x {height} pixels, over the limit of {self.max_pixels:,} ({ALLOW})"
            )
        if min(width, height) < MIN_SIDE:
            raise Unusable(f"is {width} x {height} px; both sides must be at least {MIN_SIDE} px")

    def _pixels(self, image: Image.Image, bits: int, file: BinaryIO, remarks: list[str]) -> Pixels:
        """Turn a loaded picture into RGB, upright and no larger than is needed."""
        orientation = _orientation(image, remarks)
        image = rgb(image, bits, file, self.background, remarks)
        if orientation in UPRIGHT:
            image = image.transpose(UPRIGHT[orientation])
        image.thumbnail((self.working_size, self.working_size), Image.Resampling.LANCZOS)
        if min(image.size) < MIN_SIDE:
            raise Unusable(
                f"is too narrow: reduced to {self.working_size} px it has {image.width} x "
                f"{image.height}; both sides must be at least {MIN_SIDE} px"
            )
        return np.asarray(image)

    @contextmanager
    def _refusing_damage(self, file: BinaryIO, remarks: list[str]) -> Iterator[None]:
        """Set Pillow's pixel limit; turn what it raises into why a file cannot be used."""
        _DECODING.acquire()
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, self.max_pixels
        try:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always", UserWarning)
                # Pillow refuses twice the limit and warns of less, which is refused above.
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                yield
            remarks += [str(warning.message).strip() for warning in warned]
        except Unusable:
            raise
        except UnidentifiedImageError as error:
            raise Unusable(_unread(file)) from error
        except Image.DecompressionBombError as error:
            raise Unusable(f"is over the limit of {self.max_pixels:,} pixels ({ALLOW})") from error
        except Exception as error:  # decoders answer damaged data with almost any of them
            raise Unusable(f"is truncated or damaged ({error})") from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit
            _DECODING.release()


class _BoundedReads(BufferedReader):
    """A file of at most a million reads: decoders read damaged data byte by byte."""

    reads_left = 10**6

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise Unusable("is truncated or damaged (its parts are too many)")
        return super().read(size)


def _orientation(image: Image.Image, remarks: list[str]) -> object:
    # ImageOps.exif_transpose also writes the EXIF data anew, and fails where a part is damaged.
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception as error:
        remarks.append(f"EXIF data that are damaged were left out: {error}")
        return None


def _upright_exif(image: Image.Image) -> bytes | None:
    """Return the EXIF data of a picture that was turned upright; None where there are none."""
    try:
        exif = image.getexif()
        if not exif:
            return None
        exif[ExifTags.Base.Orientation] = 1
        return exif.tobytes()
    except Exception:  # damaged parts raise almost anything, and reading has remarked on them
        return None


def _not_copied(image: Image.Image, bits: int) -> list[str]:
    """Say what a picture of 8 bits and three channels lacks of a file."""
    remarks = []
    if bits > 8:
        remarks.append(f"{bits} bits a channel were reduced to 8")
    if image.has_transparency_data:
        remarks.append("transparency was left out, and the background is seen behind it")
    with suppress(Exception):  # what follows the first frame may be damaged
        if getattr(image, "is_animated", False):
            remarks.append("frames or pages after the first were left out")
    return remarks


def _once(remarks: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(remarks))


def _unread(file: BinaryIO) -> str:
    """Say what a file that Pillow does not know may be."""
    file.seek(0)
    head = file.read(16)
    if head[4:].startswith(HEIC) and not _register_heif():
        return f"{NO_PICTURE} (HEIC needs: pip install 'latenthash[heif]')"
    if head[4:].startswith(b"ftypavi") and find_spec("PIL._avif") is None:
        return f"{NO_PICTURE} (AVIF needs Pillow 11.3 or newer, built with it)"
    if head.startswith(TIFF):
        return f"{NO_PICTURE} (a damaged TIFF, or of a rare kind: save it as PNG)"
    return NO_PICTURE


@cache  # one a process
def _register_heif() -> bool:
    """Let Pillow read HEIC where the extra is installed; say whether it is."""
    if find_spec("pi_heif") is None:
        return False
    from pi_heif import register_heif_opener

    register_heif_opener()
    return True


def quarter(picture: Picture, corner: int) -> Picture:
    """Cut out one of the four quarters, 0 to 3 by rows, which share no pixel."""
    return Picture(
        f"{picture.name} [{corner}]",
        cut(picture.pixels, corner),
        f"{picture.digest}/quarter {corner}",
    )


def cut(pixels: Pixels, corner: int) -> Pixels:
    """Cut out one of the four quarters of (H, W, 3) pixels: (H/2, W/2, 3), a copy."""
    y, x = (side // 2 for side in pixels.shape[:2])
    row, column = divmod(corner, 2)
    half = pixels[y:] if row else pixels[:y]
    return np.ascontiguousarray(half[:, x:] if column else half[:, :x])
