"""What a discriminator says of a batch: its loss in plain numpy, and where its graphs end."""

import numpy as np
import pytest
import torch
from torch import Tensor

from fitting import MARKS, data
from latenthash.models.components.adversary import Adversary

pytestmark = MARKS


def test_discriminator_output_is_that_of_plain_numpy() -> None:
    torch.manual_seed(0)
    judge = Adversary((6,), (), (5, 4), False, True).double()
    x, rebuilt, dreamt = (data(3, (6,), seed).double() for seed in range(3))
    output = judge(x, rebuilt, dreamt)
    layers, logits = zip(*((a.detach().numpy(), b.detach().numpy())
                           for a, b in map(judge.discriminator, (x, rebuilt, dreamt))),
                         strict=True)  # fmt: skip
    variance = max(((layers[0] - layers[1]) ** 2).mean() / layers[0].std(ddof=1) ** 2, 0.01)
    fakes = np.concatenate(logits[1:])
    assert output.rec.item() == pytest.approx(2 * (np.log(2 * np.pi * variance) + 1), rel=1e-9)
    assert output.fakes.item() == pytest.approx(np.log1p(np.exp(fakes)).mean())
    np.testing.assert_allclose(output.real_logits.detach(), logits[0])
    np.testing.assert_allclose(output.fake_logits.detach(), fakes)
    assert not judge.diff_augment, "vectors can be neither shifted nor cut"


@pytest.mark.parametrize("shape", [(3, 16, 16), (20,)])
def test_graphs_of_an_output_end_where_they_must(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    judge = Adversary(shape, (4, 6), (5, 4), True, True)
    samples = [data(3, shape, seed).requires_grad_() for seed in range(3)]
    output = judge(*samples)

    def reached(value: Tensor) -> list[bool]:
        """Whether a gradient reaches the samples, the reconstructions and the prior's samples."""
        gradients = torch.autograd.grad(value.sum(), samples, retain_graph=True, allow_unused=True)
        return [gradient is not None and bool(gradient.any()) for gradient in gradients]

    assert reached(output.rec) == [False, True, False], "real samples are what is aimed at"
    assert reached(output.fakes) == [False, True, True]
    assert reached(output.real_logits) == [True, False, False]
    assert reached(output.fake_logits) == [False] * 3, "the discriminator's loss stays with it"
