"""A picture, however it is given."""

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from latenthash.data.reading import Picture, Pixels, Reader
from latenthash.errors import InputError
from latenthash.system.files import Unusable
from latenthash.system.paths import path_text

PathLike: TypeAlias = str | os.PathLike[str]
GivenPicture: TypeAlias = PathLike | bytes | Image.Image | Pixels
KINDS = "a path, the bytes of a file, a PIL image or an array (H, W, 3) of uint8, RGB"


def read_given(picture: GivenPicture, reader: Reader) -> Picture:
    """Read a picture: all of one content are the same, however they are given.

    Args:
        picture: a path, the bytes of a file, a PIL image, or (H, W, 3) uint8 RGB.
        reader: how it is decoded.

    Raises:
        InputError: if it cannot be read, or is of another kind.
    """
    name = "The picture"
    try:
        if isinstance(picture, str | os.PathLike):
            name = path_text(Path(picture))
            return reader.read(Path(picture))
        if isinstance(picture, bytes):
            return reader.read_bytes(picture)
        if isinstance(picture, Image.Image):
            return reader.take(picture)
        if not isinstance(picture, np.ndarray):
            raise InputError(f"A picture is {KINDS}, and not {type(picture).__name__}.")
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise InputError(
                f"A picture is {KINDS}; this array is {picture.shape} of {picture.dtype}."
            )
        if not picture.size:
            raise Unusable("has no pixels")
        return reader.take(Image.fromarray(picture))
    except Unusable as error:
        raise InputError(f"{name} {error}.") from error
