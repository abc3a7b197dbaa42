"""What networks take: shapes they can be built for, and vectors on a common scale."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.models.components.networks import GROUPS

QUIETEST = 0.1  # of the mean deviation: what hardly moves in the noise is not blown up further


class Standardize(nn.Module):
    """Signed root, then zero mean and unit variance in the set that was fitted on.

    Args:
        dimensions: D.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("deviation", torch.ones(dimensions))

    def fit(self, x: Tensor) -> None:
        """Take mean and deviation from features x (N, D)."""
        root = signed_root(x)
        deviation = root.std(0, correction=0)
        self.mean.copy_(root.mean(0))
        self.deviation.copy_(deviation.clamp(min=max(QUIETEST * deviation.mean().item(), 1e-6)))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (N, D) to (N, D)."""
        return (signed_root(x) - self.mean) / self.deviation


def noise(train: Mapping[str, FeatureSet]) -> Tensor:
    """Pool the features of all sets but the Signal, whose statistics must not shape its own hash.

    Raises:
        InputError: if there is no other set.
    """
    sets = [features.x for role, features in train.items() if role != "signal"]
    if not sets:
        raise InputError(
            "data.train_sets holds the Signal alone, and vectors are standardized with the "
            "statistics of the other sets: add noise_edited, noise_similar or outliers."
        )
    return torch.cat(sets)


def picture_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the shape of pictures as it is, and refuse any other."""
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise InputError(
            f"model=vae and model=vaegan take pictures or vectors, not features of shape "
            f"{tuple(shape)}; set features.pooling=average."
        )
    return shape


def check_halvings(
    side_key: str, side: int, key: str, channels: tuple[int, ...], multiple: int = GROUPS
) -> None:
    """Refuse a side that cannot be halved once per entry of channels, and channels in no groups."""
    if any(width % multiple for width in channels):
        raise InputError(f"model.{key}={list(channels)} must be multiples of {multiple}.")
    if side % 2 ** len(channels):
        raise InputError(
            f"{side_key}={side} must be a multiple of {2 ** len(channels)}: "
            f"model.{key}={list(channels)} halves it {len(channels)} times."
        )


def signed_root(x: Tensor) -> Tensor:
    """Return sign(x) sqrt(|x|) (Perronnin, Sanchez and Mensink 2010)."""
    return x.sign() * x.abs().sqrt()
