"""The adversary of the VAE/GAN: what its discriminator says of a batch, and what it compares."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import cached

from latenthash.models.components.diff_augment import DiffAugment
from latenthash.models.components.inputs import (
    check_halvings,
    picture_shape,
)
from latenthash.models.components.losses import (
    cost_of,
    gaussian_nll,
)
from latenthash.models.components.networks import (
    conv_discriminator,
    mlp_discriminator,
)

LAYER_FLOOR = 0.1  # of layer l's likelihood, in units of its own deviation: a tenth goes unseen


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What the discriminator says of N samples, their reconstructions and N samples of the prior.

    Attributes:
        rec: scalar, nats per sample, negative log-likelihood of layer l.
        fakes: scalar, nats, the discriminator's cost of fakes, in a graph that reaches the decoder.
        real_logits: (N,) its answers to real samples.
        fake_logits: (2N,) its answers to fakes, in a graph that ends at the discriminator.
    """

    rec: Tensor
    fakes: Tensor
    real_logits: Tensor
    fake_logits: Tensor

    def real_cost(self, label: float) -> Tensor:
        """Return its cross-entropy on real samples, nats, which should have had a label."""
        return cost_of(self.real_logits, label)

    def fake_cost(self) -> Tensor:
        """Return its cross-entropy on fakes, nats."""
        return cost_of(self.fake_logits, 0.0)

    def accuracy(self) -> Tensor:
        """Return the share of samples, real and made, that it tells aright."""
        right = torch.cat([self.real_logits > 0, self.fake_logits < 0])
        return right.float().mean()


class Adversary(nn.Module):
    """A discriminator chosen by the shape of features.

    Args:
        shape: of the features, (1 or 3, side, side) with values in [0, 1], or (D,).
        channels: width after each halving of a picture's side.
        hidden: width of each hidden layer for vectors.
        spectral: whether weights are divided by their spectral norm.
        diff_augment: whether pictures, real and made, are seen through random edits.

    Raises:
        InputError: if the discriminator cannot be built.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        channels: tuple[int, ...],
        hidden: tuple[int, ...],
        spectral: bool,
        diff_augment: bool,
    ) -> None:
        super().__init__()
        if len(shape) == 1:
            self.diff_augment = False  # vectors can be neither shifted nor cut
            self.discriminator = mlp_discriminator(shape[0], hidden, spectral)
        else:
            picture = picture_shape(shape)
            check_halvings("features.size", picture[1], "discriminator_channels", channels, 1)
            self.diff_augment = diff_augment
            self.discriminator = conv_discriminator(picture, channels, spectral)

    def forward(self, x: Tensor, rebuilt: Tensor, dreamt: Tensor) -> DiscriminatorOutput:
        """Judge samples, their reconstructions and samples from the prior, each (N, ...)."""
        # The same edits for all three, so that a sample and its reconstruction stay a pair.
        edit: Callable[[Tensor], Tensor] = (
            DiffAugment.draw(x) if self.diff_augment else nn.Identity()
        )
        x, rebuilt, dreamt = edit(x), edit(rebuilt), edit(dreamt)
        # Cached, spectral norms are estimated once, and every answer comes of the same weights.
        with cached():
            real_layer, real_logits = self.discriminator(x)
            rebuilt_layer, rebuilt_logits = self.discriminator(rebuilt)
            _, dreamt_logits = self.discriminator(dreamt)
            _, fake_logits = self.discriminator(torch.cat([rebuilt, dreamt]).detach())
        real_layer = real_layer.detach()
        deviation = real_layer.std().clamp(min=1e-6)  # layer l has no unit but its own
        return DiscriminatorOutput(
            gaussian_nll(real_layer / deviation, rebuilt_layer / deviation, LAYER_FLOOR),
            cost_of(torch.cat([rebuilt_logits, dreamt_logits]), 0.0),
            real_logits,
            fake_logits,
        )
