"""Views: edited copies of pictures, each a pure function of where it stands."""

from hashlib import sha256
from typing import Annotated, TypeAlias

import albumentations as A
import cv2
import numpy as np
from pydantic import Field

from latenthash.data.reading import Picture, Pixels

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Edit: TypeAlias = A.BasicTransform
Pipeline: TypeAlias = A.Compose


class Arguments(A.BasicTransform.InitSchema):  # type: ignore[misc] # albumentations has no types
    """By what albumentations checks the arguments of an edit: ours take care like its own."""


def view_seed(seed: int, split: str, index: int) -> int:
    """Derive the seed of one view, in [0, 2^32), so that no two splits share a view."""
    return int.from_bytes(sha256(f"{seed}/{split}/{index}".encode()).digest()[:4], "big")


def pipeline(edits: list[Edit], size: int, trim: bool = False) -> A.Compose:
    """Compose edits, in their order, and the reduction to a square of size px.

    Args:
        edits: what is done to the picture.
        size: px.
        trim: whether uniform borders are cut off before the reduction.
    """
    # Area interpolation averages over what a pixel covers: no moire from thin lines.
    resize = A.Resize(size, size, interpolation=cv2.INTER_AREA)
    return A.Compose([*edits, *([TrimBorders()] if trim else []), resize])


class Views:
    """Views of a set of pictures; view i is of picture i modulo their number.

    What torch calls a map-style dataset. Its class is not taken, for the benchmark's workers import
    this module and do without torch.

    Args:
        pictures: the originals, at least one.
        edits: the pipeline that edits them, from `pipeline`.
        seed: the run's seed.
        split: the name of the split, part of every view's seed.
        count: number of views; raised to the number of pictures, so that none is left out.
    """

    def __init__(
        self, pictures: list[Picture], edits: A.Compose, seed: int, split: str, count: int
    ) -> None:
        self.pictures = pictures
        self.edits = edits
        self.seed = seed
        self.split = split
        self.count = max(count, len(pictures))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Pixels:  # (size, size, 3)
        if not 0 <= index < self.count:
            raise IndexError(index)
        # DataLoader workers inherit one random state; seeding each item makes every view
        # independent of who computes it, and when.
        self.edits.set_random_seed(view_seed(self.seed, self.split, index))
        pixels = self.pictures[index % len(self.pictures)].pixels
        # A copy: where there is nothing to edit or to reduce, albumentations hands on the picture.
        return np.array(self.edits(image=pixels)["image"])


class TrimBorders(A.ImageOnlyTransform):  # type: ignore[misc] # albumentations has no types
    """Cut off rows and columns of one colour at the edges: bars, paddings, letterboxes.

    A picture of which less than a third would stay on either axis is left as it is.
    """

    TOLERANCE = 16  # of 0..255, within a row or column: compression leaves traces
    LEAST = 1 / 3  # of height and of width

    def __init__(self, p: float = 1.0) -> None:
        super().__init__(p=p)

    def apply(self, img: Pixels, **params: object) -> Pixels:
        """Return the inner part of img, (H, W, 3) uint8."""
        rows, columns = (self._inner(img, axis) for axis in (1, 0))
        kept = (
            (rows.stop - rows.start) / img.shape[0],
            (columns.stop - columns.start) / img.shape[1],
        )
        return np.ascontiguousarray(img[rows, columns]) if min(kept) >= self.LEAST else img

    def _inner(self, img: Pixels, axis: int) -> slice:
        """Find from where to where lines along an axis hold more than one colour."""
        spread = np.ptp(img, axis=axis).max(-1)  # the largest over channels
        busy = np.flatnonzero(spread > self.TOLERANCE)
        return slice(int(busy[0]), int(busy[-1]) + 1) if len(busy) else slice(0, 0)
