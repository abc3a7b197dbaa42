"""A folder of pictures, some of them held out, for models that draw their views themselves."""

import random
from itertools import chain

import cv2
import torch
from torch import Tensor

from latenthash.cache import DiskCache
from latenthash.data.reading import Pixels, Reader
from latenthash.data.samples.graphics import render_graphic
from latenthash.data.sources import load_outliers
from latenthash.errors import InputError
from latenthash.system.parallel import parallel_map

MARGIN = 4 / 3  # side of the pictures over that of the views: crops enlarge them less
FEWEST = 64  # pictures to learn from: negatives are the others of a batch


class Collection:
    """Read a set of pictures, as squares, and hold some of them out.

    Args:
        outliers: source of the pictures.
        reader: how picture files are decoded.
        held_out: pictures that judge the training, and are not learned from.
        graphics: pages, screens, drawings and posters that are painted and learned from, too: who
            has photographs alone gets a code that tells no page from another.
        size: px, side of the views that will be drawn; pictures are a third larger.
        seed: the run's seed, which chooses those held out.
        cache: where embedded pictures are kept; graphics are painted anew.

    Raises:
        InputError: everything that is wrong with the source, at once.
    """

    def __init__(
        self,
        *,
        outliers: str | None,
        reader: Reader,
        held_out: int,
        graphics: int,
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
        self.graphics = graphics
        self.side = round(MARGIN * size)

    def train(self) -> dict[str, Tensor]:
        """Return the pictures to learn from, (N, 3, side, side) uint8; painted ones are last."""
        painted = parallel_map(render_graphic, self.graphics, "Painting graphics")
        squares = torch.empty(
            len(self.learned) + self.graphics, 3, self.side, self.side, dtype=torch.uint8
        )
        read = (picture.pixels for picture in self.learned)
        for square, pixels in zip(squares, chain(read, painted), strict=True):
            square[:] = self._square(pixels)
        return {"outliers": squares}

    def validation(self) -> dict[str, Tensor]:
        """Return the pictures that are held out, (N, 3, side, side) uint8."""
        return {"outliers": torch.stack([self._square(p.pixels) for p in self.validated])}

    def _square(self, pixels: Pixels) -> Tensor:
        smaller = max(pixels.shape[:2]) > self.side
        interpolation = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        resized = cv2.resize(pixels, (self.side, self.side), interpolation=interpolation)
        return torch.from_numpy(resized).permute(2, 0, 1)
