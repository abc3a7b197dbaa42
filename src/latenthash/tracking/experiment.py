"""An MLflow experiment: how it is opened, and where it may be written."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from latenthash.errors import InputError
from latenthash.system.files import make_folder
from latenthash.system.processes import Processes
from latenthash.tracking import database
from latenthash.tracking.client import (
    STORE_ERRORS,
    MlflowClient,
    MlflowException,
    Run,
    StoreRefused,
    brief,
    make_tables,
    patience,
)
from latenthash.tracking.names import PROCESS
from latenthash.tracking.store_uri import WAYS, StoreURI, artifact_folder, local_path, sqlite_uri

log = logging.getLogger(__name__)


class Experiment:
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
        self.address = StoreURI.parse(tracking_uri)
        self.name = experiment_name
        self.root = artifact_folder(artifact_root)
        self.reading = reading
        self._opened: tuple[MlflowClient, str] | None = None
        if not later:
            self.open()

    def open(self) -> None:
        """Open the store, unless it is open.

        Raises:
            StoreRefused: if it cannot be opened; the next call tries again.
        """
        if self._opened is not None:
            return
        with self.explained(), patience():
            if self.address.database:
                if not self.reading:
                    database.prepare(self.address.database, self._make_database)
                database.check(self.address.database, writing=not self.reading)
            if not self.reading:
                if self.address.database:
                    make_folder(self.root, "The folder for artifacts, logger.artifact_root,")
                self.processes.prepare()
            client = MlflowClient(self.address.text)
            self._opened = client, self._experiment(client)
            if not self.reading:
                self._end_dead()

    @property
    def client(self) -> MlflowClient:
        """MLflow's client of the store, which is opened for it."""
        self.open()
        assert self._opened is not None
        return self._opened[0]

    @property
    def id(self) -> str:
        """Its id; empty when there is none to read from."""
        self.open()
        assert self._opened is not None
        return self._opened[1]

    def _make_database(self, path: Path) -> None:
        make_tables(StoreURI.parse(sqlite_uri(path)).text, self.root)

    def _experiment(self, client: MlflowClient) -> str:
        """Return the id of the experiment; empty when there is none to read from."""
        name, reading = self.name, self.reading
        experiment = client.get_experiment_by_name(name)
        if experiment is None and not reading:
            try:
                location = self.root.as_uri() if self.address.database else None
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
            self.check_place(f"the experiment {name}", experiment.artifact_location)
        return str(experiment.experiment_id)

    def check_place(self, what: str, artifact_uri: str) -> None:
        """Refuse to write where the project is no longer: not at the root, nor by the database."""
        place = local_path(artifact_uri)
        here = [self.root, *([self.address.database.parent] if self.address.database else [])]
        if place is not None and not any(
            place.resolve().is_relative_to(folder.resolve()) for folder in here
        ):
            raise InputError(
                f"MLflow keeps the artifacts of {what} in {place}, and not in {self.root}: was the "
                "project moved or copied? Move it back; or begin another experiment here with "
                f"logger.experiment_name=NAME; or go on there with logger.artifact_root={place}."
            )

    def check_free(self) -> None:
        """Refuse a database that another program holds; MLflow would try for long."""
        if self.address.database:
            database.check(self.address.database, writing=True)

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
        return str(self.address)

    def lock(self) -> AbstractContextManager[object]:
        """Keep other processes of this machine from creating the same things."""
        return database.lock(self.address.database) if self.address.database else nullcontext()

    @property
    def processes(self) -> Processes:
        """The processes of this machine that keep runs in this experiment."""
        place = self.address.database or self.root
        folder = place.with_name(f"{place.name}.processes")
        return Processes(folder, f"{self} {self.name}")

    def find(self, tags: Mapping[str, str], status: str | None = None) -> list[Run]:
        """List runs with all these tags, and this status when one is given; the newest first."""
        if not self.id:
            return []
        conditions = [f"tags.`{name}` = '{value}'" for name, value in tags.items()]
        if status:
            conditions.append(f"attributes.status = '{status}'")
        return list(
            self.client.search_runs(
                [self.id], " and ".join(conditions), order_by=["start_time DESC"],
                max_results=50_000,
            )
        )  # fmt: skip

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
