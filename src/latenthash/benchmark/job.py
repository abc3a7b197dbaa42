"""The benchmark as one command: describe, judge, compare, and keep it all."""

import hashlib
import logging
from functools import partial
from pathlib import Path

from omegaconf import DictConfig
from rich.progress import track

from latenthash import InputError, plots, report
from latenthash.benchmark import hard
from latenthash.benchmark.codes import LATENTS, Absent, Code, latent_codes
from latenthash.benchmark.hashing import describe
from latenthash.benchmark.judging import OPERATING_POINTS, halves, judge
from latenthash.benchmark.keeping import keep
from latenthash.benchmark.leaderboard import (
    AT,
    DECISIVE,
    breaking_points,
    edit_table,
    leaderboard,
    summary,
)
from latenthash.benchmark.onnx_files import dinohash_codes, sscd_codes
from latenthash.benchmark.page import Part
from latenthash.benchmark.peers import peers
from latenthash.benchmark.pictures import list_pictures
from latenthash.benchmark.scores import Bootstrap
from latenthash.benchmark.sources import Latent, controls
from latenthash.benchmark.timing import milliseconds
from latenthash.build import build, bundle_config, restore
from latenthash.bundle import Bundle
from latenthash.cache import DiskCache
from latenthash.data.reading import Reader
from latenthash.data.suite import Suite
from latenthash.refusals import collect
from latenthash.tracking import Store

log = logging.getLogger(__name__)

TIMED = 16  # pictures behind the time of one
NO_SCALE = (
    "Nothing to show: of no family were two strengths judged. Choose a family that has some, "
    "such as edits=[jpeg]."
)


def run_benchmark(cfg: DictConfig, bundle: Bundle, store: Store, named: bool) -> None:
    """Judge the codes of a bundle beside those that people use.

    Args:
        cfg: the composed config of evaluate.py.
        bundle: whose latent is judged.
        store: where figures are kept.
        named: whether the user asked for this bundle. Where not, peers and controls are judged
            without it when it cannot be used.

    Raises:
        InputError: if pictures, edits, groups or models cannot be used, before any work.
    """
    suite: Suite = build(cfg.benchmark)
    reader: Reader = build(cfg.reader, _convert_="all")
    cache: DiskCache = build(cfg.cache)
    fprs, edits, items, given, (latents, no_latents) = collect(
        lambda: _fprs(cfg.fpr),
        lambda: suite.chosen(cfg.edits),
        lambda: list_pictures(cfg.pictures, reader),
        lambda: _given(cfg),
        lambda: _latents(bundle, cache, named),
    )
    grouped = hard.groups(Path(str(cfg.groups)), items) if cfg.groups else []
    known, no_peers = peers()
    codes = [*latents, *known, *given, *controls()]
    absent = [*no_latents, *no_peers]
    for reason in dict.fromkeys(code.reason for code in absent):
        names = ", ".join(code.name for code in absent if code.reason == reason)
        log.warning("Not judged: %s (%s)", names, reason)

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
    board = leaderboard(judgements, absent, bootstrap, cfg.gallery)
    title = f"{suite.version}: {len(items)} pictures, {len(edits)} edits"
    points = breaking_points(table, edits)
    best = next(j for j in judgements if j.code.name == board["code"][0])
    limit = best.verdicts[DECISIVE].threshold / best.code.span
    alike = hard.nearest_impostors(best, of_test[best.code.source.identity], tested, edits)
    parts: dict[str, Part] = {
        "Leaderboard": board,
        "Edits": plots.edit_heatmap(table, f"{AT}, {title}"),
        "Strength": NO_SCALE
        if points.empty
        else plots.strength_curves(table, f"{AT} over strength"),
        "How far codes hold": NO_SCALE if points.empty else points,
        "Hard negatives": negatives,
        "Nearest impostors": plots.nearest_impostors(
            alike, f"{best.code.name}: most similar pairs of two pictures (same from {limit:.3f})"
        ),
        "Every edit": table,
    }
    keep(Path(cfg.paths.output), store, title, parts, judgements)
    report.show(summary(board), title)
    report.show(negatives, "Hard negatives: share called the same")


def _fprs(own: float | None) -> list[float]:
    """Give the false-positive rates, the largest first."""
    if own is not None and not (isinstance(own, int | float) and 0 < own < 1):
        raise InputError(f"fpr={own} must be a number between 0 and 1, such as fpr=0.05.")
    return sorted({*OPERATING_POINTS, *([] if own is None else [float(own)])}, reverse=True)


def _given(cfg: DictConfig) -> list[Code]:
    """Give the codes of networks whose ONNX files the user has."""
    makers = {"sscd": sscd_codes, "dinohash": dinohash_codes}
    given = [
        partial(make, Path(str(cfg[name])))
        for name, make in makers.items()
        if cfg[name] is not None
    ]
    return [code for codes in collect(*given) for code in codes]


def _latents(bundle: Bundle, cache: DiskCache, named: bool) -> tuple[list[Code], list[Absent]]:
    """Give the codes of a bundle, or why they are absent."""
    identity = hashlib.sha256(
        repr((bundle.run_id, sorted(bundle.identity.items()), bundle.config)).encode()
    )
    for name, weights in sorted(bundle.weights.items()):
        identity.update(name.encode() + weights.numpy().tobytes())
    try:
        hasher = restore(bundle, bundle_config(bundle), cache)
    except InputError as error:
        if named:
            raise
        return [], [Absent(name, " ".join(error.problems)) for name in LATENTS]
    latent = Latent(f"bundle {identity.hexdigest()}", hasher)
    return latent_codes(latent), []
