"""Encoder and decoder: shapes, ranges, and that they are each other's mirror."""

import pytest
import torch
from torch import nn

from latenthash.models.networks import ConvDecoder, ConvEncoder

SIZES = [
    ((3, 16, 16), (8,), 1),
    ((3, 16, 16), (8, 16), 2),
    ((1, 32, 32), (16, 8, 24), 5),
    ((3, 24, 24), (8, 8, 8), 3),
    ((3, 64, 64), (32, 64, 128, 256), 32),
    ((3, 8, 8), (8, 16, 24), 2),
]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("shape", "channels", "k"), SIZES)
def test_encoder_maps_pictures_to_mean_and_log_variance(
    shape: tuple[int, int, int], channels: tuple[int, ...], k: int
) -> None:
    mean, log_variance = ConvEncoder(shape, channels, k)(torch.rand(5, *shape))
    assert mean.shape == log_variance.shape == (5, k)
    assert not torch.equal(mean, log_variance)


@pytest.mark.parametrize(("shape", "channels", "k"), SIZES)
def test_decoder_maps_latents_to_pictures_between_0_and_1(
    shape: tuple[int, int, int], channels: tuple[int, ...], k: int
) -> None:
    pictures = ConvDecoder(shape, channels, k)(5 * torch.randn(4, k))
    assert pictures.shape == (4, *shape)
    assert pictures.min() > 0
    assert pictures.max() < 1


@pytest.mark.parametrize(("shape", "channels", "k"), SIZES)
def test_decoder_mirrors_the_encoder(
    shape: tuple[int, int, int], channels: tuple[int, ...], k: int
) -> None:
    down = [m.weight.shape for m in ConvEncoder(shape, channels, k).modules()
            if isinstance(m, nn.Conv2d)]  # fmt: skip
    up = [m.weight.shape for m in ConvDecoder(shape, channels, k).modules()
          if isinstance(m, nn.ConvTranspose2d)]  # fmt: skip
    # Conv2d keeps (out, in, ...), ConvTranspose2d (in, out, ...): a mirror has equal shapes.
    assert down == up[::-1]
    assert [shape[0] for shape in down] == list(channels)


def test_every_channel_entry_halves_the_side() -> None:
    encoder = ConvEncoder((3, 32, 32), (8, 16, 24), 2)
    sides = []
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _m, _i, out: sides.append(out.shape[-2:]))
    encoder(torch.rand(1, 3, 32, 32))
    assert sides == [(16, 16), (8, 8), (4, 4)]


@pytest.mark.parametrize(("bias", "bound"), [(1000.0, 10.0), (-1000.0, -10.0)])
def test_log_variance_is_bounded_and_the_mean_is_not(bias: float, bound: float) -> None:
    encoder = ConvEncoder((3, 16, 16), (8,), 2)
    with torch.no_grad():
        encoder.head.bias.fill_(bias)
    mean, log_variance = encoder(torch.rand(3, 3, 16, 16))
    assert (log_variance == bound).all()
    assert (mean.abs() > 900).all()


def test_every_weight_takes_part() -> None:
    encoder, decoder = ConvEncoder((3, 16, 16), (8, 16), 2), ConvDecoder((3, 16, 16), (8, 16), 2)
    mean, log_variance = encoder(torch.rand(6, 3, 16, 16))
    decoder(mean + log_variance).square().sum().backward()
    for parameter in (*encoder.parameters(), *decoder.parameters()):
        assert parameter.grad is not None
        assert parameter.grad.any()


def test_pictures_of_a_batch_do_not_meet() -> None:
    encoder, decoder = ConvEncoder((3, 16, 16), (8, 16), 2), ConvDecoder((3, 16, 16), (8, 16), 2)
    x, z = torch.rand(6, 3, 16, 16), torch.randn(6, 2)
    for network, batch in ((lambda rows: encoder(rows)[0], x), (decoder, z)):
        alone = torch.cat([network(row) for row in batch.split(1)])
        torch.testing.assert_close(network(batch), alone, rtol=0, atol=1e-5)
