"""MLflow itself: imported here alone, made quiet and quick to give up, and its errors told."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb

from sqlalchemy.exc import SQLAlchemyError

from latenthash.errors import InputError
from latenthash.system.terminal import without_password
from latenthash.tracking.migrations import escape_migrations

# A research tool on private pictures tells nobody that it runs.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# MLflow would print the server's address with its password.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Metric, Param, Run, RunTag
from mlflow.environment_variables import (
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_HTTP_REQUEST_TIMEOUT,
    MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER,
)
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking.context.registry import resolve_tags

__all__ = [
    "Dataset",
    "DatasetInput",
    "Metric",
    "MlflowClient",
    "MlflowException",
    "Param",
    "Run",
    "RunTag",
]

escape_migrations(mlflow.__file__)
for noisy in ("alembic", "mlflow.tracking"):
    logging.getLogger(noisy).setLevel(logging.WARNING)
# They log errors that are raised as well, one with its traceback.
for twice in ("mlflow.store.db.utils", "urllib3.connectionpool"):
    logging.getLogger(twice).setLevel(logging.CRITICAL)


class StoreRefused(InputError):
    """A store cannot be used now; the message names it and the way out."""


# What writing to a store raises: its server is gone, its disk is full, the run was deleted.
STORE_ERRORS = (StoreRefused, MlflowException, SQLAlchemyError, OSError)


def make_tables(uri: str, artifacts: Path) -> None:
    """Let MLflow make its tables in a database, and the experiment that it calls Default."""
    SqlAlchemyStore(uri, artifacts.as_uri()).engine.dispose()  # type: ignore[no-untyped-call]


def with_surroundings(tags: Mapping[str, str]) -> dict[str, str]:
    """Add what MLflow's UI shows of every run: user, source and commit."""
    return dict(resolve_tags(dict(tags)))


def brief(error: BaseException) -> str:
    """Return what first went wrong as a sentence, without the password that a URI may hold.

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
    """Return the error that an error came of; None when there was none, or none of its own."""
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    before = error.__context__
    if before is None or before.__traceback__ is None:
        return None
    # A run that failed is told to the store while its error is handled, further out. That error is
    # no cause: only what was caught on the way of this one is.
    way = [frame for frame, _ in walk_tb(error.__traceback__)]
    return before if before.__traceback__.tb_frame in way else None


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
def patience() -> Iterator[None]:
    """Let MLflow wait seconds for a server that may not be there."""
    _wait(3, 1)
    try:
        yield
    finally:
        _wait(*WAIT)
