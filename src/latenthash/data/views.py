"""Views: edited copies of pictures, each a pure function of where it stands."""

from hashlib import sha256
from typing import Annotated, TypeAlias

import albumentations as A
import numpy as np
from pydantic import Field

from latenthash.data.reading import Picture, Pixels
from latenthash.data.reduction import reduced, trimmed

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
    return A.Compose([*edits, Reduction(size, trim)])


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


class Reduction(A.ImageOnlyTransform):  # type: ignore[misc] # albumentations has no types
    """Reduce a picture to the square that networks see; see `data.reduction`.

    Args:
        size: px.
        trim: whether uniform borders are cut off first.
    """

    def __init__(self, size: int, trim: bool) -> None:
        super().__init__(p=1.0)
        self.size = size
        self.trim = trim

    def apply(self, img: Pixels, **params: object) -> Pixels:
        """Return img, (H, W, 3) uint8, as (size, size, 3)."""
        return reduced(img, self.size, self.trim)


class TrimBorders(A.ImageOnlyTransform):  # type: ignore[misc]
    """Cut off uniform borders; see `data.reduction`."""

    def __init__(self, p: float = 1.0) -> None:
        super().__init__(p=p)

    def apply(self, img: Pixels, **params: object) -> Pixels:
        """Return the inner part of img, (H, W, 3) uint8."""
        return trimmed(img)
