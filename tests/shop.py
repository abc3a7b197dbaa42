"""A registry of three marked photographs that tests of verdicts share, and what they do to them."""

import shutil
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from latenthash import Code, Marks
from latenthash.data.reading import Pixels
from latenthash.data.samples.sets import embedded
from latenthash.watermark.codec import to_word
from latenthash.watermark.conflicts import NEAR_FPR
from latenthash.watermark.marks import KEY, STRONG, USUAL, Marked
from latenthash.watermark.tiled import Tiled
from marks import owner
from photographs import READER
from quick_code import Brightness

STRANGER = bytes.fromhex("0123456789abcdef")  # an id that no registry here knows


@dataclass(frozen=True)
class Shop:
    """Ann's marked photographs.

    Attributes:
        folder: with cat.png, coffee.png and rocket.png, their marked copies and the registry.
        code: that hashes pictures.
        marks: the registry, open for appending.
        marked: what marking each gave.
    """

    folder: Path
    code: Code
    marks: Marks
    marked: dict[str, Marked]

    def copy(self, folder: Path) -> Marks:
        """Open a copy of the registry, to which a test may add."""
        for name in ("marks.db", "marks.db.pem"):
            shutil.copy(self.folder / name, folder)
        return Marks.open(folder / "marks.db", self.code, append=True)

    def original(self, name: str) -> Pixels:
        """Read a photograph before it was marked."""
        return pixels_of(self.folder / f"{name}.png")

    def shown(self, name: str) -> Pixels:
        """Read its marked copy."""
        return pixels_of(self.marked[name].file)


def open_shop(folder: Path, code: Code) -> Shop:
    """Mark three photographs."""
    photos = {one.name.rpartition("/")[2]: one.pixels for one in (
        *embedded("photos_a"), *embedded("photos_b"))}  # fmt: skip
    named = {"cat": "chelsea", "coffee": "coffee", "rocket": "rocket"}
    marks = Marks.open(folder / "marks.db", code, append=True)
    marked = {}
    for name, whose in named.items():
        Image.fromarray(photos[whose]).save(folder / f"{name}.png")
        marked[name] = marks.mark(folder / f"{name}.png", owner("Ann"))
    return Shop(folder, code, marks, marked)


def pixels_of(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"))


def re_coded(pixels: Pixels, identity: bytes) -> Pixels:
    """Put the mark of an id on a picture, as a copier does."""
    return Tiled(KEY, *STRONG).embed(pixels, to_word(identity))


def usual(pixels: Pixels, identity: bytes) -> Pixels:
    return Tiled(KEY, *USUAL).embed(pixels, to_word(identity))


def jpeg(pixels: Pixels, quality: int) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def cut(pixels: Pixels, share: float) -> Pixels:
    """Keep the middle, of so much of each side."""
    height, width = pixels.shape[:2]
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return np.ascontiguousarray(pixels[top : height - top, left : width - left])


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def enlarged(pixels: Pixels, factor: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor), np.uint8)


class Named(Brightness):
    """A source without a network whose bundle has a name as those of bundles are."""

    def __init__(self) -> None:
        super().__init__(b"\x12\x34")
        self.key = f"bundle {sha256(b'brightness').hexdigest()}"


def plain_code() -> Code:
    """Return a code that takes no network, and finds nothing but the same picture."""
    code = Code(Named(), READER)  # type: ignore[arg-type] # it is like a latent
    code.limits = {NEAR_FPR: 0}
    return code
