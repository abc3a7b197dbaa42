"""Training by gradient: what every Lightning module here has in common."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from latenthash.errors import JobError

log = logging.getLogger(__name__)

LAST = "last"  # name of the checkpoint by which a training is resumed
OFTEN = timedelta(minutes=2)  # between two of them


class StopDiverged(pl.Callback):
    """End a training at the first batch whose loss is NaN or infinite: no later one mends it.

    Attributes:
        epoch: in which it diverged, from 0 on; None while it has not.
    """

    epoch: int | None = None

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Look at the loss that the module's training_step returned."""
        assert isinstance(outputs, Mapping)
        if self.epoch is None and not torch.isfinite(outputs["loss"]).all():
            self.epoch = trainer.current_epoch
            trainer.should_stop = True


def resumable(folder: Path) -> pl.callbacks.ModelCheckpoint:
    """Keep a training in a folder while it goes on, so that the same command can resume it."""
    return pl.callbacks.ModelCheckpoint(
        folder,
        LAST,
        train_time_interval=OFTEN,
        enable_version_counter=False,  # one file, written anew
    )


def find_resumed(trainer: pl.Trainer) -> Path | None:
    """Return the checkpoint that a training goes on from; None where it begins."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, pl.callbacks.ModelCheckpoint) and callback.filename == LAST:
            path = Path(str(callback.dirpath), f"{LAST}{callback.FILE_EXTENSION}")
            return path if path.exists() else None
    return None


def fit_best_epoch(
    module: pl.LightningModule,
    trainer: pl.Trainer,
    train: DataLoader[Any],
    validation: DataLoader[Any],
    rate: str,
) -> None:
    """Train a module, and leave it with the weights of its best epoch, ready to be used.

    It stops where the training diverges; an epoch before that is used, with a warning.

    Args:
        module: logs what the trainer's ModelCheckpoint monitors; its training_step returns the
            loss, also where it steps by itself.
        trainer: its callbacks hold a ModelCheckpoint.
        train: batches to learn from.
        validation: batches that choose the epoch.
        rate: the option that sets the learning rate.

    Raises:
        JobError: if the training diverged before any epoch was of use.
    """
    checkpoint = trainer.checkpoint_callback
    assert isinstance(checkpoint, pl.callbacks.ModelCheckpoint)
    resumed = find_resumed(trainer)
    if resumed is not None:
        log.info("The training goes on from %s", resumed)
    diverged = StopDiverged()
    trainer.callbacks.append(diverged)  # type: ignore[attr-defined]
    module.train()
    try:
        trainer.fit(module, train, validation, ckpt_path=resumed, weights_only=True)
        best = torch.load(checkpoint.best_model_path, weights_only=True)
        module.load_state_dict(best["state_dict"])
    except Exception:
        check_finite(module, rate)  # NaN makes many a function raise, each in words of its own
        raise
    finally:
        # A checkpoint is a pickle, and what a run leaves is data, also when it was ended.
        for path in checkpoint.best_k_models:
            Path(path).unlink(missing_ok=True)
        with suppress(OSError):  # there is no folder, or other files are in it
            Path(str(checkpoint.dirpath)).rmdir()
    check_finite(module, rate, checkpoint.best_model_score)
    if diverged.epoch is not None:
        log.warning(
            "The training of %s diverged in epoch %d: its loss was NaN or infinite. The best epoch "
            "before that is used. Lower %s.", type(module).__name__, diverged.epoch + 1, rate,
        )  # fmt: skip
    module.eval()


def check_finite(module: nn.Module, rate: str, loss: Tensor | None = None) -> None:
    """Refuse a module whose training ended in NaN or infinity.

    Args:
        module: what was trained.
        rate: the option that sets the learning rate.
        loss: of its best epoch.

    Raises:
        JobError: if the loss or one of its weights is not finite.
    """
    values = [*module.state_dict().values(), *([] if loss is None else [loss])]
    if not all(torch.isfinite(value).all() for value in values):
        raise JobError(
            f"The training of {type(module).__name__} diverged: its loss or weights are NaN or "
            f"infinite. Lower {rate}."
        )
