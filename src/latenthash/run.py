"""Trains one hash: fit, enrol, measure, draw, and keep it all in MLflow."""

import json
import logging
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
from matplotlib.figure import Figure
from omegaconf import DictConfig, OmegaConf

from latenthash import InputError, __version__, plots, report
from latenthash.bootstrap import Measure
from latenthash.build import BUNDLED, build, build_hasher, build_splits, bundled_config
from latenthash.bundle import Bundle
from latenthash.data.pictures import source_digest
from latenthash.data.splits import ROLES, ViewSet
from latenthash.hasher import Hasher
from latenthash.hashing import Hash, LatentSet, calibration_rank
from latenthash.metrics import held_out, shares
from latenthash.models import Decoder, Diagrammed
from latenthash.refusals import collect, log_problems, refusals
from latenthash.sweeps import refresh_sweep
from latenthash.tracking import HELD_OUT, RunLogger, scalars

log = logging.getLogger(__name__)
# Lightning's own use of torch's pytree; nothing that a user could mend.
warnings.filterwarnings("ignore", ".*treespec", FutureWarning)
# Features lie in memory, where worker processes would only cost time.
warnings.filterwarnings("ignore", ".*does not have many workers")

SHOWN = 10  # reconstructions of each set in the figure


def train(cfg: DictConfig) -> None:
    """Run one job: fit, enrol, measure, draw, and keep it all in MLflow.

    Exit code 2 when the input cannot be used. In a sweep a failed job is marked FAILED and
    the others go on.
    """
    for role in ROLES:
        if cfg.data[role] is not None:
            cfg.data[role] = str(cfg.data[role])  # a folder may be called 2024
    # Once, and before training: a file that changes meanwhile is not what was trained on.
    digests = {role: source_digest(str(cfg.data[role])) for role in ROLES}
    with refusals(), _killed_by_sigterm():
        logger: RunLogger = build(cfg.logger, fingerprint=fingerprint(cfg, digests))
        if not cfg.force and logger.reuse_finished():
            refresh_sweep(logger.store, logger.parent_run_id)
            return
        try:
            _train(cfg, logger, digests)
        except BaseException as error:
            logger.fail(error)
            if not logger.parent_run_id or not isinstance(error, Exception):
                raise
            if isinstance(error, InputError):
                log_problems(error)
            log.error("Job %s failed; the sweep goes on.", logger.run_name,
                      exc_info=not isinstance(error, InputError))  # fmt: skip
        else:
            logger.finish()
        finally:
            refresh_sweep(logger.store, logger.parent_run_id)


def fingerprint(cfg: DictConfig, digests: Mapping[str, str]) -> str:
    """Digest all that decides a job's result: resolved config, picture files, version."""
    # Where things are kept decides nothing, and differs between two calls of one command.
    bare = cfg.copy()
    bare.paths = dict.fromkeys(cfg.paths, "")
    del bare.logger, bare.force
    values = OmegaConf.to_container(bare, resolve=True)
    parts = [values, list(digests.values()), __version__]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _train(cfg: DictConfig, logger: RunLogger, digests: Mapping[str, str]) -> None:
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    logger.log_text(OmegaConf.to_yaml(cfg, resolve=True), "config.yaml")
    epochs = {"trainer": {"max_epochs": cfg.trainer.max_epochs}}
    logger.log_hyperparams(scalars({key: config[key] for key in BUNDLED} | epochs))
    log.info("Run %s (%s)", logger.run_name, logger.id)
    _check(cfg)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    splits, hasher = collect(lambda: build_splits(cfg), lambda: build_hasher(cfg))
    for name, value in hasher.features.identity.items():
        logger.experiment.set_tag(logger.id, f"features.{name}", value)
    train_views = splits.train()
    sheet = plots.contact_sheet({role: s.views.numpy() for role, s in train_views.items()})
    logger.log_figure(sheet, "contact_sheet")

    trainer: pl.Trainer = build(
        cfg.trainer, callbacks=list(build(cfg.callbacks).values()), logger=logger
    )
    started = time.perf_counter()
    hasher.model.fit(hasher.describe(train_views), hasher.describe(splits.validation()), trainer)
    logger.log_metrics({"time/fit_seconds": time.perf_counter() - started})

    hash_ = Hash.enroll(
        hasher.encode(train_views["signal"].views),
        hasher.encode(splits.calibration().views),
        cfg.hash.alpha,
    )
    bundle = Bundle(
        hash_,
        hasher.state_dict(),
        bundled_config(cfg),
        logger.id,
        digests,
        hasher.features.identity,
    )
    folder = Path(cfg.paths.output, "bundle")
    bundle.save(folder)
    logger.log_folder(folder)

    test_views = splits.test()
    test = hasher.latents(test_views)
    edited = hasher.latents(splits.edited())
    measures = held_out(hash_, test, edited, cfg.resamples, cfg.seed)
    table = report.figures_table(measures)
    logger.log_table(table, HELD_OUT)
    logger.log_metrics({measure.name: measure.value for measure in measures})
    logger.log_metrics({f"hash/centroid_{i}": value for i, value in enumerate(hash_.centroid)})
    logger.log_metrics({"hash/radius": hash_.radius})
    unseen = test["unseen"]
    worst = shares(hash_.matches(unseen.z), unseen.picture).argmax()
    logger.experiment.set_tag(logger.id, "test.worst_unseen", test_views["unseen"].names[worst])
    for name, figure in _figures(hasher, hash_, test_views, test, measures, logger.run_name):
        logger.log_figure(figure, name)
    report.show(table, f"Held-out figures of {logger.run_name}")
    log.info("The bundle is in %s", folder)


def _check(cfg: DictConfig) -> None:
    """Refuse numbers that would fail only after the training, or not at all.

    Raises:
        InputError: for all of them at once.
    """
    least = {
        "seed": 0,
        "resamples": 1,
        "trainer.max_epochs": 1,
        "data.views.test": 2,  # separation compares views of a set with each other
    }
    problems = []
    for name, bound in least.items():
        value = OmegaConf.select(cfg, name)
        if not isinstance(value, int) or value < bound:
            problems.append(f"{name}={value} must be a whole number of at least {bound}.")
    if not isinstance(cfg.hash.alpha, float):
        problems.append(f"hash.alpha={cfg.hash.alpha} must be a number between 0 and 1.")
    if problems:
        raise InputError(problems)
    calibration_rank(cfg.data.views.calibration, cfg.hash.alpha)


@contextmanager
def _killed_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the job as Ctrl-C does, so that its run is marked KILLED."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _figures(
    hasher: Hasher,
    hash_: Hash,
    views: Mapping[str, ViewSet],
    test: Mapping[str, LatentSet],
    measures: Sequence[Measure],
    title: str,
) -> Iterator[tuple[str, Figure]]:
    z = {role: rows.z for role, rows in test.items()}
    everywhere = np.concatenate(list(z.values()))
    plane = plots.Plane.of(everywhere, hash_.centroid)
    yield "latent_scatter", plots.latent_scatter(z, hash_, plane, f"Test latents of {title}")
    distances = {role: hash_.distances(rows) for role, rows in z.items()}
    yield "distances", plots.distance_histogram(distances, hash_.radius)
    tpr = next(measure for measure in measures if measure.name == "test/tpr")
    edits = [measure for measure in measures if measure.name.startswith("edits/")]
    yield "edits", plots.edit_bars(edits, tpr)
    if isinstance(hasher.model, Diagrammed):
        first = {role: views[role].views[:1] for role in ("signal", "noise_edited")}
        diagrams = {role: hasher.model.diagrams(hasher.features(v))[0] for role, v in first.items()}
        yield "persistence_diagrams", plots.persistence_diagrams(diagrams, ("birth", "death"))
    if isinstance(hasher.model, Decoder):
        yield "decoded_map", plots.decoded_map(hasher.decode, everywhere, hash_, plane)
        shown = {role: s.views[:SHOWN] for role, s in views.items()}
        yield (
            "reconstructions",
            plots.reconstructions(
                {
                    role: (v.numpy() / 255, hasher.decode(z[role][:SHOWN]))
                    for role, v in shown.items()
                }
            ),
        )
