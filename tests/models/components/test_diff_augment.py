"""DiffAugment: each edit against plain numpy, its draws, and the gradient that goes through."""

import numpy as np
import pytest
import torch
from torch import Tensor

from fitting import MARKS
from latenthash.models.components.diff_augment import (
    GREY,
    DiffAugment,
)

pytestmark = MARKS


def data(n: int, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


def edits(n: int, **changes: Tensor) -> DiffAugment:
    """Edits that change nothing but what is asked; the square left out is beyond the picture."""
    settings = {
        "brightness": torch.zeros(n, 1, 1, 1),
        "saturation": torch.ones(n, 1, 1, 1),
        "contrast": torch.ones(n, 1, 1, 1),
        "shift": torch.zeros(n, 2, dtype=torch.long),
        "cutout": torch.full((n, 2), 1000),
    }
    return DiffAugment(**settings | changes)


def each(*values: float) -> Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1)


def test_edits_of_colour_are_those_of_plain_numpy() -> None:
    x = data(3)
    a = x.numpy()
    torch.testing.assert_close(edits(3)(x), x)
    brighter = edits(3, brightness=each(0.1, 0.0, -0.2))(x)
    np.testing.assert_allclose(brighter, a + each(0.1, 0, -0.2).numpy(), atol=1e-6)
    grey = a.mean(1, keepdims=True)
    factor = each(0.0, 0.5, 2.0).numpy()
    np.testing.assert_allclose(
        edits(3, saturation=each(0, 0.5, 2))(x), grey + factor * (a - grey), atol=1e-6
    )
    middle = a.mean((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(
        edits(3, contrast=each(0, 0.5, 2))(x), middle + factor * (a - middle), atol=1e-6
    )


def test_shift_moves_and_leaves_grey() -> None:
    x = data(3)
    shifted = edits(3, shift=torch.tensor([[2, 0], [0, -1], [-2, 1]]))(x)
    assert torch.equal(shifted[0, :, 2:], x[0, :, :-2])
    assert torch.equal(shifted[1, :, :, :-1], x[1, :, :, 1:])
    assert torch.equal(shifted[2, :, :-2, 1:], x[2, :, 2:, :-1])
    for left in (shifted[0, :, :2], shifted[1, :, :, -1], shifted[2, :, -2:]):
        assert (left == GREY).all()


def test_cutout_leaves_out_a_square_of_half_the_side() -> None:
    x = data(3)
    cut = edits(3, cutout=torch.tensor([[8, 8], [0, 15], [5, 6]]))(x)
    hole = cut == GREY
    assert [hole[i, 0].sum().item() for i in range(3)] == [64, 4 * 5, 64]
    assert hole[0, :, 4:12, 4:12].all()
    assert hole[1, :, :4, 11:].all()
    assert torch.equal(cut[~hole], x[~hole])


def test_draws_stay_in_range_and_differ_between_pictures() -> None:
    torch.manual_seed(0)
    drawn = DiffAugment.draw(torch.rand(2000, 3, 16, 16))
    for values, low, high in (
        (drawn.brightness, -0.25, 0.25), (drawn.saturation, 0, 2), (drawn.contrast, 0.5, 1.5),
        (drawn.shift, -2, 2), (drawn.cutout, 0, 15),
    ):  # fmt: skip
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
    assert torch.equal(torch.unique(drawn.shift), torch.arange(-2, 3))


def test_gradient_flows_through_the_edits() -> None:
    torch.manual_seed(0)
    x = data(4).double().requires_grad_()
    drawn = DiffAugment.draw(x)
    weight = torch.rand(4, 3, 16, 16).double()
    (gradient,) = torch.autograd.grad((weight * drawn(x)).sum(), x)
    # The edits are affine: a small step changes the sum by exactly the gradient.
    step = torch.rand(4, 3, 16, 16).double()
    change = (weight * (drawn(x + step) - drawn(x))).sum()
    assert change.item() == pytest.approx((gradient * step).sum().item(), rel=1e-9)


def test_edits_are_the_same_for_all_that_are_put_through_one_draw() -> None:
    torch.manual_seed(0)
    x = data(4)
    drawn = DiffAugment.draw(x)
    assert torch.equal(drawn(x), drawn(x.clone()))
    assert not torch.equal(drawn(x), DiffAugment.draw(x)(x))


def test_edits_of_a_picture_do_not_depend_on_the_rest_of_the_batch() -> None:
    torch.manual_seed(0)
    x, others = data(4), data(4, 1)
    drawn = DiffAugment.draw(x)
    mixed = drawn(torch.cat([x[:1], others[1:]]))
    torch.testing.assert_close(mixed[0], drawn(x)[0])
    torch.testing.assert_close(mixed[1:], drawn(others)[1:])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [4, 16, 20])
def test_shape_is_kept(channels: int, side: int) -> None:
    torch.manual_seed(0)
    x = torch.rand(5, channels, side, side)
    assert DiffAugment.draw(x)(x).shape == x.shape
