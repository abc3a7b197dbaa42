"""The fitting of a model, the same in every job that trains with callbacks."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import pytorch_lightning as pl
from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.hashing.hasher import Hasher
from latenthash.jobs.build import build
from latenthash.models.components.training import Resumable
from latenthash.tracking.run_logger import RunLogger

log = logging.getLogger(__name__)


def fit(
    cfg: DictConfig,
    logger: RunLogger,
    hasher: Hasher,
    train: Mapping[str, FeatureSet],
    validation: Mapping[str, FeatureSet],
    kept: Path | None = None,
) -> None:
    """Fit the model of a hasher with the trainer and callbacks of the config, and log the time.

    Args:
        cfg: the composed config of train.py.
        logger: the run, to which Lightning logs.
        hasher: whose model is fitted.
        train: set -> features.
        validation: set -> features of views of their own.
        kept: folder in which the training is kept while it goes on, so that it can be resumed.

    Raises:
        InputError: if that folder cannot be made.
        JobError: if the training diverged.
    """
    callbacks = build(cfg.callbacks)
    if kept is not None:
        try:
            kept.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The training cannot be kept in {kept}: {error.strerror}; name another folder by "
                "cache.folder=PATH."
            ) from error
        callbacks["checkpoint"].dirpath = str(kept)
        callbacks["resume"] = Resumable(kept)
    trainer: pl.Trainer = build(cfg.trainer, callbacks=list(callbacks.values()), logger=logger)
    log.info("Fitting %s", type(hasher.model).__name__)
    started = time.perf_counter()
    hasher.model.fit(train, validation, trainer)
    logger.log_metrics({"time/fit_seconds": time.perf_counter() - started})
