"""The job that judges codes by a set of the field's, which the user has."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig, OmegaConf

from latenthash import __version__
from latenthash.benchmark.controls import controls
from latenthash.benchmark.field_sets import FoundSet, JudgedSet, judge_set
from latenthash.benchmark.leaderboard import text
from latenthash.benchmark.page import Part
from latenthash.benchmark.saving import Report, keep
from latenthash.cache import DiskCache
from latenthash.data.edits.suite import LIBRARIES, Suite
from latenthash.data.reading import Reader
from latenthash.errors import InputError, collect
from latenthash.jobs.build import build
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
from latenthash.jobs.pictures import given_folder
from latenthash.options.trust import trusted
from latenthash.report.tables import show
from latenthash.tracking.replaying import refuse_untold

BOARD, ALL = "Leaderboard", "Every figure"


def judge_by_set(cfg: DictConfig) -> None:
    """Judge the codes of the run that the config names, and their peers, by a set of the field's.

    Raises:
        InputError: if the set, numbers or models cannot be used, before any work.
        JobError: if all is kept in the output folder, but cannot be logged.
    """
    field_set = None if cfg.get("benchmark") is None else build(cfg.benchmark)
    if field_set is None or isinstance(field_set, Suite):
        raise InputError("Name a set of the field's, benchmark=disc21 or benchmark=copydays.")
    folder = given_folder(cfg)
    if folder is None:
        raise InputError("pictures is not set; give the folder that has the set: pictures=FOLDER.")
    refuse_untold(Path(cfg.paths.output))
    bundle, store, named = open_to_judge(cfg)
    # A set that lacks some of its pictures is another set.
    reader: Reader = replace(build(cfg.reader, _convert_="all"), unreadable="refuse")
    cache: DiskCache = build(cfg.cache)
    places = Places.of(cfg.run, store.get(bundle.run_id))
    found, (latents, no_latents), (before, no_before) = collect(
        lambda: field_set.find(Path(folder), reader, cfg.resamples, cfg.seed),
        lambda: latents_of(bundle, places, cache, named, trusted(cfg.trust)),
        lambda: former(cfg, cache),
    )
    known, no_peers = peers_of(cfg, replace(found.items[0].read(), name=found.items[0].name))
    codes = [*latents, *before, *known, *controls()]
    refuse_same_names([*codes, *no_peers])
    absent = [*no_latents, *no_before, *no_peers]
    say_absent(absent)
    seen = seen_pictures(bundle, found.items) if latents else ""
    judged = judge_set(found, codes, absent, cache, reader)
    facts = {
        "run": bundle.run_id,
        **_facts(cfg, found, judged, reader),
        **({"seen": seen} if seen else {}),
    }
    config = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "logger"])
    report = Report(
        found.title,
        _lay_out(found, judged, facts),
        {BOARD: f"{found.note} A code with no figures says why."},
        judged.every,
        judged.metrics,
        facts,
        OmegaConf.to_yaml(config, resolve=True),
    )
    run = keep(report, Path(cfg.paths.output), store)
    show(judged.board, found.title, cfg.format)
    run.finish()


def _facts(cfg: DictConfig, found: FoundSet, judged: JudgedSet, reader: Reader) -> dict[str, str]:
    """Say what was judged, and how."""
    digest = hashlib.sha256("".join(sorted(item.digest for item in found.items)).encode())
    return {
        "pictures": called(cfg.pictures),
        "pictures_sha256": digest.hexdigest(),
        **found.facts,
        "reader": repr(reader),
        "resamples": str(cfg.resamples),
        "seed": str(cfg.seed),
        "codes": ", ".join(dict.fromkeys(judged.sources)),
        "versions": ", ".join([f"latenthash {__version__}", *LIBRARIES]),
    }


def _lay_out(found: FoundSet, judged: JudgedSet, facts: dict[str, str]) -> dict[str, Part]:
    """Lay out what came out, heading -> part."""
    parts: dict[str, Part] = {
        "What was judged": pd.DataFrame(facts.items(), columns=["what", "value"]),
        BOARD: judged.board,
    }
    rows = [
        {"code": code} | {name: text(figure.rate) for name, figure in figures.items()}
        for code, figures in judged.figures.items()
    ]
    if set(rows[0]) - {"code", *found.columns}:
        parts[ALL] = pd.DataFrame(rows)
    return parts
