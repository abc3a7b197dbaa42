"""Vectors of a printable hash: what is taken of features, and what changes none of its bits."""

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from latenthash.data.reading import Picture
from latenthash.data.views import Views, pipeline
from latenthash.features.pixels import Pixels
from latenthash.features.vgg16 import VGG16
from latenthash.hashing.printable import MEASURED, PrintableHash, compare
from latenthash.hashing.printable_features import Common, printable_hash, signed_roots, to_vectors
from latenthash.jobs.build import build
from project import ROOT

PIXELS = {"_target_": "latenthash.features.pixels.Pixels", "size": 32, "channels": 3}


def blocks(seed: int) -> np.ndarray:
    colours = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.kron(colours, np.ones((16, 16, 1), np.uint8))


def hashed(
    pixels: np.ndarray, features: Any = None, config: dict[str, Any] = PIXELS
) -> PrintableHash:
    augment = OmegaConf.load(ROOT / "conf/augment/rotate_shift_scale.yaml")
    edits = pipeline(list(build(augment, _convert_="all").values()), config["size"])
    views = Views([Picture("", pixels, "")], edits, 0, "identity", 16)
    features = features or Pixels(size=config["size"], channels=3)
    x = features(torch.from_numpy(np.stack([views[i] for i in range(16)])))
    return printable_hash(features, config, x)


def test_common_part_is_taken_off() -> None:
    rng = np.random.default_rng(0)
    x = np.abs(rng.standard_normal((200, 40)) + 5 * rng.random(40))
    common = Common.learn(x)
    taken = common.remove(x)
    np.testing.assert_allclose(np.linalg.norm(taken, axis=1), 1)
    np.testing.assert_allclose(taken @ common.axes.T, 0, atol=1e-9)
    assert np.linalg.norm(taken.mean(0)) < 0.1 < np.linalg.norm(signed_roots(x).mean(0))


def test_without_a_common_part_vectors_are_centred_themselves() -> None:
    taken = Common().remove(np.array([[1.0, 4.0, 9.0]]))
    np.testing.assert_allclose(taken, [[-math.sqrt(0.5), 0, math.sqrt(0.5)]], atol=1e-12)


def test_maps_of_a_trunk_are_averaged_and_pixels_are_not() -> None:
    trunk = VGG16(
        weights="random", layer="pool2", pooling="none", size=32, finetune=False,
        freeze_until="pool4", seed=0,
    )  # fmt: skip
    x = torch.rand(2, 3, 32, 32)
    np.testing.assert_allclose(to_vectors(trunk, x), x.mean((2, 3)), atol=1e-6)
    assert to_vectors(Pixels(size=32, channels=3), x).shape == (2, 3 * 16 * 16)
    assert to_vectors(trunk, x[:, :, 0, 0]).shape == (2, 3)


def random_trunk(**changes: Any) -> tuple[VGG16, dict[str, Any]]:
    config = {"weights": "random", "layer": "conv3_3", "pooling": "average", "size": 32,
              "finetune": False, "freeze_until": "pool1", "seed": 0} | changes  # fmt: skip
    return VGG16(**config), config | {"_target_": "latenthash.features.vgg16.VGG16"}


@pytest.mark.parametrize("kind", ["pixels", "trunk"])
def test_copies_agree_and_other_pictures_do_not(kind: str) -> None:
    given = (None, PIXELS) if kind == "pixels" else random_trunk()
    noisy = blocks(0) + np.random.default_rng(5).normal(0, 10, (96, 96, 3))
    original = hashed(blocks(0), *given)
    copy = compare(original, hashed(noisy.clip(0, 255).astype(np.uint8), *given))
    assert copy.share > 0.95
    others = [compare(original, hashed(blocks(seed), *given)) for seed in range(1, 9)]
    assert max(other.surplus for other in others) < copy.surplus
    if kind == "pixels":
        assert copy.surplus >= max(MEASURED.values()) > max(other.surplus for other in others)
        assert 0.4 < np.mean([other.share for other in others]) < 0.6


def test_fine_tuning_and_where_weights_are_from_do_not_change_the_hash() -> None:
    first = hashed(blocks(0), *random_trunk())
    second = hashed(blocks(0), *random_trunk(finetune=True, freeze_until="pool2"))
    assert str(first) == str(second)


def test_maps_without_pooling_give_the_bits_of_their_averages() -> None:
    first = hashed(blocks(0), *random_trunk())
    second = hashed(blocks(0), *random_trunk(pooling="none"))
    np.testing.assert_array_equal(first.mask, second.mask)
    np.testing.assert_array_equal(first.bits, second.bits)


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"layer": "conv3_2"}, {"pooling": "none"}, {"trim": True}]
)
def test_other_features_are_another_model(change: dict[str, Any]) -> None:
    first, second = (
        hashed(blocks(0), *given) for given in (random_trunk(), random_trunk(**change))
    )
    assert re.fullmatch("vgg16[0-9a-f]{8}", first.model)
    assert first.model != second.model


class Blocks(nn.Module):
    """Features of another package: mean colours of blocks, whatever their shape."""

    trim = False

    def __init__(self, *, size: int, cells: int, shape: tuple[int, ...], version: str) -> None:
        super().__init__()
        self.size, self.cells, self.shape = size, cells, shape
        self.provenance: dict[str, str] = {"version": version, "weights": "mine"}

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Take the means of blocks of views (N, size, size, 3)."""
        x = views.permute(0, 3, 1, 2).float() / 255
        return nn.functional.adaptive_avg_pool2d(x, self.cells).reshape(len(x), *self.shape)


def others(
    name: str = "theirs.My_Blocks", cells: int = 8, version: str = "1", shape: Any = None
) -> tuple[Any, dict[str, Any]]:
    shape = shape or (3 * cells**2,)
    features = Blocks(size=32, cells=cells, shape=shape, version=version)
    return features, {"_target_": name, "size": 32, "cells": cells}


@pytest.mark.parametrize("shape", [(192,), (3, 64), (3, 8, 8), (2, 3, 4, 8)])
def test_features_of_any_kind_have_a_printable_hash(shape: tuple[int, ...]) -> None:
    noisy = blocks(0) + np.random.default_rng(5).normal(0, 10, (96, 96, 3))
    first = hashed(blocks(0), *others(shape=shape))
    copy = compare(first, hashed(noisy.clip(0, 255).astype(np.uint8), *others(shape=shape)))
    assert re.fullmatch("myblocks[0-9a-f]{8}", first.model)
    assert str(PrintableHash.parse(str(first))) == str(first)
    assert copy.share > 0.9
    assert copy.verdict == "not measured"


@pytest.mark.parametrize(
    "change", [{"name": "mine.My_Blocks"}, {"cells": 7}, {"version": "2"}], ids=str
)
def test_all_that_decides_features_of_others_is_in_the_name(change: dict[str, Any]) -> None:
    first, second = (hashed(blocks(0), *given) for given in (others(), others(**change)))
    assert first.model != second.model


def test_what_only_began_as_surveyed_features_does_without_the_survey() -> None:
    class Red(Pixels):
        def forward(self, views: torch.Tensor) -> torch.Tensor:
            return super().forward(views)[:, :1]

    made = hashed(blocks(0), Red(size=32, channels=3), PIXELS | {"_target_": "theirs.Red"})
    assert made.model.startswith("red")
