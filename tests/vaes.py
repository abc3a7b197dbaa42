"""VAEs of pictures and of vectors that tests share, and vectors to fit them to."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from fitting import NO_SEPARATION, quiet_trainer
from latenthash.features.interface import FeatureSet
from latenthash.models.vae import VAE

SETTINGS: dict[str, Any] = {
    "shape": (3, 8, 8),
    "latent_dim": 2,
    "channels": (8, 16),
    "hidden": (16, 8),
    "likelihood": "gaussian",
    "sigma_floor": 0.04,
    "vector_sigma_floor": 0.3,
    "picture_side": 16,
    "picture_channels": (8, 16),
    "picture_epochs": 2,
    "beta_warmup": 0.25,
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
    "batch_size": 8,
    "separation": NO_SEPARATION,
}
D = 20  # dimensions of vectors


def vae(seed: int = 0, **settings: Any) -> VAE:
    torch.manual_seed(seed)
    return VAE(**SETTINGS | settings)


def vector_vae(seed: int = 0, **settings: Any) -> VAE:
    return vae(seed, **{"shape": (D,), "learning_rate": 1e-2} | settings)


def vectors(n: int, seed: int = 0, scale: float = 1.0) -> FeatureSet:
    """Vectors such as a pooled layer gives, most of them positive, of grey views.

    Seeds that are equal modulo 4 give views of the same picture.
    """
    rng = np.random.default_rng(seed)
    picture = np.random.default_rng(seed % 4).uniform(0.3, 5, D)
    x = scale * (picture * rng.gamma(5.0, 0.2, size=(n, D)) - 0.3)
    grey = np.broadcast_to(rng.integers(0, 256, (n, 1, 1, 1), np.uint8), (n, 24, 24, 3)).copy()
    return FeatureSet(torch.from_numpy(x).float(), np.zeros(n, np.int64), torch.from_numpy(grey))


def sets(signal_scale: float = 1.0) -> dict[str, FeatureSet]:
    return {
        "signal": vectors(12, 1, signal_scale),
        "noise_edited": vectors(8, 2),
        "outliers": vectors(6, 3),
    }


def fit_vectors(
    model: VAE, folder: Path, train: dict[str, FeatureSet], epochs: int = 2, **trainer: Any
) -> None:
    torch.manual_seed(0)
    x = vectors(10, 5).x
    validation = {"signal": FeatureSet(x, np.zeros(len(x), np.int64))}
    model.fit(train, validation, quiet_trainer(folder, epochs, **trainer))
