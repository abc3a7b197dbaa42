"""Losses and the validation figure of a contrastive code, against numpy and by hand."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from latenthash.models.components.contrast import (
    NEAREST,
    STEEPNESS,
    info_nce,
    koleo,
    signs,
    straight_signs,
    tpr_at_fpr,
)


def unit(n: int, d: int, seed: int) -> Tensor:
    return F.normalize(torch.randn(n, d, generator=torch.Generator().manual_seed(seed)))


def reference(first: NDArray[np.float64], second: NDArray[np.float64], temperature: float) -> float:
    """Mean of -log of the other view's share, view by view, among all other views of the batch."""
    n = len(first)
    views = np.concatenate([first, second])
    losses = []
    for i, view in enumerate(views):
        weights = np.exp(views @ view / temperature)
        weights[i] = 0.0  # a view is no answer to itself
        losses.append(-np.log(weights[(i + n) % (2 * n)] / weights.sum()))
    return float(np.mean(losses))


@pytest.mark.parametrize(("n", "temperature"), [(2, 1.0), (5, 0.05), (8, 0.5)])
def test_info_nce_is_the_mean_over_both_views(n: int, temperature: float) -> None:
    first, second = unit(n, 6, 0), unit(n, 6, 1)
    wanted = reference(first.double().numpy(), second.double().numpy(), temperature)
    assert info_nce(first, second, temperature).item() == pytest.approx(wanted, rel=1e-5)


def test_info_nce_by_hand() -> None:
    """Two pictures whose views are e1, e1 and e2, e2: 1 answer at cosine 1 among 2 at cosine 0."""
    first = torch.eye(2)
    loss = info_nce(first, first, 0.5).item()
    assert loss == pytest.approx(math.log(math.exp(2) + 2) - 2, rel=1e-6)


def test_info_nce_does_not_care_for_the_order_of_views_or_pictures() -> None:
    first, second = unit(5, 4, 2), unit(5, 4, 3)
    loss = info_nce(first, second, 0.1)
    torch.testing.assert_close(info_nce(second, first, 0.1), loss)
    torch.testing.assert_close(info_nce(first.flip(0), second.flip(0), 0.1), loss)
    assert not info_nce(first, second.flip(0), 0.1).isclose(loss)


def test_signs_are_minus_1_and_1() -> None:
    assert signs(torch.tensor([[-2.0, 0.0, 1e-9]])).tolist() == [[-1, -1, 1]]


def test_straight_signs_have_the_gradient_of_a_tanh() -> None:
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(4)).requires_grad_()
    weight = torch.randn(3, 4, generator=torch.Generator().manual_seed(5))
    made = straight_signs(z)
    torch.testing.assert_close(made, signs(z) / 2)  # of length 1: sqrt(4) is 2
    (made * weight).sum().backward()
    # By hand: of v / |v| at v = signs, with dv = STEEPNESS (1 - tanh^2) dz.
    v = signs(z.detach()).double()
    outer = weight / 2 - v * (v * weight).sum(1, keepdim=True) / 8
    slope = STEEPNESS * (1 - torch.tanh(STEEPNESS * z.detach().double()) ** 2)
    torch.testing.assert_close(z.grad.double(), outer * slope, atol=1e-6, rtol=1e-5)


def test_koleo_by_hand() -> None:
    """The first two are nearest to each other, and the second is nearest to the third."""
    x = torch.tensor([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    near, far = math.sqrt(0.16 + 0.64), math.sqrt(2.56 + 0.64)
    wanted = -(2 * math.log(near + NEAREST) + math.log(far + NEAREST)) / 3
    assert koleo(x).item() == pytest.approx(wanted, rel=1e-5)


def test_koleo_of_equal_vectors_is_large_and_finite() -> None:
    x = torch.ones(4, 3, requires_grad=True)
    unit_x = F.normalize(x)
    loss = koleo(unit_x)
    assert loss.item() == pytest.approx(-math.log(NEAREST), rel=0.05)
    loss.backward()
    assert torch.isfinite(x.grad).all()


# Two views of two pictures. Own similarities .9, .7, .8, .3; of other pictures .7, .7, .5, .4.
SIMILARITY = torch.tensor([[[0.9, 0.7], [0.7, 0.7]], [[0.8, 0.5], [0.4, 0.3]]])


@pytest.mark.parametrize(
    ("fpr", "wanted"),
    [
        (0.0, 0.5),  # none of the four others may pass: above .7 are .9 and .8
        (0.2, 0.5),  # four fifths of one may
        (0.25, 0.5),  # one may, but the two at .7 are equal: either both pass or none
        (0.5, 0.75),  # both: above .5
        (0.75, 0.75),  # three: above .4
    ],
)
def test_tpr_counts_what_is_above_all_but_a_share_of_impostors(fpr: float, wanted: float) -> None:
    assert tpr_at_fpr(SIMILARITY, fpr) == wanted


def test_tpr_of_a_code_that_makes_no_difference_is_0() -> None:
    assert tpr_at_fpr(torch.ones(2, 3, 3), 0.5) == 0
