"""The job that makes a bundle's held-out figures again, beside those that training logged."""

import logging

import numpy as np
import pandas as pd
from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.jobs.answer import answer
from latenthash.jobs.build import build, build_splits, restore
from latenthash.jobs.locating import with_pictures
from latenthash.jobs.open import open_bundle
from latenthash.metrics.enrolled import current_name, held_out
from latenthash.report.tables import figures_table
from latenthash.tracking.names import HELD_OUT
from latenthash.tracking.store import Run

log = logging.getLogger(__name__)

TOLERANCE = 1e-5  # between the figures of training and those made again


def repeat_held_out(cfg: DictConfig) -> None:
    """Judge the hash of a run again, on the views that training judged it on.

    Raises:
        InputError: if the bundle is a code, or the pictures of its run are not here any more.
    """
    opened = open_bundle(cfg)
    bundle, config = opened.bundle, opened.config
    if bundle.hash is None:
        raise InputError("A code belongs to no picture: say which to hash with pictures=PATH.")
    cache = build(cfg.cache)
    splits = build_splits(with_pictures(config, bundle, opened.places), cache)
    hasher = restore(bundle, config, cache)
    measures = held_out(
        bundle.hash,
        hasher.encode_sets(splits.test()),
        hasher.encode_sets(splits.edited()),
        config.resamples,
        config.seed,
    )
    table = figures_table(measures)
    answer(cfg, opened, HELD_OUT, table if opened.run is None else _beside(table, opened.run))


def _beside(table: pd.DataFrame, run: Run) -> pd.DataFrame:
    """Put the figures that training logged beside those made again."""
    logged = {current_name(name): value for name, value in run.data.metrics.items()}
    trained = table["metric"].map(logged).astype(np.float64)
    difference = (table["value"] - trained).abs()
    worst = difference.max()
    level = logging.INFO if worst <= TOLERANCE else logging.WARNING
    log.log(level, "Largest difference from the figures of training: %.2g", worst)
    return table.assign(trained=trained, difference=difference)
