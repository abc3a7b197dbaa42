"""Sweeps: one parent run of a multirun's jobs, with a table and figure that compare them."""

import json
import logging
import os
import re
from hashlib import sha256
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from latenthash import report
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


class Sweep(Callback):
    """Hydra callback that makes one parent run of a multirun and ends it."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Create the store before parallel jobs need it, and the parent, or reopen it."""
        HydraConfig.instance().set_config(config)  # Hydra does so only when a job starts
        try:
            os.environ[PARENT_VARIABLE] = self._open_parent(config)
        except Exception as error:
            # Hydra only warns when a callback fails, and would run the jobs as orphans.
            log.error("The sweep cannot begin: %s", error)
            raise SystemExit(2) from error

    def _open_parent(self, config: DictConfig) -> str:
        store = open_store(config)
        overrides = [str(o) for o in config.hydra.overrides.task]
        grid = {key: str(value) for key, value in (config.hydra.sweeper.params or {}).items()}
        fingerprint = sha256(json.dumps([sorted(overrides), grid]).encode()).hexdigest()
        with store.lock():
            same = store.find({KIND: SWEEP, FINGERPRINT: fingerprint})
            if same and not config.force:
                parent = same[0]
                store.client.update_run(parent.info.run_id, status="RUNNING")
            else:
                name = config.hydra.runtime.choices.get("sweep") or " ".join(overrides)
                tags = {KIND: SWEEP, FINGERPRINT: fingerprint, RUN_NAME: f"sweep {name}"}
                parent = store.client.create_run(store.experiment_id, tags=tags)
                store.client.log_text(parent.info.run_id, "\n".join(overrides), "overrides.txt")
        run_id: str = parent.info.run_id
        return run_id

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """End the parent; leave with exit code 1 when a job failed."""
        HydraConfig.instance().set_config(config)
        store, parent_id = open_store(config), os.environ.pop(PARENT_VARIABLE)
        # Of two jobs that end together, the slower may have written what it knew before.
        refresh_sweep(store, parent_id)
        failed = [r.info.run_name for r in jobs_of(store, parent_id) if r.info.status != "FINISHED"]
        store.client.set_terminated(parent_id, "FAILED" if failed else "FINISHED")
        if failed:
            names = ", ".join(failed)
            log.error(
                "%d job(s) failed: %s. The same command repeats only these.", len(failed), names
            )
            raise SystemExit(1)


def jobs_of(store: Store, parent_id: str) -> list[Run]:
    """List the newest run of each job of a sweep, reused runs included."""
    runs = [(run.data.tags[OVERRIDES], run) for run in store.find({PARENT: parent_id})]
    runs += [
        (overrides, store.client.get_run(name.removeprefix(REUSED)))
        for name, overrides in store.client.get_run(parent_id).data.tags.items()
        if name.startswith(REUSED)
    ]
    newest = dict(sorted(runs, key=lambda pair: pair[1].info.start_time))
    return [newest[overrides] for overrides in sorted(newest, key=_natural)]


def _natural(text: str) -> list[str | int]:
    """Give a sort key that puts 8 before 32."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text)]


def refresh_sweep(store: Store, parent_id: str | None) -> None:
    """Make the comparison table and figure of a sweep from the jobs it has so far.

    Every job calls this when it ends: Hydra's end of a multirun is not reached when the sweep
    is interrupted.
    """
    if parent_id is None:
        return
    jobs = jobs_of(store, parent_id)
    rows = []
    for run in jobs:
        table = store.read_table(run, HELD_OUT)  # None: the job has not come so far
        figures = {} if table is None else report.read_figures(table)
        costs = {k: v for k, v in run.data.metrics.items() if k in report.COSTS}
        latents = store.read_table(run, TEST_LATENTS)
        rows.append(
            report.Row(run.info.run_name, run.info.status, run.data.params, figures, costs, latents)
        )
    store.log_table(parent_id, report.comparison_table(rows), COMPARISON)
    store.log_figure(parent_id, report.comparison_figure(rows), COMPARISON)
