"""Losses of the variational models: sums over pixels and latents, means over the batch."""

import torch
from torch import Tensor
from torch.nn import functional as F

GAUSSIAN, BERNOULLI = "gaussian", "bernoulli"


def gaussian_nll(x: Tensor, mean: Tensor, sigma_floor: float) -> Tensor:
    """Negative log-likelihood of x under a Gaussian with the batch-optimal variance.

    The variance that maximises the likelihood of a batch is its mean squared error
    (sigma-VAE, Rybkin et al. 2021, section 3.2), so no weight between reconstruction and KL
    has to be tuned.

    Args:
        x: (N, ...) data.
        mean: (N, ...) reconstruction.
        sigma_floor: smallest standard deviation, in units of x: below it the model would be
            paid for detail that no one can see.

    Returns:
        scalar, nats per sample.
    """
    mse = (x - mean).square().mean()
    variance = mse.detach().clamp(min=sigma_floor**2)
    dimensions = x[0].numel()
    return 0.5 * dimensions * (torch.log(2 * torch.pi * variance) + mse / variance)


def bernoulli_nll(x: Tensor, mean: Tensor) -> Tensor:
    """Negative log-likelihood of x when every pixel is white with the probability `mean`.

    Kingma and Welling 2014, appendix C.1. Grey pixels count as that share of white, as in the
    classic samples on MNIST.

    Args:
        x: (N, ...) data in [0, 1].
        mean: (N, ...) reconstruction in (0, 1).

    Returns:
        scalar, nats per sample; NaN where the reconstruction is.
    """
    # Torch raises on NaN, on a GPU for the whole process; as a loss it is found at the end.
    nll = F.binary_cross_entropy(mean.nan_to_num(), x, reduction="sum") + 0 * mean.sum()
    return nll / len(x)


def cost_of(logits: Tensor, label: float) -> Tensor:
    """Cross-entropy of a discriminator's answers.

    Args:
        logits: (N,) log-odds of being real.
        label: probability of being real that each should have had.

    Returns:
        scalar, nats, mean over the batch.
    """
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def equilibrium_rule(
    real_cost: float, fake_cost: float, balance: tuple[float, float] | None
) -> tuple[bool, bool]:
    """Decide which of two adversaries may step, so that neither runs away from the other.

    The rule of the authors' code of Larsen et al. 2016: a discriminator whose cost of real or
    of fake is below equilibrium - margin waits; a decoder whose discriminator's cost of either
    is above equilibrium + margin waits; rather than both, neither waits.

    Args:
        real_cost: nats, the discriminator's cross-entropy on real samples.
        fake_cost: the same on fakes; log 2 each is a discriminator that knows nothing.
        balance: nats, equilibrium and margin; None lets both step always.

    Returns:
        whether the decoder steps, whether the discriminator steps.
    """
    if balance is None:
        return True, True
    equilibrium, margin = balance
    decoder = max(real_cost, fake_cost) <= equilibrium + margin
    discriminator = min(real_cost, fake_cost) >= equilibrium - margin
    neither = not (decoder or discriminator)
    return decoder or neither, discriminator or neither
