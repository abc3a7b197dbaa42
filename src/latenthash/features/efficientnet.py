"""EfficientNet-Lite0 (Tan and Le 2019; the Lite variant of 2020): the network of the fast code.

EfficientNet-B0 without squeeze-and-excitation and with ReLU6: what is fast on any CPU.
"""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

Module = TypeVar("Module", bound=nn.Module)

# Expansion, channels, blocks, stride of the first block, kernel (Tan and Le 2019, Table 1).
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM, HEAD = 32, 1280  # channels
MEAN, SCALE = 0.498, 0.502  # of its input: 127 and 128 of 255
EPSILON, MOMENTUM = 1e-3, 0.01  # of its batch norms, as TensorFlow trained them
LEAST = 1e-6  # of activations that are raised to a power
INWARD = 16.0  # length of the vectors that a head is given: channels of about .4


class SamePadding(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: of an odd pixel, right and below get it."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, D, ceil(H / stride), ceil(W / stride))."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        if stride == 1:  # an odd kernel, whose padding is even
            return F.conv2d(x, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        down, across = ((-(-side // stride) - 1) * stride + kernel - side for side in x.shape[-2:])
        down, across = max(down, 0), max(across, 0)
        padding = (across // 2, across - across // 2, down // 2, down - down // 2)
        return F.conv2d(F.pad(x, padding), self.weight, self.bias, stride, 0, 1, self.groups)


class Layer(nn.Sequential):
    """A convolution, its batch norm, and ReLU6 where it is not linear."""

    def __init__(
        self, inward: int, outward: int, kernel: int, stride: int = 1, groups: int = 1,
        linear: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            SamePadding(inward, outward, kernel, stride, groups=groups, bias=False),
            nn.BatchNorm2d(outward, eps=EPSILON, momentum=MOMENTUM),
            nn.Identity() if linear else nn.ReLU6(inplace=True),
        )


class Block(nn.Module):
    """An inverted residual with a linear bottleneck (Sandler et al. 2018)."""

    def __init__(self, inward: int, outward: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = inward * expansion
        self.layers = nn.Sequential(
            *([Layer(inward, wide, 1)] if expansion > 1 else []),
            Layer(wide, wide, kernel, stride, groups=wide),
            Layer(wide, outward, 1, linear=True),
        )
        self.residual = stride == 1 and inward == outward

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, D, H / stride, W / stride)."""
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """The trunk, pooled by a generalized mean with a learned exponent.

    GeM (Radenovic, Tolias and Chum 2018, eq. 3) is between the average, exponent 1, and the
    maximum.

    Attributes:
        exponent: of the pooling; 3 at the start, as its authors begin.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = Layer(3, STEM, 3, stride=2)
        blocks, channels = [], STEM
        for expansion, outward, count, stride, kernel in STAGES:
            for i in range(count):
                blocks.append(Block(channels, outward, expansion, stride if i == 0 else 1, kernel))
                channels = outward
        self.blocks = nn.Sequential(*blocks)
        self.head = Layer(channels, HEAD, 1)
        self.exponent = nn.Parameter(torch.tensor(3.0))

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) in [0, 1] to (N, 1280)."""
        x = (x - MEAN) / SCALE
        # Powers of halves have no room.
        maps = self.head(self.blocks(self.stem(x))).float()
        pooled: Tensor = maps.clamp(min=LEAST).pow(self.exponent).mean((2, 3))
        return pooled.pow(1 / self.exponent)


class Direction(nn.Module):
    """Vectors of one length: how strongly a picture excites the trunk says little of it."""

    def forward(self, pooled: Tensor) -> Tensor:
        """Scale each vector (N, D) to INWARD."""
        return INWARD * F.normalize(pooled)


class Head(nn.Sequential):
    """A linear layer and a batch norm without scale and shift, so that every bit is balanced."""

    def __init__(self, dimensions: int) -> None:
        super().__init__(nn.Linear(HEAD, dimensions), nn.BatchNorm1d(dimensions, affine=False))

    def forward(self, pooled: Tensor) -> Tensor:
        """Map what the trunk pooled, (N, 1280), to (N, dimensions), whatever its length."""
        z: Tensor = super().forward(Direction()(pooled))  # type: ignore[no-untyped-call]
        return z


def folded(network: Module) -> Module:
    """Copy a network for use alone: batch norms within the convolutions, channels_last.

    The results are the same but for rounding, and come in two thirds of the time on a CPU.
    """
    network = copy.deepcopy(network).eval()
    for layer in network.modules():
        if isinstance(layer, Layer):
            convolution, norm = layer[0], layer[1]
            assert isinstance(convolution, SamePadding) and isinstance(norm, nn.BatchNorm2d)
            layer[0], layer[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return network.requires_grad_(False).to(memory_format=torch.channels_last)
