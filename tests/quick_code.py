"""A code without a network, whose bits can be told by hand, and pictures made for it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latenthash import Code
from latenthash.codes.code import Vectors
from latenthash.data.reading import Pixels
from photographs import READER

SIDE = 16  # px: 256 of them, a bit each


class Brightness:
    """A source that says of each of 16 x 16 parts of a picture whether it is bright."""

    side: int | None = SIDE
    trim = False
    dimensions = SIDE**2
    kind = np.float32
    lengths = (SIDE**2,)

    def __init__(self, tag: bytes = b"\x12\x34") -> None:
        self.tag = tag
        self.key = f"bundle {tag.hex()}"

    def describe(self, views: Sequence[Pixels]) -> Vectors:  # noqa: D102
        return np.stack(views)[..., 1].reshape(len(views), -1).astype(np.float32) - 127.5


def quick_code(tag: bytes = b"\x12\x34") -> Code:
    return Code(Brightness(tag), READER)  # type: ignore[arg-type] # it is like a latent


def save_blocks(path: Path, seed: int) -> NDArray[np.uint8]:
    """Save a picture of 16 x 16 blocks, and return its code, (32,), as told by hand."""
    bright = np.random.default_rng(seed).integers(0, 2, (SIDE, SIDE), dtype=np.uint8)
    pixels = np.kron(40 + 170 * bright, np.ones((4, 4), np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.repeat(pixels[..., None], 3, 2)).save(path)
    return np.packbits(bright.ravel())
