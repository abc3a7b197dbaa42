"""Features: what goes into a hash model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from latenthash.cache import DiskCache


@dataclass(frozen=True)
class FeatureSet:
    """Features of the views of one set.

    Attributes:
        x: (N, C, H, W) or (N, D) float32.
        picture: (N,) which picture of the set each view is of.
        views: (N, size, size, 3) uint8, the views themselves: what models that cannot draw from
            x alone learn to draw.
    """

    x: Tensor
    picture: NDArray[np.int64]
    views: Tensor | None = None


class Features(Protocol):
    """What goes into a model, and how it is made of views.

    Attributes:
        size: px, side of the square views.
        trim: whether views are cut free of uniform borders.
        shape: of one view's features.
        provenance: what decides the features beside the config, such as a digest of weights.
    """

    size: int
    trim: bool
    shape: tuple[int, ...]
    provenance: Mapping[str, str]

    def __call__(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 into features (N, *shape) float32."""


class Staged(Features, Protocol):
    """Features in two stages: a frozen one, whose results may be kept, and one that may be tuned.

    Attributes:
        cache: where the first stage's results are kept; None keeps none.
        tail: layers of the second stage that may be tuned; there may be none.
    """

    cache: DiskCache | None
    tail: nn.Sequential

    def begin(self, views: Tensor) -> Tensor:
        """Put views (N, size, size, 3) uint8 through the frozen stage, to maps (N, C, H, W)."""

    def finish(self, maps: Tensor) -> Tensor:
        """Turn maps (N, C, H, W) of the frozen stage into features (N, *shape)."""


def is_staged(features: object) -> TypeGuard[Staged]:
    """Say whether features come in two stages.

    `isinstance` would not do: from Python 3.12 on it does not see layers of a torch module.
    """
    return hasattr(features, "begin") and hasattr(features, "finish")
