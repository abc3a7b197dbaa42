"""MLflow: the store, where runs are found and kept.

The only module that imports mlflow.
"""

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from filelock import FileLock
from matplotlib.figure import Figure
from omegaconf import DictConfig
from PIL import Image

from latenthash import InputError
from latenthash.processes import Processes

# A research tool on private pictures tells nobody that it runs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# The defaults, 7 retries of 120 s each, are minutes of silence before a refusal.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "4")
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.entities import Run as Run  # exported: sweeps speak of runs too
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

log = logging.getLogger(__name__)
for noisy in ("alembic", "mlflow.store.db.utils", "mlflow.tracking"):
    logging.getLogger(noisy).setLevel(logging.WARNING)

SQLITE = "sqlite:///"
# What writing to a store raises: its server is gone, its disk is full, the run was deleted.
STORE_ERRORS = (MlflowException, OSError)
BATCH = 100  # parameters, metrics or tags that MLflow takes at once
LONGEST = 250  # letters of a parameter's value; the limit of older servers
KIND, FINGERPRINT, OVERRIDES = "latenthash.kind", "latenthash.fingerprint", "latenthash.overrides"
PROCESS = "latenthash.process"  # tag: which process of which machine the run is of
HAS_BUNDLE = "latenthash.bundle"  # tag of a run that can be evaluated
REUSED = "latenthash.reused."  # tag of a parent: this + run id -> the overrides it stands for
JOB, SWEEP, BENCHMARK = "job", "sweep", "benchmark"
PARENT, RUN_NAME = MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME  # MLflow's own tags
LOGGED_TABLES = "mlflow.loggedArtifacts"  # the tag by which MLflow's UI finds tables
BUNDLE, MODEL = "bundle", "model"  # artifacts: what a run leaves
HELD_OUT, TEST_LATENTS = "held_out", "test_latents"  # tables among the artifacts


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
        self.artifact_root = artifact_root
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

    @property
    def processes(self) -> Processes:
        """The processes of this machine that keep runs in this experiment."""
        local = self.uri.startswith(SQLITE)
        place = Path(self.uri.removeprefix(SQLITE) if local else self.artifact_root)
        folder = place.with_name(f"{place.name}.processes")
        return Processes(folder, f"{self.uri} {self.experiment_id}")

    def end_dead(self) -> None:
        """Mark the runs as KILLED that processes of this machine left open when they died."""
        try:
            for process in self.processes.dead():
                runs = self.find({PROCESS: process}, "RUNNING")
                for run in runs:
                    self.client.set_terminated(run.info.run_id, "KILLED")
                if runs:
                    names = ", ".join(f"{run.info.run_name} ({run.info.run_id})" for run in runs)
                    log.info("Now marked KILLED, for their process had died: %s", names)
        except STORE_ERRORS as error:
            log.warning("Runs whose process died may still be called RUNNING: %s", brief(error))

    def create_run(self, tags: Mapping[str, str]) -> str:
        """Begin a run of this process, and give its id."""
        known = resolve_tags({**tags, PROCESS: self.processes.own})  # user, source, commit
        return str(self.client.create_run(self.experiment_id, tags=known).info.run_id)

    def add_ended(self, tags: Mapping[str, str], status: str, traceback: str) -> None:
        """Add a run that ended before it began."""
        try:
            run_id = self.create_run(tags)
            self.client.set_terminated(run_id, status)
            self.client.log_text(run_id, traceback, "traceback.txt")
        except STORE_ERRORS as error:
            log.warning("MLflow was not told of the failure: %s", brief(error))

    def open_again(self, run_id: str, restore: bool) -> bool:
        """Say whether a run is there.

        Args:
            run_id: the run.
            restore: whether it is taken back when it was deleted.
        """
        try:
            run = self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False
        if restore and run.info.lifecycle_stage == "deleted":
            self.client.restore_run(run_id)
        return True

    def log_entry(self, run_id: str, folder: Path, entry: Mapping[str, Any]) -> None:
        """Tell MLflow one thing of a run.

        Args:
            run_id: the run.
            folder: its output folder, where files and folders lie.
            entry: what `Recorder` writes down.
        """
        client = self.client
        match entry:
            case {"params": values}:
                for pairs in _chunks(values):
                    client.log_batch(run_id, params=[Param(k, v[:LONGEST]) for k, v in pairs])
            case {"metrics": values, "step": step, "time": time}:
                for pairs in _chunks(values):
                    client.log_batch(run_id, [Metric(k, v, time, step) for k, v in pairs])
            case {"tags": values}:
                for pairs in _chunks(values):
                    client.log_batch(run_id, tags=[RunTag(k, v) for k, v in pairs])
            case {"file": name}:
                parent = str(Path(name).parent)
                client.log_artifact(run_id, str(folder / name), None if parent == "." else parent)
            case {"folder": name}:
                client.log_artifacts(run_id, str(folder / name), name)
            case {"table": name}:
                for suffix in ("json", "csv"):
                    self.log_entry(run_id, folder, {"file": f"{name}.{suffix}"})
                self._show_table(run_id, name)
            case {"image": name, "key": key, "step": step}:
                with Image.open(folder / name) as image:
                    client.log_image(run_id, image, key=key, step=step)
            case {"status": status}:
                client.set_terminated(run_id, status)

    def log_figure(self, run_id: str, figure: Figure, name: str) -> None:
        """Keep a figure as figures/<name>.png."""
        self.client.log_figure(run_id, figure, f"figures/{name}.png", save_kwargs={"dpi": 110})

    def log_table(self, run_id: str, table: pd.DataFrame, name: str) -> None:
        """Keep a table as <name>.json, which the UI shows, and as <name>.csv.

        MlflowClient.log_table appends to a table of the same name; a refreshed table replaces it.
        """
        self.client.log_text(run_id, table.to_json(orient="split", index=False), f"{name}.json")
        self.client.log_text(run_id, table.to_csv(index=False), f"{name}.csv")
        self._show_table(run_id, name)

    def _show_table(self, run_id: str, name: str) -> None:
        """Let MLflow's UI find a table."""
        tags = self.client.get_run(run_id).data.tags
        tables = json.loads(tags.get(LOGGED_TABLES, "[]"))
        entry = {"path": f"{name}.json", "type": "table"}
        if entry not in tables:
            self.client.set_tag(run_id, LOGGED_TABLES, json.dumps([*tables, entry]))


def brief(error: BaseException) -> str:
    """Give the first line of an error as a sentence, without the password that a URI may hold."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return re.sub(r"//[^/@\s]*@", "//", line).rstrip(".") + "."


def _chunks(values: Mapping[str, Any]) -> Iterator[list[tuple[str, Any]]]:
    """Split values into as many as MLflow takes at once."""
    pairs = list(values.items())
    for start in range(0, len(pairs), BATCH):
        yield pairs[start : start + BATCH]


def scalars(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten nested config values to the texts that become MLflow parameters."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= scalars(value, f"{prefix}{key}.")
        elif not key.startswith("_"):
            flat[f"{prefix}{key}"] = "null" if value is None else str(value)
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
