"""Networks: shapes, ranges, plain numpy, and that encoder and decoder are mirrors."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fitting import MARKS
from latenthash.models.components.networks import (
    ConvDecoder,
    ConvEncoder,
    Discriminator,
    MLPDecoder,
    MLPEncoder,
    conv_discriminator,
    mlp_discriminator,
)

pytestmark = MARKS

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
@pytest.mark.parametrize(
    ("build", "shape"), [(ConvEncoder, (3, 16, 16)), (MLPEncoder, (20,))], ids=["conv", "mlp"]
)
def test_log_variance_is_bounded_and_the_mean_is_not(
    build: Callable[..., nn.Module], shape: tuple[int, ...], bias: float, bound: float
) -> None:
    encoder = build(shape if len(shape) == 3 else shape[0], (8,), 2)
    with torch.no_grad():
        encoder.head.bias.fill_(bias)
    mean, log_variance = encoder(torch.rand(3, *shape))
    assert (log_variance == bound).all()
    assert (mean.abs() > 900).all()


@pytest.mark.parametrize(
    ("builds", "shape"),
    [((ConvEncoder, ConvDecoder), (3, 16, 16)), ((MLPEncoder, MLPDecoder), (20,))],
    ids=["conv", "mlp"],
)
def test_every_weight_takes_part(
    builds: tuple[Callable[..., nn.Module], ...], shape: tuple[int, ...]
) -> None:
    encoder, decoder = (
        build(shape if len(shape) == 3 else shape[0], (8, 16), 2) for build in builds
    )
    mean, log_variance = encoder(torch.rand(6, *shape))
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


# ---- linear layers ----


@pytest.mark.parametrize("hidden", [(256, 64), (16,), (12, 10, 8)])
@pytest.mark.parametrize("k", [1, 2, 32])
def test_mlps_mirror_each_other(hidden: tuple[int, ...], k: int) -> None:
    encoder, decoder = MLPEncoder(512, hidden, k), MLPDecoder(512, hidden, k)
    mean, log_variance = encoder(torch.randn(5, 512))
    assert mean.shape == log_variance.shape == (5, k)
    assert not torch.equal(mean, log_variance)
    assert decoder(mean).shape == (5, 512)
    down, up = (
        [tuple(m.weight.shape) for m in network.modules() if isinstance(m, nn.Linear)]
        for network in (encoder, decoder)
    )
    widths = [512, *hidden]
    # Linear keeps (out, in); the encoder's last one gives mean and log-variance.
    assert down == [*zip(widths[1:], widths[:-1], strict=True), (2 * k, widths[-1])]
    assert up == [(widths[-1], k), *zip(widths[-2::-1], widths[:0:-1], strict=True)]


def silu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / (1 + np.exp(-x))


def leaky(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(x > 0, x, 0.2 * x)


def arrays(network: nn.Module) -> list[NDArray[np.float64]]:
    return [p.detach().numpy() for p in network.parameters()]


def test_mlps_are_those_of_plain_numpy() -> None:
    encoder, decoder = MLPEncoder(6, (5, 4), 2).double(), MLPDecoder(6, (5, 4), 2).double()
    x = torch.randn(3, 6, dtype=torch.float64)

    def mlp(values: NDArray[np.float64], network: nn.Module) -> NDArray[np.float64]:
        w = arrays(network)
        return silu(silu(values @ w[0].T + w[1]) @ w[2].T + w[3]) @ w[4].T + w[5]

    mean, log_variance = encoder(x)
    both = torch.cat([mean, log_variance], 1).detach().numpy()
    np.testing.assert_allclose(both, mlp(x.numpy(), encoder), rtol=1e-10)
    np.testing.assert_allclose(decoder(mean).detach(), mlp(both[:, :2], decoder), rtol=1e-10)


# ---- discriminators ----


@pytest.mark.parametrize("spectral", [True, False])
@pytest.mark.parametrize(
    ("build", "shape", "widths", "n"),
    [
        (conv_discriminator, (3, 32, 32), (4, 6, 10), 10 * 4 * 4),
        (conv_discriminator, (1, 16, 16), (4,), 4 * 8 * 8),
        (mlp_discriminator, (512,), (256, 128), 128),
        (mlp_discriminator, (20,), (7,), 7),
    ],
)
def test_discriminators_give_layer_l_and_one_logit(
    build: Callable[..., Discriminator], shape: tuple[int, ...], widths: tuple[int, ...], n: int,
    spectral: bool,
) -> None:  # fmt: skip
    network = build(shape if len(shape) == 3 else shape[0], widths, spectral)
    layer, logits = network(torch.rand(5, *shape))
    assert network.features == n
    assert layer.shape == (5, n)
    assert logits.shape == (5,)
    assert layer.min() < 0, "layer l is before its activation"
    assert torch.equal(logits, network.head(layer))


@pytest.mark.parametrize("spectral", [True, False])
def test_answer_to_a_picture_does_not_depend_on_the_rest_of_the_batch(spectral: bool) -> None:
    network, x = conv_discriminator((3, 16, 16), (4, 6), spectral).eval(), torch.rand(6, 3, 16, 16)
    alone = torch.cat([network(row)[1] for row in x.split(1)])
    torch.testing.assert_close(network(x)[1], alone, rtol=0, atol=1e-5)


def test_mlp_discriminator_is_that_of_plain_numpy() -> None:
    network = mlp_discriminator(6, (5, 4), False).double()
    x = torch.randn(3, 6, dtype=torch.float64)
    w = arrays(network)
    layer = leaky(x.numpy() @ w[0].T + w[1]) @ w[2].T + w[3]
    logits = (leaky(layer) @ w[4].T + w[5])[:, 0]
    ours = network(x)
    np.testing.assert_allclose(ours[0].detach(), layer, rtol=1e-10)
    np.testing.assert_allclose(ours[1].detach(), logits, rtol=1e-10)


def test_spectral_norm_bounds_the_slope_of_the_discriminator() -> None:
    network = mlp_discriminator(12, (12, 8), True)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("original"):
                weight.mul_(10)
        for _ in range(50):  # one power iteration each
            network(torch.rand(1, 12))
    network.eval()

    def slopes(x: Tensor, y: Tensor) -> Tensor:
        return (network(x)[1] - network(y)[1]).abs() / (x - y).norm(dim=1)

    assert slopes(torch.rand(100, 12), torch.rand(100, 12)).max() <= 1 + 1e-4
    network = mlp_discriminator(12, (12, 8), False)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(10)
    assert slopes(torch.rand(100, 12), torch.rand(100, 12)).max() > 10
