"""Applies a bundle: which pictures match its hash, and its held-out figures made again."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from omegaconf import DictConfig

from latenthash import InputError, report
from latenthash.build import build, build_splits, bundle_config, restore
from latenthash.bundle import Bundle
from latenthash.cache import DiskCache
from latenthash.data.pictures import find_files, read_files, source_digest
from latenthash.data.splits import ROLES
from latenthash.data.views import pipeline
from latenthash.metrics import held_out
from latenthash.refusals import refusals
from latenthash.tracking import HELD_OUT, Store, find_store, open_store

log = logging.getLogger(__name__)

TOLERANCE = 1e-5  # between the figures of training and those made again


def evaluate(cfg: DictConfig) -> None:
    """Apply the bundle of a run to pictures, or make its held-out figures again.

    Exit code 2 when run or pictures cannot be used.
    """
    with refusals():
        store, bundle = _open(cfg)
        config = bundle_config(bundle)
        cache = build(cfg.cache)
        if cfg.pictures is None:
            name, table = HELD_OUT, _held_out_again(bundle, config, store, cache)
        else:
            name, table = "matches", _matches(bundle, config, Path(str(cfg.pictures)), cache)
        report.show(table, f"{name} of run {bundle.run_id}")
        path = Path(cfg.paths.output, f"{name}.csv")
        report.write_csv(table, path)
        log.info("Written to %s", path)
        if store and store.has(bundle.run_id):
            store.log_table(bundle.run_id, table, f"evaluate/{name}")
        else:
            log.warning("Run %s is in no store here: the table was not logged.", bundle.run_id)


def _open(cfg: DictConfig) -> tuple[Store | None, Bundle]:
    folder = Path(str(cfg.run))
    if folder.is_dir():
        bundle = Bundle.load(folder)
        return find_store(cfg), bundle
    store = open_store(cfg)
    with store.bundle(store.run(str(cfg.run))) as copy:
        return store, Bundle.load(copy)


def _matches(bundle: Bundle, config: DictConfig, path: Path, cache: DiskCache) -> pd.DataFrame:
    """Hash the pictures at a path, and say which match, a row each."""
    paths = find_files(path) if path.is_dir() else [path]
    if not paths:
        raise InputError(f"pictures={path} is an empty folder; put pictures into it.")
    pictures, problems = read_files(paths, build(config.data.reader, _convert_="all"), "Pictures")
    if problems:
        raise InputError(problems)
    hasher = restore(bundle, config, cache)
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


def _held_out_again(
    bundle: Bundle, config: DictConfig, store: Store | None, cache: DiskCache
) -> pd.DataFrame:
    """Make the held-out figures of a bundle again, beside those that training logged."""
    changed = [
        f"data.{role}={config.data[role]} is not what run {bundle.run_id} was made from; put the "
        "pictures back, or pass pictures=PATH to hash others."
        for role in ROLES
        if source_digest(str(config.data[role])) != bundle.pictures.get(role)
    ]
    if changed:
        raise InputError(changed)
    hasher = restore(bundle, config, cache)
    splits = build_splits(config, cache)
    measures = held_out(
        bundle.hash,
        hasher.latents(splits.test()),
        hasher.latents(splits.edited()),
        config.resamples,
        config.seed,
    )
    table = report.figures_table(measures)
    if store and store.has(bundle.run_id):
        trained = store.client.get_run(bundle.run_id).data.metrics
        table["trained"] = [trained.get(name, np.nan) for name in table["metric"]]
        table["difference"] = (table["value"] - table["trained"]).abs()
        worst = table["difference"].max()
        level = logging.INFO if worst <= TOLERANCE else logging.WARNING
        log.log(level, "Largest difference from the figures of training: %.2g", worst)
    return table
