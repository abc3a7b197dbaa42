"""Sweeps: one parent run of a multirun's jobs, with tables and a figure that compare them."""

import json
import logging
import os
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from latenthash.errors import InputError, JobError, find_refusal, refusals
from latenthash.jobs.command.sweeping import check_sweep, quote_paths, typed_line
from latenthash.report import comparison
from latenthash.report import tables as report
from latenthash.system.endings import ended_by_sigterm, endings
from latenthash.system.terminal import escaped, without_password
from latenthash.tracking.record import RECORD, Record
from latenthash.tracking.store import (
    FINGERPRINT,
    HELD_OUT,
    KIND,
    OVERRIDES,
    PARENT,
    PROCESS,
    REUSED,
    RUN_NAME,
    STORE_ERRORS,
    SWEEP,
    TEST_LATENTS,
    Run,
    Store,
    brief,
    open_store,
)
from latenthash.tracking.store_uri import hide_passwords

log = logging.getLogger(__name__)

PARENT_VARIABLE = "LATENTHASH_PARENT_RUN_ID"  # read by conf/logger; inherited by parallel jobs
PROCESS_VARIABLE = "LATENTHASH_SWEEP_PROCESS"  # number of the sweep's process; inherited, too
SIGNALLED = 128  # exit codes from here on are those of signals
COMPARISON = "comparison"  # name of the table and of the figure
SUMMARY = "summary"  # name of the table
JOB_AT = "latenthash.job."  # tag of a parent: this + the job's number -> its overrides
CENTROID = "hash/centroid_"  # metric: this + dimension
POOLED = "latenthash.pooled"  # tag of a parent: the parameter that its summary leaves out


class Sweep(Callback):
    """Hydra callback that makes one parent run of a multirun and ends it."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Forget the parent that a shell has from a sweep: a single job is no part of it."""
        os.environ.pop(PARENT_VARIABLE, None)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Create the store before parallel jobs need it, and the parent, or reopen it."""
        HydraConfig.instance().set_config(config)  # Hydra does so only when a job starts
        try:
            with refusals(Path(config.hydra.sweep.dir)):
                name = str(kwargs["config_name"])
                if name != "train":
                    raise InputError(f"{name}.py makes no sweeps: leave -m away, or sweep train.py")
                grid = _grid(config)  # what a resolver refuses is told here without wrapping
                quote_paths(config)
                check_sweep(config, name)  # before a store is made
                try:
                    store = open_store(config)
                    parent_id = self._open_parent(config, grid, store)
                except STORE_ERRORS as error:
                    raise InputError(f"The sweep cannot begin: {brief(error)}") from error
        except Exception as error:
            # Hydra only warns when a callback fails, and would run the jobs as orphans.
            log.exception("The sweep cannot begin")
            raise SystemExit(1) from error
        os.environ |= {PARENT_VARIABLE: parent_id, PROCESS_VARIABLE: str(os.getpid())}
        endings.enter_context(ended_by_sigterm())
        endings.push(partial(_end_early, store, parent_id))

    def _open_parent(self, config: DictConfig, grid: dict[str, str], store: Store) -> str:
        overrides = [without_password(text) for text in typed_line()]
        fingerprint = sha256(json.dumps([sorted(overrides), grid]).encode()).hexdigest()
        with store.lock():
            same = store.find({KIND: SWEEP, FINGERPRINT: fingerprint})
            if same and not config.force:
                parent_id = str(same[0].info.run_id)
                # Of two such sweeps at once, the parent is of the process that began it.
                if not store.processes.is_alive(same[0].data.tags.get(PROCESS, "")):
                    store.client.set_tag(parent_id, PROCESS, store.processes.own)
                store.client.update_run(parent_id, status="RUNNING")
            else:
                name = config.hydra.runtime.choices.get("sweep") or " ".join(overrides)
                tags = {KIND: SWEEP, FINGERPRINT: fingerprint, RUN_NAME: f"sweep {name}"}
                if config.get("signals") is not None:  # of +sweep=signals
                    tags[POOLED] = "data.signal"
                parent_id = store.create_run(tags)
                store.client.log_text(parent_id, "\n".join(overrides), "overrides.txt")
        return parent_id

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Note on the parent which job comes where: Hydra's order is that of the choices."""
        for file in _written(config):
            hide_passwords(file)
        parent_id = os.environ.get(PARENT_VARIABLE)
        if parent_id is not None:
            job = config.hydra.job
            try:
                store = open_store(config)
                store.client.set_tag(parent_id, f"{JOB_AT}{job.num}", escaped(job.override_dirname))
            except (InputError, *STORE_ERRORS) as error:  # of which the job warns, and goes on
                log.info("In the sweep's tables job %d comes last: %s", job.num, brief(error))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """End the parent; leave with exit code 1 when a job failed."""
        HydraConfig.instance().set_config(config)
        parent_id = os.environ[PARENT_VARIABLE]
        folder = Path(config.hydra.sweep.dir)
        with refusals(folder):
            try:
                store = open_store(config)
                # Of two jobs that end together, the slower may have written what it knew before.
                comparison.show_summary(_compare(store, parent_id, folder))
                runs = [run.info for run in jobs_of(store, parent_id)]
                failed = [run.run_name for run in runs if run.status != "FINISHED"]
                # A run that the store could not be told of is in no list of the store's.
                records = sorted(folder.rglob(RECORD))
                untold = [str(p.parent) for p in records if not Record.read(p.parent).is_told]
                status = "FAILED" if failed or untold else "FINISHED"
                store.client.set_terminated(parent_id, status)
            except (InputError, *STORE_ERRORS) as error:
                raise JobError(f"The sweep has not ended in MLflow: {brief(error)}") from error
        os.environ.pop(PARENT_VARIABLE)
        if failed:
            names = ", ".join(failed)
            log.error(
                "%d job(s) failed: %s. The same command repeats only these.", len(failed), names
            )
        if untold:
            log.error("MLflow does not have all that is kept in %s", ", ".join(untold))
        if failed or untold:
            raise SystemExit(1)


def _written(config: DictConfig) -> list[Path]:
    """List what Hydra writes of a command line into the output folder."""
    written = list(Path(config.hydra.sweep.dir).glob("multirun.yaml"))
    if config.hydra.output_subdir is not None:
        folder = Path(config.hydra.runtime.output_dir, config.hydra.output_subdir)
        written += folder.glob("*.yaml")
    return written


def is_job_apart() -> bool:
    """Say whether a job has a process of its own, beside that of its sweep."""
    return os.environ.get(PROCESS_VARIABLE) != str(os.getpid())


def _end_early(
    store: Store,
    parent_id: str,
    _: type[BaseException] | None,
    error: BaseException | None,
    __: TracebackType | None,
) -> None:
    """End the parent of a sweep that did not come to its end."""
    os.environ.pop(PROCESS_VARIABLE)
    if os.environ.pop(PARENT_VARIABLE, None) is None:
        return
    code = error.code if isinstance(error, SystemExit) else None
    failed = isinstance(error, Exception) or (isinstance(code, int) and code < SIGNALLED)
    try:
        # Another process may be at the same sweep.
        if store.client.get_run(parent_id).data.tags.get(PROCESS) == store.processes.own:
            store.client.set_terminated(parent_id, "FAILED" if failed else "KILLED")
    except STORE_ERRORS as problem:
        log.warning("The sweep is still called RUNNING: %s", brief(problem))


def _grid(config: DictConfig) -> dict[str, str]:
    """Give what the sweep's file lets vary: parameter -> its choices.

    Raises:
        InputError: what a resolver refused, without OmegaConf's wrapping.
    """
    try:
        return {key: str(value) for key, value in (config.hydra.sweeper.params or {}).items()}
    except OmegaConfBaseException as error:
        raise find_refusal(error) or error from None


def jobs_of(store: Store, parent_id: str) -> list[Run]:
    """List the newest run of each job of a sweep, in the sweep's order, reused runs included."""
    runs = [(run.data.tags[OVERRIDES], run) for run in store.find({PARENT: parent_id})]
    tags = store.client.get_run(parent_id).data.tags
    for name, overrides in tags.items():
        if name.startswith(REUSED):
            run = store.get(name.removeprefix(REUSED))
            if run is None:
                _warn_of(name.removeprefix(REUSED), overrides)
            else:
                runs.append((overrides, run))
    newest = dict(sorted(runs, key=lambda pair: pair[1].info.start_time))
    places = {
        overrides: int(name.removeprefix(JOB_AT))
        for name, overrides in tags.items()
        if name.startswith(JOB_AT)
    }
    # Jobs of older versions left no number, and stand at the end.
    return [newest[o] for o in sorted(newest, key=lambda o: places.get(o, len(newest)))]


@cache
def _warn_of(run_id: str, overrides: str) -> None:
    """Warn once of a run that a sweep stands on and that is gone."""
    log.warning(
        "Run %s (%s) was deleted: the sweep's tables are without it. The same command makes it "
        "again.", run_id, overrides
    )  # fmt: skip


def refresh_sweep(store: Store, parent_id: str | None) -> None:
    """Make the tables and the figure of a sweep from the jobs it has so far.

    Every job calls this when it ends: Hydra's end of a multirun is not reached when the sweep
    is interrupted.
    """
    if parent_id is None:
        return
    try:
        _compare(store, parent_id)
    except STORE_ERRORS as error:
        log.warning("The sweep's tables and figure are not those of now: %s", brief(error))


def _compare(store: Store, parent_id: str, folder: Path | None = None) -> pd.DataFrame:
    """Log tables and figure of a sweep, and give the summary; first written to a folder, if any."""
    rows = [_row(store, run) for run in jobs_of(store, parent_id)]
    pooled = store.client.get_run(parent_id).data.tags.get(POOLED)
    summary = comparison.summary_table(rows, pooled)
    tables = {COMPARISON: comparison.comparison_table(rows), SUMMARY: summary}
    figure = comparison.comparison_figure(rows)
    if folder is not None:
        for name, table in tables.items():
            report.write_csv(table, folder / f"{name}.csv")
        report.write_figure(figure, folder / f"{COMPARISON}.png")
    for name, table in tables.items():
        store.log_table(parent_id, table, name)
    store.log_figure(parent_id, figure, COMPARISON)
    return summary


def _row(store: Store, run: Run) -> comparison.Row:
    table = store.read_table(run, HELD_OUT)  # None: the job has not come so far
    metrics = run.data.metrics
    k = sum(name.startswith(CENTROID) for name in metrics)
    return comparison.Row(
        name=run.info.run_name,
        status=run.info.status,
        params=run.data.params,
        figures={} if table is None else report.read_figures(table),
        costs={name: value for name, value in metrics.items() if name in comparison.COSTS},
        latents=store.read_table(run, TEST_LATENTS),
        centroid=np.array([metrics[f"{CENTROID}{i}"] for i in range(k)]) if k else None,
    )
