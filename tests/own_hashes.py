"""Hashes as users have them; workers import this module by its name."""

import os
import sys

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latenthash.data.reading import Pixels


def phash(picture: Pixels) -> NDArray[np.bool_]:
    """Return imagehash's pHash, and leave the picture changed."""
    bits: NDArray[np.bool_] = imagehash.phash(Image.fromarray(picture)).hash
    picture[:] = 0
    return bits


def phash_object(picture: Pixels) -> imagehash.ImageHash:
    """Return imagehash's pHash as it is."""
    return imagehash.phash(Image.fromarray(picture))


def means(picture: Pixels) -> NDArray[np.float64]:
    """Return means of the three colours, (3,)."""
    return picture.mean((0, 1))


def raises(picture: Pixels) -> NDArray[np.bool_]:
    """Fail on pictures whose corner is black, as that of one that was turned."""
    if not picture[0, 0].any():
        raise ValueError("it was turned")
    return phash(picture)


def leaves(picture: Pixels) -> NDArray[np.bool_]:
    """End the program, politely."""
    sys.exit("it had enough")


def dies(picture: Pixels) -> NDArray[np.bool_]:
    """End the process."""
    os._exit(3)


def gives_nan(picture: Pixels) -> NDArray[np.float64]:
    """Return NaN for the same."""
    return means(picture) / bool(picture[0, 0].any())


def threes(picture: Pixels) -> NDArray[np.int64]:
    """Return 64 numbers that are no bits."""
    return np.full(64, 3)


def text(picture: Pixels) -> str:
    """Return no numbers."""
    return "ffee"


class OtherLength:
    """A class of which an object is made; of the same pictures it gives a bit more."""

    def __call__(self, picture: Pixels) -> NDArray[np.bool_]:
        """Return 64 bits, or 65."""
        return np.zeros(65 if not picture[0, 0].any() else 64, bool)
