"""Several layers of VGG16 side by side: equal to each alone, kept, refused if unknown."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from latenthash.cache import DiskCache
from latenthash.features.interface import is_staged
from latenthash.features.layers import VGG16Layers
from latenthash.features.vgg16 import VGG16

SETTINGS: dict[str, Any] = {"weights": "random", "size": 32, "trim": False, "seed": 0}


def views(n: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, 32, 32, 3), dtype=torch.uint8, generator=generator)


def alone(layer: str) -> VGG16:
    return VGG16(
        weights="random", layer=layer, pooling="average", size=32, finetune=False,
        freeze_until="pool1", seed=0,
    )  # fmt: skip


def test_each_part_is_that_layer_alone_at_length_1() -> None:
    features = VGG16Layers(layers=["conv2_2", "pool1"], **SETTINGS)
    x = features(views(3))
    assert features.shape == (192,)
    # From the input on, whatever the order in which they are named.
    expected = torch.cat([normalize(alone(name)(views(3))) for name in ("pool1", "conv2_2")], 1)
    torch.testing.assert_close(x, expected, rtol=1e-4, atol=1e-6)


def test_warm_cache_gives_what_cold_gave_without_the_trunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = VGG16Layers(layers=["conv1_2"], **SETTINGS)
    assert is_staged(features)
    features.cache = DiskCache(folder=str(tmp_path), max_bytes=10**6)
    cold = features(views(3))
    monkeypatch.setattr(features, "_activations", lambda x: pytest.fail("the trunk was asked"))
    assert features(views(3)).equal(cold)
    # In another order and number as well.
    assert features(views(3)[[2, 0]]).equal(cold[[2, 0]])


def test_other_layers_and_weights_share_no_entry(tmp_path: Path) -> None:
    cache = DiskCache(folder=str(tmp_path), max_bytes=10**6)
    made = []
    for settings in ({"layers": ["conv1_1"]}, {"layers": ["conv1_2"]},
                     {"layers": ["conv1_2"], "seed": 1}):  # fmt: skip
        features = VGG16Layers(**(SETTINGS | settings))
        features.cache = cache
        made.append(features(views(1)))
    assert not made[0].equal(made[1])
    assert not made[1].equal(made[2])
