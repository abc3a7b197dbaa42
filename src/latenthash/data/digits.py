"""Handwritten digits: MNIST, a user's file of the same kind, or those that scikit-learn ships."""

import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F
from torchvision.datasets import MNIST

from latenthash import InputError
from latenthash.data.reading import shown

log = logging.getLogger(__name__)

MOST_BYTES = 2**32  # of a file's arrays, unpacked
FEWEST = 100  # digits; fewer cannot be split in three

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
        InputError: if the file cannot be used, or the shares leave nothing.
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
        if not (0 < validation < 1 and 0 < test < 1 and validation + test < 1):
            raise InputError(
                f"data.validation={validation} and data.test={test} are shares of the digits: both "
                "above 0, together below 1."
            )
        tested = None
        if file is not None:
            self.source, (images, labels) = shown(Path(Path(file).name)), _read(Path(file))
        else:
            self.source, (images, labels), tested = _bundled(folder)
        n = len(images)
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
    """Give digits that need no file: their source, and how many at the end are for the test."""
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
    """Read a user's file, as data alone."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MOST_BYTES:
            raise InputError(f"data.file={path} unpacks to {unpacked:,} bytes, over the limit.")
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = np.asarray(arrays["images"]), np.asarray(arrays["labels"])
    except FileNotFoundError as error:
        raise InputError(f"data.file={path} does not exist.") from error
    except KeyError as error:
        raise InputError(
            f"data.file={path} must hold the arrays `images` and `labels`: {error}."
        ) from error
    except (OSError, ValueError, zipfile.BadZipFile, zipfile.error, EOFError) as error:
        raise InputError(f"data.file={path} is no .npz that can be read: {error}") from error
    problems = []
    if images.ndim != 3 or images.dtype != np.uint8 or min(images.shape) < 1:
        problems.append(
            f"data.file={path}: images must be (N, H, W) uint8, and are {images.shape} "
            f"{images.dtype}."
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


def _scaled(images: Images, size: int) -> Tensor:
    """Scale images (N, H, W) to (N, size, size, 1)."""
    x = torch.from_numpy(images)[:, None]
    if x.shape[2:] != (size, size):
        x = F.interpolate(x.float(), (size, size), mode="bilinear", antialias=True)
        x = x.round().clamp(0, 255).to(torch.uint8)
    return x.permute(0, 2, 3, 1)
