"""Applies a bundle: which pictures match its hash, and its held-out figures made again."""

import logging
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from omegaconf import DictConfig

from latenthash import InputError, report, verdicts
from latenthash.benchmark.job import run_benchmark
from latenthash.build import build, build_splits, bundle_config, restore
from latenthash.bundle import Bundle
from latenthash.cache import DiskCache
from latenthash.data.pictures import is_folder, source_digest
from latenthash.data.splits import ROLES, Splits, ViewSet
from latenthash.hashing import Hash
from latenthash.metrics import held_out
from latenthash.recording import log_later
from latenthash.refusals import refusals
from latenthash.tracking import HELD_OUT, STORE_ERRORS, Store, brief, find_store, open_store

log = logging.getLogger(__name__)

SHIPPED = "code"  # the fitted code that comes with the project: run=code
SHIPPED_ID = "shipped"  # what its bundle holds in place of a run's id
TOLERANCE = 1e-5  # between the figures of training and those made again


def evaluate(cfg: DictConfig) -> None:
    """Apply the bundle of a run to pictures, or make its held-out figures again.

    Exit code 2 when run, pictures or hashes cannot be used, and 1 when a benchmark is not logged.
    """
    with refusals(Path(cfg.paths.output)):
        if cfg.log is not None:
            log_later(open_store(cfg), Path(str(cfg.log)))
            return
        if cfg.hashes is not None:
            given = [cfg.hashes] if isinstance(cfg.hashes, str) else cfg.hashes
            _write(verdicts.compared([str(text) for text in given]), "hashes", cfg)
            return
        _check_explain(cfg)
        if cfg.get("benchmark") is not None:
            run_benchmark(cfg, *_open_to_judge(cfg))
            return
        store, bundle = _open(cfg)
        config = bundle_config(bundle)
        cache = build(cfg.cache)
        figures: Iterator[tuple[str, Figure]] = iter(())
        if bundle.hash is None:
            name, table = "codes", _codes(bundle, config, cfg.pictures, cache, cfg.explain)
        elif cfg.pictures is None:
            name, table = HELD_OUT, _held_out_again(bundle, bundle.hash, config, store, cache)
        else:
            name = "matches"
            views = verdicts.view_set(Path(str(cfg.pictures)), config, cfg.explain)
            hasher = restore(bundle, config, cache)
            table = verdicts.matches(bundle.hash, hasher, views)
            if cfg.explain:
                known = _known(bundle, config, cache)
                figures = verdicts.explanations(hasher, bundle.hash, views, known)
        _write(table, name, cfg, f" of run {bundle.run_id}")
        if bundle.printable is not None:
            log.info("The printable hash of run %s is %s", bundle.run_id, bundle.printable)
        drawn = [_draw(figure, title, cfg) for title, figure in figures]
        if bundle.run_id != SHIPPED_ID:
            _log(store, bundle.run_id, table, f"evaluate/{name}", drawn)


def _draw(figure: Figure, title: str, cfg: DictConfig) -> Path:
    """Write a figure to the output folder, and give its path."""
    path = Path(cfg.paths.output, f"{title}.png")
    report.write_figure(figure, path)
    log.info("Written to %s", path)
    return path


def _log(
    store: Store | None, run_id: str, table: pd.DataFrame, name: str, drawn: Sequence[Path]
) -> None:
    """Log a table and figures to the run of the bundle, if it is there."""
    try:
        if store is None or not store.has(run_id):
            log.warning("Run %s is in no store here: the table was not logged.", run_id)
            return
        store.end_dead()
        store.log_table(run_id, table, name)
        for path in drawn:
            store.client.log_artifact(run_id, str(path), f"figures/{path.parent.name}")
    except STORE_ERRORS as error:
        log.warning("Run %s does not have all of this: %s", run_id, brief(error))


def _check_explain(cfg: DictConfig) -> None:
    """Refuse explain=true where there is no verdict on a picture."""
    if not cfg.explain:
        return
    if cfg.get("benchmark") is not None or cfg.pictures is None:
        raise InputError(
            "explain=true says why a picture matches: it needs pictures=PATH, and no benchmark."
        )


def _write(table: pd.DataFrame, name: str, cfg: DictConfig, of: str = "") -> None:
    """Show a table, and write it to the output folder."""
    report.show(table, name + of)
    path = Path(cfg.paths.output, f"{name}.csv")
    report.write_csv(table, path)
    log.info("Written to %s", path)


def _codes(
    bundle: Bundle, config: DictConfig, path: str | None, cache: DiskCache, explained: bool
) -> pd.DataFrame:
    if explained:
        raise InputError(
            "A code belongs to no picture, so there is no verdict to explain: take a run that has "
            "a hash, or leave explain=true away."
        )
    if path is None:
        raise InputError("A code belongs to no picture: say which to hash with pictures=PATH.")
    views = verdicts.view_set(Path(str(path)), config, False)
    return verdicts.codes(restore(bundle, config, cache), views)


def _open(cfg: DictConfig) -> tuple[Store | None, Bundle]:
    folder = Path(str(cfg.run))
    if cfg.run == SHIPPED:
        with as_file(files("latenthash") / "shipped" / SHIPPED) as shipped:
            return find_store(cfg), Bundle.load(shipped)
    if is_folder(folder):
        bundle = Bundle.load(folder)
        return find_store(cfg), bundle
    store = open_store(cfg)
    with store.bundle(store.run(str(cfg.run))) as copy:
        return store, Bundle.load(copy)


def _open_to_judge(cfg: DictConfig) -> tuple[Bundle, Store, bool]:
    """Open the bundle that a benchmark judges: the code that ships when there is no run.

    Returns:
        bundle, store, and whether run= names it by more than `latest`.
    """
    store = open_store(cfg)
    store.end_dead()
    named = cfg.run != "latest"
    if not named and not store.evaluable():
        log.warning("There is no finished run here: the code that ships is judged.")
        cfg.run = SHIPPED
    return _open(cfg)[1], store, named


def _known(bundle: Bundle, config: DictConfig, cache: DiskCache) -> dict[str, ViewSet]:
    """Make the test views of a bundle again; none where its pictures are not here."""
    try:
        return _splits(bundle, config, cache).test()
    except InputError as error:
        log.warning("The map shows no views of the run, for they cannot be made again: %s", error)
        return {}


def _splits(bundle: Bundle, config: DictConfig, cache: DiskCache) -> Splits:
    """Read the pictures of a bundle's run again; refuse others."""
    changed = [
        f"data.{role}={config.data[role]} is not what run {bundle.run_id} was made from; put the "
        "pictures back, or pass pictures=PATH to hash others."
        for role in ROLES
        if source_digest(str(config.data[role])) != bundle.pictures.get(role)
    ]
    if changed:
        raise InputError(changed)
    return build_splits(config, cache)


def _held_out_again(
    bundle: Bundle, hash_: Hash, config: DictConfig, store: Store | None, cache: DiskCache
) -> pd.DataFrame:
    """Make the held-out figures of a bundle again, beside those that training logged."""
    splits = _splits(bundle, config, cache)
    hasher = restore(bundle, config, cache)
    measures = held_out(
        hash_,
        hasher.place(splits.test()),
        hasher.place(splits.edited()),
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
