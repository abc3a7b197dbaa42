"""MLflow: parent and children of sweeps, failed jobs, resuming, two sweeps at once."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from mlflow.entities import Run

from app import ROOT, TINY, artifact, call, runs, sources
from latenthash import InputError
from latenthash.data.views import Views
from latenthash.tracking import PROCESS, Store, scalars


def children(folder: Path) -> list[Run]:
    (parent,) = runs(folder, "sweep")
    jobs = runs(folder)
    assert all(job.data.tags["mlflow.parentRunId"] == parent.info.run_id for job in jobs)
    return jobs


def comparison(folder: Path) -> pd.DataFrame:
    (parent,) = runs(folder, "sweep")
    return pd.read_csv(artifact(folder, parent, "comparison.csv"))


def test_sweep_is_a_parent_with_its_jobs_and_resumes(tmp_path: Path) -> None:
    command = ["-m", *TINY, *sources(tmp_path), "model.latent_dim=2,3", "seed=0,1"]
    done = call("train.py", tmp_path, *command)
    assert done.code == 0, done.output
    jobs = children(tmp_path)
    names = [f"vae-pixels-k{k}-s{seed}" for k in (2, 3) for seed in (0, 1)]
    assert [job.info.run_name for job in jobs] == names
    assert {job.info.status for job in jobs} == {"FINISHED"}
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == "FINISHED"
    table = comparison(tmp_path)
    assert list(table["run"]) == names
    assert list(table["model.latent_dim"]) == [2, 2, 3, 3]
    assert table["test/tpr"].str.contains(r"\[").all()
    assert artifact(tmp_path, parent, "figures/comparison.png").stat().st_size > 10_000

    again = call("train.py", tmp_path, *command)
    assert again.code == 0, again.output
    assert again.output.count("Skipped") == 4
    assert len(children(tmp_path)) == 4

    more = call("train.py", tmp_path, *command[:-1], "seed=0,2")
    assert more.code == 0, more.output
    assert more.output.count("Skipped") == 2
    parents = runs(tmp_path, "sweep")
    assert len(parents) == 2
    table = pd.read_csv(artifact(tmp_path, parents[1], "comparison.csv"))
    assert len(table) == 4, "reused jobs belong into the table of the sweep that asked for them"


def test_failed_job_is_marked_and_the_others_run_on(tmp_path: Path) -> None:
    overrides = sources(tmp_path)[1:]
    command = ["-m", *TINY, *overrides, "data.signal=nowhere.png,signal/0.png"]
    done = call("train.py", tmp_path, *command)
    assert done.code == 1
    assert "1 job(s) failed: vae-pixels-k2-s0" in done.output
    failed, finished = children(tmp_path)
    assert (failed.info.status, finished.info.status) == ("FAILED", "FINISHED")
    assert "nowhere.png" in artifact(tmp_path, failed, "traceback.txt").read_text()
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == "FAILED"
    assert list(comparison(tmp_path)["status"]) == ["FAILED", "FINISHED"]

    (tmp_path / "nowhere.png").write_bytes((tmp_path / "unseen/0.png").read_bytes())
    (tmp_path / "unseen/0.png").unlink()
    mended = call("train.py", tmp_path, *command)
    assert mended.code == 0, mended.output
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == "FINISHED"


def test_job_that_fails_under_a_progress_bar_does_not_hinder_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Views.__getitem__

    def broken(views: Views, index: int) -> object:
        if views.seed == 1:  # 0 is also that of the printable hash
            raise RuntimeError("no such view")
        return draw(views, index)

    monkeypatch.setattr(Views, "__getitem__", broken)
    done = call("train.py", tmp_path, "-m", *TINY, *sources(tmp_path), "seed=1,2")
    assert done.code == 1
    assert [job.info.status for job in children(tmp_path)] == ["FAILED", "FINISHED"], done.output


def test_single_run_always_runs_and_force_repeats_a_sweep(tmp_path: Path) -> None:
    command = [*TINY, *sources(tmp_path), "resamples=5"]
    for _ in range(2):
        assert call("train.py", tmp_path, *command).code == 0
    assert len(runs(tmp_path)) == 2
    for expected in (2, 3):
        force = f"force={'true' if expected == 3 else 'false'}"
        assert call("train.py", tmp_path, "-m", *command, force).code == 0
        assert len(runs(tmp_path)) == expected


def test_changed_picture_makes_a_new_job(tmp_path: Path) -> None:
    command = ["-m", *TINY, *sources(tmp_path), "resamples=5"]
    assert call("train.py", tmp_path, *command).code == 0
    outlier = tmp_path / "outliers/0.png"
    outlier.write_bytes((tmp_path / "outliers/1.png").read_bytes())
    assert call("train.py", tmp_path, *command).code == 0
    assert len(runs(tmp_path)) == 2


def test_run_that_raises_outside_fit_is_marked_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> Figure:
        raise RuntimeError("no ink")

    monkeypatch.setattr("latenthash.plots.edit_bars", broken)
    done = call("train.py", tmp_path, *TINY, *sources(tmp_path))
    assert done.code == 1
    (run,) = runs(tmp_path)
    assert run.info.status == "FAILED"
    assert not list(tmp_path.rglob("*.ckpt"))
    assert "no ink" in artifact(tmp_path, run, "traceback.txt").read_text()


def test_interrupted_run_is_marked_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object) -> Figure:
        raise KeyboardInterrupt

    monkeypatch.setattr("latenthash.plots.edit_bars", interrupted)
    with pytest.raises(KeyboardInterrupt):
        call("train.py", tmp_path, *TINY, *sources(tmp_path))
    (run,) = runs(tmp_path)
    assert run.info.status == "KILLED"


def test_terminated_run_is_marked_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def terminated(*args: object) -> Figure:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal was not heard")

    monkeypatch.setattr("latenthash.plots.edit_bars", terminated)
    done = call("train.py", tmp_path, *TINY, *sources(tmp_path))
    assert done.code == 128 + signal.SIGTERM
    (run,) = runs(tmp_path)
    assert run.info.status == "KILLED"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_runs_of_dead_processes_are_marked_killed_and_no_others(tmp_path: Path) -> None:
    uri, artifacts = f"sqlite:///{tmp_path}/mlflow.db", str(tmp_path / "mlartifacts")
    store = Store(uri, "latenthash", artifacts)
    folder, prefix = store.processes.folder, store.processes.prefix
    own = store.create_run({"who": "own"})

    def made_by(process: str | None, status: str = "RUNNING") -> str:
        tags = {} if process is None else {PROCESS: process}
        run_id = store.client.create_run(store.experiment_id, tags=tags).info.run_id
        if status != "RUNNING":
            store.client.set_terminated(run_id, status)
        return str(run_id)

    for name in ("dead", "also"):
        (folder / f"{prefix}{name}").touch()
    expected = {
        own: "RUNNING",
        made_by(None): "RUNNING",  # of an older version
        made_by("elsewhere-00000000-1"): "RUNNING",
        made_by(f"{prefix}dead"): "KILLED",
        made_by(f"{prefix}also"): "KILLED",
        made_by(f"{prefix}dead", "FINISHED"): "FINISHED",
    }
    for _ in range(2):
        Store(uri, "latenthash", artifacts).end_dead()
        for run_id, status in expected.items():
            assert store.client.get_run(run_id).info.status == status
    assert {path.name for path in folder.iterdir()} == {store.processes.own}


def test_next_run_marks_what_was_killed(tmp_path: Path) -> None:
    """Kill a real run in the middle of its training."""
    pictures = sources(tmp_path)
    command = [sys.executable, str(ROOT / "train.py"), *TINY, *pictures]
    with subprocess.Popen(
        [*command, "trainer.max_epochs=100000"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert any("Fitting" in line for line in process.stdout)
        process.kill()
    assert [run.info.status for run in runs(tmp_path)] == ["RUNNING"]
    done = call("train.py", tmp_path, *TINY, *pictures)
    assert done.code == 0, done.output
    assert "Now marked KILLED, for their process had died: vae-pixels-k2-s0" in done.output
    assert [run.info.status for run in runs(tmp_path)] == ["KILLED", "FINISHED"]


def test_deleted_experiment_is_named(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    store = Store(uri, "e", str(tmp_path / "artifacts"))
    store.client.delete_experiment(store.experiment_id)
    with pytest.raises(InputError, match=r"experiment e in .* was deleted"):
        Store(uri, "e", str(tmp_path / "artifacts"))


def test_artifacts_lie_where_the_first_run_was_told(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/mlflow.db", "e", str(tmp_path / "artifacts"))
    run = store.client.create_run(store.experiment_id)
    store.log_table(run.info.run_id, pd.DataFrame({"a": [1]}), "t")
    store.log_table(run.info.run_id, pd.DataFrame({"a": [1, 2]}), "t")
    (path,) = (tmp_path / "artifacts").rglob("t.csv")
    assert len(pd.read_csv(path)) == 2, "a refreshed table replaces the old one"


def test_scalars_are_flat_and_leave_out_targets() -> None:
    nested = {"a": 1, "b": {"_target_": "x", "c": "y", "d": [1, 2], "e": None}, "f": 0.5}
    assert scalars(nested) == {
        "a": "1", "b.c": "y", "b.d": "[1, 2]", "b.e": "null", "f": "0.5"
    }  # fmt: skip


@pytest.mark.slow
def test_sweeps_at_once_on_a_fresh_database_run_each_job_once(tmp_path: Path) -> None:
    overrides = sources(tmp_path)

    def sweep(k: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, str(ROOT / "train.py"), "-m", *TINY, *overrides),
                *(f"model.latent_dim={k}", "seed=0,1"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    with ThreadPoolExecutor(3) as pool:
        for done in pool.map(sweep, ("2", "2", "3")):
            assert done.returncode == 0, done.stdout + done.stderr
    assert [run.info.status for run in runs(tmp_path, "sweep")] == ["FINISHED"] * 2
    assert [run.info.status for run in runs(tmp_path)] == ["FINISHED"] * 4
