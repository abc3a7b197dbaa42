"""The benchmark as one command: describe, judge, compare, and keep it all."""

import hashlib
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig, OmegaConf

from latenthash import __version__
from latenthash.benchmark.controls import controls
from latenthash.benchmark.groups import read_groups
from latenthash.benchmark.hard import hard_pictures, other_code
from latenthash.benchmark.judging import false_positive_rates, halves
from latenthash.benchmark.leaderboard import every_rate, summary
from latenthash.benchmark.parts import lay_out
from latenthash.benchmark.results import Results, judge_all
from latenthash.benchmark.saving import NOTES, Report, keep, metrics
from latenthash.benchmark.setting import Setting
from latenthash.cache import DiskCache
from latenthash.codes.code import Code
from latenthash.codes.given import GivenCodes, given_code, refuse_missing
from latenthash.codes.pictures import list_pictures
from latenthash.codes.view_files import ViewNames
from latenthash.data.edits.suite import LIBRARIES
from latenthash.data.reading import Reader
from latenthash.errors import InputError, collect
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.build import build, build_suite
from latenthash.jobs.judged import (
    called,
    former,
    latents_of,
    peers_of,
    refuse_same_names,
    say_absent,
    seen_pictures,
)
from latenthash.jobs.locating import Places
from latenthash.jobs.open import open_to_judge
from latenthash.options.trust import trusted
from latenthash.report.tables import show
from latenthash.tracking.replaying import refuse_untold
from latenthash.tracking.store import Store

log = logging.getLogger(__name__)


def judge_codes(cfg: DictConfig) -> None:
    """Judge the codes of the run that the config names beside those that people use.

    Raises:
        InputError: if pictures, edits, groups, numbers or models cannot be used, before any work.
        JobError: if all is kept in the output folder, but cannot be logged.
    """
    if cfg.get("benchmark") is None:
        raise InputError("benchmark is not set; name a suite of edits: benchmark=edits_v1.")
    refuse_untold(Path(cfg.paths.output))
    bundle, store, named = open_to_judge(cfg)
    setting = find_setting(cfg, bundle, store, named)
    publish(cfg, store, setting, judge_all(setting))


def find_setting(cfg: DictConfig, bundle: Bundle, store: Store, named: bool) -> Setting:
    """Find all that is judged, and say what cannot be.

    Args:
        cfg: the composed config of evaluate.py.
        bundle: whose latent is judged.
        store: that may hold its run.
        named: whether the user asked for this very bundle. Where not, peers and controls are
            judged without it when it cannot be used.
    """
    suite = build_suite(cfg)
    reader: Reader = build(cfg.reader, _convert_="all")
    cache: DiskCache = build(cfg.cache)
    edits, items, given, (latents, no_latents), (before, no_before) = collect(
        lambda: suite.chosen(cfg.edits),
        lambda: list_pictures(cfg.pictures, reader),
        lambda: _given(cfg, ViewNames(suite, reader)),
        lambda: latents_of(
            bundle, Places.of(cfg.run, store.get(bundle.run_id)), cache, named, trusted(cfg.trust)
        ),
        lambda: former(cfg, cache),
    )
    group = read_groups(Path(cfg.groups), items) if cfg.groups else np.arange(len(items))
    calibration, test = halves([i.digest for i in items], group, cfg.resamples, cfg.seed)
    example = replace(items[0].read(), name=items[0].name)
    known, no_peers = peers_of(cfg, example)
    for code in given:
        assert isinstance(code.source, GivenCodes)
        hard = hard_pictures(items, test.numbers, reader).values()
        judged = [(items, edits), *(([item for item, _ in members], ()) for members in hard)]
        refuse_missing(f"codes_from={cfg.codes_from}", code.source, judged)
    codes = [*latents, *before, *known, *given, *controls()]
    refuse_same_names([*codes, *no_peers])
    absent = [*no_latents, *no_before, *no_peers]
    say_absent(absent)
    seen = seen_pictures(bundle, items) if latents else ""
    return Setting(
        run=bundle.run_id, seen=seen, codes=codes, other=other_code(example), absent=absent,
        suite=suite, edits=edits, items=items, group=group,
        calibration=calibration, test=test, fprs=false_positive_rates(cfg.fpr),
        gallery_size=cfg.gallery_size, seed=cfg.seed, reader=reader, cache=cache,
    )  # fmt: skip


def publish(cfg: DictConfig, store: Store, setting: Setting, results: Results) -> None:
    """Keep what came out in the output folder and in a run of its own, and show it.

    Raises:
        JobError: if all is kept in the output folder, but cannot be logged.
    """
    facts = _facts(cfg, setting, results)
    # What names a run of train.py cannot be resolved here.
    config = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "logger"])
    report = Report(
        setting.title,
        lay_out(setting, results, facts),
        NOTES,
        every_rate(results.judgements, setting.edits, results.negatives),
        metrics(results.judgements),
        facts,
        OmegaConf.to_yaml(config, resolve=True),
    )
    run = keep(report, Path(cfg.paths.output), store)
    if cfg.format == "table":
        show(summary(results.board, setting.gallery_size, cfg.fpr), setting.title)
        show(results.hard_table, "Hard negatives: share called the same")
    else:
        show(results.board, setting.title, cfg.format)
    run.finish()


def _facts(cfg: DictConfig, setting: Setting, results: Results) -> dict[str, str]:
    """Say what was judged, and how, and what is odd about it."""
    digest = hashlib.sha256("".join(sorted(item.digest for item in setting.items)).encode())
    suite = setting.suite
    return {
        "run": setting.run,
        "pictures": "embedded" if cfg.pictures is None else called(cfg.pictures),
        "pictures_sha256": digest.hexdigest(),
        "suite": f"{suite.version} {suite.digest}",
        "edits": "all" if cfg.edits is None else str(cfg.edits),
        **({} if cfg.groups is None else {"groups": called(cfg.groups)}),
        **({} if cfg.fpr is None else {"fpr": str(cfg.fpr)}),
        **({} if cfg.codes_from is None else {"codes_from": called(cfg.codes_from)}),
        "reader": repr(setting.reader),
        "gallery_size": f"{cfg.gallery_size:g}",
        "resamples": str(cfg.resamples),
        "seed": str(cfg.seed),
        "codes": ", ".join(dict.fromkeys(j.code.source.key for j in results.judgements)),
        "versions": ", ".join([f"latenthash {__version__}", *LIBRARIES]),
        **({"seen": setting.seen} if setting.seen else {}),
        **({"copies": results.copies} if results.copies else {}),
    }


def _given(cfg: DictConfig, names: ViewNames) -> list[Code]:
    """Return the code that another program computed of the views, where the user has one."""
    return [] if cfg.codes_from is None else [given_code(Path(cfg.codes_from), names)]
