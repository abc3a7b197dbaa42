"""Views of many pictures, several of each, for models that learn from pairs."""

from collections.abc import Mapping

import numpy as np
import torch

from latenthash.cache import DiskCache
from latenthash.data.reading import Picture, Reader, quarter
from latenthash.data.sources import load_outliers
from latenthash.data.splits import ViewSet
from latenthash.data.views import Edit, Views, pipeline
from latenthash.errors import InputError
from latenthash.system.terminal import track

FEW = 50  # pictures; a code fitted on fewer is weak, and that is said


class Pairs:
    """Read a set of pictures and draw views of each.

    Args:
        outliers: source of the pictures.
        reader: how picture files are decoded.
        views: of each picture, one of them unedited.
        quarters: views of each quarter of each picture, one of them unedited; 0 leaves quarters
            out. To what is fitted they are pictures of their own: a code must tell many apart.
        augment: name -> edit of the pipeline, in order.
        size: px, side of a view.
        trim: whether views are cut free of uniform borders.
        seed: the run's seed.
        cache: where painted pictures are kept.

    Raises:
        InputError: everything that is wrong with the source, at once.
    """

    def __init__(
        self,
        *,
        outliers: str | None,
        reader: Reader,
        views: int,
        quarters: int,
        augment: Mapping[str, Edit],
        size: int,
        trim: bool,
        seed: int,
        cache: DiskCache | None,
    ) -> None:
        self.pictures = load_outliers(outliers, reader, cache)
        if len(self.pictures) < 2:
            raise InputError("data.outliers holds one picture; a code needs pictures that differ.")
        self.views = views
        self.quarters = quarters
        self.augment = list(augment.values())
        self.size = size
        self.trim = trim
        self.seed = seed

    def train(self) -> dict[str, ViewSet]:
        """Draw the views: every picture, and every quarter, as it is, then under edits."""
        sets = {"outliers": self._drawn(self.pictures, self.views)}
        if self.quarters:
            parts = [quarter(p, corner) for p in self.pictures for corner in range(4)]
            sets["quarters"] = self._drawn(parts, self.quarters)
        return sets

    def _drawn(self, pictures: list[Picture], views: int) -> ViewSet:
        n = len(pictures)
        plain = Views(pictures, pipeline([], self.size, self.trim), self.seed, "plain", n)
        edits = pipeline(self.augment, self.size, self.trim)
        rows = [plain[i] for i in range(n)]
        if views > 1:  # `Views` would give one of each picture all the same
            edited = Views(pictures, edits, self.seed, "pairs", n * (views - 1))
            rows += [edited[i] for i in track(range(len(edited)), "Views")]
        names = tuple(picture.name for picture in pictures)
        return ViewSet(torch.from_numpy(np.stack(rows)), np.arange(len(rows)) % n, names)
