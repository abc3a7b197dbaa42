"""Losses of the variational models: sums over pixels and latents, means over the batch."""

import torch
from torch import Tensor


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


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, exp(log_variance)) from N(0, I), per dimension.

    Kingma and Welling 2014, appendix B.

    Args:
        mean: (N, k).
        log_variance: (N, k).

    Returns:
        (k,) nats, mean over the batch.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean(0)
