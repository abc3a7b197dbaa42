"""The losses against plain numpy and against torch's own distributions."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal
from torch.nn import functional as F

from latenthash.models.components.losses import (
    bernoulli_nll,
    cost_of,
    equilibrium_rule,
    gaussian_nll,
)

SHAPE = (4, 3, 5, 5)
DIMENSIONS = 75


def pair(error: float) -> tuple[Tensor, Tensor]:
    """Data, and a reconstruction whose errors are of about the given size."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(SHAPE, generator=generator, dtype=torch.float64)
    return x, x + error * torch.randn(SHAPE, generator=generator, dtype=torch.float64)


def test_nll_by_hand() -> None:
    x, mean = torch.zeros(2, 2), torch.tensor([[1.0, -1.0], [3.0, 1.0]])  # mean squared error 3
    expected = 0.5 * 2 * (math.log(2 * math.pi * 3) + 1)
    assert gaussian_nll(x, mean, 0.1).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("error", [0.3, 0.05, 0.039, 0.001, 0.0])
def test_nll_is_that_of_a_gaussian_with_the_floored_variance(error: float) -> None:
    floor = 0.04
    x, mean = pair(error)
    a, b = x.numpy(), mean.numpy()
    variance = max(((a - b) ** 2).mean(), floor**2)
    each = 0.5 * np.log(2 * np.pi * variance) + (a - b) ** 2 / (2 * variance)
    expected = each.reshape(len(a), -1).sum(1).mean()
    assert gaussian_nll(x, mean, floor).item() == pytest.approx(expected, rel=1e-12)


def test_batch_variance_is_the_most_likely_one() -> None:
    x, mean = pair(0.3)
    best = gaussian_nll(x, mean, 1e-3)
    for factor in (0.8, 0.95, 1.05, 1.25):
        sigma = (x - mean).square().mean().sqrt() * factor
        other = -Normal(mean, sigma).log_prob(x).flatten(1).sum(1).mean()
        assert other > best


def test_gradient_above_the_floor_is_that_of_the_log_error() -> None:
    x, mean = pair(0.3)
    mean.requires_grad_()
    (gradient,) = torch.autograd.grad(gaussian_nll(x, mean, 0.04), mean)
    log_error = DIMENSIONS / 2 * (x - mean).square().mean().log()
    (expected,) = torch.autograd.grad(log_error, mean)
    torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=0)


def test_gradient_below_the_floor_is_that_of_a_fixed_variance() -> None:
    x, mean = pair(0.001)
    mean.requires_grad_()
    (gradient,) = torch.autograd.grad(gaussian_nll(x, mean, 0.04), mean)
    expected = DIMENSIONS * (mean - x) / x.numel() / 0.04**2
    torch.testing.assert_close(gradient, expected.detach(), rtol=1e-10, atol=0)


def test_perfect_reconstruction_has_a_finite_loss_and_no_gradient() -> None:
    x, _ = pair(0.0)
    mean = x.clone().requires_grad_()
    loss = gaussian_nll(x, mean, 0.04)
    loss.backward()
    assert loss.item() == pytest.approx(DIMENSIONS / 2 * math.log(2 * math.pi * 0.04**2))
    assert mean.grad is not None
    assert not mean.grad.any()


def test_bernoulli_nll_by_hand() -> None:
    x, mean = torch.tensor([[1.0, 0.0], [1.0, 0.5]]), torch.tensor([[0.5, 0.2], [0.25, 0.9]])
    first = -math.log(0.5) - math.log(0.8)
    second = -math.log(0.25) - 0.5 * math.log(0.9) - 0.5 * math.log(0.1)
    assert bernoulli_nll(x, mean).item() == pytest.approx((first + second) / 2, rel=1e-6)


def test_bernoulli_nll_of_grey_pictures_is_that_of_plain_numpy() -> None:
    x, other = pair(0.0)[0], pair(0.3)[1]
    mean = other.sigmoid()
    a, b = x.numpy(), mean.numpy()
    each = -(a * np.log(b) + (1 - a) * np.log(1 - b))
    expected = each.reshape(len(a), -1).sum(1).mean()
    assert bernoulli_nll(x, mean).item() == pytest.approx(expected, rel=1e-12)


def test_bernoulli_nll_of_black_and_white_is_that_of_torch() -> None:
    x, other = pair(0.3)
    x, mean = x.round(), other.sigmoid()
    theirs = -Bernoulli(mean).log_prob(x).flatten(1).sum(1).mean()
    torch.testing.assert_close(bernoulli_nll(x, mean), theirs, rtol=1e-10, atol=0)


def test_bernoulli_nll_of_nan_is_nan_and_changes_no_other() -> None:
    x, other = pair(0.3)
    x, mean = x.clamp(0, 1), other.sigmoid().requires_grad_()
    ours = torch.autograd.grad(bernoulli_nll(x, mean), mean)
    theirs = torch.autograd.grad(F.binary_cross_entropy(mean, x, reduction="sum") / len(x), mean)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    assert bernoulli_nll(x, torch.full_like(mean, torch.nan)).isnan()


def test_bernoulli_nll_is_least_where_the_reconstruction_is_the_picture() -> None:
    x = pair(0.0)[0].clamp(0.01, 0.99)
    mean = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(bernoulli_nll(x, mean), mean)
    torch.testing.assert_close(gradient, torch.zeros_like(x), rtol=0, atol=1e-10)
    for shift in (-0.005, 0.005):
        assert bernoulli_nll(x, x + shift) > bernoulli_nll(x, x)


def test_bernoulli_nll_stays_finite_when_the_reconstruction_is_sure_and_wrong() -> None:
    loss = bernoulli_nll(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    assert loss.item() == 200, "torch bounds each logarithm at -100"


def test_cost_by_hand() -> None:
    logits = torch.tensor([0.0, math.log(4.0)])  # probabilities .5 and .8
    assert cost_of(logits, 1.0).item() == pytest.approx(-(math.log(0.5) + math.log(0.8)) / 2)
    assert cost_of(logits, 0.0).item() == pytest.approx(-(math.log(0.5) + math.log(0.2)) / 2)
    smooth = -(math.log(0.5) + 0.9 * math.log(0.8) + 0.1 * math.log(0.2)) / 2
    assert cost_of(logits, 0.9).item() == pytest.approx(smooth)


@pytest.mark.parametrize(
    ("real", "fake", "decoder", "discriminator"),
    [
        (0.68, 0.68, True, True),
        (0.34, 1.02, True, True),  # just within the margin
        (0.32, 0.68, True, False),
        (0.68, 0.32, True, False),
        (1.04, 0.68, False, True),
        (0.68, 1.04, False, True),
        (0.32, 1.04, True, True),  # both would wait
        (2.00, 0.10, True, True),
    ],
)
def test_turns_by_the_authors_rule(
    real: float, fake: float, decoder: bool, discriminator: bool
) -> None:
    assert equilibrium_rule(real, fake, (0.68, 0.35)) == (decoder, discriminator)
    assert equilibrium_rule(real, fake, None) == (True, True)
