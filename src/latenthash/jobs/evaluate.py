"""Applies a bundle: which pictures match its hash, and its held-out figures made again."""

import logging
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from omegaconf import DictConfig

from latenthash.cache import DiskCache
from latenthash.data.reading import Unreadable
from latenthash.data.sources import is_folder, log_skipped
from latenthash.data.splits import ViewSet
from latenthash.errors import InputError, refusals
from latenthash.hashing.bundle import Bundle
from latenthash.jobs import matches as verdicts
from latenthash.jobs.benchmark import run_benchmark
from latenthash.jobs.build import build, build_splits, bundle_config, restore
from latenthash.jobs.command.effects import (
    AGAIN,
    BENCHMARK,
    CODES,
    HASHES,
    LOG,
    MATCHES,
    check_effects,
)
from latenthash.jobs.command.sweeping import typed_line
from latenthash.jobs.locating import Places, with_pictures, with_weights
from latenthash.metrics.enrolled import current_name, held_out
from latenthash.options.checking import check_evaluate
from latenthash.report.tables import figures_table, show, write_csv, write_figure
from latenthash.tracking.names import HELD_OUT
from latenthash.tracking.record import Record
from latenthash.tracking.recording import log_later
from latenthash.tracking.store import Run, Store, find_store, no_run, open_store
from latenthash.tracking.store_uri import StoreURI

log = logging.getLogger(__name__)

SHIPPED = "code"  # the fitted code that comes with the project: run=code
SHIPPED_ID = "shipped"  # what its bundle holds in place of a run's id
TOLERANCE = 1e-5  # between the figures of training and those made again


def evaluate(cfg: DictConfig) -> None:
    """Apply the bundle of a run to pictures, or make its held-out figures again.

    Exit code 2 when run, pictures or hashes cannot be used, and 1 when a benchmark is not logged.
    """
    with refusals(Path(cfg.paths.output)):
        check_evaluate(cfg)
        line = typed_line()
        if cfg.log is not None:
            check_effects(LOG, line)
            record = Record.read(Path(cfg.log))
            record.check_files()  # before any store is opened
            log_later(open_store(cfg), record)
            return
        if cfg.hashes is not None:
            check_effects(HASHES, line)
            given = [cfg.hashes] if isinstance(cfg.hashes, str) else cfg.hashes
            _write(verdicts.compared(list(given)), "hashes", cfg)
            return
        if cfg.get("benchmark") is not None:
            check_effects(BENCHMARK, line)
            run_benchmark(cfg, *_open_to_judge(cfg))
            return
        store, bundle, config = _open(cfg)
        run = store.get(bundle.run_id) if store else None
        places = Places.of(cfg.run, run)
        config = with_weights(config, places)
        # How much of this machine is taken is for its owner to say, not for the bundle.
        config.data.reader.max_pixels = cfg.reader.max_pixels
        if "workers" in config.data:
            config.data.workers = 0  # processes
        cache = build(cfg.cache)
        figures: Iterator[tuple[str, Figure]] = iter(())
        check_effects(_job(bundle, cfg.pictures), line)
        given = _given(cfg, bundle, config)
        if given is None:
            name, table = HELD_OUT, _held_out_again(bundle, config, places, run, cache)
        else:
            hasher = restore(bundle, config, cache)
            if bundle.hash is None:
                name, table = "codes", verdicts.codes(hasher, given)
            else:
                name, table = "matches", verdicts.matches(bundle.hash, hasher, given)
            if bundle.hash is not None and cfg.explain:
                known = _known(bundle, config, places, cache)
                figures = verdicts.explanations(hasher, bundle.hash, given.views, known)
        _write(table, name, cfg, f" of run {bundle.run_id}")
        if bundle.printable is not None:
            log.info("The printable hash of run %s is %s", bundle.run_id, bundle.printable)
        drawn = [_draw(figure, title, cfg) for title, figure in figures]
        if store and run:
            try:
                store.add(run, table, f"evaluate/{name}", drawn)
            except InputError as error:
                log.warning("Run %s does not have all of this: %s", bundle.run_id, error)
        elif bundle.run_id != SHIPPED_ID:
            log.warning("Run %s is in no store here: the table was not logged.", bundle.run_id)
        if given is not None:
            log_skipped(given.skipped)


def _draw(figure: Figure, title: str, cfg: DictConfig) -> Path:
    """Write a figure to the output folder, and give its path."""
    path = Path(cfg.paths.output, f"{title}.png")
    write_figure(figure, path)
    log.info("Written to %s", path)
    return path


def _write(table: pd.DataFrame, name: str, cfg: DictConfig, of: str = "") -> None:
    """Show a table, and write it to the output folder."""
    show(table, name + of, cfg.format)
    path = Path(cfg.paths.output, f"{name}.csv")
    write_csv(table, path)
    log.info("Written to %s", path)


def _job(bundle: Bundle, pictures: str | None) -> str:
    """Name the job that was asked for of a bundle."""
    if bundle.hash is None:
        return CODES
    return AGAIN if pictures is None else MATCHES


def _given(cfg: DictConfig, bundle: Bundle, config: DictConfig) -> verdicts.Given | None:
    """Read the pictures that verdicts are asked of; None when the held-out figures are."""
    if cfg.pictures is None:
        if bundle.hash is None:
            raise InputError("A code belongs to no picture: say which to hash with pictures=PATH.")
        return None
    # Folders hold all kinds of files, and a code of one picture depends on no other.
    unreadable: Unreadable = "skip" if cfg.unreadable is None else cfg.unreadable
    return verdicts.read_given(Path(cfg.pictures), config, cfg.explain, unreadable)


def _open(cfg: DictConfig) -> tuple[Store | None, Bundle, DictConfig]:
    """Open a bundle, and the store that may hold its run; the code that ships has none.

    Returns:
        store, bundle and its config.
    """
    bundle = _bundle_at_hand(cfg.run)
    if bundle is None:
        store = find_store(cfg)
        if store is None:
            raise no_run(cfg.run, StoreURI.parse(cfg.logger.tracking_uri))
        bundle = _bundle_in(store, cfg.run)
        return store, bundle, bundle_config(bundle)
    config = bundle_config(bundle)  # before any server is asked
    if bundle.run_id == SHIPPED_ID:
        return None, bundle, config
    try:
        return find_store(cfg), bundle, config
    except InputError as error:  # the bundle can be used without
        log.warning("%s", error)
        return None, bundle, config


def _bundle_at_hand(run: str) -> Bundle | None:
    """Load the code that ships, or a folder; None when a run of a store is named."""
    if run == SHIPPED:
        with as_file(files("latenthash") / "shipped" / SHIPPED) as shipped:
            return Bundle.load(shipped)
    return Bundle.load(Path(run)) if is_folder(Path(run)) else None


def _bundle_in(store: Store, run: str) -> Bundle:
    with store.bundle(store.run(run)) as folder:
        return Bundle.load(folder)


def _open_to_judge(cfg: DictConfig) -> tuple[Bundle, Store, bool]:
    """Open the bundle that a benchmark judges: the code that ships when there is no run.

    Returns:
        bundle, store, and whether run= names it by more than `latest`.
    """
    store = open_store(cfg)
    named = cfg.run != "latest"
    if not named and not store.evaluable():
        log.warning("There is no finished run here: the code that ships is judged.")
        cfg.run = SHIPPED
    return _bundle_at_hand(str(cfg.run)) or _bundle_in(store, str(cfg.run)), store, named


def _known(
    bundle: Bundle, config: DictConfig, places: Places, cache: DiskCache
) -> dict[str, ViewSet]:
    """Make the test views of a bundle again; none where its pictures are not here."""
    try:
        return build_splits(with_pictures(config, bundle, places), cache).test()
    except InputError as error:
        log.warning("The map shows no views of the run, for they cannot be made again: %s", error)
        return {}


def _held_out_again(
    bundle: Bundle, config: DictConfig, places: Places, run: Run | None, cache: DiskCache
) -> pd.DataFrame:
    """Make the held-out figures of a bundle again, beside those that training logged."""
    assert bundle.hash is not None
    splits = build_splits(with_pictures(config, bundle, places), cache)
    hasher = restore(bundle, config, cache)
    measures = held_out(
        bundle.hash,
        hasher.place(splits.test()),
        hasher.place(splits.edited()),
        config.resamples,
        config.seed,
    )
    table = figures_table(measures)
    if run:
        trained = {current_name(name): value for name, value in run.data.metrics.items()}
        table["trained"] = [trained.get(name, np.nan) for name in table["metric"]]
        table["difference"] = (table["value"] - table["trained"]).abs()
        worst = table["difference"].max()
        level = logging.INFO if worst <= TOLERANCE else logging.WARNING
        log.log(level, "Largest difference from the figures of training: %.2g", worst)
    return table
