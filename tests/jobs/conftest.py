"""A run that the tests of several jobs look at."""

from pathlib import Path

import pytest
from mlflow.entities import Run

from app import TINY, call, runs, sources


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = tmp_path_factory.mktemp("trained")
    overrides = sources(folder)
    # Users write whole paths too, of what lies in the project and of what does not.
    alike = (folder / "noise_similar").rename(folder.parent / f"{folder.name}-alike")
    overrides[2:4] = [f"data.noise_similar={alike}", f"data.outliers={folder / 'outliers'}"]
    done = call("train.py", folder, *TINY, *overrides)
    assert done.code == 0, done.output
    (run,) = runs(folder)
    return folder, run
