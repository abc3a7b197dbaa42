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
from matplotlib.figure import Figure
from numpy.typing import NDArray
from omegaconf import DictConfig
from pytorch_lightning.loggers import MLFlowLogger

from latenthash import InputError, database
from latenthash.resolvers import register_resolvers
from latenthash.store_uri import WAYS, StoreURI, local_path, sqlite_uri, without_password
from latenthash.surroundings import escape_migrations
from latenthash.terminal import escaped

# A research tool on private pictures tells nobody that it runs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# MLflow would print the server's address with its password.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
# The default of 7, each twice as long as the last, is minutes of silence before a refusal.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run as Run  # exported: sweeps speak of runs too
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

escape_migrations(mlflow.__file__)
log = logging.getLogger(__name__)
for noisy in ("alembic", "mlflow.tracking"):
    logging.getLogger(noisy).setLevel(logging.WARNING)
# They log errors that are raised as well, one with its traceback.
for twice in ("mlflow.store.db.utils", "urllib3.connectionpool"):
    logging.getLogger(twice).setLevel(logging.CRITICAL)
# A launcher of parallel jobs starts them without train.py, which registers them too.
register_resolvers()

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
        reading: nothing is made, and a deleted experiment is as good as none.

    Raises:
        InputError: if the store cannot be opened, or would keep artifacts in another place.
    """

    def __init__(
        self, tracking_uri: str, experiment_name: str, artifact_root: str, reading: bool = False
    ) -> None:
        self.name = StoreURI.parse(tracking_uri)
        self.uri = self.name.text
        self.root = Path(artifact_root).absolute()
        with self.explained(), _patience():
            if self.name.database:
                if not reading:
                    database.prepare(self.name.database, self._make_database)
                database.check(self.name.database, writing=not reading)
            self.client = MlflowClient(self.uri)
            self.experiment_id = self._experiment(experiment_name, reading)

    def _make_database(self, path: Path) -> None:
        """Let MLflow make its tables, and the experiment that it calls Default."""
        uri = StoreURI.parse(sqlite_uri(path)).text
        SqlAlchemyStore(uri, self.root.as_uri()).engine.dispose()  # type: ignore[no-untyped-call]

    def _experiment(self, name: str, reading: bool) -> str:
        """Give the id of the experiment; nothing when there is none to read from."""
        experiment = self.client.get_experiment_by_name(name)
        if experiment is None and not reading:
            try:
                location = self.root.as_uri() if self.name.database else None
                self.client.create_experiment(name, location)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was faster
                    raise
            experiment = self.client.get_experiment_by_name(name)
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
        """Refuse to write where the project is no longer."""
        place = local_path(artifact_uri)
        if place is not None and not place.resolve().is_relative_to(self.root.resolve()):
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
        except InputError:
            raise
        except Exception as error:  # MLflow lets pass what SQLAlchemy, requests, protobuf raise
            raise InputError(
                f"The MLflow store {self} cannot be {verb}: {_cause(error)}. Put it right, or set "
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

    def add(self, run: Run, table: pd.DataFrame, name: str, figures: Mapping[str, Figure]) -> None:
        """Add a table and figures to a run that has ended.

        Raises:
            InputError: if they cannot be kept, or would lie outside the project.
        """
        self._check_place(f"run {run.info.run_id}", run.info.artifact_uri)
        with self.explained("written to"):
            self.log_table(run.info.run_id, table, name)
            for title, figure in figures.items():
                self.log_figure(run.info.run_id, figure, title)

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
        text = without_password("".join(traceback.format_exception(error)))
        self.client.log_text(run_id, text, "traceback.txt")

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
        super().__init__(experiment_name, run_name, self.store.uri, tags)
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
        """Keep a text under a file name, without passwords."""
        self.experiment.log_text(self.id, without_password(text), name)

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


def _cause(error: BaseException) -> str:
    """Give the text of what first went wrong: a line without passwords."""
    while (earlier := error.__cause__ or error.__context__) is not None:
        error = earlier
    # A server may answer with a whole page.
    line = without_password(str(error)).strip().partition("\n")[0][:400].rstrip(".")
    return line or type(error).__name__


@contextmanager
def _patience() -> Iterator[None]:
    """Let MLflow wait seconds, not minutes, for a server that is not there."""
    before = dict(os.environ)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")  # s, of each of two tries
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
    os.environ["MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER"] = "false"
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
