"""The run of a job: refused before work where it cannot be kept, and none is done twice."""

from pathlib import Path
from typing import Any

import pytest

from app import client
from latenthash.errors import InputError
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.record import RECORD
from latenthash.tracking.run_logger import RunLogger
from latenthash.tracking.store import Store
from records import GONE


def job(tmp_path: Path, **more: Any) -> RunLogger:
    return RunLogger(
        experiment_name="latenthash", tracking_uri=f"sqlite:///{tmp_path}/mlflow.db",
        artifact_root=str(tmp_path / "mlartifacts"), run_name="job", overrides="",
        fingerprint="f", folder=str(tmp_path / "out"), **{"parent_run_id": None, **more},
    )  # fmt: skip


@pytest.mark.parametrize("name", ["bundle", "model"])
def test_folder_with_results_is_refused_first(store: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / "out" / name).mkdir(parents=True)
    (tmp_path / "out" / RECORD).write_text("kept")
    run = job(tmp_path)
    with pytest.raises(InputError, match=f"{name} exists already.*hydra.run.dir=PATH") as caught:
        run.begin()
    run.fail(caught.value)
    assert (tmp_path / "out" / RECORD).read_text() == "kept"
    (made,) = store.find({})
    assert made.info.status == "FAILED"


def test_job_of_a_sweep_that_was_deleted_is_not_done_twice(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = job(tmp_path)
    done.begin()
    done.finish()
    parent = store.create_run({})
    assert not job(tmp_path).reuse_finished()  # a single job is repeated
    assert job(tmp_path, parent_run_id=parent).reuse_finished()
    assert "cannot show" not in caplog.text
    client(store).delete_run(parent)
    assert job(tmp_path, parent_run_id=parent).reuse_finished()
    assert "cannot show what was done before" in caplog.text


def test_single_job_asks_for_none_that_was_done(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Experiment, "find")
    assert not job(tmp_path).reuse_finished()


def test_store_that_takes_no_run_is_refused_before_work(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> str:
        raise GONE

    monkeypatch.setattr(Store, "create_run", fails)
    run = job(tmp_path)
    with pytest.raises(InputError, match=r"takes no run: API request to http://\*\*\*@host failed"):
        run.begin()
