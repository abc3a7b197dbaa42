"""Puts the parts together: train a hash, judge it, keep it, apply it.

The only module that instantiates what a config names.
"""

import json
import logging
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from hydra.errors import InstantiationException
from hydra.utils import get_class, instantiate
from matplotlib.figure import Figure
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from latenthash import InputError, __version__, plots, report
from latenthash.bundle import Bundle
from latenthash.data.pictures import find_files, read_files, source_digest
from latenthash.data.splits import ROLES, Splits, ViewSet
from latenthash.data.views import pipeline
from latenthash.hashing import Hash, Latents, calibration_rank
from latenthash.metrics import Figure as Measure
from latenthash.metrics import LatentSet, held_out
from latenthash.models import Decoder, Model
from latenthash.tracking import HELD_OUT, RunLogger, Store, open_store, refresh_sweep, scalars

log = logging.getLogger(__name__)
# Lightning's own use of torch's pytree; nothing that a user could mend.
warnings.filterwarnings("ignore", ".*treespec", FutureWarning)
# Features lie in memory, where worker processes would only cost time.
warnings.filterwarnings("ignore", ".*does not have many workers")

BATCH = 128  # views encoded at once
SHOWN = 10  # reconstructions of each set in the figure
BUNDLED = ("seed", "hash", "resamples", "data", "augment", "edits", "features", "model")
TRUSTED = ("latenthash", "albumentations")  # packages whose classes a bundle may name
TOLERANCE = 1e-5  # between the figures of training and those made again


def train(cfg: DictConfig) -> None:
    """Run one job: fit, enrol, measure, draw, and keep it all in MLflow.

    Exit code 2 when the input cannot be used. In a sweep a failed job is marked FAILED and
    the others go on.
    """
    with _refusals():
        logger: RunLogger = _build(cfg.logger, fingerprint=fingerprint(cfg))
        if not cfg.force and logger.reuse_finished():
            refresh_sweep(logger.store, logger.parent_run_id)
            return
        try:
            _train(cfg, logger)
        except BaseException as error:
            logger.fail(error)
            if not logger.parent_run_id or not isinstance(error, Exception):
                raise
            if isinstance(error, InputError):
                _log_problems(error)
            log.error("Job %s failed; the sweep goes on.", logger.run_name,
                      exc_info=not isinstance(error, InputError))  # fmt: skip
        else:
            logger.finish()
        finally:
            refresh_sweep(logger.store, logger.parent_run_id)


def evaluate(cfg: DictConfig) -> None:
    """Apply the bundle of a run to pictures, or make its held-out figures again.

    Exit code 2 when run or pictures cannot be used.
    """
    with _refusals():
        store = open_store(cfg)
        bundle = _load_bundle(str(cfg.run), store)
        config = OmegaConf.create(bundle.config)
        assert isinstance(config, DictConfig)
        _check_targets(OmegaConf.to_container(config))
        if cfg.pictures is None:
            name, table = HELD_OUT, _held_out_again(bundle, config, store)
        else:
            name, table = "matches", _matches(bundle, config, Path(str(cfg.pictures)))
        hidden = [column for column in report.DETAILS if column in table]
        report.show(table.drop(columns=hidden), f"{name} of run {bundle.run_id}")
        path = Path(cfg.paths.output, f"{name}.csv")
        report.write_csv(table, path)
        log.info("Written to %s", path)
        if store.has(bundle.run_id):
            store.log_table(bundle.run_id, table, f"evaluate/{name}")
        else:
            log.warning("Run %s is not in %s: the table was not logged.", bundle.run_id, store.uri)


def fingerprint(cfg: DictConfig) -> str:
    """Digest all that decides a job's result: resolved config, picture files, version."""
    # Where things are kept decides nothing, and differs between two calls of one command.
    bare = cfg.copy()
    bare.paths = dict.fromkeys(cfg.paths, "")
    del bare.logger, bare.force
    values = OmegaConf.to_container(bare, resolve=True)
    sources = [source_digest(str(cfg.data[role])) for role in ROLES]
    return sha256(json.dumps([values, sources, __version__], sort_keys=True).encode()).hexdigest()


class Hasher(nn.Module):
    """Features and model as one: from views to latents and back to pictures.

    Args:
        features: views (N, size, size, 3) uint8 -> features.
        model: a torch module as well.
    """

    model: Model

    def __init__(self, features: nn.Module, model: Model) -> None:
        super().__init__()
        self.features = features
        self.model = model

    @torch.inference_mode()
    def encode(self, views: Tensor) -> Latents:
        """Map views (N, size, size, 3) uint8 to z (N, k)."""
        device = self._place()
        batches = torch.split(views, BATCH)
        z = [self.model.encode(self.features(batch.to(device))).cpu() for batch in batches]
        return torch.cat(z).double().numpy()

    @torch.inference_mode()
    def decode(self, z: Latents) -> NDArray[np.float64]:
        """Map z (N, k) to pictures (N, size, size, 3) in [0, 1]; for models that can."""
        assert isinstance(self.model, Decoder)
        device = self._place()
        batches = torch.split(torch.from_numpy(z).float(), BATCH)
        pictures = torch.cat([self.model.decode(batch.to(device)).cpu() for batch in batches])
        return pictures.permute(0, 2, 3, 1).double().numpy()

    def latents(self, sets: Mapping[str, ViewSet]) -> dict[str, LatentSet]:
        """Encode the views of several sets."""
        return {name: LatentSet(self.encode(s.views), s.picture) for name, s in sets.items()}

    def _place(self) -> torch.device:
        device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
        self.to(device).eval()
        return device


def _train(cfg: DictConfig, logger: RunLogger) -> None:
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    logger.log_text(OmegaConf.to_yaml(cfg, resolve=True), "config.yaml")
    logger.log_hyperparams(scalars({key: config[key] for key in (*BUNDLED, "trainer")}))
    log.info("Run %s (%s)", logger.run_name, logger.id)
    calibration_rank(cfg.data.views.calibration, cfg.hash.alpha)  # refuses before work begins

    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    features = _build(cfg.features)
    model = _build(cfg.model, shape=features.shape)
    splits = _splits(cfg, features.size)
    train_views = splits.train()
    sheet = plots.contact_sheet({role: s.views.numpy() for role, s in train_views.items()})
    logger.log_figure(sheet, "contact_sheet")

    trainer: pl.Trainer = _build(
        cfg.trainer, callbacks=list(_build(cfg.callbacks).values()), logger=logger
    )
    started = time.perf_counter()
    model.fit(
        {role: features(s.views) for role, s in train_views.items()},
        {role: features(s.views) for role, s in splits.validation().items()},
        trainer,
    )
    logger.log_metrics({"time/fit_seconds": time.perf_counter() - started})

    hasher = Hasher(features, model)
    hash_ = Hash.enroll(
        hasher.encode(train_views["signal"].views),
        hasher.encode(splits.calibration().views),
        cfg.hash.alpha,
    )
    bundle = Bundle(
        hash_,
        hasher.state_dict(),
        _bundled_config(cfg),
        logger.id,
        {role: source_digest(str(cfg.data[role])) for role in ROLES},
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
    for name, figure in _figures(hasher, hash_, test_views, test, measures, logger.run_name):
        logger.log_figure(figure, name)
    report.show(table.drop(columns=report.DETAILS), f"Held-out figures of {logger.run_name}")
    log.info("The bundle is in %s", folder)


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


def _splits(cfg: DictConfig, size: int) -> Splits:
    splits: Splits = _build(
        cfg.data,
        augment=_build(cfg.augment, _convert_="all"),
        edits=_build(cfg.edits, _convert_="all"),
        size=size,
        seed=cfg.seed,
        _convert_="all",
    )
    return splits


def _bundled_config(cfg: DictConfig) -> str:
    """Give the part of the config that the bundle needs, with paths that hold anywhere."""
    config = cfg.copy()
    for role in ROLES:
        if Path(cfg.data[role]).exists():
            config.data[role] = str(Path(cfg.data[role]).absolute())
    return OmegaConf.to_yaml(OmegaConf.masked_copy(config, list(BUNDLED)), resolve=True)


def _load_bundle(run: str, store: Store) -> Bundle:
    if Path(run).is_dir():
        return Bundle.load(Path(run))
    with store.bundle(store.run(run)) as folder:
        return Bundle.load(folder)


def _check_targets(node: Any) -> None:
    """Refuse a bundle's config that would build anything but the trusted packages' classes.

    A bundle comes from anywhere, and `_target_` names code to call.
    """
    if isinstance(node, list):
        for value in node:
            _check_targets(value)
    if not isinstance(node, dict):
        return
    target = node.get("_target_")
    if target is not None:
        try:
            # A path such as latenthash.data.views.os.system leads out of the package, so the
            # class itself is asked where it is from.
            trusted = str(target).split(".")[0] in TRUSTED
            origin = get_class(str(target)).__module__.split(".")[0] if trusted else ""
        except (ImportError, ValueError):
            origin = ""
        if origin not in TRUSTED:
            raise InputError(
                f"The bundle's config names {target}, which is not a class of "
                f"{' or '.join(TRUSTED)}. Use a bundle that train.py wrote."
            )
    for value in node.values():
        _check_targets(value)


def _restore(bundle: Bundle, config: DictConfig) -> Hasher:
    features = _build(config.features)
    hasher = Hasher(features, _build(config.model, shape=features.shape))
    try:
        hasher.load_state_dict(bundle.weights)
    except RuntimeError as error:
        raise InputError(f"The bundle's weights do not fit its config: {error}") from error
    return hasher


def _matches(bundle: Bundle, config: DictConfig, path: Path) -> pd.DataFrame:
    """Hash the pictures at a path, and say which match, a row each."""
    paths = find_files(path) if path.is_dir() else [path]
    if not paths:
        raise InputError(f"pictures={path} is an empty folder; put pictures into it.")
    pictures, problems = read_files(paths, _build(config.data.reader), "Pictures")
    if problems:
        raise InputError(problems)
    hasher = _restore(bundle, config)
    reduce = pipeline([], config.features.size)
    views = np.stack([reduce(image=picture.pixels)["image"] for picture in pictures])
    z = hasher.encode(torch.from_numpy(views))
    return pd.DataFrame(
        {
            "file": [picture.name for picture in pictures],
            "distance / R": bundle.hash.distances(z) / bundle.hash.radius,
            "match": np.where(bundle.hash.matches(z), "yes", "no"),
        }
    )


def _held_out_again(bundle: Bundle, config: DictConfig, store: Store) -> pd.DataFrame:
    """Make the held-out figures of a bundle again, beside those that training logged."""
    changed = [
        f"data.{role}={config.data[role]} is not what run {bundle.run_id} was made from; put the "
        "pictures back, or pass pictures=PATH to hash others."
        for role in ROLES
        if source_digest(str(config.data[role])) != bundle.pictures[role]
    ]
    if changed:
        raise InputError(changed)
    hasher = _restore(bundle, config)
    splits = _splits(config, config.features.size)
    measures = held_out(
        bundle.hash,
        hasher.latents(splits.test()),
        hasher.latents(splits.edited()),
        config.resamples,
        config.seed,
    )
    table = report.figures_table(measures)
    if store.has(bundle.run_id):
        trained = store.client.get_run(bundle.run_id).data.metrics
        table["trained"] = [trained.get(name, np.nan) for name in table["metric"]]
        table["difference"] = (table["value"] - table["trained"]).abs()
        worst = table["difference"].max()
        level = logging.INFO if worst <= TOLERANCE else logging.WARNING
        log.log(level, "Largest difference from the figures of training: %.2g", worst)
    return table


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn refused input into a sentence for each problem and exit code 2."""
    try:
        yield
    except InputError as error:
        _log_problems(error)
        sys.exit(2)


def _log_problems(error: InputError) -> None:
    for problem in error.problems:
        log.error(problem)


def _build(node: DictConfig, **kwargs: Any) -> Any:
    """Instantiate a config node; Hydra's wrapping of a refusal is taken off again."""
    try:
        return instantiate(node, **kwargs)
    except InstantiationException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise
