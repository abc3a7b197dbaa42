"""A fresh store, which tests of runs share."""

import shutil
from pathlib import Path

import pytest

from app import database
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.store import Store


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take seconds to create."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    Store(Experiment(database(path.parent), "empty", str(path.parent / "artifacts")))
    return path


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Store:
    shutil.copy(empty, tmp_path / "mlflow.db")
    return Store(Experiment(database(tmp_path), "latenthash", str(tmp_path / "mlartifacts")))
