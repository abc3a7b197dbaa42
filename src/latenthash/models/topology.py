"""Topology hash: the shape of activation maps, as persistent homology sees it."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from latenthash.components.persistence import (
    PEAKS,
    Diagram,
    Floats,
    cubical_diagram,
    images,
    lifetimes,
    on_all_cores,
    ranges,
    rips_diagram,
)
from latenthash.components.whitening import Whitening, without_signal
from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet

SMALLEST = 8  # px: maps of 7 x 7 have no room for a second peak or a ring


class Topology(nn.Module):
    """Persistence diagrams of the maps, made a vector, log1p, learned whitening.

    Forms: `lifetimes`, each channel's two longest H0 lifetimes and longest H1 under the
    superlevel filtration; `images`, persistence images of the same diagrams, summed over
    channels; `rips`, persistence images of the Vietoris-Rips filtration of the activation
    vectors under cosine distance.

    Args:
        shape: (C, H, W) of one picture's features, unpooled.
        latent_dim: k.
        form: lifetimes, images or rips.
        resolution: cells along each side of a persistence image.
        bandwidth: of a persistence image, as a share of its side.
        ridge: of learned whitening, in units of the mean variance of differences.

    Raises:
        InputError: if the maps are too small, or there are fewer numbers than k.
    """

    spans: Tensor

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        latent_dim: int,
        form: str,
        resolution: int,
        bandwidth: float,
        ridge: float,
    ) -> None:
        super().__init__()
        if len(shape) != 3 or min(shape[1:]) < SMALLEST:
            raise InputError(
                f"model=topology needs maps of {SMALLEST}x{SMALLEST} or more, and the features "
                f"have shape {tuple(shape)}: too small to hold peaks and rings. Set "
                "features.layer=conv5_3, features.size=224 (14x14 maps) and "
                "features.pooling=none."
            )
        self.channels = shape[0]
        self.form = form
        self.resolution = resolution
        self.bandwidth = bandwidth
        size = (PEAKS + 1) * self.channels if form == "lifetimes" else 2 * resolution**2
        self.whitening = Whitening(size, latent_dim, "learned", ridge)
        self.register_buffer("spans", torch.zeros(2, 3))

    def fit(
        self,
        train: Mapping[str, FeatureSet],
        validation: Mapping[str, FeatureSet],
        trainer: pl.Trainer,
    ) -> None:
        """Fix the ranges of images and fit the whitening on all training sets but the Signal.

        Raises:
            InputError: if the data cannot carry k dimensions, or has nothing to learn from.
        """
        data = without_signal(train)
        diagrams = self.diagrams(data.x)
        # Fixed once: with ranges of its own, every batch would have another hash.
        self.spans.copy_(torch.from_numpy(ranges(diagrams)))
        self.whitening.fit(FeatureSet(self._vectors(diagrams), data.picture))

    def encode(self, x: Tensor) -> Tensor:
        """Map features x (N, C, H, W) to z (N, k)."""
        z: Tensor = self.whitening(self._vectors(self.diagrams(x)).to(x.device))
        return z

    def diagrams(self, x: Tensor) -> list[Diagram]:
        """Compute the diagram of each picture's features x (N, C, H, W)."""
        compute = rips_diagram if self.form == "rips" else cubical_diagram
        return on_all_cores(compute, list(x.cpu().numpy()), "Persistence diagrams")

    def _vectors(self, diagrams: list[Diagram]) -> Tensor:
        """Turn diagrams into vectors (N, D)."""
        if self.form == "lifetimes":
            vectors: list[Floats] = [lifetimes(diagram, self.channels) for diagram in diagrams]
        else:
            draw = partial(
                images,
                spans=self.spans.double().cpu().numpy(),
                resolution=self.resolution,
                bandwidth=self.bandwidth,
            )
            vectors = on_all_cores(draw, diagrams, "Persistence images")
        return torch.from_numpy(np.log1p(vectors)).float()
