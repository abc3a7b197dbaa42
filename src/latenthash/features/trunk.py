"""What all features of VGG16 share: views go through layers that are never trained, once."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from latenthash.cache import DiskCache, cache_key
from latenthash.features.recall import recalled
from latenthash.features.weights import load_trunk, weights_digest

BLOCKS = (2, 2, 3, 3, 3)  # convolutions before each pooling


def layer_ends() -> dict[str, int]:
    """Return for each layer's name the number of torchvision modules up to its end.

    conv<block>_<i> ends after its ReLU, as the thesis reads it; pool<block> after the pooling.
    """
    ends, position = {}, 0
    for block, count in enumerate(BLOCKS, start=1):
        for i in range(1, count + 1):
            position += 2
            ends[f"conv{block}_{i}"] = position
        position += 1
        ends[f"pool{block}"] = position
    return ends


class TrunkFeatures(nn.Module, ABC):
    """Features that begin with the frozen front of VGG16, whose activations are cached.

    Args:
        weights: `imagenet`, `random`, or the path of a state dict; see `load_trunk`.
        size: px, side of the square view.
        trim: whether views are cut free of uniform borders first; see `data.views.pipeline`.
        seed: of random weights.
        kind: of activations; with `front` it names them in the cache.
        front: what is frozen.
        ends: torchvision modules up to the end of the front, and of the tail.

    Attributes:
        frozen: the front, in a tuple.
        tail: what follows and may be trained; without layers when nothing may.
        cache: where the activations are kept; None keeps none.

    Raises:
        InputError: if the weights cannot be used.
    """

    indifferent = ("weights", "seed", "finetune", "freeze_until")
    common = ""

    def __init__(
        self,
        *,
        weights: str,
        size: int,
        trim: bool,
        seed: int,
        kind: str,
        front: str,
        ends: tuple[int, int],
    ) -> None:
        super().__init__()
        trunk = load_trunk(weights, seed)
        digest = weights_digest(trunk.layers)
        self.provenance = {"weights": trunk.source, "weights_sha256": digest}
        self.size = size
        self.trim = trim
        layers = trunk.layers.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        # In a tuple, where torch does not look for modules: a bundle names these 59 MB by their
        # digest and does not hold them.
        self.frozen = (layers[: ends[0]],)
        self.tail = layers[ends[0] : ends[1]]
        self.mean = torch.tensor(trunk.mean)
        self.cache: DiskCache | None = None
        self.key = cache_key(kind, digest, str(trunk.mean), front, str(size))

    @torch.no_grad()
    def forward(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into features (N, ...)."""
        return self.finish(self.begin(views))

    def begin(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into the front's activations (N, ...)."""
        return recalled(views, self.key, self.cache, self._activations)

    @abstractmethod
    def finish(self, maps: Tensor) -> Tensor:
        """Turn the front's activations (N, ...) into features (N, ...)."""

    @torch.no_grad()
    def _activations(self, views: Tensor) -> Tensor:
        (frozen,) = self.frozen
        frozen.to(views.device)
        # (N, H, W, C) seen as (N, C, H, W) is channels_last already: three times as fast here.
        x = (views.float() - self.mean.to(views.device)).permute(0, 3, 1, 2)
        return self._through(frozen, x)

    @abstractmethod
    def _through(self, frozen: nn.Sequential, x: Tensor) -> Tensor:
        """Put (N, 3, size, size) through the front."""

    def _shape(self) -> tuple[int, ...]:
        """Return the shape of one picture's features."""
        blank = torch.zeros(1, self.size, self.size, 3, dtype=torch.uint8)
        return tuple(self.finish(self._activations(blank)).shape[1:])
