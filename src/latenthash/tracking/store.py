"""MLflow: the store, where runs are found and kept.

The only module that imports mlflow.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from traceback import walk_tb
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from omegaconf import DictConfig
from PIL import Image
from sqlalchemy.exc import SQLAlchemyError

from latenthash.errors import InputError
from latenthash.report.tables import write_figure, write_table
from latenthash.system.files import make_folder
from latenthash.system.processes import Processes
from latenthash.system.surroundings import escape_migrations
from latenthash.system.terminal import escaped, without_password
from latenthash.tracking import database
from latenthash.tracking.store_uri import WAYS, StoreURI, artifact_folder, local_path, sqlite_uri

# A research tool on private pictures tells nobody that it runs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# MLflow would print the server's address with its password.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.entities import Run as Run  # exported: sweeps speak of runs too
from mlflow.environment_variables import (
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_HTTP_REQUEST_TIMEOUT,
    MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER,
)
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

escape_migrations(mlflow.__file__)
log = logging.getLogger(__name__)
for noisy in ("alembic", "mlflow.tracking"):
    logging.getLogger(noisy).setLevel(logging.WARNING)
# They log errors that are raised as well, one with its traceback.
for twice in ("mlflow.store.db.utils", "urllib3.connectionpool"):
    logging.getLogger(twice).setLevel(logging.CRITICAL)


class StoreRefused(InputError):
    """A store cannot be used now; the message names it and the way out."""


# What writing to a store raises: its server is gone, its disk is full, the run was deleted.
STORE_ERRORS = (StoreRefused, MlflowException, SQLAlchemyError, OSError)
BATCH = 100  # parameters, metrics or tags that MLflow takes at once
LONGEST = 250  # letters of a parameter's value; the limit of older servers
KIND, FINGERPRINT, OVERRIDES = "latenthash.kind", "latenthash.fingerprint", "latenthash.overrides"
FOLDER = "latenthash.folder"  # tag of a run: URI of the folder that its paths are relative to
PROCESS = "latenthash.process"  # tag: which process of which machine the run is of
HAS_BUNDLE = "latenthash.bundle"  # tag of a run that can be evaluated
RECORDED = "latenthash.record"  # tag: the token of the record in the run's output folder
REUSED = "latenthash.reused."  # tag of a parent: this + run id -> the overrides it stands for
JOB, SWEEP, BENCHMARK = "job", "sweep", "benchmark"
PARENT, RUN_NAME = MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME  # MLflow's own tags
LOGGED_TABLES = "mlflow.loggedArtifacts"  # the tag by which MLflow's UI finds tables
BUNDLE, MODEL = "bundle", "model"  # artifacts: what a run leaves
HELD_OUT, TEST_LATENTS = "held_out", "test_latents"  # tables among the artifacts


class Store:
    """An MLflow experiment on a tracking server or in a local database.

    A store that is opened to write to it marks the runs of dead processes.

    Args:
        tracking_uri: of the server, or sqlite:///<path>.
        experiment_name: created when it does not exist.
        artifact_root: folder for artifacts; used with a local database only, and only when
            the experiment is created.
        reading: nothing is made, and a deleted experiment is as good as none.
        later: whether it is opened when first used, and not at once.

    Raises:
        InputError: if this names no store.
        StoreRefused: if it cannot be opened, or would keep artifacts in another place.
    """

    def __init__(
        self,
        tracking_uri: str,
        experiment_name: str,
        artifact_root: str,
        reading: bool = False,
        later: bool = False,
    ) -> None:
        self.name = StoreURI.parse(tracking_uri)
        self.uri = self.name.text
        self.root = artifact_folder(artifact_root)
        self.experiment = experiment_name
        self.reading = reading
        self._opened: tuple[MlflowClient, str] | None = None
        if not later:
            self.open()

    def open(self) -> tuple[MlflowClient, str]:
        """Open the store, unless it is open, and give MLflow's client and the experiment's id.

        Raises:
            StoreRefused: if it cannot be opened; the next call tries again.
        """
        if self._opened is None:
            with self.explained(), _patience():
                if self.name.database:
                    if not self.reading:
                        database.prepare(self.name.database, self._make_database)
                    database.check(self.name.database, writing=not self.reading)
                if not self.reading:
                    if self.name.database:
                        make_folder(self.root, "The folder for artifacts, logger.artifact_root,")
                    self.processes.prepare()
                client = MlflowClient(self.uri)
                self._opened = client, self._experiment(client)
                if not self.reading:
                    self._end_dead()
        return self._opened

    @property
    def client(self) -> MlflowClient:
        """MLflow's client of the store, which is opened for it."""
        return self.open()[0]

    @property
    def experiment_id(self) -> str:
        """The id of the experiment; empty when there is none to read from."""
        return self.open()[1]

    def _make_database(self, path: Path) -> None:
        """Let MLflow make its tables, and the experiment that it calls Default."""
        uri = StoreURI.parse(sqlite_uri(path)).text
        SqlAlchemyStore(uri, self.root.as_uri()).engine.dispose()  # type: ignore[no-untyped-call]

    def _experiment(self, client: MlflowClient) -> str:
        """Give the id of the experiment; nothing when there is none to read from."""
        name, reading = self.experiment, self.reading
        experiment = client.get_experiment_by_name(name)
        if experiment is None and not reading:
            try:
                location = self.root.as_uri() if self.name.database else None
                client.create_experiment(name, location)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was faster
                    raise
            experiment = client.get_experiment_by_name(name)
        if experiment is None:
            return ""
        if experiment.lifecycle_stage == "deleted":
            deleted = f"The MLflow experiment {name} in {self} was deleted; restore it, or name "
            deleted += "another one with logger.experiment_name=NAME."
            if not reading:
                raise InputError(deleted)
            log.warning("%s", deleted)
            return ""
        if not reading:
            self._check_place(f"the experiment {name}", experiment.artifact_location)
        return str(experiment.experiment_id)

    def _check_place(self, what: str, artifact_uri: str) -> None:
        """Refuse to write where the project is no longer: not at the root, nor by the database."""
        place = local_path(artifact_uri)
        here = [self.root, *([self.name.database.parent] if self.name.database else [])]
        if place is not None and not any(
            place.resolve().is_relative_to(folder.resolve()) for folder in here
        ):
            raise InputError(
                f"MLflow keeps the artifacts of {what} in {place}, and not in {self.root}: was the "
                "project moved or copied? Move it back; or begin another experiment here with "
                f"logger.experiment_name=NAME; or go on there with logger.artifact_root={place}."
            )

    @contextmanager
    def explained(self, verb: str = "opened") -> Iterator[None]:
        """Turn what the store raises into a sentence on what it cannot be, without a password."""
        try:
            yield
        except InputError as error:
            raise StoreRefused(error.problems) from error
        except Exception as error:  # MLflow lets pass what SQLAlchemy, requests, protobuf raise
            raise StoreRefused(
                f"The MLflow store {self} cannot be {verb}: {brief(error)} Put it right, or set "
                f"MLFLOW_TRACKING_URI or logger.tracking_uri to one that can: {WAYS}."
            ) from error

    def __str__(self) -> str:
        return str(self.name)

    def lock(self) -> AbstractContextManager[object]:
        """Keep other processes of this machine from creating the same things."""
        return database.lock(self.name.database) if self.name.database else nullcontext()

    def find(self, tags: Mapping[str, str], status: str | None = None) -> list[Run]:
        """List runs with all these tags, and this status when one is given; the newest first."""
        if not self.experiment_id:
            return []
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
                raise no_run(run_id, self.name)
            return runs[0]
        run = self.get(run_id)
        if run is None:
            raise no_run(run_id, self.name)
        return run

    def get(self, run_id: str) -> Run | None:
        """Find a run by its id; None when there is none, or it was deleted."""
        try:
            run = self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            run = None
        if run is None or run.info.lifecycle_stage == "deleted":
            return None
        return run

    @contextmanager
    def bundle(self, run: Run) -> Iterator[Path]:
        """Give a run's bundle as a folder for as long as it is needed."""
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
        moved: Path = self.root / run.info.run_id / "artifacts" / name
        if before is not None and not (before / name).exists() and moved.exists():
            return moved
        path: str = self.client.download_artifacts(run.info.run_id, name, folder)
        return Path(path)

    def add(self, run: Run, table: pd.DataFrame, name: str, figures: Sequence[Path]) -> None:
        """Add a table and figures, each by its file, to a run that has ended.

        Raises:
            StoreRefused: if they cannot be kept, or would lie outside the project.
        """
        with self.explained("written to"):
            self._check_place(f"run {run.info.run_id}", run.info.artifact_uri)
            self._check_free()
            self.log_table(run.info.run_id, table, name)
            for path in figures:
                self.client.log_artifact(run.info.run_id, str(path), f"figures/{path.parent.name}")

    def _check_free(self) -> None:
        """Refuse a database that another program holds; MLflow would try for long."""
        if self.name.database:
            database.check(self.name.database, writing=True)

    @property
    def processes(self) -> Processes:
        """The processes of this machine that keep runs in this experiment."""
        place = self.name.database or self.root
        folder = place.with_name(f"{place.name}.processes")
        return Processes(folder, f"{self} {self.experiment}")

    def _end_dead(self) -> None:
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
        with self.explained("written to"):
            self._check_free()
        known = resolve_tags({**tags, PROCESS: self.processes.own})  # user, source, commit
        return str(self.client.create_run(self.experiment_id, tags=known).info.run_id)

    def add_ended(self, tags: Mapping[str, str], status: str, traceback: str) -> None:
        """Add a run that ended before it began."""
        try:
            run_id = self.create_run(tags)
            self.client.set_terminated(run_id, status)
            self.client.log_text(run_id, without_password(traceback), "traceback.txt")
        except STORE_ERRORS as error:
            log.warning("MLflow was not told of the failure: %s", brief(error))

    def end(self, run_id: str, status: str) -> None:
        """End a run that cannot be gone on with, if the store can be told."""
        try:
            self.client.set_terminated(run_id, status)
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
        with self.explained("written to"):
            self._check_free()
        try:
            run = self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False
        if not tags.items() <= run.data.tags.items():
            return False
        self._check_place(f"run {run_id}", run.info.artifact_uri)
        process = run.data.tags.get(PROCESS, "")
        if process != self.processes.own and self.processes.is_alive(process):
            raise InputError(f"Run {run_id} is still being made: wait until its process has ended.")
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

    def _show_table(self, run_id: str, name: str) -> None:
        """Let MLflow's UI find a table."""
        tags = self.client.get_run(run_id).data.tags
        tables = json.loads(tags.get(LOGGED_TABLES, "[]"))
        entry = {"path": f"{name}.json", "type": "table"}
        if entry not in tables:
            self.client.set_tag(run_id, LOGGED_TABLES, json.dumps([*tables, entry]))


def brief(error: BaseException) -> str:
    """Give what first went wrong as a sentence, without the password that a URI may hold.

    Args:
        error: a refusal speaks for itself; of others the cause says more.
    """
    while not isinstance(error, InputError) and (earlier := _before(error)) is not None:
        error = earlier
    line = without_password(str(error)).strip().partition("\n")[0]
    if not isinstance(error, InputError):  # a server may answer with a whole page
        line = line[:400]
    return (line.rstrip(".") or type(error).__name__) + "."


def _before(error: BaseException) -> BaseException | None:
    """Give the error that an error came of; None when there was none, or none of its own."""
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    before = error.__context__
    if before is None or before.__traceback__ is None:
        return None
    # A run that failed is told to the store while its error is handled, further out. That error is
    # no cause: only what was caught on the way of this one is.
    way = [frame for frame, _ in walk_tb(error.__traceback__)]
    return before if before.__traceback__.tb_frame in way else None


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
            flat[f"{prefix}{key}"] = "null" if value is None else escaped(str(value))
    return flat


def open_store(config: DictConfig) -> Store:
    """Open the store that the config's logger names, and make it when there is none."""
    logger = config.logger
    return Store(logger.tracking_uri, logger.experiment_name, logger.artifact_root)


def find_store(config: DictConfig) -> Store | None:
    """Open the store that the config's logger names to read from it; None when there is none."""
    logger = config.logger
    database = StoreURI.parse(logger.tracking_uri).database
    if database is not None and not database.exists():
        return None
    return Store(logger.tracking_uri, logger.experiment_name, logger.artifact_root, reading=True)


def no_run(run_id: str, store: StoreURI) -> InputError:
    """Say that there is no such run in a store."""
    if run_id == "latest":
        return InputError(
            f"There is no finished run in {store}; make one with: "
            "python train.py +experiment=girl_vs_earth_sushi"
        )
    return InputError(
        f"run={run_id} is neither a bundle folder nor a run in {store}; one that was deleted "
        "is none, until MLflow restores it."
    )


def _wait(timeout: int, retries: int) -> None:
    """Set how long MLflow waits for a server, unless the user's variables say so.

    Args:
        timeout: s, of each try.
        retries: after the first try.
    """
    MLFLOW_HTTP_REQUEST_TIMEOUT.default = timeout
    MLFLOW_HTTP_REQUEST_MAX_RETRIES.default = retries
    # A server may ask for hours.
    MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER.default = False


# MLflow's own, 7 retries of 120 s each, are a quarter of an hour of silence.
WAIT = 60, 2
_wait(*WAIT)


@contextmanager
def _patience() -> Iterator[None]:
    """Let MLflow wait seconds for a server that may not be there."""
    _wait(3, 1)
    try:
        yield
    finally:
        _wait(*WAIT)
