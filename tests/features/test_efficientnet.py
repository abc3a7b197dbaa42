"""EfficientNet-Lite0: padding by hand, its size, its pooling, and the copy that is faster."""

import pytest
import torch
from torch import Tensor, nn

from fitting import MARKS, data, weights
from latenthash.features.efficientnet import EfficientNetLite0, Layer, SamePadding, folded

pytestmark = MARKS


@pytest.fixture(scope="module")
def trunk() -> EfficientNetLite0:
    """A network whose batch norms have seen something: fresh ones change nothing."""
    torch.manual_seed(0)
    trunk = EfficientNetLite0()
    for layer in trunk.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0, 0.2)
            layer.momentum = 0.3
    with torch.no_grad():
        for seed in range(4):
            trunk(data(8, (3, 32, 32), seed))
    return trunk.eval()


@pytest.mark.parametrize(
    ("height", "width", "kernel", "stride", "wanted"),
    [
        # 1 to 16 in rows. An odd pixel of padding lies right and below: the first sum is whole.
        (4, 4, 3, 2, [[54, 45], [72, 54]]),
        # 1 to 25: a pixel on every side.
        (5, 5, 3, 2, [[16, 33, 28], [69, 117, 87], [76, 123, 88]]),
        # Sides are padded each for itself: 1 to 20, a row below, a column on both sides.
        (4, 5, 3, 2, [[39, 72, 57], [56, 93, 68]]),
        (4, 4, 1, 2, [[1, 3], [9, 11]]),
        (3, 3, 3, 1, [[12, 21, 16], [27, 45, 33], [24, 39, 28]]),
        # All of it lies in reach of the kernel.
        (2, 2, 5, 2, [[10]]),
    ],
)
def test_padding_is_tensorflows(
    height: int, width: int, kernel: int, stride: int, wanted: list[list[int]]
) -> None:
    layer = SamePadding(1, 1, kernel, stride, bias=False)
    nn.init.ones_(layer.weight)
    x = torch.arange(1.0, height * width + 1).view(1, 1, height, width)
    assert layer(x)[0, 0].tolist() == wanted


def test_trunk_has_the_weights_of_the_paper() -> None:
    count = sum(parameter.numel() for parameter in EfficientNetLite0().parameters())
    classifier = 1280 * 1000 + 1000
    assert count == 4_652_008 - classifier + 1  # and the exponent


@pytest.mark.parametrize(("height", "width", "left"), [(32, 32, (1, 1)), (33, 40, (2, 2)),
                                                       (61, 97, (2, 4))])  # fmt: skip
def test_pictures_of_any_size_are_reduced_by_32(
    trunk: EfficientNetLite0, height: int, width: int, left: tuple[int, int]
) -> None:
    x = data(2, (3, height, width))
    assert trunk.blocks(trunk.stem(x)).shape == (2, 320, *left)
    assert trunk(x).shape == (2, 1280)


def maps(trunk: EfficientNetLite0, x: Tensor) -> Tensor:
    return trunk.head(trunk.blocks(trunk.stem((x - 127 / 255) / (128 / 255))))


def test_pooling_is_the_mean_at_exponent_1_and_grows_towards_the_maximum(
    trunk: EfficientNetLite0,
) -> None:
    x = data(2, (3, 96, 96), 5)
    with torch.no_grad():
        found = maps(trunk, x).clamp(min=1e-6)
        pooled = []
        for exponent in (1.0, 3.0, 10.0, 30.0):
            trunk.exponent.fill_(exponent)
            pooled.append(trunk(x))
        trunk.exponent.fill_(3.0)
    mean, most = found.mean((2, 3)), found.amax((2, 3))
    # MEAN and SCALE are rounded to thousandths.
    torch.testing.assert_close(pooled[0], mean, atol=0.02, rtol=0.02)
    alive = most > 0.1  # of a channel that is 0 everywhere, the power is lost in rounding
    assert alive.float().mean() > 0.3
    for less, more in zip(pooled, [*pooled[1:], most], strict=True):
        assert (less <= more * 1.05 + 1e-3)[alive].all()
    assert (pooled[3] / most)[alive].min() > (1 / 9) ** (1 / 30) * 0.95  # of 3 x 3 places


def test_exponent_is_learned(trunk: EfficientNetLite0) -> None:
    trunk.zero_grad()
    trunk(data(2, (3, 64, 64))).sum().backward()
    assert trunk.exponent.grad is not None
    assert trunk.exponent.grad.item() > 0
    trunk.zero_grad()


def test_folded_copy_gives_the_same_and_leaves_the_network_alone(trunk: EfficientNetLite0) -> None:
    before = weights(trunk)
    copy = folded(trunk)
    x = data(4, (3, 32, 32), 9)
    with torch.no_grad():
        torch.testing.assert_close(copy(x), trunk(x), atol=1e-4, rtol=1e-4)
    assert trunk(x).std() > 1e-2, "there must be something to compare"
    assert not any(isinstance(part, nn.BatchNorm2d) for part in copy.modules())
    assert not any(parameter.requires_grad for parameter in copy.parameters())
    assert all(parameter.requires_grad for parameter in trunk.parameters())
    assert all(weight.equal(before[name]) for name, weight in trunk.state_dict().items())


def test_network_in_training_is_folded_as_it_is_used(trunk: EfficientNetLite0) -> None:
    x = data(4, (3, 32, 32), 9)
    wanted = folded(trunk)(x)
    trunk.train()
    assert folded(trunk)(x).equal(wanted)
    trunk.eval()


def test_linear_layer_has_no_activation() -> None:
    torch.manual_seed(0)
    x = 100 * torch.randn(4, 3, 8, 8)
    linear, bounded = Layer(3, 8, 1, linear=True).eval()(x), Layer(3, 8, 1).eval()(x)
    assert linear.min() < 0 < 6 < linear.max()
    assert bounded.min() == 0
    assert bounded.max() == 6
