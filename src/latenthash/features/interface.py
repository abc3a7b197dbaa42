"""Features: what goes into a hash model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeGuard, runtime_checkable

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
    """What goes into a model, and how it is made of views: all that features must have.

    A class of features is a torch module, and `latenthash.testing.check_features` checks one:

    - It is made by `make(**options)` of plain options of the config: numbers, texts, lists. One of
      them is `size`, and `trim` is another if views are to be cut free of borders. Under
      `torch.device("meta")` it must be made, too, for then its weights have shapes alone.
    - What it makes of a view depends on no other view, on no chance and on no earlier call.
    - What was learned is in `state_dict()`, as finite numbers: the bundle holds nothing else of it.
      Weights that lie elsewhere are named by their digest in `provenance`.

    Attributes:
        size: px, side of the square views.
        trim: whether views are cut free of uniform borders.
        shape: of one view's features.
        provenance: what decides the features beside the config, such as a digest of weights; where
            they are from may stand under `weights`, which decides nothing.
    """

    size: int
    trim: bool
    shape: tuple[int, ...]
    provenance: Mapping[str, str]

    def __call__(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 into features (N, *shape) float32."""


@runtime_checkable
class Surveyed(Protocol):
    """Features that say what of them decides a printable hash; of others, all options do.

    Attributes:
        common: name of the file of what the features of all pictures have in common; see
            `latenthash.hashing.printable_features`. There need not be one.
        indifferent: options that say how features are had, not what they are before any training.
    """

    common: str
    indifferent: tuple[str, ...]


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
