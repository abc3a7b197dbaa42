"""The job that measures how near different pictures of the user's come by chance."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from omegaconf import DictConfig

from latenthash.benchmark.groups import read_groups
from latenthash.codes.code import printed_code
from latenthash.codes.describe import Item, describe
from latenthash.codes.latent import Latent, latent_key
from latenthash.codes.pictures import list_files
from latenthash.data.detail import has_detail
from latenthash.errors import InputError
from latenthash.gallery.impostors import Impostors, measure
from latenthash.jobs.answer import write
from latenthash.jobs.build import build, build_suite, restore
from latenthash.jobs.gallery_add import opened_gallery
from latenthash.jobs.open import open_bundle
from latenthash.jobs.pictures import given_reader
from latenthash.system.paths import find_files, is_folder
from latenthash.system.terminal import track

log = logging.getLogger(__name__)

MOST = 2000  # pictures: their pairs support a rate of 1e-6
COPIES = 10  # bits: pictures that differ in no more look like copies of each other
NAMED = 5  # pairs of copies
SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)  # of galleries in the table
EXPECTED = (0.01, 0.1, 1.0)  # false matches


def calibrate(cfg: DictConfig) -> None:
    """Measure the distances between different pictures, and keep them with the gallery.

    Raises:
        InputError: if the gallery, the run or the pictures cannot be used, or are too few.
    """
    gallery = opened_gallery(cfg)
    if cfg.calibrate is None or not is_folder(Path(cfg.calibrate)):
        raise InputError(
            f"calibrate={cfg.calibrate} must be a folder of pictures of which no two show the same."
        )
    suite = build_suite(cfg)
    edits = suite.chosen(cfg.edits)
    opened = open_bundle(cfg)
    if opened.bundle.hash is not None:
        raise InputError(f"run={cfg.run} left the hash of one picture, and no code.")
    cache = build(cfg.cache)
    latent = Latent(latent_key(opened.bundle), restore(opened.bundle, opened.config, cache))
    gallery.about.refuse_other(latent.tag, latent.key, gallery.folder)
    reader = given_reader(cfg, opened)
    items = _different(list_files(find_files(Path(cfg.calibrate)), Path(cfg.calibrate), reader))
    group = np.arange(len(items))
    if cfg.groups is not None:
        group = read_groups(Path(cfg.groups), items)
    described = describe(items, edits, suite, [latent], cache, reader)[latent.key]
    pictures, views, dimensions = described.shape
    bits = printed_code(latent).bits(described.reshape(-1, dimensions)).reshape(pictures, views, -1)
    found = measure(latent.tag, bits, group, f"those of {Path(cfg.calibrate).name}"[:200])
    _warn_of_copies(items, bits[:, 0], group)
    found.write(gallery.folder)
    write(cfg, _distances(found), "calibrated")
    log.info(
        "%d pictures are %s pairs. By themselves they support rates down to %.1e, which is %.2g "
        "false matches of a query among a million; smaller ones are extrapolated.",
        pictures, f"{found.pairs:,}", found.supported, 1e6 * found.supported,
    )  # fmt: skip


def _different(items: Sequence[Item]) -> list[Item]:
    """Leave out files that are equal to others, what shows no detail, and what is too much."""
    once = {item.digest: item for item in items}
    chosen = [once[digest] for digest in sorted(once)[:MOST]]  # by content: as good as by chance
    kept = [item for item in track(chosen, "Looking at detail") if has_detail(item.read().pixels)]
    for count, why in (
        (len(items) - len(once), "are equal to others"),
        (len(once) - len(chosen), f"are more than the {MOST} that are compared"),
        (len(chosen) - len(kept), "show no detail"),
    ):
        if count:
            log.warning("%d files are left out: they %s.", count, why)
    return kept


def _warn_of_copies(
    items: Sequence[Item], codes: NDArray[np.uint8], group: NDArray[np.int64]
) -> None:
    """Name pictures that look like copies of each other: these would count as false matches."""
    pairs = []
    for i, code in enumerate(codes):
        near = np.bitwise_count(codes[i + 1 :] ^ code).sum(1, dtype=np.int64) <= COPIES
        pairs += [(i, int(j)) for j in i + 1 + np.flatnonzero(near) if group[i] != group[j]]
    if pairs:
        shown = "; ".join(f"{items[i].name} and {items[j].name}" for i, j in pairs[:NAMED])
        log.warning(
            "%d pairs look like copies of one picture, and count as different ones, so that every "
            "distance is smaller than it need be: %s. Take them out, or name them in groups=CSV.",
            len(pairs), shown,
        )  # fmt: skip


def _distances(found: Impostors) -> pd.DataFrame:
    """Lay out the distances that follow, for galleries of several sizes."""
    rows = []
    for size in SIZES:
        row: dict[str, object] = {"pictures in the gallery": size}
        for expected in EXPECTED:
            limit = found.limit(expected, size)
            row[f"bits, false_matches={expected:g}"] = "none" if limit < 0 else limit
        rows.append(row)
    return pd.DataFrame(rows)
