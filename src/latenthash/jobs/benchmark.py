"""The benchmark as one command: describe, judge, compare, and keep it all."""

import hashlib
import logging
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from omegaconf import DictConfig, OmegaConf

from latenthash import __version__, plots
from latenthash.benchmark import hard
from latenthash.benchmark.controls import controls
from latenthash.benchmark.groups import name_copies, read_groups
from latenthash.benchmark.judging import OPERATING_POINTS, halves, judge
from latenthash.benchmark.leaderboard import (
    AT,
    DECISIVE,
    breaking_points,
    edit_table,
    every_rate,
    hard_table,
    leaderboard,
    summary,
)
from latenthash.benchmark.page import Part
from latenthash.benchmark.saving import keep
from latenthash.benchmark.timing import milliseconds
from latenthash.cache import DiskCache
from latenthash.codes.code import LATENTS, Absent, Code, latent_codes
from latenthash.codes.describe import Item, describe
from latenthash.codes.latent import Latent
from latenthash.codes.onnx_files import dinohash_codes, sscd_codes
from latenthash.codes.peers import peers
from latenthash.codes.pictures import list_pictures
from latenthash.data.edits.suite import LIBRARIES, Suite
from latenthash.data.reading import Reader, shown
from latenthash.data.sources import shareable
from latenthash.errors import InputError, collect
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.build import build, bundle_config, restore
from latenthash.jobs.locating import Places, with_weights
from latenthash.report.tables import show
from latenthash.system.terminal import track
from latenthash.tracking.recording import refuse_untold
from latenthash.tracking.store import Store

log = logging.getLogger(__name__)

# Of an absolute path, all but its name: why a row is empty stands on a page that may be shared.
FOLDERS = re.compile(r"(?<![\w/:.])/(?:[^\s/]+/)+")
TIMED = 16  # pictures behind the time of one
NO_SCALE = (
    "Nothing to show: of no family were two strengths judged. Choose a family that has some, "
    "such as edits=[jpeg]."
)
SEEN = (
    "{} of the {} pictures are among those that run {} was fitted on: they flatter its codes. "
    "Judge it by others."
)


def run_benchmark(cfg: DictConfig, bundle: Bundle, store: Store, named: bool) -> None:
    """Judge the codes of a bundle beside those that people use.

    Args:
        cfg: the composed config of evaluate.py.
        bundle: whose latent is judged.
        store: where figures are kept.
        named: whether the user asked for this very bundle. Where not, peers and controls are
            judged without it when it cannot be used.

    Raises:
        InputError: if pictures, edits, groups, numbers or models cannot be used, before any work.
        JobError: if all is kept in the output folder, but cannot be logged.
    """
    refuse_untold(Path(cfg.paths.output))
    suite: Suite = build(cfg.benchmark)
    # Which pictures there are decides the figures, so that nothing is left out unasked.
    unreadable = cfg.unreadable or "refuse"
    reader: Reader = build(cfg.reader, unreadable=unreadable, _convert_="all")
    cache: DiskCache = build(cfg.cache)
    edits, items, given, (latents, no_latents) = collect(
        lambda: suite.chosen(cfg.edits),
        lambda: list_pictures(cfg.pictures, reader),
        lambda: _given(cfg),
        lambda: _latents(bundle, Places.of(cfg.run, store.get(bundle.run_id)), cache, named),
    )
    fprs = _fprs(cfg.fpr)
    group = read_groups(Path(cfg.groups), items) if cfg.groups else np.arange(len(items))
    calibration, test = halves([i.digest for i in items], group, cfg.resamples, cfg.seed)
    known, no_peers = peers()
    codes = [*latents, *known, *given, *controls()]
    absent = [*no_latents, *no_peers]
    for reason in dict.fromkeys(code.reason for code in absent):
        names = ", ".join(code.name for code in absent if code.reason == reason)
        log.warning("Not judged: %s (%s)", names, reason)
    settings = _settings(cfg, bundle, suite, reader, items, codes)
    if latents and (seen := {item.digest for item in items} & set(bundle.fitted)):
        settings["seen"] = SEEN.format(len(seen), len(items), bundle.run_id)
        log.warning("%s", settings["seen"])

    sources = [code.source for code in codes]
    described = describe(items, edits, suite, sources, cache, reader)
    other = next(code for code in codes if code.name == hard.OTHER)
    if copies := name_copies(other, described[other.source.identity], items, group):
        settings["copies"] = copies
        log.warning("%s", copies)
    times = milliseconds(sources, [item.read().pixels for item in items[:TIMED]])
    judgements = [
        judge(
            code, described[code.source.identity], calibration, test, fprs,
            times[code.source.identity],
        )
        for code in track(codes, "Codes")
    ]  # fmt: skip

    negatives = hard.hard_negatives(
        judgements, described, items, test, group, suite, cache, reader, cfg.seed
    )
    hard_pairs = hard_table(judgements, negatives)
    table = edit_table(judgements, edits)
    board = leaderboard(judgements, absent, cfg.gallery)
    title = f"{suite.version}: {len(items)} pictures, {len(edits)} edits"
    points = breaking_points(table)
    best = next(j for j in judgements if j.code.name == board["code"][0])
    limit = best.verdicts[DECISIVE].threshold / best.code.span
    alike = hard.nearest_impostors(best, described[best.code.source.identity], items, test, edits)
    parts: dict[str, Part] = {
        "What was judged": pd.DataFrame(settings.items(), columns=["what", "value"]),
        "Leaderboard": board,
        "Edits": plots.edit_heatmap(table, f"{AT}, {title}"),
        "Strength": NO_SCALE
        if points.empty
        else plots.strength_curves(table, f"{AT} over strength"),
        "How far codes hold": NO_SCALE if points.empty else points,
        "Hard negatives": hard_pairs,
        "Nearest impostors": plots.nearest_impostors(
            [(pair.label, pair.query, pair.reference) for pair in alike],
            f"{best.code.name}: most similar pairs of two pictures (same from {limit:.3f})",
        ),
        "Nearest pairs": hard.alike_table(alike),
        "Every edit": table,
    }
    figures = every_rate(judgements, edits, negatives)
    folder = Path(cfg.paths.output)
    # What names a run of train.py cannot be resolved here.
    config = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "logger"])
    run = keep(
        folder,
        store,
        title,
        parts,
        figures,
        judgements,
        settings,
        OmegaConf.to_yaml(config, resolve=True),
    )
    if cfg.format == "table":
        show(summary(board, cfg.gallery, cfg.fpr), title)
        show(hard_pairs, "Hard negatives: share called the same")
    else:
        show(board, title, cfg.format)
    run.finish()


def _settings(
    cfg: DictConfig,
    bundle: Bundle,
    suite: Suite,
    reader: Reader,
    items: Sequence[Item],
    codes: Sequence[Code],
) -> dict[str, str]:
    """Say what is judged, and how."""
    digest = hashlib.sha256("".join(sorted(item.digest for item in items)).encode())
    return {
        "run": bundle.run_id,
        "pictures": "embedded" if cfg.pictures is None else _called(cfg.pictures),
        "pictures_sha256": digest.hexdigest(),
        "suite": f"{suite.version} {suite.digest}",
        "edits": "all" if cfg.edits is None else str(cfg.edits),
        **({} if cfg.groups is None else {"groups": _called(cfg.groups)}),
        **({} if cfg.fpr is None else {"fpr": str(cfg.fpr)}),
        "reader": repr(reader),
        "gallery": f"{cfg.gallery:g}",
        "resamples": str(cfg.resamples),
        "seed": str(cfg.seed),
        "codes": ", ".join(dict.fromkeys(code.source.identity for code in codes)),
        "versions": ", ".join([f"latenthash {__version__}", *LIBRARIES]),
    }


def _called(path: object) -> str:
    return shown(shareable(Path(str(path))))


def _fprs(own: float | None) -> list[float]:
    """Give the false-positive rates, the largest first."""
    # As it is written in tables: two rates that read the same would be one column.
    return sorted({*OPERATING_POINTS, *([] if own is None else [float(f"{own:g}")])}, reverse=True)


def _given(cfg: DictConfig) -> list[Code]:
    """Give the codes of networks whose ONNX files the user has."""
    makers = {"sscd": sscd_codes, "dinohash": dinohash_codes}
    given = [
        partial(make, Path(cfg[name])) for name, make in makers.items() if cfg[name] is not None
    ]
    return [code for codes in collect(*given) for code in codes]


def _latents(
    bundle: Bundle, places: Places, cache: DiskCache, named: bool
) -> tuple[list[Code], list[Absent]]:
    """Give the codes of a bundle, or why they are absent."""
    identity = hashlib.sha256(
        repr((bundle.run_id, sorted(bundle.provenance.items()), bundle.config)).encode()
    )
    for name, weights in sorted(bundle.weights.items()):
        identity.update(name.encode() + weights.numpy().tobytes())
    try:
        hasher = restore(bundle, with_weights(bundle_config(bundle), places), cache)
    except InputError as error:
        if named:
            raise
        reason = FOLDERS.sub("", " ".join(error.problems))
        return [], [Absent(name, reason) for name in LATENTS]
    latent = Latent(f"bundle {identity.hexdigest()}", hasher)
    return latent_codes(latent), []
