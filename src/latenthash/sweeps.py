"""Sweeps: one parent run of a multirun's jobs, with tables and a figure that compare them."""

import json
import logging
import os
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from latenthash import InputError, comparison
from latenthash.options.sweeping import check_sweep
from latenthash.refusals import find_refusal, log_problems
from latenthash.report import read_figures
from latenthash.store_uri import hide_passwords, without_password
from latenthash.terminal import escaped
from latenthash.tracking import (
    FINGERPRINT,
    HELD_OUT,
    KIND,
    OVERRIDES,
    PARENT,
    REUSED,
    RUN_NAME,
    SWEEP,
    TEST_LATENTS,
    Run,
    Store,
    open_store,
)

log = logging.getLogger(__name__)

PARENT_VARIABLE = "LATENTHASH_PARENT_RUN_ID"  # read by conf/logger; inherited by parallel jobs
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
            name = str(kwargs["config_name"])
            if name != "train":
                raise InputError(f"{name}.py makes no sweeps: leave -m away, or sweep train.py.")
            _grid(config)  # what a resolver refuses is not wrapped there
            check_sweep(config, name)
            os.environ[PARENT_VARIABLE] = self._open_parent(config)
        except InputError as error:
            log_problems(error)
            raise SystemExit(2) from error
        except Exception as error:
            # Hydra only warns when a callback fails, and would run the jobs as orphans.
            log.error("The sweep cannot begin: %s", without_password(str(error)))
            raise SystemExit(2) from error

    def _open_parent(self, config: DictConfig) -> str:
        grid = _grid(config)  # first: what it refuses leaves nothing behind
        store = open_store(config)
        overrides = [without_password(str(o)) for o in config.hydra.overrides.task]
        fingerprint = sha256(json.dumps([sorted(overrides), grid]).encode()).hexdigest()
        with store.lock():
            same = store.find({KIND: SWEEP, FINGERPRINT: fingerprint})
            if same and not config.force:
                parent = same[0]
                store.client.update_run(parent.info.run_id, status="RUNNING")
            else:
                name = config.hydra.runtime.choices.get("sweep") or " ".join(overrides)
                tags = {KIND: SWEEP, FINGERPRINT: fingerprint, RUN_NAME: f"sweep {name}"}
                if config.get("signals") is not None:  # of +sweep=signals
                    tags[POOLED] = "data.signal"
                parent = store.client.create_run(store.experiment_id, tags=tags)
                store.client.log_text(parent.info.run_id, "\n".join(overrides), "overrides.txt")
        run_id: str = parent.info.run_id
        return run_id

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Note on the parent which job comes where: Hydra's order is that of the choices."""
        for file in _written(config):
            hide_passwords(file)
        parent_id = os.environ.get(PARENT_VARIABLE)
        if parent_id is not None:
            job = config.hydra.job
            store = open_store(config)
            store.client.set_tag(parent_id, f"{JOB_AT}{job.num}", escaped(job.override_dirname))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """End the parent; leave with exit code 1 when a job failed."""
        HydraConfig.instance().set_config(config)
        store, parent_id = open_store(config), os.environ.pop(PARENT_VARIABLE)
        # Of two jobs that end together, the slower may have written what it knew before.
        comparison.show_summary(_compare(store, parent_id))
        failed = [r.info.run_name for r in jobs_of(store, parent_id) if r.info.status != "FINISHED"]
        store.client.set_terminated(parent_id, "FAILED" if failed else "FINISHED")
        if failed:
            names = ", ".join(failed)
            log.error(
                "%d job(s) failed: %s. The same command repeats only these.", len(failed), names
            )
            raise SystemExit(1)


def _written(config: DictConfig) -> list[Path]:
    """List what Hydra writes of a command line into the output folder."""
    written = list(Path(config.hydra.sweep.dir).glob("multirun.yaml"))
    if config.hydra.output_subdir is not None:
        folder = Path(config.hydra.runtime.output_dir, config.hydra.output_subdir)
        written += folder.glob("*.yaml")
    return written


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
    if parent_id is not None:
        _compare(store, parent_id)


def _compare(store: Store, parent_id: str) -> pd.DataFrame:
    """Log tables and figure of a sweep, and give the summary."""
    rows = [_row(store, run) for run in jobs_of(store, parent_id)]
    pooled = store.client.get_run(parent_id).data.tags.get(POOLED)
    summary = comparison.summary_table(rows, pooled)
    store.log_table(parent_id, comparison.comparison_table(rows), COMPARISON)
    store.log_table(parent_id, summary, SUMMARY)
    store.log_figure(parent_id, comparison.comparison_figure(rows), COMPARISON)
    return summary


def _row(store: Store, run: Run) -> comparison.Row:
    table = store.read_table(run, HELD_OUT)  # None: the job has not come so far
    metrics = run.data.metrics
    k = sum(name.startswith(CENTROID) for name in metrics)
    return comparison.Row(
        name=run.info.run_name,
        status=run.info.status,
        params=run.data.params,
        figures={} if table is None else read_figures(table),
        costs={name: value for name, value in metrics.items() if name in comparison.COSTS},
        latents=store.read_table(run, TEST_LATENTS),
        centroid=np.array([metrics[f"{CENTROID}{i}"] for i in range(k)]) if k else None,
    )
