"""The benchmark as one command: describe, judge, compare, and keep it all."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
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
from latenthash.benchmark.saving import Report, keep, metrics
from latenthash.benchmark.setting import Setting
from latenthash.cache import DiskCache
from latenthash.codes.code import LATENTS, AbsentCode, Code, PeerHash, latent_codes
from latenthash.codes.describe import Item
from latenthash.codes.given import GivenCodes, given_code, refuse_missing
from latenthash.codes.latent import Latent, latent_key
from latenthash.codes.pictures import list_pictures
from latenthash.codes.view_files import ViewNames
from latenthash.data.edits.suite import LIBRARIES, Suite
from latenthash.data.reading import Picture, Reader
from latenthash.errors import InputError, collect
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.at_hand import shipped_bundle
from latenthash.jobs.build import build, bundle_config, restore
from latenthash.jobs.locating import Places, with_weights
from latenthash.jobs.open import open_to_judge
from latenthash.models.interface import Hastened
from latenthash.options.jobs import FORMER
from latenthash.report.tables import show
from latenthash.system.paths import path_text, shareable, without_folders
from latenthash.tracking.replaying import refuse_untold
from latenthash.tracking.store import Store

log = logging.getLogger(__name__)

SEEN = (
    "{} of the {} pictures are among those that run {} was fitted on: they flatter its codes. "
    "Judge it by others."
)


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
    suite: Suite = build(cfg.benchmark)
    reader: Reader = build(cfg.reader, _convert_="all")
    cache: DiskCache = build(cfg.cache)
    edits, items, given, (latents, no_latents), (former, no_former) = collect(
        lambda: suite.chosen(cfg.edits),
        lambda: list_pictures(cfg.pictures, reader),
        lambda: _given(cfg, ViewNames(suite, reader)),
        lambda: _latents(bundle, Places.of(cfg.run, store.get(bundle.run_id)), cache, named),
        lambda: _former(cfg, cache),
    )
    group = read_groups(Path(cfg.groups), items) if cfg.groups else np.arange(len(items))
    calibration, test = halves([i.digest for i in items], group, cfg.resamples, cfg.seed)
    example = replace(items[0].read(), name=items[0].name)
    known, no_peers = _peers(cfg, example)
    for code in given:
        assert isinstance(code.source, GivenCodes)
        hard = hard_pictures(items, test.numbers, reader).values()
        judged = [(items, edits), *(([item for item, _ in members], ()) for members in hard)]
        refuse_missing(f"codes_from={cfg.codes_from}", code.source, judged)
    codes = [*latents, *former, *known, *given, *controls()]
    _refuse_same_names([*codes, *no_peers])
    absent = [*no_latents, *no_former, *no_peers]
    for reason in dict.fromkeys(code.reason for code in absent):
        names = ", ".join(code.name for code in absent if code.reason == reason)
        log.warning("Not judged: %s (%s)", names, reason)
    if seen := _seen(bundle, items) if latents else "":
        log.warning("%s", seen)
    return Setting(
        run=bundle.run_id, seen=seen, codes=codes, other=other_code(example), absent=absent,
        suite=suite, edits=edits, items=items, group=group,
        calibration=calibration, test=test, fprs=false_positive_rates(cfg.fpr),
        gallery=cfg.gallery, seed=cfg.seed, reader=reader, cache=cache,
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
        every_rate(results.judgements, setting.edits, results.negatives),
        metrics(results.judgements),
        facts,
        OmegaConf.to_yaml(config, resolve=True),
    )
    run = keep(report, Path(cfg.paths.output), store)
    if cfg.format == "table":
        show(summary(results.board, setting.gallery, cfg.fpr), setting.title)
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
        "pictures": "embedded" if cfg.pictures is None else _called(cfg.pictures),
        "pictures_sha256": digest.hexdigest(),
        "suite": f"{suite.version} {suite.digest}",
        "edits": "all" if cfg.edits is None else str(cfg.edits),
        **({} if cfg.groups is None else {"groups": _called(cfg.groups)}),
        **({} if cfg.fpr is None else {"fpr": str(cfg.fpr)}),
        **({} if cfg.codes_from is None else {"codes_from": _called(cfg.codes_from)}),
        "reader": repr(setting.reader),
        "gallery": f"{cfg.gallery:g}",
        "resamples": str(cfg.resamples),
        "seed": str(cfg.seed),
        "codes": ", ".join(dict.fromkeys(j.code.source.key for j in results.judgements)),
        "versions": ", ".join([f"latenthash {__version__}", *LIBRARIES]),
        **({"seen": setting.seen} if setting.seen else {}),
        **({"copies": results.copies} if results.copies else {}),
    }


def _called(path: object) -> str:
    return path_text(shareable(Path(str(path))))


def _seen(bundle: Bundle, items: Sequence[Item]) -> str:
    """Say that a bundle was fitted on pictures that it is judged by; nothing where it was not."""
    seen = {item.digest for item in items} & set(bundle.fitted)
    return SEEN.format(len(seen), len(items), bundle.run_id) if seen else ""


def _given(cfg: DictConfig, names: ViewNames) -> list[Code]:
    """Return the code that another program computed of the views, where the user has one."""
    return [] if cfg.codes_from is None else [given_code(Path(cfg.codes_from), names)]


def _peers(cfg: DictConfig, example: Picture) -> tuple[list[Code], list[AbsentCode]]:
    """Return the codes of the peers that the config names, and those that are absent."""
    hashes: dict[str, PeerHash] = {
        str(name): build(node) for name, node in cfg.get("peers", {}).items()
    }
    found = collect(*(partial(one.codes, name, example) for name, one in hashes.items()))
    codes = list(chain.from_iterable(found))
    return (
        [code for code in codes if isinstance(code, Code)],
        [
            replace(code, reason=without_folders(code.reason))
            for code in codes
            if isinstance(code, AbsentCode)
        ],
    )


def _refuse_same_names(codes: Sequence[Code | AbsentCode]) -> None:
    """Refuse two codes of one name: they would be one row.

    Raises:
        InputError: if there are such.
    """
    names = [code.name for code in codes]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(
            f"More than one code would be called {', '.join(twice)}: give the peer another name, "
            "as in +peer@peers.NAME=custom, or the file of codes_from= another."
        )


def _latents(
    bundle: Bundle, places: Places, cache: DiskCache, named: bool
) -> tuple[list[Code], list[AbsentCode]]:
    """Return the codes of a bundle, or why they are absent."""
    try:
        hasher = restore(bundle, with_weights(bundle_config(bundle), places), cache)
    except InputError as error:
        if named:
            raise
        reason = without_folders(" ".join(error.problems))
        return [], [AbsentCode(name, reason) for name in LATENTS]
    latent = Latent(latent_key(bundle), hasher)  # on the device that computes
    if isinstance(hasher.model, Hastened):
        hasher.model.hasten(cache)
    return latent_codes(latent), []


def _former(cfg: DictConfig, cache: DiskCache) -> tuple[list[Code], list[AbsentCode]]:
    """Return the bits of the code of VGG16's layers, which came before the one that ships."""
    names = ("latent-256", "latent-64")
    own = {name: name.replace("latent", "vgg16") for name in names}
    if not cfg.vgg16:
        return [], [AbsentCode(name, "not asked for: vgg16=true") for name in own.values()]
    bundle = shipped_bundle(FORMER)
    codes, _ = _latents(bundle, Places.of(FORMER, None), cache, named=True)
    return [replace(code, name=own[code.name]) for code in codes if code.name in own], []
