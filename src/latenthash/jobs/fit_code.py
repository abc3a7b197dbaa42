"""The job that fits a code: a latent for any picture, with no Signal and no hash of one."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytorch_lightning as pl
from omegaconf import DictConfig

from latenthash.data.pairs import FEW
from latenthash.errors import collect
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.build import build, build_hasher, build_pairs, bundled_config, bundled_packages
from latenthash.system.calling import typed
from latenthash.tracking.names import BUNDLE
from latenthash.tracking.run_logger import RunLogger

log = logging.getLogger(__name__)


def fit_code(cfg: DictConfig, logger: RunLogger, digests: Mapping[str, str]) -> None:
    """Fit a model on pairs of views of a folder of pictures, and leave its bundle.

    Args:
        cfg: the composed config.
        logger: the run.
        digests: of the pictures.

    Raises:
        InputError: if the input cannot be used, before any work.
    """
    cache = build(cfg.cache)
    pairs, hasher = collect(
        lambda: build_pairs(cfg, cache),
        lambda: build_hasher(cfg, cache),
    )
    provenance = hasher.features.provenance
    logger.set_tags({f"features.{name}": value for name, value in provenance.items()})
    n = len(pairs.pictures)
    logger.add_note(f"A code for any picture, fitted on {n} pictures.")
    if n < FEW:
        log.warning(
            "FITTED ON %d PICTURES ALONE, this code is weak: what it has not seen vary it cannot "
            "tell apart. Give data.outliers a folder of %d or more.", n, FEW,
        )  # fmt: skip
    trainer: pl.Trainer = build(cfg.trainer, logger=logger)
    train = hasher.describe(pairs.train())
    hasher.model.fit(train, {}, trainer)
    views = sum(len(features.x) for features in train.values())
    logger.log_metrics({"code/pictures": n, "code/views": views})
    folder = Path(cfg.paths.output, BUNDLE)
    Bundle(
        None, hasher.state_dict(), bundled_config(cfg), logger.id, digests,
        provenance, fitted=[picture.digest for picture in pairs.pictures],
        packages=bundled_packages(cfg),
    ).save(folder)  # fmt: skip
    logger.log_folder(folder.name)
    log.info(
        "The code is in %s; judge it: %s benchmark=edits_v1 run=latest", folder, typed("evaluate")
    )
