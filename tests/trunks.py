"""Views and features of VGG16 that tests share."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latenthash.cache import DiskCache
from latenthash.features.vgg16 import VGG16


def views(n: int, size: int = 64, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8))


def make(**changes: object) -> VGG16:
    values: dict[str, object] = {
        "weights": "random", "layer": "conv5_3", "pooling": "none", "size": 64,
        "finetune": False, "freeze_until": "pool4", "seed": 0,
    }  # fmt: skip
    return VGG16(**(values | changes))  # type: ignore[arg-type]


def small(folder: Path | None = None, **changes: object) -> VGG16:
    """Make features that are quick to compute, with a cache when a folder is given."""
    values: dict[str, object] = {"layer": "pool2", "size": 32, "freeze_until": "pool1"}
    features = make(**(values | changes))
    if folder:
        features.cache = DiskCache(folder=str(folder), max_bytes=10**9)
    return features
