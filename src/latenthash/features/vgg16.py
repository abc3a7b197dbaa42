"""A middle layer of VGG16 as features (Simonyan and Zisserman 2015)."""

import torch
from torch import Tensor, nn

from latenthash import InputError
from latenthash.features.weights import load_trunk, trunk_digest

BLOCKS = (2, 2, 3, 3, 3)  # convolutions before each pooling
POOLINGS = ("none", "average", "gem")
GEM_POWER = 3.0  # p of generalised mean pooling (Radenovic, Tolias and Chum 2018)
SMALLEST = 32  # px; five poolings leave one cell


def layer_ends() -> dict[str, int]:
    """Give for each layer's name the number of torchvision modules up to its end.

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


class VGG16(nn.Module):
    """Activations of one layer of the frozen trunk.

    Args:
        weights: `imagenet`, `random`, or the path of a state dict; see `load_trunk`.
        layer: conv1_1 ... conv5_3, pool1 ... pool5.
        pooling: none, average or gem over each map.
        size: px, side of the square view.
        seed: of random weights.

    Raises:
        InputError: if an argument or the weights cannot be used.
    """

    def __init__(self, *, weights: str, layer: str, pooling: str, size: int, seed: int) -> None:
        super().__init__()
        ends = layer_ends()
        problems = []
        if layer not in ends:
            problems.append(f"features.layer={layer} must be one of {', '.join(ends)}.")
        if pooling not in POOLINGS:
            problems.append(f"features.pooling={pooling} must be one of {', '.join(POOLINGS)}.")
        if size < SMALLEST:
            problems.append(f"features.size={size} must be at least {SMALLEST} px.")
        if problems:
            raise InputError(problems)
        trunk = load_trunk(weights, seed)
        self.size = size
        self.pooling = pooling
        self.identity = {"weights": trunk.source, "weights_sha256": trunk_digest(trunk.layers)}
        layers = trunk.layers[: ends[layer]].eval().requires_grad_(False)
        # In a tuple, where torch does not look for modules: a bundle names these 59 MB by their
        # digest and does not hold them.
        self.trunk = (layers.to(memory_format=torch.channels_last),)
        self.mean = torch.tensor(trunk.mean)
        self.shape = tuple(self(torch.zeros(1, size, size, 3, dtype=torch.uint8)).shape[1:])

    @torch.no_grad()
    def forward(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 RGB into (N, C), or (N, C, H, W) unpooled."""
        (trunk,) = self.trunk
        trunk.to(views.device)
        # (N, H, W, C) seen as (N, C, H, W) is channels_last already: three times as fast here.
        x = (views.float() - self.mean.to(views.device)).permute(0, 3, 1, 2)
        maps: Tensor = trunk(x)  # (N, C, H, W)
        if self.pooling == "average":
            return maps.mean((2, 3))
        if self.pooling == "gem":
            return maps.clamp(min=0).pow(GEM_POWER).mean((2, 3)).pow(1 / GEM_POWER)
        return maps.contiguous()
