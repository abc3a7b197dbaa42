"""The job that makes a hash: fit, enrol, measure, draw."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

from latenthash import plots
from latenthash.data.splits import Splits
from latenthash.errors import InputError, collect
from latenthash.features.interface import FeatureSet
from latenthash.features.weights import RANDOM
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.enrolled import Hash, LatentSet, calibration_rank
from latenthash.hashing.hasher import Hasher
from latenthash.hashing.printable import PrintableHash
from latenthash.hashing.printable_features import printable_hash
from latenthash.jobs.build import (
    build,
    build_hasher,
    build_splits,
    bundled_config,
    bundled_packages,
)
from latenthash.jobs.finetune import build_tuner, finetune
from latenthash.jobs.fit import fit
from latenthash.metrics.bootstrap import Measure
from latenthash.metrics.enrolled import held_out, shares
from latenthash.models.components.autoencoder import Autoencoder
from latenthash.models.interface import Aimed
from latenthash.report.drawings import drawings
from latenthash.report.markdown import literal
from latenthash.report.tables import centroid_table, figures_table, latents_table, show
from latenthash.report.words import outcome
from latenthash.system.calling import typed
from latenthash.system.paths import shareable
from latenthash.tracking.names import BUNDLE, CENTROID, HELD_OUT, LATEST, TEST_LATENTS
from latenthash.tracking.run_logger import RunLogger

log = logging.getLogger(__name__)

FLOAT = 4  # bytes; centroid, radius and gate lose nothing that matters
TIMED = 32  # views behind the time of one
DIMENSIONS = "kl"  # table of what each dimension of the latent holds


def enrol(cfg: DictConfig, logger: RunLogger, digests: Mapping[str, str]) -> None:
    """Fit features and model, enrol the Signal, and measure its hash on what neither has seen.

    Args:
        cfg: the composed config.
        logger: the run.
        digests: role -> digest of its pictures.

    Raises:
        InputError: if the input cannot be used, before any training.
    """
    _check(cfg)
    cache = build(cfg.cache)
    splits, hasher = collect(lambda: build_splits(cfg, cache), lambda: build_hasher(cfg, cache))
    tuner = build_tuner(cfg, hasher.features, splits.train_sets) if cfg.finetune else None
    provenance = hasher.features.provenance
    _introduce(cfg, logger, hasher)
    # Before any training: the bits must not depend on it.
    printable = _printable_hash(cfg, hasher, splits)
    logger.set_tags({"hash.printable": str(printable)})
    if isinstance(hasher.model, Aimed):
        hasher.model.aim(printable.theta)
    train_views, validation_views = splits.train(), splits.validation()
    if tuner is not None:
        finetune(cfg, tuner, train_views, validation_views, splits.test(), logger)
    train, validation = hasher.describe(train_views), hasher.describe(validation_views)
    fit(cfg, logger, hasher, train, validation)
    if isinstance(hasher.model, Autoencoder):
        logger.log_table(_dimensions_table(hasher.model, validation), DIMENSIONS)
    sheet = plots.contact_sheet({role: v.views.numpy() for role, v in train_views.items()})
    logger.log_figure(sheet, "contact_sheet")

    hash_ = _enroll(cfg, hasher, train["signal"], splits)
    bundle = Bundle(
        hash_,
        hasher.state_dict(),
        bundled_config(cfg),
        logger.id,
        digests,
        provenance,
        printable,
        splits.fitted,
        bundled_packages(cfg),
    )
    folder = Path(cfg.paths.output, BUNDLE)
    bundle.save(folder)
    logger.log_folder(folder.name)
    measures = _judge(cfg, logger, hasher, hash_, splits)
    _conclude(logger, printable, _said(cfg, hasher, measures), folder)


def _introduce(cfg: DictConfig, logger: RunLogger, hasher: Hasher) -> None:
    """Say on the run what is made, and by what."""
    model, features = type(hasher.model).__name__, type(hasher.features).__name__
    k = cfg.model.latent_dim
    logger.add_note(
        literal(f"A hash of {shareable(Path(cfg.data.signal))}: {model} on {features}, k = {k}.")
    )
    provenance = hasher.features.provenance
    logger.set_tags({f"features.{name}": value for name, value in provenance.items()})
    if str(provenance.get("weights")).startswith(RANDOM):
        logger.rename(f"{logger.run_name} (random weights)")


def _said(cfg: DictConfig, hasher: Hasher, measures: Sequence[Measure]) -> str:
    """Say what came out."""
    said = outcome(measures)
    if is_cut_short(cfg, learned=isinstance(hasher.model, pl.LightningModule)):
        said += (
            " The training was cut short, so this says nothing: leave trainer=debug, or "
            "trainer.limit_train_batches, away."
        )
    return said


def is_cut_short(cfg: DictConfig, *, learned: bool) -> bool:
    """Say whether a training saw fewer batches than there are.

    Args:
        cfg: the composed config.
        learned: whether the model is trained by gradient.
    """
    limit = cfg.trainer.get("limit_train_batches")
    whole = limit is None or (isinstance(limit, float) and limit == 1)  # 1 is a single batch
    return not whole and (learned or bool(cfg.finetune))


def _conclude(logger: RunLogger, printable: PrintableHash, said: str, folder: Path) -> None:
    """Say what came out, where it is, and what to do next."""
    logger.add_note(said)
    log.info("The printable hash is %s", printable)
    log.info("%s", said)
    log.info("The figures (%s.csv), drawings and the bundle are in %s", HELD_OUT, folder.parent)
    if logger.parent_run_id is None:
        run = shlex.quote(str(folder)) if logger.lost else LATEST
        log.info("Next: %s run=%s pictures=PATH; make ui shows MLflow", typed("evaluate"), run)


def _dimensions_table(model: Autoencoder, validation: Mapping[str, FeatureSet]) -> pd.DataFrame:
    """Lay out what each dimension of the latent holds of validation views, a row each."""
    kl, deviation = (values.numpy() for values in model.dimensions(validation))
    columns = {"dimension": range(len(kl)), "kl_nats": kl, "sigma_of_means": deviation}
    return pd.DataFrame(columns)


def _printable_hash(cfg: DictConfig, hasher: Hasher, splits: Splits) -> PrintableHash:
    """Read the printable hash off the features as they are."""
    described = hasher.describe({"printable": splits.printable_views()})["printable"]
    config: Any = OmegaConf.to_container(cfg.features, resolve=True)
    return printable_hash(hasher.features, config, described.x)


def _enroll(cfg: DictConfig, hasher: Hasher, train: FeatureSet, splits: Splits) -> Hash:
    """Take the limits for a share of the Signal's views, or for a false-positive rate."""
    own = hasher.latents(train)
    if cfg.hash.fpr is None:
        calibration = hasher.encode_sets({"signal": splits.calibration()})["signal"]
        return Hash.enroll(own, calibration, cfg.hash.alpha)
    # Whatever the model was told is not the Signal, for what is alike lies nearest.
    roles = dict.fromkeys(["signal", "outliers", *splits.train_sets])
    rows = hasher.encode_sets({role: splits.calibration(role) for role in roles})
    calibration = rows.pop("signal")
    others = LatentSet.pooled(list(rows.values()))
    if cfg.hash.fpr * len(others.z) < 1:
        log.warning(
            "%d calibration views of other pictures cannot show a false-positive rate of %g: R is "
            "short of the nearest. Raise data.views.calibration, or give more data.outliers.",
            len(others.z), cfg.hash.fpr,
        )  # fmt: skip
    return Hash.enroll_at_fpr(own, calibration, others, cfg.hash.fpr)


def _judge(
    cfg: DictConfig, logger: RunLogger, hasher: Hasher, hash_: Hash, splits: Splits
) -> list[Measure]:
    """Measure the hash on test rows, and log figures, tables and drawings."""
    test_views = splits.test()
    test = hasher.encode_sets(test_views)
    edited = hasher.encode_sets(splits.edited())
    measures = held_out(hash_, test, edited, cfg.resamples, cfg.seed)
    table = figures_table(measures)
    logger.log_table(table, HELD_OUT)
    logger.log_metrics({measure.name: measure.value for measure in measures})
    logger.log_table(centroid_table(hash_), CENTROID)
    limits = {"hash/radius": hash_.radius}
    if hash_.gate is not None:
        limits["hash/gate"] = hash_.gate
    logger.log_metrics(
        {
            **limits,
            "hash/bytes": FLOAT * (len(hash_.centroid) + len(limits)),
            "time/ms_per_picture": hasher.milliseconds(test_views["signal"].views[:TIMED]),
        }
    )
    unseen = test["unseen"]
    worst = shares(hash_.matches(unseen), unseen.picture).argmax()
    logger.set_tags({"test.worst_unseen": test_views["unseen"].names[worst]})
    plane = plots.Plane.of(np.concatenate([rows.z for rows in test.values()]), hash_.centroid)
    logger.log_table(latents_table(test, hash_, plane), TEST_LATENTS)
    title = logger.run_name
    for name, figure in drawings(hasher, hash_, plane, test_views, test, measures, title):
        logger.log_figure(figure, name)
    show(table, f"Held-out figures of {logger.run_name}")
    return measures


def _check(cfg: DictConfig) -> None:
    """Refuse data without a Signal, and too few views to calibrate with."""
    if "views" not in cfg.data:
        raise InputError("These data have no Signal to hash: digits go with +experiment=mnist.")
    if cfg.hash.fpr is None:
        calibration_rank(cfg.data.views.calibration, cfg.hash.alpha)
