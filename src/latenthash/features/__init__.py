"""Features: what goes into a hash model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class FeatureSet:
    """Features of the views of one set.

    Attributes:
        x: (N, C, H, W) or (N, D) float32.
        picture: (N,) which picture of the set each view is of.
    """

    x: Tensor
    picture: NDArray[np.int64]


class Features(Protocol):
    """What goes into a model, and how it is made of views.

    Attributes:
        size: px, side of the square views.
        shape: of one view's features.
        identity: what decides the features beside the config.
    """

    size: int
    shape: tuple[int, ...]
    identity: Mapping[str, str]

    def __call__(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 into features (N, *shape) float32."""
