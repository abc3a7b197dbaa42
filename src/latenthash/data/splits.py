"""The splits of a run: who may see which views of which pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from latenthash.cache import DiskCache
from latenthash.data.reading import Pixels, Reader
from latenthash.data.sources import load_pictures
from latenthash.data.views import Edit, Views, pipeline
from latenthash.system.terminal import track

ROLES = ("signal", "noise_edited", "noise_similar", "outliers", "unseen")
TESTED = ("signal", "noise_edited", "noise_similar", "unseen")
BATCH = 32  # views a DataLoader worker hands over at once
# Of the views behind the printable hash, fixed for ever: others give another hash. The name of
# their split is part of every view's seed.
PRINTABLE_VIEWS, PRINTABLE_SEED, PRINTABLE_SPLIT = 16, 0, "identity"


@dataclass(frozen=True)
class ViewSet:
    """Views of one set in one split.

    Attributes:
        views: (N, size, size, 3) RGB uint8.
        picture: (N,) which picture of the set each view is of.
        names: the pictures' names.
    """

    views: Tensor
    picture: NDArray[np.int64]
    names: tuple[str, ...]


class Splits:
    """Read the pictures of all roles and draw the views of each split.

    Args:
        signal: source of the one picture whose hash is sought.
        noise_edited: source of the other picture whose views are noise.
        noise_similar: source of many pictures that are like each other.
        outliers: source of unrelated pictures that training may see.
        unseen: source of unrelated pictures for the final test alone.
        reader: how picture files are decoded.
        views: number of views per split: train, validation, calibration, test, and edits
            (per unseen edit); each is the least number for every picture of a training set.
        train_sets: roles whose views the model is fitted on; never unseen.
        workers: processes that compute views; 0 computes them in this one.
        augment: name -> edit of the enrolment pipeline, in order.
        edits: name -> edit that only the test sees, put on top of the pipeline.
        size: px, side of a view.
        seed: the run's seed.
        trim: whether views are cut free of uniform borders.
        cache: where painted pictures are kept; None paints them anew.

    Raises:
        InputError: everything that is wrong with the sources, at once.
    """

    def __init__(
        self,
        *,
        signal: str,
        noise_edited: str,
        noise_similar: str,
        outliers: str,
        unseen: str,
        reader: Reader,
        views: Mapping[str, int],
        train_sets: tuple[str, ...],
        workers: int,
        augment: Mapping[str, Edit],
        edits: Mapping[str, Edit],
        size: int,
        seed: int,
        trim: bool = False,
        cache: DiskCache | None = None,
    ) -> None:
        sources = dict(
            zip(ROLES, (signal, noise_edited, noise_similar, outliers, unseen), strict=True)
        )
        problems = [
            f"data.{role} is not set; give a path: data.{role}=PATH."
            for role, source in sources.items()
            if source is None
        ]
        given = {role: source for role, source in sources.items() if source is not None}
        self.pictures = load_pictures(given, reader, cache, problems)
        self.counts = views
        self.train_sets = train_sets
        self.workers = workers
        self.augment = list(augment.values())
        self.unseen_edits = edits
        self.size = size
        self.trim = trim
        self.seed = seed

    @property
    def fitted(self) -> list[str]:
        """Digests of the pictures that features and model are fitted on."""
        return [picture.digest for role in self.train_sets for picture in self.pictures[role]]

    def train(self) -> dict[str, ViewSet]:
        """Draw the views that features and model are fitted on."""
        return self._draw("train", self.train_sets)

    def validation(self) -> dict[str, ViewSet]:
        """Draw the views that choose the epoch."""
        return self._draw("validation", self.train_sets)

    def calibration(self, role: str = "signal") -> ViewSet:
        """Draw the views that set the radius, and nothing else: the Signal's, or outliers'."""
        return self._draw("calibration", (role,))[role]

    def test(self) -> dict[str, ViewSet]:
        """Draw the views of the final figures."""
        return self._draw("test", TESTED)

    def edited(self) -> dict[str, ViewSet]:
        """Draw Signal views under each unseen edit."""
        return {
            name: self._views("signal", f"edits/{name}", self.counts["edits"], [edit])
            for name, edit in track(self.unseen_edits.items(), "Views under unseen edits")
        }

    def printable_views(self) -> ViewSet:
        """Draw the Signal's views behind its printable hash: the same whatever the run's seed."""
        # Loaders draw from torch's generator, and a training must not depend on this one.
        with torch.random.fork_rng(devices=[]):
            return self._views("signal", PRINTABLE_SPLIT, PRINTABLE_VIEWS, [], PRINTABLE_SEED)

    def _draw(self, split: str, roles: tuple[str, ...]) -> dict[str, ViewSet]:
        return {
            role: self._views(role, split, max(self.counts[split], self._least(role, split)), [])
            for role in track(roles, f"Views for {split}")
        }

    def _least(self, role: str, split: str) -> int:
        return self.counts["each"] * len(self.pictures[role]) if split == "train" else 1

    def _views(
        self, role: str, split: str, count: int, extra: list[Edit], seed: int | None = None
    ) -> ViewSet:
        pictures = self.pictures[role]
        edits = pipeline([*self.augment, *extra], self.size, self.trim)
        views = Views(pictures, edits, self.seed if seed is None else seed, split, count)
        loader: DataLoader[Any] = DataLoader(
            cast("Dataset[Pixels]", views), BATCH, num_workers=self.workers
        )
        return ViewSet(
            torch.cat(list(loader)),
            np.arange(len(views)) % len(pictures),
            tuple(picture.name for picture in pictures),
        )
