"""Hashes that people use, by the libraries that compute them: picture (H, W, 3) -> bits.

Each imports its library when it is called: some are extras.
"""

from collections.abc import Callable

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latenthash.data.reading import Pixels

Bits = NDArray[np.bool_]


def ahash_64(picture: Pixels) -> Bits:
    """Compare 8 x 8 means of grey with their mean."""
    return _by_imagehash(imagehash.average_hash, picture, 8)


def dhash_64(picture: Pixels) -> Bits:
    """Compare each of 8 x 8 means of grey with its neighbour."""
    return _by_imagehash(imagehash.dhash, picture, 8)


def phash_64(picture: Pixels) -> Bits:
    """Compare the 8 x 8 lowest frequencies (DCT) with their median (Zauner 2010)."""
    return _by_imagehash(imagehash.phash, picture, 8)


def phash_256(picture: Pixels) -> Bits:
    """Compare the 16 x 16 lowest frequencies (DCT) with their median (Zauner 2010)."""
    return _by_imagehash(imagehash.phash, picture, 16)


def whash_64(picture: Pixels) -> Bits:
    """Compare the 8 x 8 lowest coefficients of Haar wavelets, without the mean, by their median."""
    return _by_imagehash(imagehash.whash, picture, 8)


def colorhash_42(picture: Pixels) -> Bits:
    """Count black, grey, and six hues at two saturations, in 3 bits each."""
    return _by_imagehash(imagehash.colorhash, picture, 3)


def pdq_256(picture: Pixels) -> Bits:
    """Compute PDQ (Facebook 2019): 16 x 16 low frequencies, of a picture filtered with care."""
    import pdqhash  # an extra: it needs a compiler to be installed

    bits: Bits = pdqhash.compute(np.ascontiguousarray(picture))[0].astype(bool)
    return bits


def block_mean_256(picture: Pixels) -> Bits:
    """Compare the means of 16 x 16 blocks with their median (Yang, Gu and Niu 2006)."""
    import cv2

    return _by_opencv(cv2.img_hash.BlockMeanHash.create(), picture)  # type: ignore[attr-defined]


def marr_hildreth_576(picture: Pixels) -> Bits:
    """Compare blocks of a Marr-Hildreth edge response with their mean (Zauner 2010)."""
    import cv2

    return _by_opencv(cv2.img_hash.MarrHildrethHash.create(), picture)  # type: ignore[attr-defined]


def _by_imagehash(compute: Callable[..., imagehash.ImageHash], picture: Pixels, size: int) -> Bits:
    # Positional, for what is the size of one is the number of bits of a bin of another.
    bits: Bits = compute(Image.fromarray(picture), size).hash.ravel()
    return bits


def _by_opencv(algorithm: object, picture: Pixels) -> Bits:
    """Hash by OpenCV, which takes BGR and gives bytes."""
    packed = algorithm.compute(np.ascontiguousarray(picture[..., ::-1]))  # type: ignore[attr-defined]
    return np.unpackbits(packed.ravel()).astype(bool)
