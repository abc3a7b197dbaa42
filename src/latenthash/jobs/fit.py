"""The fitting of a model, the same in every job that trains with callbacks."""

import logging
import time
from collections.abc import Mapping

import pytorch_lightning as pl
from omegaconf import DictConfig

from latenthash.features.interface import FeatureSet
from latenthash.hashing.hasher import Hasher
from latenthash.jobs.build import build
from latenthash.tracking.run_logger import RunLogger

log = logging.getLogger(__name__)


def fit(
    cfg: DictConfig,
    logger: RunLogger,
    hasher: Hasher,
    train: Mapping[str, FeatureSet],
    validation: Mapping[str, FeatureSet],
) -> None:
    """Fit the model of a hasher with the trainer and callbacks of the config, and log the time.

    Args:
        cfg: the composed config of train.py.
        logger: the run, to which Lightning logs.
        hasher: whose model is fitted.
        train: set -> features.
        validation: set -> features of views of their own.
    """
    trainer: pl.Trainer = build(
        cfg.trainer, callbacks=list(build(cfg.callbacks).values()), logger=logger
    )
    log.info("Fitting %s", type(hasher.model).__name__)
    started = time.perf_counter()
    hasher.model.fit(train, validation, trainer)
    logger.log_metrics({"time/fit_seconds": time.perf_counter() - started})
