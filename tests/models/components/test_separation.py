"""What keeps the Signal and all else apart: against torch.distributions and by hand."""

from math import exp, log, pi, sqrt
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from fitting import NO_SEPARATION
from latenthash.models.components.separation import (
    LatentCritic,
    Separation,
    balanced_weights,
)

Y = torch.tensor([1.0, 0.0, 0.0, 1.0])


def separation(latent_dim: int = 2, theta: float = 0.0, **settings: Any) -> Separation:
    made = Separation(latent_dim, **NO_SEPARATION | settings)
    made.aim(theta)
    return made


def moments(latent_dim: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        3 * torch.randn(len(Y), latent_dim, generator=generator),
        torch.randn(len(Y), latent_dim, generator=generator),
    )


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_without_a_prior_the_kl_is_to_the_standard_normal(latent_dim: int) -> None:
    mean, log_variance = moments(latent_dim)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).mean(0)
    torch.testing.assert_close(separation(latent_dim).kl(mean, log_variance, Y), expected)


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_with_a_prior_the_kl_is_to_that_of_the_class(weight: float) -> None:
    mean, log_variance = moments(2)
    # The centre at 90 degrees is (0, 4).
    target = Normal(torch.tensor([0.0, 4.0]), torch.tensor([[0.3], [4.0], [4.0], [0.3]]))
    expected = weight * kl_divergence(Normal(mean, (log_variance / 2).exp()), target).mean(0)
    found = separation(theta=pi / 2, prior=weight).kl(mean, log_variance, Y)
    torch.testing.assert_close(found, expected)


def test_hypersphere_by_hand() -> None:
    # c = (4, 0); distances sqrt(3) from it, so h = sqrt(3 + 1) - 1 = 1 for every row.
    mean = torch.tensor([4.0, 0.0]) + sqrt(3) * torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    pushed = -log(1 - exp(-1))
    expected = (1 + pushed + pushed + 1) / 4
    assert separation(hypersphere=3.0).hypersphere_loss(mean, Y).item() == pytest.approx(
        3 * expected
    )
    assert separation().hypersphere_loss(mean, Y).item() == 0.0


def test_hypersphere_pulls_the_signal_and_pushes_all_else() -> None:
    mean = torch.tensor([[5.0, 0.0]], requires_grad=True)
    for y, sign in ((1.0, 1), (0.0, -1)):
        (slope,) = torch.autograd.grad(
            separation(hypersphere=1.0).hypersphere_loss(mean, torch.tensor([y])), mean
        )
        assert sign * slope[0, 0] > 0  # downhill is towards c = (4, 0) for the Signal
        assert slope[0, 1] == 0


def test_hypersphere_bears_noise_at_the_very_centre() -> None:
    mean = torch.tensor([[4.0, 0.0]], requires_grad=True)
    loss = separation(hypersphere=1.0).hypersphere_loss(mean, torch.zeros(1))
    (slope,) = torch.autograd.grad(loss, mean)
    assert torch.isfinite(loss) and torch.isfinite(slope).all()


@pytest.mark.parametrize(("latent_dim", "expected"), [(1, [2.0]), (2, [2.0, 3.4641]), (3, None)])
def test_centre_lies_at_its_angle(latent_dim: int, expected: list[float] | None) -> None:
    centre = separation(latent_dim, theta=pi / 3).centre.tolist()  # 4 (cos 60, sin 60)
    assert centre == pytest.approx(expected or [2.0, 3.4641, 0.0], abs=1e-4)


def test_samples_come_from_the_prior_of_their_class() -> None:
    torch.manual_seed(0)
    y = torch.tensor([1.0, 0.0]).repeat(20_000)
    z = separation(prior=1.0).sample(y)
    for label, sigma in ((1, 0.3), (0, 4.0)):
        rows = z[y == label]
        assert rows.mean(0).tolist() == pytest.approx([4.0, 0.0], abs=4 * sigma / 100)
        assert rows.std(0).tolist() == pytest.approx([sigma, sigma], rel=0.03)
    plain = separation().sample(y)
    assert plain.mean(0).tolist() == pytest.approx([0.0, 0.0], abs=0.03)
    assert plain.std(0).tolist() == pytest.approx([1.0, 1.0], rel=0.03)


def test_critic_learns_to_tell_latents_from_draws_of_their_class() -> None:
    torch.manual_seed(0)
    apart = separation(critic=1.0)
    critic = LatentCritic(2)
    y = (torch.arange(256) % 2).float()
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    # The encoder has the two classes the wrong way round: without y nothing could be told.
    for _ in range(200):
        optimizer.zero_grad()
        critic.against(apart.sample(1 - y), apart.sample(y), y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    right = (critic(apart.sample(y), y) > 0).float().mean()
    wrong = (critic(apart.sample(1 - y), y) > 0).float().mean()
    assert right > 0.8
    assert wrong < 0.2


def test_critic_gives_no_gradient_to_the_encoder_when_it_is_trained() -> None:
    z = torch.randn(4, 2, requires_grad=True)
    LatentCritic(2).against(z, torch.randn(4, 2), Y).backward()  # type: ignore[no-untyped-call]
    assert z.grad is None


def test_balanced_weights_are_thirds() -> None:
    weights = balanced_weights(
        {"signal": 10, "noise_edited": 20, "noise_similar": 40, "outliers": 5}
    )
    parts = torch.split(weights, [10, 20, 40, 5])
    assert [part.sum().item() for part in parts] == pytest.approx([1, 0.5, 0.5, 1])
    assert all(part.unique().numel() == 1 for part in parts)
    alone = torch.split(balanced_weights({"signal": 3, "noise_similar": 7}), [3, 7])
    assert [part.sum().item() for part in alone] == pytest.approx([1, 1])
