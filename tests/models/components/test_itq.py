"""Fewer bits of many numbers: what iterative quantization must keep."""

import pytest
import torch

from latenthash.models.components.itq import itq


def test_bits_of_a_cube_are_its_corners() -> None:
    # Corners of a cube, turned and moved, with noise in other directions: signs can tell all eight.
    generator = torch.Generator().manual_seed(0)
    corners = torch.where(torch.rand(4000, 3, generator=generator) > 0.5, 1.0, -1.0)
    turned = torch.linalg.qr(torch.randn(5, 5, generator=generator))[0][:, :3]
    z = 10 * corners @ turned.T + torch.randn(4000, 5, generator=generator) + 7
    directions, offsets = itq(z, 3)
    bits = z @ directions.T + offsets > 0
    # The same corner has the same bits, another one has others.
    codes = {tuple(row) for row in torch.cat([corners > 0, bits], 1).tolist()}
    assert len(codes) == len({code[:3] for code in codes}) == len({code[3:] for code in codes}) == 8


def test_bits_are_balanced_about_the_mean() -> None:
    z = torch.randn(2000, 6, generator=torch.Generator().manual_seed(1)) + 3
    directions, offsets = itq(z, 4)
    torch.testing.assert_close(
        (z @ directions.T + offsets).mean(0), torch.zeros(4), atol=1e-3, rtol=0
    )
    torch.testing.assert_close(directions @ directions.T, torch.eye(4), atol=1e-5, rtol=0)


@pytest.mark.parametrize("bits", [1, 6])
def test_quantization_loses_no_more_than_any_rotation(bits: int) -> None:
    generator = torch.Generator().manual_seed(2)
    z = torch.randn(1000, 6, generator=generator) * torch.tensor([5, 4, 3, 2, 1, 0.5])
    directions, offsets = itq(z, bits)
    y = z @ directions.T + offsets
    lost = (y - y.sign()).square().sum()
    axes = torch.linalg.eigh(torch.cov(z.T))[1].flip(1)[:, :bits]
    for seed in range(5):
        turn = torch.linalg.qr(torch.randn(bits, bits, generator=generator.manual_seed(seed)))[0]
        other = (z - z.mean(0)) @ axes @ turn
        assert lost <= (other - other.sign()).square().sum() * (1 + 1e-5)
