"""What keeps the Signal and everything else apart in latent space: the thesis's open problem.

Every ingredient is a loss on the latents and on y, which says whose they are: 1 the Signal's,
0 anything else's. All pull the Signal to one centre, which is fixed before the training.
"""

from collections.abc import Mapping
from math import cos, sin

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latenthash.models.components.losses import cost_of
from latenthash.models.components.networks import mlp_discriminator

CRITIC_HIDDEN = (128, 64)  # widths of the latent critic
NEAREST = 1e-6  # h below which the gradient of log(1 - exp(-h)) would overflow


class Separation(nn.Module):
    """The centre and the two priors of a latent space, and the losses that rest on them.

    Args:
        latent_dim: k.
        prior: weight of the KL to each class's own prior, N(c, signal_sigma^2 I) for the Signal
            and N(c, noise_sigma^2 I) for all else, in place of the KL to N(0, I); 0 leaves that.
        hypersphere: weight of the hypersphere classifier's loss; 0 leaves it out.
        critic: weight of the latent adversary in the encoder's loss; 0 leaves it out.
        balanced: whether batches hold Signal, noise and outliers equally often.
        distance: of the centre c from 0.
        signal_sigma: deviation of the Signal's prior.
        noise_sigma: deviation of the prior of everything else.
    """

    centre: Tensor

    def __init__(
        self,
        latent_dim: int,
        *,
        prior: float,
        hypersphere: float,
        critic: float,
        balanced: bool,
        distance: float,
        signal_sigma: float,
        noise_sigma: float,
    ) -> None:
        super().__init__()
        self.prior = prior
        self.hypersphere = hypersphere
        self.critic = critic
        self.balanced = balanced
        self.distance = distance
        self.sigmas = (noise_sigma, signal_sigma)  # by y
        self.register_buffer("centre", torch.zeros(latent_dim))

    def aim(self, theta: float) -> None:
        """Put the centre at an angle of the first two dimensions.

        Args:
            theta: radians; from the Signal's content, so that hashes of different pictures lie
                apart and those of one picture together, whatever the seed.
        """
        direction = torch.tensor([cos(theta), sin(theta)])[: len(self.centre)]
        self.centre[: len(direction)] = self.distance * direction

    def kl(self, mean: Tensor, log_variance: Tensor, y: Tensor) -> Tensor:
        """KL divergence of N(mean, exp(log_variance)) from the prior of its class, per dimension.

        Without `prior` it is that of N(0, I) (Kingma and Welling 2014, appendix B).

        Args:
            mean: (N, k).
            log_variance: (N, k).
            y: (N,) 1 for the Signal, 0 for all else.

        Returns:
            (k,) nats, mean over the batch, times its weight.
        """
        if not self.prior:
            return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(0)
        variance = self._deviation(y).square()
        ratio = ((mean - self.centre).square() + log_variance.exp()) / variance
        return self.prior * 0.5 * (ratio - 1 - log_variance + variance.log()).mean(0)

    def hypersphere_loss(self, mean: Tensor, y: Tensor) -> Tensor:
        """Loss of the hypersphere classifier (Liznerski et al. 2021, equation 1), weighted.

        With h = sqrt(|mean - c|^2 + 1) - 1 it is h for the Signal and -log(1 - exp(-h)) for all
        else (the pseudo-Huber distance of Ruff et al. 2021).

        Args:
            mean: (N, k).
            y: (N,).

        Returns:
            scalar, mean over the batch.
        """
        h = ((mean - self.centre).square().sum(1) + 1).sqrt() - 1
        away = -torch.log(-torch.expm1(-h.clamp(min=NEAREST)))
        return self.hypersphere * torch.where(y > 0, h, away).mean()

    def sample(self, y: Tensor) -> Tensor:
        """Draw z (N, k) from the prior of each class y (N,)."""
        z = self.centre.new_empty(len(y), len(self.centre)).normal_()
        return self.centre + z * self._deviation(y) if self.prior or self.critic else z

    def _deviation(self, y: Tensor) -> Tensor:
        noise, signal = (self.centre.new_tensor(sigma) for sigma in self.sigmas)
        return torch.where(y > 0, signal, noise)[:, None]


class LatentCritic(nn.Module):
    """The latent adversary: tells latents of the encoder from draws of their class's prior.

    An adversarial autoencoder on labels (Makhzani et al. 2016, section 2.3): its discriminator
    sees the class beside z.

    Args:
        latent_dim: k.
    """

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.discriminator = mlp_discriminator(latent_dim + 2, CRITIC_HIDDEN, spectral=False)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the logit (N,) of z (N, k) of class y (N,) being a draw of the prior."""
        classes = F.one_hot(y.long(), 2).to(z.dtype)
        logits: Tensor = self.discriminator(torch.cat([z, classes], 1))[1]
        return logits

    def against(self, encoded: Tensor, drawn: Tensor, y: Tensor) -> Tensor:
        """Return its own cost, nats, of encoded latents and draws of the prior, each (N, k)."""
        return cost_of(self(drawn, y), 1.0) + cost_of(self(encoded.detach(), y), 0.0)


def balanced_weights(sizes: Mapping[str, int]) -> Tensor:
    """Give each row of the sets, one after the other, its chance of being drawn.

    Signal, noise and outliers are drawn equally often, however many rows each has, and so are
    the two sets of noise. What is not there leaves its share to the others.

    Args:
        sizes: set -> number of rows.

    Returns:
        (N,) weights.
    """
    noise = [role for role in sizes if role.startswith("noise")]
    return torch.cat(
        [
            torch.full((n,), 1 / n / (len(noise) if role in noise else 1))
            for role, n in sizes.items()
        ]
    )
