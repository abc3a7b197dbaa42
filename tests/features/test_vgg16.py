"""Features of VGG16: what they are of a view, and what is left to fine-tune."""

import pytest
import torch

from latenthash.errors import InputError
from latenthash.features.recall import BATCH
from latenthash.features.weights import load_trunk
from trunks import make, small, views


@pytest.mark.parametrize(
    ("layer", "shape"),
    [("conv1_1", (64, 64, 64)), ("pool2", (128, 16, 16)), ("conv4_3", (512, 8, 8)),
     ("conv5_3", (512, 4, 4)), ("pool5", (512, 2, 2))],
)  # fmt: skip
def test_shapes_of_layers(layer: str, shape: tuple[int, ...]) -> None:
    features = make(layer=layer)
    assert features.shape == shape
    assert features(views(2)).shape == (2, *shape)


def test_features_are_those_of_a_plain_network() -> None:
    features = make(layer="pool3")
    plain = load_trunk("random", 0).layers[:17]
    x = views(3).permute(0, 3, 1, 2).float() - torch.tensor([123.0, 117.0, 104.0])[:, None, None]
    torch.testing.assert_close(features(views(3)), plain(x), rtol=1e-4, atol=1e-3)


def test_pooling() -> None:
    maps = make()(views(2)).double()
    average = make(pooling="average")
    assert average.shape == (512,)
    torch.testing.assert_close(average(views(2)).double(), maps.mean((2, 3)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "pooling"), [("conv5_3", "average"), ("conv2_2", "average"), ("conv2_2", "none")]
)
def test_features_of_a_view_depend_on_no_neighbour_and_no_batch(layer: str, pooling: str) -> None:
    features, many = make(layer=layer, pooling=pooling, size=32), views(BATCH + 2, size=32)
    together = features(many)
    limit = 1e-4 * float(together.max())
    for size in (1, 7):
        batches = torch.cat([features(batch) for batch in torch.split(many, size)])
        torch.testing.assert_close(batches, together, rtol=0, atol=limit)
    torch.testing.assert_close(features(many.flip(0)).flip(0), together, rtol=0, atol=limit)


# ---- two stages ----


@pytest.mark.parametrize(
    ("layer", "freeze_until", "pooling", "trained"),
    [("conv5_3", "pool4", "average", (24, 26, 28)), ("pool5", "conv5_2", "none", (28,)),
     ("conv4_1", "conv3_3", "none", (17,)), ("conv2_2", "conv2_1", "average", (7,))],
)  # fmt: skip
def test_untrained_tail_gives_what_the_whole_trunk_gives(
    layer: str, freeze_until: str, pooling: str, trained: tuple[int, ...]
) -> None:
    whole = make(layer=layer, pooling=pooling, size=32, freeze_until=freeze_until)
    tuned = make(layer=layer, pooling=pooling, size=32, freeze_until=freeze_until, finetune=True)
    some = views(3, size=32)
    expected = whole(some)
    limit = 1e-5 * float(expected.max())
    assert tuned.shape == whole.shape
    for found in (tuned(some), tuned.finish(tuned.begin(some))):
        torch.testing.assert_close(found, expected, rtol=0, atol=limit)
    torch.testing.assert_close(whole.finish(whole.begin(some)), expected, rtol=0, atol=0)
    # A bundle holds what was trained, under torchvision's numbers, and no more.
    assert set(tuned.state_dict()) == {
        f"tail.{i}.{part}" for i in trained for part in ("weight", "bias")
    }
    assert not whole.state_dict()
    assert whole.provenance == tuned.provenance


def test_features_follow_the_weights_of_the_tail() -> None:
    tuned, some = small(finetune=True, pooling="average"), views(2, size=32)
    before = tuned(some)
    state = {name: weight * 2 for name, weight in tuned.state_dict().items()}
    tuned.load_state_dict(state)
    assert not torch.allclose(tuned(some), before)
    again = small(finetune=True, pooling="average")
    again.load_state_dict(state)
    assert torch.equal(again(some), tuned(some))


def test_frozen_maps_are_those_of_the_layer_that_is_named() -> None:
    tuned, some = small(finetune=True), views(2, size=32)
    torch.testing.assert_close(tuned.begin(some), small(layer="pool1")(some), rtol=0, atol=1e-4)
    assert tuned.begin(some).shape == (2, 64, 16, 16)


@pytest.mark.parametrize("freeze_until", ["conv4_3", "pool4", "pool5"])
def test_nothing_left_to_fine_tune_is_refused(freeze_until: str) -> None:
    with pytest.raises(InputError, match=rf"freeze_until={freeze_until} leaves nothing of .*4_3"):
        make(layer="conv4_3", finetune=True, freeze_until=freeze_until)
    assert make(layer="conv4_3", freeze_until=freeze_until).shape == (512, 8, 8)


def test_pooling_alone_is_nothing_to_fine_tune() -> None:
    with pytest.raises(InputError, match=r"freeze_until=conv5_3 leaves nothing of .*pool5"):
        make(layer="pool5", finetune=True, freeze_until="conv5_3")
