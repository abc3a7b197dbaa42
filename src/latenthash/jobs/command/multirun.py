"""The multirun of a sweep: Hydra's callback, which begins and ends the parent run of its jobs."""

import logging
import os
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from latenthash.errors import InputError, JobError, find_refusal, refusals
from latenthash.jobs.command.launching import PARENT_VARIABLE, check_launcher, hand_on
from latenthash.jobs.command.resolvers import register_resolvers
from latenthash.jobs.command.sweeping import check_sweep, count_jobs, quote_paths, typed_line
from latenthash.jobs.stores import open_store
from latenthash.report.comparison import show_summary
from latenthash.system.endings import ended_by_sigterm, endings
from latenthash.system.terminal import without_password
from latenthash.tracking.client import STORE_ERRORS, brief
from latenthash.tracking.record import RECORD, Record
from latenthash.tracking.store import Store
from latenthash.tracking.store_uri import hide_passwords
from latenthash.tracking.sweep import compare_jobs, end_parent, jobs_of, note_job, open_parent

# A launcher of parallel jobs starts them without train.py, which registers them too.
register_resolvers()
log = logging.getLogger(__name__)

SIGNALLED = 128  # exit codes from here on are those of signals


class Sweep(Callback):
    """Hydra callback that makes one parent run of a multirun and ends it.

    Attributes:
        parent_id: that run while the sweep is at work, and else empty.
        jobs: number of jobs that the sweep has; 0 where its sweeper does not say so before.
    """

    def __init__(self) -> None:
        self.parent_id = ""
        self.jobs = 0

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
                    raise InputError(f"{name} makes no sweeps: leave -m away, or sweep train.")
                grid = _grid(config)  # what a resolver refuses is told here without wrapping
                quote_paths(config)
                check_sweep(config, name)  # before a store is made
                check_launcher(config)
                self.jobs = count_jobs(config)
                try:
                    store = open_store(config)
                    self.parent_id = self._open_parent(config, grid, store)
                except STORE_ERRORS as error:
                    raise InputError(f"The sweep cannot begin: {brief(error)}") from error
                endings.enter_context(ended_by_sigterm())
                endings.push(partial(self._end_early, store))
                hand_on(config, self.parent_id)
        except Exception as error:
            # Hydra only warns when a callback fails, and would run the jobs as orphans.
            log.exception("The sweep cannot begin")
            raise SystemExit(1) from error

    def _open_parent(self, config: DictConfig, grid: dict[str, str], store: Store) -> str:
        overrides = [without_password(text) for text in typed_line()]
        name = config.hydra.runtime.choices.get("sweep") or " ".join(overrides)
        # In +sweep=signals the Signal makes no group of its own.
        pooled = None if config.get("signals") is None else "data.signal"
        return open_parent(store, name, overrides, grid, pooled, again=config.force)

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Note on the parent which job comes where: Hydra's order is that of the choices."""
        for file in _written(config):
            hide_passwords(file)
        parent_id = os.environ.get(PARENT_VARIABLE)
        if parent_id is not None:
            job = config.hydra.job
            try:
                note_job(open_store(config), parent_id, job.num, job.override_dirname)
            except (InputError, *STORE_ERRORS) as error:  # of which the job warns, and goes on
                log.info("In the sweep's tables job %d comes last: %s", job.num, brief(error))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """End the parent; leave with exit code 1 when a job failed."""
        HydraConfig.instance().set_config(config)
        folder = Path(config.hydra.sweep.dir)
        try:
            with refusals(folder):
                problems = self._end(config, folder)
        except Exception as error:
            log.exception("The sweep cannot end")  # Hydra would only warn, and leave with 0
            raise SystemExit(1) from error
        log.info("The tables and comparison.png are in %s; MLflow (make ui) has all jobs", folder)
        for problem in problems:
            log.error(problem)
        if problems:
            raise SystemExit(1)

    def _end(self, config: DictConfig, folder: Path) -> list[str]:
        """Compare the jobs, end the parent, and say what of the sweep is not done."""
        try:
            store = open_store(config)
            runs = [run.info for run in jobs_of(store, self.parent_id)]
            if runs:
                # Of two jobs that end together, the slower may have written what it knew before.
                show_summary(compare_jobs(store, self.parent_id, folder))
            problems = []
            if failed := [run.run_name for run in runs if run.status != "FINISHED"]:
                problems.append(
                    f"{len(failed)} job(s) failed: {', '.join(failed)}. The same command repeats "
                    "only these."
                )
            # A run that the store could not be told of is in no list of the store's.
            records = sorted(folder.rglob(RECORD))
            if untold := [str(p.parent) for p in records if not Record.read(p.parent).is_told]:
                problems.append(f"MLflow does not have all that is kept in {', '.join(untold)}")
            elif (lacking := self.jobs - len(runs)) > 0:
                problems.append(
                    f"{lacking} job(s) left no run in {store.experiment}: see what they wrote in "
                    f"{folder}. The same command repeats only these."
                )
            end_parent(store, self.parent_id, "FAILED" if problems else "FINISHED")
        except (InputError, *STORE_ERRORS) as error:
            raise JobError(f"The sweep has not ended in MLflow: {brief(error)}") from error
        self.parent_id = ""
        return problems

    def _end_early(
        self,
        store: Store,
        _: type[BaseException] | None,
        error: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        """End the parent of a sweep that did not come to its end."""
        if not self.parent_id:
            return
        code = error.code if isinstance(error, SystemExit) else None
        failed = isinstance(error, Exception) or (isinstance(code, int) and code < SIGNALLED)
        try:
            end_parent(store, self.parent_id, "FAILED" if failed else "KILLED", own=True)
        except STORE_ERRORS as problem:
            log.warning("The sweep is still called RUNNING: %s", brief(problem))


def _written(config: DictConfig) -> list[Path]:
    """List what Hydra writes of a command line into the output folder."""
    written = list(Path(config.hydra.sweep.dir).glob("multirun.yaml"))
    if config.hydra.output_subdir is not None:
        folder = Path(config.hydra.runtime.output_dir, config.hydra.output_subdir)
        written += folder.glob("*.yaml")
    return written


def _grid(config: DictConfig) -> dict[str, str]:
    """Return what the sweep's file lets vary: parameter -> its choices.

    Raises:
        InputError: what a resolver refused, without OmegaConf's wrapping.
    """
    try:
        return {key: str(value) for key, value in (config.hydra.sweeper.params or {}).items()}
    except OmegaConfBaseException as error:
        raise find_refusal(error) or error from None
