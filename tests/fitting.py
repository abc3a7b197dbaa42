"""What tests of trained models share: the shipped checkpoint, a quiet trainer, data, weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor, nn

from project import CONF

# Arguments of `Separation` with which it changes nothing.
NO_SEPARATION: dict[str, Any] = {
    "prior": 0.0, "hypersphere": 0.0, "critic": 0.0, "balanced": False,
    "distance": 4.0, "signal_sigma": 0.3, "noise_sigma": 4.0,
}  # fmt: skip
MAPS = (4, 8, 9)  # shape of `maps`
MARKS = [
    pytest.mark.usefixtures("one_thread"),
    # As in pyproject.toml, which `pytest -W error` overrules.
    pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The '.*_dataloader' does not have many workers"),
    pytest.mark.filterwarnings("ignore:The `srun` command is available"),
]


def quiet_trainer(
    folder: Path, epochs: int, *callbacks: pl.Callback, option: str = "default", **settings: Any
) -> pl.Trainer:
    """Make a trainer with the ModelCheckpoint of an option of callbacks, but no output."""
    text = (CONF / "callbacks" / f"{option}.yaml").read_text(encoding="utf-8")
    checkpoint = yaml.safe_load(text)["checkpoint"]
    assert checkpoint.pop("_target_") == "pytorch_lightning.callbacks.ModelCheckpoint"
    checkpoint["dirpath"] = folder / "checkpoints"
    defaults: dict[str, Any] = {"logger": False, "log_every_n_steps": 1}
    return pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        default_root_dir=folder,
        callbacks=[*callbacks, pl.callbacks.ModelCheckpoint(**checkpoint)],
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        **(defaults | settings),
    )


def data(n: int, shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


def maps(n: int, seed: int = 0) -> Tensor:
    """Random rectified maps, smooth enough to have wide peaks."""
    noise = torch.randn(n, *MAPS, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(noise, 3, stride=1, padding=1).relu()


def differences(groups: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Take the covariance of the differences of views, from pairs one by one."""
    weighted, total = 0.0, 0
    for rows in groups:
        pairs = [
            np.outer(a - b, a - b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i < j
        ]
        if pairs:
            weighted = weighted + (len(rows) - 1) * np.mean(pairs, 0)
            total += len(rows) - 1
    return np.asarray(weighted / total)


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def differing(first: dict[str, Tensor], second: dict[str, Tensor]) -> set[str]:
    """Name the parts of a model, such as encoder, in which two sets of weights differ."""
    assert first.keys() == second.keys()
    return {name.split(".")[0] for name, a in first.items() if not a.equal(second[name])}
