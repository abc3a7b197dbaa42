"""The benchmark as one command: describe, judge, compare, and keep it all."""

import hashlib
import logging
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from omegaconf import DictConfig
from rich.progress import track

from latenthash import plots, report
from latenthash.benchmark import hard
from latenthash.benchmark.codes import (
    Code,
    Latent,
    controls,
    latent_codes,
    peers,
)
from latenthash.benchmark.hashing import describe
from latenthash.benchmark.judging import OPERATING_POINTS, halves, judge
from latenthash.benchmark.keeping import keep
from latenthash.benchmark.leaderboard import (
    DECISIVE,
    breaking_points,
    edit_table,
    leaderboard,
    summary,
)
from latenthash.benchmark.pictures import list_pictures
from latenthash.benchmark.scores import Bootstrap
from latenthash.benchmark.suite import Suite
from latenthash.benchmark.timing import milliseconds
from latenthash.build import build, bundle_config, restore
from latenthash.bundle import Bundle
from latenthash.cache import DiskCache
from latenthash.data.reading import Reader
from latenthash.tracking import Store

log = logging.getLogger(__name__)

TIMED = 16  # pictures behind the time of one


def run_benchmark(cfg: DictConfig, bundle: Bundle, store: Store) -> None:
    """Judge the codes of a bundle beside those that people use.

    Args:
        cfg: the composed config of evaluate.py.
        bundle: whose latent is judged.
        store: where figures are kept.

    Raises:
        InputError: if pictures, edits, or groups cannot be used, before any work.
    """
    suite: Suite = build(cfg.benchmark)
    reader: Reader = build(cfg.reader, _convert_="all")
    cache: DiskCache = build(cfg.cache)
    edits = suite.chosen(cfg.edits)
    items = list_pictures(cfg.pictures, reader)
    grouped = hard.groups(Path(str(cfg.groups)), items) if cfg.groups else []
    codes = _codes(bundle, cache)
    fprs = sorted({*OPERATING_POINTS, *([float(cfg.fpr)] if cfg.fpr else [])}, reverse=True)

    sources = [code.source for code in codes]
    described = describe(items, edits, suite, sources, cache, reader)
    times = milliseconds(sources, [item.read().pixels for item in items[:TIMED]])
    calibration, test = halves([item.digest for item in items])
    bootstrap = Bootstrap(len(test), cfg.resamples, cfg.seed)
    judgements = [
        judge(
            code, described[code.source.identity], calibration, test, bootstrap, fprs,
            times[code.source.identity],
        )
        for code in track(codes, "Codes", transient=True)
    ]  # fmt: skip

    tested = [items[i] for i in test]
    of_test = {identity: rows[test] for identity, rows in described.items()}
    negatives = hard.hard_negatives(judgements, of_test, tested, grouped, suite, cache, reader)
    table = edit_table(judgements, edits)
    board = leaderboard(judgements, bootstrap, cfg.gallery)
    title = f"{suite.version}: {len(items)} pictures, {len(edits)} edits"
    at = f"TPR at FPR {DECISIVE:g}"
    best = next(j for j in judgements if j.code.name == board["code"][0])
    limit = best.verdicts[DECISIVE].threshold / best.code.span
    alike = hard.nearest_impostors(best, of_test[best.code.source.identity], tested, edits, suite)
    parts: dict[str, pd.DataFrame | Figure] = {
        "Leaderboard": board,
        "Edits": plots.edit_heatmap(table, f"{at}, {title}"),
        "Strength": plots.strength_curves(table, f"{at} over strength"),
        "How far codes hold": breaking_points(table, edits),
        "Hard negatives": negatives,
        "Nearest impostors": plots.nearest_impostors(
            alike, f"{best.code.name}: most similar pairs of two pictures (same from {limit:.3f})"
        ),
        "Every edit": table,
    }
    keep(Path(cfg.paths.output), store, title, parts, judgements)
    report.show(summary(board), title)
    report.show(negatives, "Hard negatives: share called the same")


def _codes(bundle: Bundle, cache: DiskCache) -> list[Code]:
    known, absent = peers()
    for name in absent:
        log.warning("%s is not installed: pip install 'latenthash[peers]'.", name)
    identity = hashlib.sha256(
        repr((bundle.run_id, sorted(bundle.identity.items()), bundle.config)).encode()
    )
    for name, weights in sorted(bundle.weights.items()):
        identity.update(name.encode() + weights.numpy().tobytes())
    hasher = restore(bundle, bundle_config(bundle), cache)
    latent = Latent(f"bundle {identity.hexdigest()}", hasher)
    return [*latent_codes(latent, latent.dimensions), *known, *controls()]
