"""Training by gradient: what every Lightning module here has in common."""

import logging
import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader

from latenthash.errors import JobError

log = logging.getLogger(__name__)

LAST = "last"  # name of the checkpoint by which a training is resumed
OFTEN = timedelta(minutes=2)  # between two of them
KNOWN = (  # what Lightning warns of where a training is resumed
    "Checkpoint directory .* exists and is not empty",  # it holds what the training goes on from
    "You're resuming from a checkpoint that ended before",  # batches are drawn at random anyway
)


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


class ForgetLost(pl.Callback):
    """Forget best epochs whose files are gone, where a training is resumed.

    A training that was killed may have found a better one after its last checkpoint and removed
    the file. It comes to that epoch again.
    """

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Look for the files, once the checkpoint is loaded."""
        checkpoint = trainer.checkpoint_callback
        assert isinstance(checkpoint, ModelCheckpoint)
        found = {p: s for p, s in checkpoint.best_k_models.items() if Path(p).exists()}
        checkpoint.best_k_models = found


class Resumable(ModelCheckpoint):
    """Keep a training in a folder while it goes on, so that the same command can resume it.

    Args:
        folder: of this training alone; it is removed when the training is over.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            LAST,
            train_time_interval=OFTEN,
            enable_version_counter=False,  # one file, written anew
        )

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Write the checkpoint when it is time, but not between a step and its validation.

        Lightning would resume behind the validation, and a better epoch might be missed.
        """
        interval = trainer.val_check_interval
        by_steps = trainer.check_val_every_n_epoch is None and isinstance(interval, int)
        due = trainer.global_step % interval == 0 if by_steps else trainer.is_last_batch
        if not due:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    @property
    def path(self) -> Path:
        """Of the checkpoint."""
        return Path(str(self.dirpath), f"{LAST}{self.FILE_EXTENSION}")


def find_resumed(trainer: pl.Trainer) -> Path | None:
    """Return the checkpoint that a training goes on from; None where it begins.

    A damaged one is removed, with a warning.
    """
    resumer = _resumer(trainer)
    if resumer is None or not resumer.path.exists():
        return None
    path = resumer.path
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is damaged may raise anything
        log.warning("The training begins anew: %s is damaged (%s).", path, type(error).__name__)
        path.unlink()
        return None
    return path


def _resumer(trainer: pl.Trainer) -> Resumable | None:
    found = (c for c in trainer.checkpoint_callbacks if isinstance(c, Resumable))
    return next(found, None)


def fit_best_epoch(
    module: pl.LightningModule,
    trainer: pl.Trainer,
    train: DataLoader[Any],
    validation: DataLoader[Any],
    rate: str,
) -> None:
    """Train a module, and leave it with the weights of its best epoch, ready to be used.

    It stops where the training diverges; an epoch before that is used, with a warning. A training
    that is `Resumable` goes on where it was ended, and its folder goes when it is over.

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
    checkpoint, resumer = trainer.checkpoint_callback, _resumer(trainer)
    assert isinstance(checkpoint, ModelCheckpoint)
    resumed = find_resumed(trainer)
    diverged = StopDiverged()
    trainer.callbacks.append(diverged)  # type: ignore[attr-defined]
    if resumed is not None:
        log.info("The training goes on from %s", resumed)
        trainer.callbacks.append(ForgetLost())  # type: ignore[attr-defined]
    module.train()
    over = resumer is None  # or else the files are needed until the training is
    try:
        with warnings.catch_warnings():
            if resumed is not None:
                for known in KNOWN:
                    warnings.filterwarnings("ignore", known, UserWarning)
            trainer.fit(module, train, validation, ckpt_path=resumed, weights_only=True)
        if not checkpoint.best_model_path:
            raise JobError(
                "The training ended before held-out pictures were looked at, so no weights can be "
                "chosen: train longer, or lower trainer.val_check_interval."
            )
        best = torch.load(checkpoint.best_model_path, weights_only=True)
        module.load_state_dict(best["state_dict"])
        over = True
    except Exception:
        over = over or not is_finite(module)
        check_finite(module, rate)  # NaN makes many a function raise, each in words of its own
        raise
    finally:
        # A checkpoint is a pickle, and what a run leaves is data, also when it was ended.
        if over:
            for path in checkpoint.best_k_models:
                Path(path).unlink(missing_ok=True)
            with suppress(OSError):  # there is no folder, or other files are in it
                Path(str(checkpoint.dirpath)).rmdir()
        if over and resumer is not None:
            shutil.rmtree(str(resumer.dirpath), ignore_errors=True)
    check_finite(module, rate, checkpoint.best_model_score)
    if diverged.epoch is not None:
        log.warning(
            "The training of %s diverged in epoch %d: its loss was NaN or infinite. The best epoch "
            "before that is used. Lower %s.", type(module).__name__, diverged.epoch + 1, rate,
        )  # fmt: skip
    module.eval()


def is_finite(module: nn.Module) -> bool:
    """Say whether all weights of a module are finite."""
    return all(torch.isfinite(value).all() for value in module.state_dict().values())


def check_finite(module: nn.Module, rate: str, loss: Tensor | None = None) -> None:
    """Refuse a module whose training ended in NaN or infinity.

    Args:
        module: what was trained.
        rate: the option that sets the learning rate.
        loss: of its best epoch.

    Raises:
        JobError: if the loss or one of its weights is not finite.
    """
    if not (is_finite(module) and (loss is None or torch.isfinite(loss).all())):
        raise JobError(
            f"The training of {type(module).__name__} diverged: its loss or weights are NaN or "
            f"infinite. Lower {rate}."
        )
