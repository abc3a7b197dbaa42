"""The store: where runs are found and kept."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from latenthash.errors import InputError
from latenthash.report.tables import write_figure, write_table
from latenthash.system.calling import typed
from latenthash.system.terminal import without_password
from latenthash.tracking.client import STORE_ERRORS, MlflowException, brief, with_surroundings
from latenthash.tracking.client import Run as Run  # exported: jobs speak of runs too
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.names import BUNDLE, HAS_BUNDLE, JOB, KIND, LATEST, PROCESS
from latenthash.tracking.store_uri import StoreURI, local_path
from latenthash.tracking.writing import write_entry

log = logging.getLogger(__name__)

ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # what MLflow says of no run


class Store:
    """The runs of an experiment: those that are there, and those that are made.

    Args:
        experiment: which it is, and where.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    def find(self, tags: Mapping[str, str], status: str | None = None) -> list[Run]:
        """List runs with all these tags, and this status when one is given; the newest first."""
        return self.experiment.find(tags, status)

    def evaluable(self) -> list[Run]:
        """List the finished runs that left a bundle; the newest first."""
        return self.find({KIND: JOB, HAS_BUNDLE: "true"}, "FINISHED")

    def run(self, run_id: str) -> Run:
        """Find the run that a user named: an id, or `latest`.

        Raises:
            InputError: if there is none.
        """
        if run_id == LATEST:
            runs = self.evaluable()
            if not runs:
                raise no_run(run_id, self.experiment.address)
            return runs[0]
        run = self.get(run_id)
        if run is None:
            raise no_run(run_id, self.experiment.address)
        return run

    def get(self, run_id: str) -> Run | None:
        """Find a run by its id; None when there is none, or it was deleted."""
        try:
            run = self.experiment.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            run = None
        if run is None or run.info.lifecycle_stage == "deleted":
            return None
        return run

    def lacks(self, run_id: str) -> bool:
        """Say whether it is known that there is no such run, nor a deleted one."""
        try:
            self.experiment.client.get_run(run_id)
        except STORE_ERRORS as error:
            return isinstance(error, MlflowException) and error.error_code in ABSENT
        return False

    @contextmanager
    def bundle(self, run: Run) -> Iterator[Path]:
        """Return a run's bundle as a folder for as long as it is needed."""
        with TemporaryDirectory() as folder:
            try:
                path = self._fetch(run, BUNDLE, folder)
            except (MlflowException, OSError) as error:
                where = local_path(run.info.artifact_uri) or without_password(run.info.artifact_uri)
                raise InputError(
                    f"Run {run.info.run_id} ({run.info.status}) has left no bundle in {where}. Was "
                    "the project moved? Move it back, or put the folder there; or name a bundle's "
                    "folder: run=FOLDER."
                ) from error
            yield path

    def read_table(self, run: Run, name: str) -> pd.DataFrame | None:
        """Read a table that a run keeps; None when it has none."""
        with TemporaryDirectory() as folder:
            try:
                path = self._fetch(run, f"{name}.csv", folder)
            except (MlflowException, OSError):
                return None
            return pd.read_csv(path)

    def _fetch(self, run: Run, name: str, folder: str) -> Path:
        """Copy an artifact of a run into a folder, unless it lies in a project that was moved."""
        before = local_path(run.info.artifact_uri)
        moved: Path = self.experiment.root / run.info.run_id / "artifacts" / name
        if before is not None and not (before / name).exists() and moved.exists():
            return moved
        path: str = self.experiment.client.download_artifacts(run.info.run_id, name, folder)
        return Path(path)

    def create_run(self, tags: Mapping[str, str]) -> str:
        """Begin a run of this process, and return its id."""
        with self.experiment.explained("written to"):
            self.experiment.check_free()
        known = with_surroundings({**tags, PROCESS: self.experiment.processes.own})
        return str(self.experiment.client.create_run(self.experiment.id, tags=known).info.run_id)

    def add_ended(self, tags: Mapping[str, str], status: str, traceback: str) -> None:
        """Add a run that ended before it began."""
        try:
            run_id = self.create_run(tags)
            self.set_status(run_id, status)
            self.log_text(run_id, without_password(traceback), "traceback.txt")
        except STORE_ERRORS as error:
            log.warning("MLflow was not told of the failure: %s", brief(error))

    def tags(self, run_id: str) -> dict[str, str]:
        """Read the tags of a run, a deleted one's too."""
        return dict(self.experiment.client.get_run(run_id).data.tags)

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        for name, value in tags.items():
            self.experiment.client.set_tag(run_id, name, value)

    def set_status(self, run_id: str, status: str) -> None:
        """Let a run be RUNNING again, or end it."""
        if status == "RUNNING":
            self.experiment.client.update_run(run_id, status=status)
        else:
            self.experiment.client.set_terminated(run_id, status)

    def log_text(self, run_id: str, text: str, name: str) -> None:
        """Keep a text under a file name."""
        self.experiment.client.log_text(run_id, text, name)

    def end(self, run_id: str, status: str) -> None:
        """End a run that cannot be gone on with, if the store can be told."""
        try:
            self.set_status(run_id, status)
        except STORE_ERRORS as error:
            log.warning("Run %s may still be called RUNNING: %s", run_id, brief(error))

    def open_again(self, run_id: str, tags: Mapping[str, str], restore: bool) -> bool:
        """Say whether a run with these tags is there, to go on with.

        Args:
            run_id: the run.
            tags: that it must have.
            restore: whether it is taken back when it was deleted.

        Raises:
            InputError: if another process is at it, or it lies outside the project.
        """
        with self.experiment.explained("written to"):
            self.experiment.check_free()
        try:
            run = self.experiment.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False
        if not tags.items() <= run.data.tags.items():
            return False
        self.experiment.check_place(f"run {run_id}", run.info.artifact_uri)
        process = run.data.tags.get(PROCESS, "")
        if process != self.experiment.processes.own and self.experiment.processes.is_alive(process):
            raise InputError(f"Run {run_id} is still being made: wait until its process has ended.")
        if restore and run.info.lifecycle_stage == "deleted":
            self.experiment.client.restore_run(run_id)
        return True

    def log_entry(self, run_id: str, folder: Path, entry: Mapping[str, Any]) -> None:
        """Tell MLflow one thing of a run.

        Args:
            run_id: the run.
            folder: its output folder, where files and folders lie.
            entry: what `Recorder` writes down.
        """
        write_entry(self.experiment.client, run_id, folder, entry)

    def log_figure(self, run_id: str, figure: Figure, name: str) -> None:
        """Keep a figure as figures/<name>.png."""
        file = f"figures/{name}.png"
        with TemporaryDirectory() as folder:
            write_figure(figure, Path(folder, file))
            self.log_entry(run_id, Path(folder), {"file": file})

    def log_table(self, run_id: str, table: pd.DataFrame, name: str) -> None:
        """Keep a table as <name>.json, which the UI shows, and as <name>.csv.

        MlflowClient.log_table appends to a table of the same name; a refreshed table replaces it.
        """
        with TemporaryDirectory() as folder:
            write_table(table, Path(folder), name)
            self.log_entry(run_id, Path(folder), {"table": name})

    def add(self, run: Run, table: pd.DataFrame, name: str, figures: Sequence[Path]) -> None:
        """Add a table and figures, each by its file, to a run that has ended.

        Raises:
            StoreRefused: if they cannot be kept, or would lie outside the project.
        """
        with self.experiment.explained("written to"):
            self.experiment.check_place(f"run {run.info.run_id}", run.info.artifact_uri)
            self.experiment.check_free()
            self.log_table(run.info.run_id, table, name)
            for path in figures:
                self.experiment.client.log_artifact(
                    run.info.run_id, str(path), f"figures/{path.parent.name}"
                )


def no_run(run_id: str, store: StoreURI) -> InputError:
    """Say that there is no such run in a store."""
    if run_id == LATEST:
        return InputError(
            f"There is no finished run in {store}; make one with: "
            f"{typed('train')} +experiment=girl_vs_earth_sushi"
        )
    return InputError(
        f"run={run_id} is neither a bundle folder nor a run in {store}; one that was deleted "
        "is none, until MLflow restores it."
    )
