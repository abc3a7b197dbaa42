"""Handwritten digits: MNIST, a user's file of the same kind, or those that scikit-learn ships."""

import logging
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F
from torchvision.datasets import MNIST

from latenthash.errors import InputError
from latenthash.system.files import Unusable, open_regular
from latenthash.system.paths import path_text

log = logging.getLogger(__name__)

MOST_BYTES = 2**30  # of a file, and of each of its arrays, unpacked: a million digits
HEADS = {  # version of the format -> what reads the head of an array
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
FEWEST = 100  # digits; fewer cannot be split in three
LARGEST = 1024  # px, of a side; what is larger is no digit, and scaling it fills the memory
CHUNK_BYTES = 2**24  # of the images that are scaled at once, before they are four times as large

Images = NDArray[np.uint8]  # (N, H, W)
Labels = NDArray[np.int64]  # (N,)


@dataclass(frozen=True)
class DigitSet:
    """Digits of one split.

    Attributes:
        views: (N, size, size, 1) uint8, white on black.
        labels: (N,) which digit each is.
    """

    views: Tensor
    labels: Labels


class Digits:
    """Digits, split into those to learn from, those that choose the epoch, and those of the test.

    Args:
        file: .npz with `images` (N, H, W) and `labels` (N,); None takes torchvision's MNIST, or
            scikit-learn's 1,797 digits of 8 x 8 px where that cannot be had.
        folder: where torchvision keeps MNIST, and puts it after the download.
        validation: share of the digits that choose the epoch.
        test: share of the digits that are for the test alone; MNIST has its own 10,000.
        size: px; digits of another size are scaled.
        seed: of the split.

    Attributes:
        source: where the digits come from, for people.
        train, validation, test: the three splits.

    Raises:
        InputError: if the file cannot be used, the digits would be too large, or the shares leave
            nothing.
    """

    def __init__(
        self,
        *,
        file: str | None,
        folder: str,
        validation: float,
        test: float,
        size: int,
        seed: int,
    ) -> None:
        tested = None
        if file is not None:
            self.source, (images, labels) = path_text(Path(Path(file).name)), _read(Path(file))
        else:
            self.source, (images, labels), tested = _bundled(folder)
        n = len(images)
        if n * size**2 > MOST_BYTES:
            raise InputError(
                f"features.size={size} makes {n * size**2:,} bytes of {n} digits, over the limit "
                f"of {MOST_BYTES:,}; lower it."
            )
        if tested is None:
            tested = round(test * n)
            order = np.random.default_rng(seed).permutation(n)
        else:  # MNIST has a test set of its own, at the end
            order = np.roll(np.arange(n), tested)
            order[tested:] = np.random.default_rng(seed).permutation(n - tested)
        held_out = tested + round(validation * n)
        if not 2 <= tested < held_out < n:
            raise InputError(
                f"data.validation={validation} and data.test={test} of {n} digits leave too few "
                "for one of the splits."
            )
        self.test, self.validation, self.train = (
            DigitSet(_scaled(images[rows], size), labels[rows])
            for rows in np.split(order, [tested, held_out])
        )


def _bundled(folder: str) -> tuple[str, tuple[Images, Labels], int | None]:
    """Return digits that need no file: their source, and how many at the end are for the test."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with FileLock(Path(folder, ".lock")):  # jobs that run side by side share one download
            sets = [MNIST(folder, train=train, download=True) for train in (True, False)]
    except (RuntimeError, OSError) as error:
        log.warning(
            "MNIST CANNOT BE DOWNLOADED (%s). These are scikit-learn's 1,797 digits of 8 x 8 px "
            "instead: figures do not compare with those of MNIST. Give data.file=<npz>, or allow "
            "the download.",
            str(error).splitlines()[0],
        )
        digits = load_digits()
        # 17 levels, of 0 to 16.
        images = (digits.images * 255 / 16).astype(np.uint8)
        return "scikit-learn digits", (images, digits.target), None
    images, labels = zip(*((s.data.numpy(), s.targets.numpy()) for s in sets), strict=True)
    pooled = np.concatenate(images), np.concatenate(labels)
    return "torchvision MNIST", pooled, len(labels[1])


def _read(path: Path) -> tuple[Images, Labels]:
    """Read a user's file, without unpickling anything."""
    try:
        with open_regular(path, MOST_BYTES) as file, zipfile.ZipFile(file) as archive:
            images, labels = (_unpacked(archive, name) for name in ("images", "labels"))
    except Unusable as error:
        raise InputError(f"data.file={path} {error}.") from error
    except KeyError as error:
        raise InputError(
            f"data.file={path} must hold the arrays `images` and `labels`: {error}."
        ) from error
    except Exception as error:  # damaged archives end in almost any exception
        raise InputError(f"data.file={path} is no .npz that can be read: {error}") from error
    if images.ndim != 3 or images.dtype != np.uint8 or min(images.shape) < 1:
        raise InputError(
            f"data.file={path}: images must be (N, H, W) uint8, and are {images.shape} "
            f"{images.dtype}."
        )
    problems = []
    if max(images.shape[1:]) > LARGEST:
        problems.append(
            f"data.file={path}: images may have at most {LARGEST} px a side, and have "
            f"{images.shape[1]} x {images.shape[2]}; scale them down."
        )
    if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        problems.append(
            f"data.file={path}: labels must be {images.shape[:1]} whole numbers, and are "
            f"{labels.shape} {labels.dtype}."
        )
    elif not ((labels >= 0) & (labels <= 9)).all():
        problems.append(f"data.file={path}: labels must be digits 0 to 9.")
    if len(np.unique(labels)) < 2:
        problems.append(f"data.file={path}: labels must be of at least two digits.")
    if len(images) < FEWEST:
        problems.append(f"data.file={path}: at least {FEWEST} digits are needed.")
    if problems:
        raise InputError(problems)
    return images, labels.astype(np.int64)


def _unpacked(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Unpack an array of an .npz, when its head names as many numbers as there are bytes.

    Raises:
        KeyError: there is none of this name.
        Unusable: it is too large.
        ValueError: it holds no numbers, or not as many as its head says.
    """
    member = archive.getinfo(f"{name}.npy")
    if member.file_size > MOST_BYTES:
        raise Unusable(f"unpacks to {member.file_size:,} bytes, over the limit of {MOST_BYTES:,}")
    with archive.open(member) as packed:
        read_head = HEADS.get(np.lib.format.read_magic(packed))
        if read_head is None:
            raise ValueError(f"`{name}` is in a rare version of the format")
        shape, _, dtype = read_head(packed)
        if dtype.kind not in "biuf":
            raise ValueError(f"`{name}` holds no numbers")
        if packed.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
            raise ValueError(f"`{name}` holds more or less than its head says")
    with archive.open(member) as packed:
        array: NDArray[Any] = np.lib.format.read_array(packed, allow_pickle=False)
        return array


def _scaled(images: Images, size: int) -> Tensor:
    """Scale images (N, H, W) to (N, size, size, 1)."""
    x = torch.from_numpy(images)[:, None]
    if x.shape[2:] != (size, size):
        chunks = torch.split(x, max(1, CHUNK_BYTES // max(images[0].size, size**2)))
        x = torch.cat([_resized(chunk, size) for chunk in chunks])
    return x.permute(0, 2, 3, 1)


def _resized(x: Tensor, size: int) -> Tensor:
    """Scale images (N, 1, H, W) uint8 to (N, 1, size, size)."""
    x = F.interpolate(x.float(), (size, size), mode="bilinear", antialias=True)
    return x.round().clamp(0, 255).to(torch.uint8)
