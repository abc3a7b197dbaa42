"""The run of a job of train.py, which Lightning logs to as well."""

import logging
from argparse import Namespace
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from latenthash.errors import InputError, refuse_existing
from latenthash.system.terminal import escaped
from latenthash.tracking.client import STORE_ERRORS, StoreRefused, brief
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.names import (
    BUNDLE,
    FINGERPRINT,
    FOLDER,
    JOB,
    KIND,
    LONGEST_NAME,
    MODEL,
    OVERRIDES,
    PARENT,
    REUSED,
    RUN_NAME,
)
from latenthash.tracking.recording import Recorder
from latenthash.tracking.store import Store

log = logging.getLogger(__name__)

RESULTS = (BUNDLE, MODEL)  # what a run leaves in its output folder and never overwrites


class RunLogger(Recorder, Logger):
    """The run of one job of train.py, which Lightning logs to as well.

    Args:
        experiment_name: MLflow experiment.
        tracking_uri: of the server, or sqlite:///<path>.
        artifact_root: see `Store`.
        run_name: what the UI calls it.
        overrides: the job's command line, by which a sweep knows it again.
        parent_run_id: run of the sweep this job belongs to.
        fingerprint: digest of all that decides the job's result.
        folder: the job's output folder.

    Raises:
        InputError: if the store is not that of the sweep.
    """

    def __init__(
        self,
        *,
        experiment_name: str,
        tracking_uri: str,
        artifact_root: str,
        run_name: str,
        overrides: str,
        parent_run_id: str | None,
        fingerprint: str,
        folder: str,
    ) -> None:
        overrides, run_name = escaped(overrides), run_name[:LONGEST_NAME]
        tags = {KIND: JOB, FINGERPRINT: fingerprint, OVERRIDES: overrides, RUN_NAME: run_name}
        tags[FOLDER] = Path.cwd().as_uri()
        if parent_run_id:
            tags[PARENT] = parent_run_id
        Logger.__init__(self)
        store = Store(Experiment(tracking_uri, experiment_name, artifact_root, later=True))
        Recorder.__init__(self, store, Path(folder), tags)
        try:
            store.experiment.open()
        except StoreRefused as error:
            if parent_run_id is None:
                raise
            self.lost = brief(error)  # the sweep has begun, and all its jobs are to be done
            log.warning("%s The job goes on; all it makes is kept in %s", self.lost, folder)
        if parent_run_id and self.lost is None and store.lacks(parent_run_id):
            raise InputError(
                f"The sweep of this job, run {parent_run_id}, is not in {store.experiment}, which "
                "this process was given. Set MLFLOW_TRACKING_URI on all machines of the sweep to "
                "one server, and a password in MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD."
            )
        self.parent_run_id = parent_run_id
        self.fingerprint = fingerprint
        self.overrides = overrides
        self.run_name = run_name

    def begin(self, live: bool = True) -> None:
        """Begin the run, unless its folder holds what another run left.

        Raises:
            InputError: if it does, or MLflow takes no run.
        """
        for name in RESULTS:
            refuse_existing(self.folder / name)
        super().begin(live and self.lost is None)

    @property
    def name(self) -> str:
        """The experiment, as Lightning asks for it."""
        return self.store.experiment.name

    @property
    def version(self) -> str:
        """The run, as Lightning asks for it."""
        return self.id

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Log nothing: what Lightning knows of a module is in the config, which is logged."""

    def claim(self, wait: bool) -> AbstractContextManager[None]:
        """Keep other processes of this machine from running the same job meanwhile."""
        return self.store.experiment.processes.claim(self.fingerprint, self.run_name, wait)

    def reuse_finished(self) -> bool:
        """In a sweep, say whether this very job was done before, and show that run in the sweep."""
        if not self.parent_run_id:
            return False
        done = []
        try:
            done = self.store.find({KIND: JOB, FINGERPRINT: self.fingerprint}, "FINISHED")
            if done:
                tag = REUSED + done[0].info.run_id
                self.store.set_tags(self.parent_run_id, {tag: self.overrides})
        except STORE_ERRORS as error:
            log.warning("The sweep cannot show what was done before: %s", brief(error))
        if not done:
            return False
        run = done[0].info
        log.info("Skipped: run %s (%s) did it; force=true repeats it.", run.run_name, run.run_id)
        return True

    def rename(self, name: str) -> None:
        """Call the run something else."""
        self.run_name = name[:LONGEST_NAME]
        self.set_tags({RUN_NAME: self.run_name})
