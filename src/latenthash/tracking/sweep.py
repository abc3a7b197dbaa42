"""Sweeps: one parent run of many jobs, with tables and a figure that compare them."""

import json
import logging
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latenthash.report import comparison
from latenthash.report.markdown import command
from latenthash.report.tables import read_figures, write_csv, write_figure
from latenthash.system.terminal import escaped
from latenthash.tracking.client import STORE_ERRORS, brief
from latenthash.tracking.names import (
    CENTROID,
    COMPARISON,
    FINGERPRINT,
    HELD_OUT,
    JOB_AT,
    KIND,
    LONGEST_NAME,
    NOTE,
    OVERRIDES,
    PARENT,
    POOLED,
    PROCESS,
    REUSED,
    RUN_NAME,
    SUMMARY,
    SWEEP,
    TEST_LATENTS,
)
from latenthash.tracking.store import Run, Store
from latenthash.tracking.ui import runs_page

log = logging.getLogger(__name__)

RANKING = "test/fpr_unseen"  # sorts the jobs to which a note links, the lowest first
LONGEST_NOTE = 8000  # letters of a tag that MLflow takes
OLD_CENTROID = "hash/centroid_"  # metric of version 0.1: this + dimension


def open_parent(
    store: Store,
    name: str,
    overrides: Sequence[str],
    grid: Mapping[str, str],
    pooled: str | None,
    *,
    again: bool,
) -> str:
    """Create the parent run of a sweep, or reopen that of the same command, and return its id.

    Args:
        store: where the sweep is kept.
        name: of the sweep.
        overrides: the command line, without passwords.
        grid: what the sweep's file lets vary: parameter -> its choices.
        pooled: the parameter that the sweep's summary leaves out.
        again: whether a new one is created all the same.
    """
    fingerprint = sha256(json.dumps([sorted(overrides), dict(grid)]).encode()).hexdigest()
    with store.experiment.lock():
        same = store.find({KIND: SWEEP, FINGERPRINT: fingerprint})
        if same and not again:
            parent_id = str(same[0].info.run_id)
            # Of two such sweeps at once, the parent is of the process that began it.
            if not store.experiment.processes.is_alive(same[0].data.tags.get(PROCESS, "")):
                store.set_tags(parent_id, {PROCESS: store.experiment.processes.own})
            store.set_status(parent_id, "RUNNING")
            return parent_id
        tags = {KIND: SWEEP, FINGERPRINT: fingerprint, RUN_NAME: f"sweep {name}"[:LONGEST_NAME]}
        tags[OVERRIDES] = shlex.join(overrides)
        if pooled is not None:
            tags[POOLED] = pooled
        parent_id = store.create_run(tags)
        store.log_text(parent_id, "\n".join(overrides), "overrides.txt")
    return parent_id


def note_job(store: Store, parent_id: str, number: int, overrides: str) -> None:
    """Note on the parent which job comes where."""
    store.set_tags(parent_id, {f"{JOB_AT}{number}": escaped(overrides)})


def end_parent(store: Store, parent_id: str, status: str, *, own: bool = False) -> None:
    """End the parent of a sweep.

    Args:
        store: where it is.
        parent_id: its run.
        status: FINISHED, FAILED or KILLED.
        own: whether it is left alone where another process is at the same sweep.
    """
    if not own or store.tags(parent_id).get(PROCESS) == store.experiment.processes.own:
        store.set_status(parent_id, status)


def jobs_of(store: Store, parent_id: str) -> list[Run]:
    """List the newest run of each job of a sweep, in the sweep's order, reused runs included."""
    runs = [(run.data.tags[OVERRIDES], run) for run in store.find({PARENT: parent_id})]
    tags = store.tags(parent_id)
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
        compare_jobs(store, parent_id)
    except STORE_ERRORS as error:
        log.warning("The sweep's tables and figure are not those of now: %s", brief(error))


def compare_jobs(store: Store, parent_id: str, folder: Path | None = None) -> pd.DataFrame:
    """Log tables and figure of a sweep, write them to a folder if any, and return the summary."""
    jobs = jobs_of(store, parent_id)
    rows = [_row(store, run) for run in jobs]
    tags = store.tags(parent_id)
    summary = comparison.summary_table(rows, tags.get(POOLED))
    tables = {COMPARISON: comparison.comparison_table(rows), SUMMARY: summary}
    figure = comparison.comparison_figure(rows)
    if folder is not None:
        for name, table in tables.items():
            write_csv(table, folder / f"{name}.csv")
        write_figure(figure, folder / f"{COMPARISON}.png")
    for name, table in tables.items():
        store.log_table(parent_id, table, name)
    store.log_figure(parent_id, figure, COMPARISON)
    parts = [
        _links(store, parent_id, jobs),
        comparison.sweep_note(rows, summary),
        command("train", ["-m", *shlex.split(tags.get(OVERRIDES, ""))]),
    ]
    store.set_tags(parent_id, {NOTE: "\n\n".join(parts)[:LONGEST_NOTE]})
    return summary


def _links(store: Store, parent_id: str, jobs: Sequence[Run]) -> str:
    """Link to the jobs beside each other; those of other sweeps that were reused are among them."""
    if all(run.data.tags.get(PARENT) == parent_id for run in jobs):
        search = f"tags.{PARENT} = '{parent_id}'"
    else:
        search = f"attributes.run_id IN ({', '.join(repr(run.info.run_id) for run in jobs)})"
    query = {"searchFilter": search, "orderByKey": f"metrics.`{RANKING}`", "orderByAsc": "true"}
    listed = runs_page(store.experiment.id, **query)
    charted = runs_page(store.experiment.id, **query, compareRunsMode="CHART")
    return (
        f"[The jobs as a list, the lowest {RANKING} first]({listed}), or "
        f"[as charts]({charted}). The artifacts hold figures/{COMPARISON}.png and all figures."
    )


def _row(store: Store, run: Run) -> comparison.Row:
    table = store.read_table(run, HELD_OUT)  # None: the job has not come so far
    metrics = run.data.metrics
    return comparison.Row(
        name=run.info.run_name,
        status=run.info.status,
        params=run.data.params,
        figures={} if table is None else read_figures(table),
        costs={name: value for name, value in metrics.items() if name in comparison.COSTS},
        latents=store.read_table(run, TEST_LATENTS),
        centroid=_centroid(store, run),
    )


def _centroid(store: Store, run: Run) -> NDArray[np.float64] | None:
    """Read a run's centroid (k,); None when it has none."""
    table = store.read_table(run, CENTROID)
    if table is not None:
        return table["value"].to_numpy(np.float64)
    metrics = run.data.metrics
    k = sum(name.startswith(OLD_CENTROID) for name in metrics)
    return np.array([metrics[f"{OLD_CENTROID}{i}"] for i in range(k)]) if k else None
