"""The step of a run that fine-tunes its features, and what that did to them."""

import logging
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from latenthash import plots
from latenthash.data.splits import ViewSet
from latenthash.errors import InputError
from latenthash.features.interface import Features, Staged, is_staged
from latenthash.hashing.hasher import begin
from latenthash.jobs.build import build
from latenthash.metrics.enrolled import auroc
from latenthash.models.finetuner import FineTuner
from latenthash.options.misfits import NOT_LEARNED
from latenthash.tracking.run_logger import RunLogger

log = logging.getLogger(__name__)


def build_tuner(cfg: DictConfig, features: Features, train_sets: Sequence[str]) -> FineTuner:
    """Build what tunes features.

    Raises:
        InputError: if the features have nothing to tune, there is no Noise to tell apart, or a
            number cannot be used.
    """
    if not is_staged(features) or not len(features.tail):
        raise InputError(NOT_LEARNED)
    if set(train_sets) == {"signal"}:
        raise InputError(
            "finetune=true tells Signal from Noise, and data.train_sets holds the Signal alone: "
            "add noise_edited, noise_similar or outliers, or set finetune=false."
        )
    tuner: FineTuner = build(cfg.finetuning.module, features=features)
    return tuner


def finetune(
    cfg: DictConfig,
    tuner: FineTuner,
    train: Mapping[str, ViewSet],
    validation: Mapping[str, ViewSet],
    test: Mapping[str, ViewSet],
    logger: RunLogger,
) -> None:
    """Train the tail of the features on Signal against Noise, and log what it did to them.

    Test views have no part in it: they are measured before and after, and nothing follows.
    """
    features = tuner.features
    before = deepcopy(features.tail)
    # trainer=debug asks for a single epoch, of this training too.
    epochs = min(cfg.finetuning.max_epochs, cfg.trainer.max_epochs)
    callbacks = list(build(cfg.finetuning.callbacks).values())
    trainer: pl.Trainer = build(cfg.trainer, max_epochs=epochs, callbacks=callbacks, logger=logger)
    maps = begin(features, train)
    held_out = begin(features, validation)
    log.info("Fine-tuning on %d views", sum(map(len, maps.values())))
    started = time.perf_counter()
    tuner.fit(maps, held_out, trainer)
    logger.log_metrics({"time/finetune_seconds": time.perf_counter() - started})
    logger.log_figure(plots.training_curves(tuner.history), "finetune_curves")
    logger.log_figure(plots.confusion(tuner.answers(held_out)), "finetune_confusion")

    judged = begin(features, {role: test[role] for role in ("signal", "unseen")})
    after, features.tail = features.tail, before
    areas = {"finetune/auroc_unseen_before": _auroc(features, maps["signal"], judged)}
    features.tail = after
    areas["finetune/auroc_unseen_after"] = _auroc(features, maps["signal"], judged)
    logger.log_metrics(areas)


def _auroc(features: Staged, enrolled: Tensor, judged: Mapping[str, Tensor]) -> float:
    """Measure how well the cosine to the mean Signal feature tells Signal from unseen."""
    unit = {
        name: nn.functional.normalize(_finish(features, maps))
        for name, maps in {"enrolled": enrolled, **judged}.items()
    }
    centre = nn.functional.normalize(unit["enrolled"].mean(0), dim=0)
    signal, unseen = (1 - unit[role].double().numpy() @ centre.double().numpy() for role in judged)
    return auroc(signal, unseen)


@torch.no_grad()
def _finish(features: Staged, maps: Tensor) -> Tensor:
    return torch.cat([features.finish(batch).flatten(1) for batch in torch.split(maps, 64)])
