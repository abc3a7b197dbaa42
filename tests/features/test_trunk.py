"""The frozen front of VGG16: where its layers end, and what the cache keeps of it."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import vgg16

from latenthash.features.recall import BATCH
from latenthash.features.trunk import layer_ends
from trunks import small, views


def no_trunk(*args: object) -> None:
    raise AssertionError("the trunk was asked")


def test_layer_ends_are_those_of_torchvisions_modules() -> None:
    ends, modules = layer_ends(), vgg16(weights=None, init_weights=False).features
    assert len(ends) == 13 + 5
    for name, end in ends.items():
        kind = nn.MaxPool2d if name.startswith("pool") else nn.ReLU
        assert isinstance(modules[end - 1], kind), name
    assert max(ends.values()) == len(modules)


@pytest.mark.parametrize("changes", [{}, {"finetune": True}, {"pooling": "average"}])
def test_warm_cache_gives_exactly_what_cold_gave_without_the_trunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    some = views(BATCH + 2, size=32)
    features, warm = small(**changes), small(tmp_path, **changes)
    plain = features(some)
    features.cache = warm.cache
    cold = features(some)
    assert torch.equal(cold, plain)
    monkeypatch.setattr(warm, "_activations", no_trunk)
    assert torch.equal(warm(some), cold)
    assert torch.equal(warm(some[[5, 5, 0]]), cold[[5, 5, 0]])
    with pytest.raises(AssertionError, match="the trunk was asked"):
        warm(views(1, size=32, seed=1))


def test_trunk_is_asked_for_the_missing_views_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = views(6, size=32)
    features = small(tmp_path)
    features(some[[1, 4]])
    asked, activations = [], features._activations

    def counted(missing: Tensor) -> Tensor:
        asked.append(missing)
        return activations(missing)

    monkeypatch.setattr(features, "_activations", counted)
    torch.testing.assert_close(features(some), small()(some), rtol=0, atol=1e-4)
    (missing,) = asked
    assert torch.equal(missing, some[[0, 2, 3, 5]])


def test_features_from_the_cache_may_be_written_to(tmp_path: Path) -> None:
    features, some = small(tmp_path), views(2, size=32)
    expected = features(some).clone()
    maps = features(some)
    maps += 1
    assert torch.equal(features(some), expected)


def test_damaged_entry_is_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = views(4, size=32)
    expected = small(tmp_path)(some)
    entries = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(entries) == 4
    for path, damage in zip(entries, ("flip", "cut", "empty", "keep"), strict=True):
        data = bytearray(path.read_bytes())
        data[-1] ^= damage == "flip"
        path.write_bytes(data[: {"cut": 1000, "empty": 0}.get(damage, len(data))])
    found = small(tmp_path)(some)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * float(expected.max()))
    whole = small(tmp_path)
    monkeypatch.setattr(whole, "_activations", no_trunk)
    assert torch.equal(whole(some), found)


def test_other_weights_sizes_and_layers_share_no_entries(tmp_path: Path) -> None:
    kinds: list[dict[str, object]] = [
        {}, {"seed": 1}, {"size": 64}, {"layer": "pool1"}, {"layer": "conv2_2"}, {"finetune": True},
    ]  # fmt: skip
    some = {size: views(2, size=size) for size in (32, 64)}
    for i, changes in enumerate(kinds, start=1):
        size = 64 if "size" in changes else 32
        features = small(tmp_path, **changes)
        found = features(some[size])
        features.cache = None
        assert torch.equal(found, features(some[size])), changes
        # Layer pool1, and what is frozen up to pool1, are the same maps.
        kept = i - (changes == {"finetune": True})
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2 * kept


def test_what_lies_above_the_frozen_part_shares_its_entries() -> None:
    keys = {
        small(finetune=True, layer=layer, pooling=pooling).key
        for layer, pooling in (("pool2", "none"), ("conv2_1", "average"), ("pool5", "average"))
    }
    assert keys == {small(layer="pool1").key}
