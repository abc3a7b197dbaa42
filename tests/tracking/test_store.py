"""MLflow: parent and children of sweeps, failed jobs, resuming, two sweeps at once."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from matplotlib.figure import Figure
from mlflow.entities import Run
from mlflow.environment_variables import (
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_HTTP_REQUEST_TIMEOUT,
)

from app import TINY, artifact, call, client, runs, sources
from latenthash.data.views import Views
from latenthash.errors import InputError
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.names import HAS_BUNDLE, JOB, KIND, OVERRIDES, PROCESS, REUSED
from latenthash.tracking.store import Store
from latenthash.tracking.store_uri import sqlite_uri
from latenthash.tracking.sweep import jobs_of
from latenthash.tracking.writing import scalars
from project import FOLDERS, ROOT


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
    assert {"mlflow.user", "mlflow.source.name"} <= set(parent.data.tags)
    note = parent.data.tags["mlflow.note.content"]
    assert "\n\n    python train.py -m data=folders " in note
    search = f"searchFilter=tags.mlflow.parentRunId+%3D+%27{parent.info.run_id}%27"
    order = "orderByKey=metrics.%60test%2Ffpr_unseen%60&orderByAsc=true"
    assert f"runs?workflowType=machine_learning&{search}&{order}" in note
    cells = {cell.strip() for cell in note.replace("&ensp;", "").split("|")}
    assert {"model.latent\\_dim", "TPR", "FPR unseen", "drift"} <= cells
    assert {"vae-pixels-k3-s1", "vae-pixels-k2-s0 ... vae-pixels-k2-s1"} <= cells

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
    note = parents[1].data.tags["mlflow.note.content"]
    assert all(run_id in note for run_id in (jobs[0].info.run_id, jobs[2].info.run_id))
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
    done = call("train.py", tmp_path, *TINY, *sources(tmp_path))
    assert done.code == 128 + signal.SIGINT
    assert done.output.endswith("Interrupted.\n")
    assert "Traceback" not in done.output
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
    store = Store(Experiment(uri, "latenthash", artifacts))
    folder, prefix = store.experiment.processes.folder, store.experiment.processes.prefix
    own = store.create_run({"who": "own"})

    def made_by(process: str | None, status: str = "RUNNING") -> str:
        tags = {} if process is None else {PROCESS: process}
        run_id = client(store).create_run(store.experiment.id, tags=tags).info.run_id
        if status != "RUNNING":
            client(store).set_terminated(run_id, status)
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
        Store(Experiment(uri, "latenthash", artifacts))
        for run_id, status in expected.items():
            assert client(store).get_run(run_id).info.status == status
    assert {path.name for path in folder.iterdir()} == {store.experiment.processes.own}


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


# ---- how a store is opened ----


@pytest.fixture
def place(empty: Path, tmp_path: Path) -> Path:
    """A project folder with a database that holds no experiment of its own."""
    shutil.copy(empty, tmp_path)
    return tmp_path


def opened(folder: Path, name: str = "e", reading: bool = False) -> Store:
    return Store(
        Experiment(sqlite_uri(folder / "mlflow.db"), name, str(folder / "mlartifacts"), reading)
    )


def run_with_bundle(store: Store) -> Run:
    run_id = client(store).create_run(store.experiment.id, tags={KIND: JOB}).info.run_id
    client(store).log_text(run_id, "x", "bundle/hash.json")
    client(store).set_tag(run_id, HAS_BUNDLE, "true")
    client(store).set_terminated(run_id, "FINISHED")
    return client(store).get_run(run_id)


def test_fresh_database_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.store.db import utils

    def stopped(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(utils, "_upgrade_db", stopped)  # some of the tables are there by now
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path)
    assert not (tmp_path / "mlflow.db").exists()
    store = opened(tmp_path)
    others = {"mlartifacts", "mlflow.db.processes", "mlflow.db.lock"}
    assert {p.name for p in tmp_path.iterdir()} - others == {"mlflow.db"}
    default = client(store).get_experiment("0")
    assert default.artifact_location == (tmp_path / "mlartifacts/0").as_uri()


@pytest.mark.parametrize("name", FOLDERS[1:7])
def test_everything_lies_in_the_folder_whatever_its_name(
    empty: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(empty, folder)
    store = opened(folder)
    with store.bundle(run_with_bundle(store)) as bundle:
        assert (bundle / "hash.json").read_text() == "x"
    assert [p.name for p in tmp_path.iterdir()] == [name], "no other folder is made"
    assert len(list(folder.glob("mlartifacts/*/artifacts/bundle/hash.json"))) == 1


def test_store_that_cannot_be_used_is_a_sentence_in_seconds(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latenthash.tracking.database.BUSY", 0.1)
    (place / "file").touch()
    (place / "folder").mkdir()
    (place / "garbage").write_bytes(b"garbage" * 999)
    shutil.copy(place / "mlflow.db", place / "old")
    with closing(sqlite3.connect(place / "old")) as old, old:
        old.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    with closing(sqlite3.connect(place / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for uri, sentence in {
            sqlite_uri(place / "file/mlflow.db"): "cannot be opened: [Errno ",
            sqlite_uri(place / "folder"): "is no file",
            sqlite_uri(place / "garbage"): "(file is not a database)",
            sqlite_uri(place / "old"): "mlflow db upgrade",
            sqlite_uri(place / "mlflow.db"): "(database is locked)",
            "http://me:s3cret@127.0.0.1:1": "***@127.0.0.1:1 cannot be opened: [Errno 111]",
            "postgresql://me:s3cret@host/db": "is no store that can be used",
        }.items():
            start = time.monotonic()
            with pytest.raises(InputError) as caught:
                Store(Experiment(uri, "e", str(place / "mlartifacts")))
            assert sentence in str(caught.value)
            assert "s3cret" not in str(caught.value)
            assert time.monotonic() - start < 5


class Silent(BaseHTTPRequestHandler):
    """A server that never answers."""

    def do_GET(self) -> None:
        """Keep who asks waiting."""
        time.sleep(5)


class Wordy(BaseHTTPRequestHandler):
    """A server that is not MLflow's."""

    def do_GET(self) -> None:
        """Answer with a long page."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>" + b"x" * 10**6)

    def log_message(self, *args: object) -> None:
        """Keep the output of the tests clean."""


@pytest.mark.parametrize(
    ("handler", "sentence"), [(Silent, "timed out"), (Wordy, "not in a valid JSON format")]
)
def test_what_is_no_mlflow_server_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handler: type, sentence: str
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    before = dict(os.environ)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(InputError, match=sentence) as caught:
            Store(
                Experiment(f"http://me:s3cret@127.0.0.1:{server.server_port}", "e", str(tmp_path))
            )
        server.shutdown()
    assert "s3cret" not in str(caught.value)
    assert len(str(caught.value)) < 800
    assert os.environ == before


@pytest.mark.parametrize("given", [None, "7"])
def test_server_is_waited_for_longer_once_it_has_answered(
    place: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    """A busy server is not a dead one; and what the user sets goes before."""
    names = ("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES")
    for name in names if given else ():
        monkeypatch.setenv(name, str(given))
    waited = []

    def waits() -> tuple[int, int]:
        return MLFLOW_HTTP_REQUEST_TIMEOUT.get(), MLFLOW_HTTP_REQUEST_MAX_RETRIES.get()

    monkeypatch.setattr(Experiment, "_experiment", lambda *_: str(waited.append(waits())))
    opened(place)
    for opening, later in zip(*waited, waits(), strict=True):
        assert (opening, later) == (7, 7) if given else opening < 5 and 2 <= later <= 60
    assert given or not set(names) & set(os.environ), "jobs in other processes would take it up"


def test_deleted_experiment_is_named_and_holds_nothing_to_read(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(place)
    run = run_with_bundle(store)
    client(store).delete_experiment(store.experiment.id)
    with pytest.raises(InputError, match=r"experiment e in .* was deleted; restore it, or name"):
        opened(place)
    reading = opened(place, reading=True)
    assert "experiment e in" in caplog.text
    assert reading.evaluable() == []
    with pytest.raises(InputError, match="no finished run"):
        reading.run("latest")
    with pytest.raises(InputError, match="neither a bundle folder nor a run"):
        reading.run(run.info.run_id)


def test_reading_makes_nothing(place: Path) -> None:
    assert opened(place, reading=True).evaluable() == []
    assert client(opened(place, reading=True)).get_experiment_by_name("e") is None
    assert {p.name for p in place.iterdir()} == {"mlflow.db"}


def test_deleted_runs_are_as_good_as_none(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = opened(place)
    older, newer, gone = (run_with_bundle(store).info.run_id for _ in range(3))
    parent = (
        client(store)
        .create_run(
            store.experiment.id, tags={REUSED + run_id: run_id for run_id in (older, newer, gone)}
        )
        .info.run_id
    )
    for run_id in (older, newer, gone):
        client(store).set_tag(run_id, OVERRIDES, run_id)
    client(store).delete_run(newer)
    # What `mlflow gc` does to a run that was deleted.
    client(store).delete_run(gone)
    client(store)._tracking_client.store._hard_delete_run(gone)
    assert store.run("latest").info.run_id == older
    for run_id in (newer, gone, "nowhere", "../x"):
        assert store.get(run_id) is None
        with pytest.raises(InputError, match=f"run={run_id} is neither"):
            store.run(run_id)
    for _ in range(2):
        assert [run.info.run_id for run in jobs_of(store, parent)] == [older]
    assert caplog.text.count("was deleted: the sweep's tables are without it") == 2


def test_project_that_was_moved_is_read_and_not_written_elsewhere(place: Path) -> None:
    old, new = place / "old", place / "new"
    old.mkdir()
    (place / "mlflow.db").rename(old / "mlflow.db")
    store = opened(old)
    run = run_with_bundle(store)
    lost = run_with_bundle(store)
    shutil.rmtree(old / "mlartifacts" / lost.info.run_id)
    old.rename(new)
    with pytest.raises(InputError, match="was the project moved or copied") as caught:
        opened(new)
    for part in (
        f"in {old}/mlartifacts, and not in {new}/mlartifacts",
        "logger.experiment_name=NAME",
    ):
        assert part in str(caught.value)
    moved = opened(new, reading=True)
    with moved.bundle(moved.run(run.info.run_id)) as bundle:
        assert (bundle / "hash.json").read_text() == "x"
    with (
        pytest.raises(InputError, match=f"has left no bundle in {old}/mlartifacts"),
        moved.bundle(lost),
    ):
        pass
    with pytest.raises(InputError, match="moved or copied"):
        moved.add(run, pd.DataFrame({"a": [1]}), "t", {})
    assert not old.exists()
    # The ways out that the sentence names.
    assert opened(new, "another").experiment.id
    Store(Experiment(sqlite_uri(new / "mlflow.db"), "e", f"{old}/mlartifacts"))
    shutil.rmtree(old)
    new.rename(old)
    opened(old).add(run, pd.DataFrame({"a": [1]}), "t", {})
    assert next(old.rglob("t.csv")).read_text() == "a\n1\n"


def test_artifacts_that_cannot_be_written_are_a_sentence(place: Path) -> None:
    store = opened(place)
    run = run_with_bundle(store)
    shutil.rmtree(place / "mlartifacts")
    (place / "mlartifacts").touch()
    with pytest.raises(InputError, match="cannot be written to"):
        store.add(run, pd.DataFrame({"a": [1]}), "t", {})


def test_database_of_another_program_stays_as_it_is(place: Path) -> None:
    path = place / "mlflow.db"
    path.unlink()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE experiments (id INTEGER, name TEXT)")
        other.execute("INSERT INTO experiments VALUES (1, 'mine')")
    before = path.read_bytes()
    for reading in (True, False):
        with pytest.raises(InputError, match="or of another program"):
            opened(place, reading=reading)
    assert path.read_bytes() == before
    assert {p.name for p in place.iterdir()} == {"mlflow.db"}


@pytest.mark.parametrize("name", ["mlartifacts", "mlflow.db.processes"])
def test_folder_that_cannot_be_made_is_refused_before_work(place: Path, name: str) -> None:
    (place / name).touch()
    with pytest.raises(InputError, match=f"cannot be used: {place / name} "):
        opened(place)
    assert client(opened(place, reading=True)).get_experiment_by_name("e") is None


def test_database_that_is_held_later_is_not_waited_for_long(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latenthash.tracking.database.BUSY", 0.1)
    run = run_with_bundle(opened(place))
    with closing(sqlite3.connect(place / "mlflow.db", isolation_level=None)) as other:
        reading = opened(place, reading=True)
        other.execute("BEGIN IMMEDIATE")
        uses: list[Callable[[], object]] = [
            lambda: reading.add(run, pd.DataFrame({"a": [1]}), "t", {}),
            lambda: reading.create_run({}),
            lambda: reading.open_again(run.info.run_id, {}, True),
        ]
        for use in uses:
            start = time.monotonic()
            with pytest.raises(InputError, match="another program holds it"):
                use()
            assert time.monotonic() - start < 2


def test_artifacts_lie_where_the_first_run_was_told(place: Path) -> None:
    store = opened(place)
    run = client(store).create_run(store.experiment.id)
    store.log_table(run.info.run_id, pd.DataFrame({"a": [1]}), "t")
    store.log_table(run.info.run_id, pd.DataFrame({"a": [1, "b\nc"]}), "t")
    (path,) = (place / "mlartifacts").rglob("t.csv")
    # A refreshed table replaces the old one, and is written as those in output folders are.
    assert path.read_text() == "a\n1\nb\\nc\n"


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
