"""The network of a code, built of a checked config: what it is, and what it is not built of."""

from copy import deepcopy
from typing import Any

import pytest
import torch

from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.restoring import check_shapes, code_hasher, fill

CONFIG: dict[str, Any] = {
    "hash": {"alpha": 0.05, "fpr": None, "gate": False},
    "features": {
        "_target_": "latenthash.features.pixels.Pixels", "size": 32, "channels": 3, "trim": True,
    },
    "model": {
        "_target_": "latenthash.models.contrastive.Contrastive", "latent_dim": 6, "short_dim": 4,
    },
}  # fmt: skip


def bundle(weights: dict[str, torch.Tensor], **provenance: str) -> Bundle:
    return Bundle(None, weights, "", "0", {}, provenance)


def state() -> dict[str, torch.Tensor]:
    hasher = code_hasher(CONFIG)
    assert hasher is not None
    return {
        name: torch.full(tensor.shape, 0.5).to(tensor.dtype)
        for name, tensor in hasher.state_dict().items()
    }


def test_network_has_shapes_until_it_is_filled() -> None:
    hasher = code_hasher(CONFIG)
    assert hasher is not None
    assert (hasher.features.size, hasher.features.trim) == (32, True)
    assert hasher.lengths == (6, 4)
    assert {tensor.device.type for tensor in hasher.state_dict().values()} == {"meta"}
    check_shapes(bundle(state()), hasher)
    filled = fill(hasher, bundle(state())).state_dict()
    assert filled.keys() == state().keys()
    for name, tensor in state().items():
        assert torch.equal(filled[name], tensor)


@pytest.mark.parametrize(
    ("node", "key", "value"),
    [
        ("features", "_target_", "latenthash.features.vgg16.VGG16"),
        ("model", "_target_", "latenthash.models.pca.PCA"),
        ("hash", "gate", True),
    ],
)
def test_anything_else_is_not_built_here(node: str, key: str, value: object) -> None:
    config = deepcopy(CONFIG)
    config[node][key] = value
    assert code_hasher(config) is None


@pytest.mark.parametrize("key", ["model.short.weight", "model.odd"])
def test_weights_of_other_shapes_are_refused(key: str) -> None:
    hasher = code_hasher(CONFIG)
    assert hasher is not None
    with pytest.raises(InputError, match=f"do not fit its config: {key} is missing, too much"):
        check_shapes(bundle(state() | {key: torch.zeros(3)}), hasher)


def test_features_of_other_weights_are_refused() -> None:
    hasher = code_hasher(CONFIG)
    assert hasher is not None
    with pytest.raises(InputError, match="latents of other weights are not comparable"):
        fill(hasher, bundle(state(), weights_sha256="a"))
