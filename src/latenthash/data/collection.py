"""A folder of pictures, some of them held out, for models that draw their views themselves."""

import random

import cv2
import numpy as np
import torch
from torch import Tensor

from latenthash.cache import DiskCache
from latenthash.data.reading import Picture, Reader
from latenthash.data.sources import load_outliers
from latenthash.errors import InputError

MARGIN = 4 / 3  # side of the pictures over that of the views: crops enlarge them less
FEWEST = 64  # pictures to learn from: negatives are the others of a batch


class Collection:
    """Read a set of pictures, as squares, and hold some of them out.

    Args:
        outliers: source of the pictures.
        reader: how picture files are decoded.
        held_out: pictures that judge the training, and are not learned from.
        size: px, side of the views that will be drawn; pictures are a third larger.
        seed: the run's seed, which chooses those held out.
        cache: where painted pictures are kept.

    Raises:
        InputError: everything that is wrong with the source, at once.
    """

    def __init__(
        self,
        *,
        outliers: str | None,
        reader: Reader,
        held_out: int,
        size: int,
        seed: int,
        cache: DiskCache | None,
    ) -> None:
        pictures = load_outliers(outliers, reader, cache)
        # A picture that is there twice must not be in both parts.
        self.pictures = list({picture.digest: picture for picture in pictures}.values())
        if len(self.pictures) < FEWEST + held_out:
            raise InputError(
                f"data.outliers holds {len(self.pictures)} different pictures, and "
                f"data.held_out={held_out} of them judge the training: it needs {FEWEST} more to "
                "learn from, and is meant for thousands."
            )
        # By content: neither names nor their order decide.
        ordered = sorted(self.pictures, key=lambda picture: picture.digest)
        random.Random(seed).shuffle(ordered)
        self.validated, self.learned = ordered[:held_out], ordered[held_out:]
        self.side = round(MARGIN * size)

    def train(self) -> dict[str, Tensor]:
        """Return the pictures to learn from, (N, 3, side, side) uint8."""
        return {"outliers": self._squares(self.learned)}

    def validation(self) -> dict[str, Tensor]:
        """Return the pictures that are held out, (N, 3, side, side) uint8."""
        return {"outliers": self._squares(self.validated)}

    def _squares(self, pictures: list[Picture]) -> Tensor:
        squares = np.empty((len(pictures), 3, self.side, self.side), np.uint8)
        for square, picture in zip(squares, pictures, strict=True):
            smaller = max(picture.pixels.shape[:2]) > self.side
            interpolation = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
            resized = cv2.resize(
                picture.pixels, (self.side, self.side), interpolation=interpolation
            )
            square[:] = resized.transpose(2, 0, 1)
        return torch.from_numpy(squares)
