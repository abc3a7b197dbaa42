"""Several layers of VGG16 side by side, as a description of a whole picture."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from latenthash import InputError
from latenthash.cache import DiskCache, cache_key
from latenthash.features.vgg16 import SMALLEST, layer_ends, recalled
from latenthash.features.weights import load_trunk, trunk_digest


class VGG16Layers(nn.Module):
    """Averages of several layers' maps, each scaled to length 1, one after the other.

    Args:
        weights: `imagenet`, `random`, or the path of a state dict; see `load_trunk`.
        layers: names, from the input on.
        size: px, side of the square view.
        trim: whether views are cut free of uniform borders first; see `data.views.pipeline`.
        seed: of random weights.

    Raises:
        InputError: if an argument or the weights cannot be used.
    """

    def __init__(
        self, *, weights: str, layers: Sequence[str], size: int, trim: bool, seed: int
    ) -> None:
        super().__init__()
        ends = layer_ends()
        problems = [
            f"features.layers holds {layer}, which is none of {', '.join(ends)}."
            for layer in layers
            if layer not in ends
        ]
        if not layers:
            problems.append("features.layers is empty; name at least one layer.")
        if size < SMALLEST:
            problems.append(f"features.size={size} must be at least {SMALLEST} px.")
        if problems:
            raise InputError(problems)
        trunk = load_trunk(weights, seed)
        digest = trunk_digest(trunk.layers)
        self.identity = {"weights": trunk.source, "weights_sha256": digest}
        self.size = size
        self.trim = trim
        self.ends = sorted(ends[layer] for layer in layers)
        parts = trunk.layers[: self.ends[-1]].eval().requires_grad_(False)
        # In a tuple, where torch does not look for modules: bundles name the trunk by its digest.
        self.frozen = (parts.to(memory_format=torch.channels_last),)
        self.mean = torch.tensor(trunk.mean)
        self.tail = nn.Sequential()  # nothing of it is tuned
        self.cache: DiskCache | None = None
        self.key = cache_key("vgg16 layers", digest, str(trunk.mean), str(self.ends), str(size))
        blank = torch.zeros(1, size, size, 3, dtype=torch.uint8)
        self.shape = tuple(self._averages(blank).shape[1:])

    @torch.no_grad()
    def forward(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into (N, D)."""
        return self.finish(self.begin(views))

    def begin(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into averages (N, D)."""
        return recalled(views, self.key, self.cache, self._averages)

    def finish(self, maps: Tensor) -> Tensor:
        """Scale each layer's part of averages (N, D) to length 1."""
        parts = torch.split(maps, self.widths, 1)
        return torch.cat([nn.functional.normalize(part) for part in parts], 1)

    @torch.no_grad()
    def _averages(self, views: Tensor) -> Tensor:
        (frozen,) = self.frozen
        frozen.to(views.device)
        x = (views.float() - self.mean.to(views.device)).permute(0, 3, 1, 2)
        averages = []
        for start, end in zip([0, *self.ends], self.ends, strict=False):
            x = frozen[start:end](x)
            averages.append(x.mean((2, 3)))
        self.widths = [part.shape[1] for part in averages]
        return torch.cat(averages, 1)
