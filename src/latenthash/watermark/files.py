"""Marked pictures as files: written with what the original's file says of itself."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image

from latenthash.data.reading import Original, Pixels

Format: TypeAlias = Literal["png", "webp", "tiff", "jpeg"]

# Format -> end of a file's name, and how Pillow writes it. Only JPEG loses anything.
WRITTEN: Mapping[Format, tuple[str, Mapping[str, Any]]] = {
    "png": (".png", {"compress_level": 2}),  # half the time of 6, and a tenth more bytes
    "webp": (".webp", {"lossless": True, "method": 4}),
    "tiff": (".tif", {"compression": "tiff_deflate"}),
    "jpeg": (".jpg", {"subsampling": 0}),
}
ENDS: Mapping[str, Format] = {
    ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff",
    ".png": "png",
}  # fmt: skip


def format_of(path: Path) -> Format:
    """Return what a marked copy of a file is written as: as the file is, where that can be."""
    return ENDS.get(path.suffix.lower(), "png")


def encoded(original: Original, marked: Pixels, kind: Format, quality: int) -> bytes:
    """Encode a marked picture, with the EXIF data and the colour profile of its original.

    Where the original has a profile, its stored values are changed by what the mark changed in
    sRGB, and the profile stays.

    Args:
        original: as `Reader.original` gives it.
        marked: (H, W, 3) sRGB, its pixels with the mark.
        kind: of the file.
        quality: 1 to 100, of JPEG.
    """
    pixels = marked
    if original.profile is not None:
        change = marked.astype(np.int16) - original.picture.pixels
        pixels = np.clip(original.stored + change, 0, 255).astype(np.uint8)
    beside: dict[str, Any] = dict(WRITTEN[kind][1])
    if kind == "jpeg":
        beside["quality"] = quality
    if original.profile is not None:
        beside["icc_profile"] = original.profile
    if original.exif is not None:
        beside["exif"] = original.exif
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind.upper(), **beside)
    return file.getvalue()
