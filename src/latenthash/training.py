"""Training by gradient: what every Lightning module here has in common."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader


def fit_best_epoch(
    module: pl.LightningModule,
    trainer: pl.Trainer,
    train: DataLoader[Any],
    validation: DataLoader[Any],
) -> None:
    """Train a module, and leave it with the weights of its best epoch, ready to be used.

    Args:
        module: logs what the trainer's ModelCheckpoint monitors.
        trainer: its callbacks hold a ModelCheckpoint.
        train: batches to learn from.
        validation: batches that choose the epoch.
    """
    checkpoint = trainer.checkpoint_callback
    assert isinstance(checkpoint, pl.callbacks.ModelCheckpoint)
    module.train()
    try:
        trainer.fit(module, train, validation)
        best = torch.load(checkpoint.best_model_path, weights_only=True)
        module.load_state_dict(best["state_dict"])
    finally:
        # A checkpoint is a pickle, and what a run leaves is data, also when it was ended.
        for path in checkpoint.best_k_models:
            Path(path).unlink(missing_ok=True)
        with suppress(OSError):  # there is no folder, or other files are in it
            Path(str(checkpoint.dirpath)).rmdir()
    module.eval()
