"""MLflow: the store, and the run of a job.

The only module that imports mlflow.
"""

import json
import logging
import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock
from matplotlib.figure import Figure
from numpy.typing import NDArray
from omegaconf import DictConfig
from pytorch_lightning.loggers import MLFlowLogger

from latenthash import InputError
from latenthash.terminal import escaped

# A research tool on private pictures tells nobody that it runs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# The default of 7, each twice as long as the last, is minutes of silence before a refusal.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
from mlflow import MlflowClient
from mlflow.entities import Run as Run  # exported: sweeps speak of runs too
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

log = logging.getLogger(__name__)
for noisy in ("alembic", "mlflow.store.db.utils", "mlflow.tracking"):
    logging.getLogger(noisy).setLevel(logging.WARNING)

SQLITE = "sqlite:///"
KIND, FINGERPRINT, OVERRIDES = "latenthash.kind", "latenthash.fingerprint", "latenthash.overrides"
FOLDER = "latenthash.folder"  # tag of a run: URI of the folder that its paths are relative to
HAS_BUNDLE = "latenthash.bundle"  # tag of a run that can be evaluated
REUSED = "latenthash.reused."  # tag of a parent: this + run id -> the overrides it stands for
JOB, SWEEP, BENCHMARK = "job", "sweep", "benchmark"
PARENT, RUN_NAME = MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME  # MLflow's own tags
LOGGED_TABLES = "mlflow.loggedArtifacts"  # the tag by which MLflow's UI finds tables
BUNDLE, HELD_OUT, TEST_LATENTS = "bundle", "held_out", "test_latents"  # artifacts


class Store:
    """An MLflow experiment on a tracking server or in a local database.

    Args:
        tracking_uri: of the server, or sqlite:///<path>.
        experiment_name: created when it does not exist.
        artifact_root: folder for artifacts; used with a local database only, and only when
            the experiment is created.
    """

    def __init__(self, tracking_uri: str, experiment_name: str, artifact_root: str) -> None:
        self.uri = tracking_uri
        if not tracking_uri:
            raise InputError("logger.tracking_uri is empty: unset MLFLOW_TRACKING_URI, or set it.")
        try:
            with self.lock():
                self.client = MlflowClient(tracking_uri)
                self.experiment_id = self._experiment(experiment_name, artifact_root)
        except (MlflowException, OSError) as error:
            raise InputError(
                f"The MLflow store '{tracking_uri}' cannot be opened: {error}. Set "
                "MLFLOW_TRACKING_URI or logger.tracking_uri to one that can."
            ) from error

    def _experiment(self, name: str, artifact_root: str) -> str:
        experiment = self.client.get_experiment_by_name(name)
        if experiment is None:
            local = self.uri.startswith(SQLITE)
            location = Path(artifact_root).absolute().as_uri() if local else None
            return str(self.client.create_experiment(name, location))
        if experiment.lifecycle_stage == "deleted":
            raise InputError(
                f"The MLflow experiment {name} in {self.uri} was deleted; restore it, or name "
                "another one with logger.experiment_name=NAME."
            )
        return str(experiment.experiment_id)

    def lock(self) -> AbstractContextManager[object]:
        """Keep other processes of this machine from creating the same things.

        A cold sqlite file does not survive several processes creating its tables at once.
        """
        if not self.uri.startswith(SQLITE):
            return nullcontext()
        path = Path(self.uri.removeprefix(SQLITE))
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path.with_name(path.name + ".lock"))

    def find(self, tags: Mapping[str, str], status: str | None = None) -> list[Run]:
        """List runs with all these tags, and this status when one is given; the newest first."""
        conditions = [f"tags.`{name}` = '{value}'" for name, value in tags.items()]
        if status:
            conditions.append(f"attributes.status = '{status}'")
        return list(
            self.client.search_runs(
                [self.experiment_id], " and ".join(conditions), order_by=["start_time DESC"],
                max_results=50_000,
            )
        )  # fmt: skip

    def evaluable(self) -> list[Run]:
        """List the finished runs that left a bundle; the newest first."""
        return self.find({KIND: JOB, HAS_BUNDLE: "true"}, "FINISHED")

    def run(self, run_id: str) -> Run:
        """Find the run that a user named: an id, or `latest`.

        Raises:
            InputError: if there is none.
        """
        if run_id == "latest":
            runs = self.evaluable()
            if not runs:
                raise InputError(
                    f"There is no finished run in {self.uri}; make one with: "
                    "python train.py +experiment=girl_vs_earth_sushi"
                )
            return runs[0]
        try:
            return self.client.get_run(run_id)
        except MlflowException as error:
            raise InputError(
                f"run={run_id} is neither a bundle folder nor a run in {self.uri}."
            ) from error

    def has(self, run_id: str) -> bool:
        """Say whether a run is in the store."""
        try:
            self.client.get_run(run_id)
        except MlflowException:
            return False
        return True

    @contextmanager
    def bundle(self, run: Run) -> Iterator[Path]:
        """Give a run's bundle as a folder for as long as it is needed."""
        with TemporaryDirectory() as folder:
            try:
                path = self.client.download_artifacts(run.info.run_id, BUNDLE, folder)
            except (MlflowException, OSError) as error:
                raise InputError(
                    f"Run {run.info.run_id} ({run.info.status}) has left no bundle."
                ) from error
            yield Path(path)

    def read_table(self, run: Run, name: str) -> pd.DataFrame | None:
        """Read a table that a run keeps; None when it has none."""
        with TemporaryDirectory() as folder:
            try:
                path = self.client.download_artifacts(run.info.run_id, f"{name}.csv", folder)
            except (MlflowException, OSError):
                return None
            return pd.read_csv(path)

    @contextmanager
    def new_run(self, kind: str, name: str) -> Iterator[str]:
        """Begin a run of a kind, give its id, and end it as the work within ends."""
        tags = {KIND: kind, RUN_NAME: name}
        run_id = str(self.client.create_run(self.experiment_id, tags=tags).info.run_id)
        try:
            yield run_id
        except BaseException as error:
            self.fail(run_id, error)
            raise
        self.client.set_terminated(run_id, "FINISHED")

    def fail(self, run_id: str, error: BaseException) -> None:
        """End a run as FAILED, or KILLED when it was interrupted, and keep the traceback."""
        # The end first: where artifacts cannot be written, the run is not left open.
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        self.client.set_terminated(run_id, status)
        self.client.log_text(run_id, "".join(traceback.format_exception(error)), "traceback.txt")

    def log_figure(self, run_id: str, figure: Figure, name: str) -> None:
        """Keep a figure as figures/<name>.png."""
        self.client.log_figure(run_id, figure, f"figures/{name}.png", save_kwargs={"dpi": 110})

    def log_table(self, run_id: str, table: pd.DataFrame, name: str) -> None:
        """Keep a table as <name>.json, which the UI shows, and as <name>.csv.

        MlflowClient.log_table appends to a table of the same name; a refreshed table replaces it.
        """
        self.client.log_text(run_id, table.to_json(orient="split", index=False), f"{name}.json")
        self.client.log_text(run_id, table.to_csv(index=False), f"{name}.csv")
        tags = self.client.get_run(run_id).data.tags
        tables = json.loads(tags.get(LOGGED_TABLES, "[]"))
        entry = {"path": f"{name}.json", "type": "table"}
        if entry not in tables:
            self.client.set_tag(run_id, LOGGED_TABLES, json.dumps([*tables, entry]))


class RunLogger(MLFlowLogger):
    """The MLflow run of one job, created at the first use of `run_id`.

    Args:
        experiment_name: MLflow experiment.
        tracking_uri: of the server, or sqlite:///<path>.
        artifact_root: see `Store`.
        run_name: what the UI calls it.
        overrides: the job's command line, by which a sweep knows it again.
        parent_run_id: run of the sweep this job belongs to.
        fingerprint: digest of all that decides the job's result.
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
    ) -> None:
        self.store = Store(tracking_uri, experiment_name, artifact_root)
        self.parent_run_id = parent_run_id
        self.fingerprint = fingerprint
        overrides = self.overrides = escaped(overrides)
        tags = {KIND: JOB, FINGERPRINT: fingerprint, OVERRIDES: overrides}
        tags[FOLDER] = Path.cwd().as_uri()
        if parent_run_id:
            tags[PARENT] = parent_run_id
        super().__init__(experiment_name, run_name, tracking_uri, tags)
        self.run_name = run_name

    @property
    def id(self) -> str:
        """MLflow's id of the run, which is created when it is first asked for."""
        run_id = self.run_id
        assert run_id is not None
        return run_id

    def finalize(self, status: str = "success") -> None:
        """Leave the run open: Lightning ends it with the training, but figures come after."""

    def reuse_finished(self) -> bool:
        """In a sweep, say whether this very job was done before, and show that run in the sweep."""
        done = self.store.find({KIND: JOB, FINGERPRINT: self.fingerprint}, "FINISHED")
        if not (self.parent_run_id and done):
            return False
        run = done[0].info
        self.store.client.set_tag(self.parent_run_id, REUSED + run.run_id, self.overrides)
        log.info("Skipped: run %s (%s) did it; force=true repeats it.", run.run_name, run.run_id)
        return True

    def fail(self, error: BaseException) -> None:
        """End the run as `Store.fail` does; when it was interrupted, its sweep too."""
        if self.parent_run_id and not isinstance(error, Exception):
            self.store.client.set_terminated(self.parent_run_id, "KILLED")
        self.store.fail(self.id, error)

    def finish(self) -> None:
        """End the run as FINISHED."""
        self.experiment.set_terminated(self.id, "FINISHED")

    def log_text(self, text: str, name: str) -> None:
        """Keep a text under a file name."""
        self.experiment.log_text(self.id, text, name)

    def log_figure(self, figure: Figure, name: str) -> None:
        """Keep a figure as figures/<name>.png."""
        self.store.log_figure(self.id, figure, name)

    def log_image(self, pixels: NDArray[np.uint8], key: str, step: int) -> None:
        """Keep an image (H, W, 3) as one of a series, which the UI shows with a slider of steps."""
        self.experiment.log_image(self.id, pixels, key=key, step=step)

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Keep a table as <name>.json and <name>.csv."""
        self.store.log_table(self.id, table, name)

    def log_folder(self, folder: Path) -> None:
        """Keep a folder under its own name."""
        self.experiment.log_artifacts(self.id, str(folder), folder.name)
        if folder.name == BUNDLE:
            self.experiment.set_tag(self.id, HAS_BUNDLE, "true")

    def rename(self, name: str) -> None:
        """Call the run something else."""
        self.run_name = name
        self.experiment.set_tag(self.id, RUN_NAME, name)


def scalars(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten nested config values to the texts that become MLflow parameters."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= scalars(value, f"{prefix}{key}.")
        elif not key.startswith("_"):
            flat[f"{prefix}{key}"] = "null" if value is None else escaped(str(value))
    return flat


def open_store(config: DictConfig) -> Store:
    """Open the store that the config's logger names."""
    logger = config.logger
    return Store(logger.tracking_uri, logger.experiment_name, logger.artifact_root)


def find_store(config: DictConfig) -> Store | None:
    """Open the store if there is one; a bundle can be used without."""
    uri = config.logger.tracking_uri
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).exists():
        return None
    try:
        return open_store(config)
    except InputError as error:
        log.warning("%s", error)
        return None
