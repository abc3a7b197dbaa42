"""Topology hash: the shape of activation maps, as persistent homology sees it."""

from collections.abc import Mapping

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.models.components.persistence import (
    PEAKS,
    Diagram,
    cubical_diagram,
    lifetimes,
    on_all_cores,
)
from latenthash.models.components.whitening import (
    Whitening,
    without_signal,
)

SMALLEST = 8  # px: maps of 7 x 7 have no room for a second peak or a ring


class Topology(nn.Module):
    """Longest lifetimes of each channel's map, log1p, learned whitening.

    Of every channel the two longest H0 lifetimes and the longest H1 under the superlevel
    filtration.

    Args:
        shape: (C, H, W) of one picture's features, unpooled.
        latent_dim: k.
        ridge: of learned whitening, in units of the mean variance of differences.

    Raises:
        InputError: if the maps are too small, or there are fewer numbers than k.
    """

    def __init__(self, *, shape: tuple[int, ...], latent_dim: int, ridge: float) -> None:
        super().__init__()
        if len(shape) != 3 or min(shape[1:]) < SMALLEST:
            raise InputError(
                f"model=topology needs maps of {SMALLEST}x{SMALLEST} or more, and the features "
                f"have shape {tuple(shape)}: too small to hold peaks and rings. Set "
                "features.layer=conv5_3, features.size=224 (14x14 maps) and "
                "features.pooling=none."
            )
        self.channels = shape[0]
        self.whitening = Whitening((PEAKS + 1) * self.channels, latent_dim, "learned", ridge)

    def fit(
        self,
        train: Mapping[str, FeatureSet],
        validation: Mapping[str, FeatureSet],
        trainer: pl.Trainer,
    ) -> None:
        """Fit the whitening on all training sets but the Signal.

        Raises:
            InputError: if the data cannot carry k dimensions, or has nothing to learn from.
        """
        data = without_signal(train)
        self.whitening.fit(FeatureSet(self._vectors(data.x), data.picture))

    def encode(self, x: Tensor) -> Tensor:
        """Map features x (N, C, H, W) to z (N, k)."""
        z: Tensor = self.whitening(self._vectors(x).to(x.device))
        return z

    def diagrams(self, x: Tensor) -> list[Diagram]:
        """Compute the diagram of each picture's features x (N, C, H, W)."""
        return on_all_cores(cubical_diagram, list(x.cpu().numpy()), "Persistence diagrams")

    def _vectors(self, x: Tensor) -> Tensor:
        """Turn features x (N, C, H, W) into lifetimes (N, D)."""
        vectors = [lifetimes(diagram, self.channels) for diagram in self.diagrams(x)]
        return torch.from_numpy(np.log1p(vectors)).float()
