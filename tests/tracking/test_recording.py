"""Runs in their output folder and in MLflow: what is kept when MLflow fails, and logged later."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from mlflow.entities import Run
from omegaconf import OmegaConf

from app import TINY, call, client, runs, sources
from latenthash.benchmark.saving import Report, keep
from latenthash.errors import InputError, JobError
from latenthash.jobs.benchmark import judge_codes
from latenthash.system.processes import Processes
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.names import NOTE, PROCESS, RECORDED
from latenthash.tracking.record import RECORD, Record
from latenthash.tracking.recording import Recorder
from latenthash.tracking.replaying import log_later
from latenthash.tracking.store import Store
from records import GONE, METRIC, written


def breaks(monkeypatch: pytest.MonkeyPatch, after: int, error: Exception = GONE) -> list[str]:
    """Let a store fail after so many entries; gives the kinds of those that were asked for."""
    asked: list[str] = []
    log_entry = Store.log_entry

    def failing(store: Store, run_id: str, folder: Path, entry: dict[str, Any]) -> None:
        asked.append(next(iter(entry)))
        if len(asked) > after:
            raise error
        log_entry(store, run_id, folder, entry)

    monkeypatch.setattr(Store, "log_entry", failing)
    return asked


def later(store: Store, folder: Path) -> None:
    """Log the run of a folder, as log= does."""
    record = Record.read(folder)
    record.check_files()
    log_later(store, record)


def fill(run: Recorder) -> None:
    """Log one of each kind."""
    run.log_params({"model.latent_dim": "2", "long": "x" * 300})
    run.set_tags({"a": "b"})
    run.log_sources([{"name": "signal", "digest": "9" * 36, "source": "me.png"}])
    run.add_note("one")
    run.add_note("two http://me:secret@host")
    run.log_metrics({"loss": 1.5}, 1)
    run.log_metrics({"loss": float("nan"), **{f"m{i}": i for i in range(120)}}, 2)
    run.log_text("text", "config.yaml")
    run.log_table(pd.DataFrame({"x": [0.1, 2]}), "held_out")
    run.log_figure(Figure(), "empty")
    run.log_image(np.zeros((4, 4, 3), np.uint8), "series", 3)
    (run.folder / "bundle").mkdir()
    (run.folder / "bundle" / "hash.json").write_text("{}")
    run.log_folder("bundle")


def check(store: Store, run_id: str, status: str = "FINISHED") -> Run:
    """Compare a run with what `fill` logs."""
    run = client(store).get_run(run_id)
    assert run.info.status == status
    assert run.data.params == {"model.latent_dim": "2", "long": "x" * 250}
    assert {"a": "b", "latenthash.bundle": "true"}.items() <= run.data.tags.items()
    assert run.data.tags["mlflow.note.content"] == "two http://***@host\n\none"
    (source,) = [kept.dataset for kept in run.inputs.dataset_inputs]
    assert (source.name, source.digest, source.source) == (
        "signal", "9" * 36, '{"uri": "me.png"}'
    )  # fmt: skip
    assert run.data.metrics["m119"] == 119
    steps = [(m.step, m.value) for m in client(store).get_metric_history(run_id, "loss")]
    assert [step for step, _ in steps] == [1, 2]
    assert steps[0][1] == 1.5
    folders = {"", "bundle", "figures", "images"}
    found = {f.path for folder in folders for f in client(store).list_artifacts(run_id, folder)}
    files = {"config.yaml", "held_out.csv", "held_out.json", "figures/empty.png"}
    assert {*files, "bundle/hash.json"} <= found
    assert sum(name.startswith("images/series") and name.endswith(".png") for name in found) == 1
    table = store.read_table(run, "held_out")
    assert table is not None and list(table["x"]) == [0.1, 2]
    return run


# ---- what a store that fails leaves ----


@pytest.mark.parametrize(
    ("after", "error"),
    [(0, GONE), (3, ConnectionError("refused")), (7, OSError(28, "disk full"))],
)
def test_store_that_fails_loses_nothing_and_is_asked_once(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    after: int,
    error: Exception,
) -> None:
    run = Recorder(store, tmp_path / "a (1), b", {"kind": "test"})
    run.begin()
    with monkeypatch.context() as patch:
        asked = breaks(patch, after, error)
        fill(run)
        assert len(asked) == after + 1
        with pytest.raises(JobError, match=r"log it later: python evaluate\.py 'log=\"") as caught:
            run.finish()
    assert "secret" not in caplog.text + str(caught.value)
    assert sum(record.levelname == "WARNING" for record in caplog.records) == 1
    files = {str(path.relative_to(run.folder)) for path in run.folder.rglob("*.*")}
    assert {"bundle/hash.json", "figures/empty.png", "held_out.csv", "config.yaml"} <= files
    for _ in range(2):  # the second time there is nothing new to say
        later(store, run.folder)
    check(store, run.id)


def test_store_that_is_back_at_the_end_is_told_all(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Recorder(store, tmp_path / "out", {})
    run.begin()
    with monkeypatch.context() as patch:
        breaks(patch, 2)
        fill(run)
    run.finish()
    check(store, run.id)


@pytest.mark.parametrize("way", ["deleted", "gone"])
def test_run_that_was_deleted_meanwhile_is_kept(
    store: Store, empty: Path, tmp_path: Path, way: str
) -> None:
    run = Recorder(store, tmp_path / "out", {"kind": "test"})
    run.begin()
    client(store).delete_run(run.id)
    fill(run)
    with pytest.raises(JobError, match="log it later"):
        run.finish()
    if way == "gone":
        (tmp_path / "other").mkdir()
        shutil.copy(empty, tmp_path / "other/mlflow.db")
        other = f"sqlite:///{tmp_path}/other/mlflow.db"
        store = Store(Experiment(other, "latenthash", str(tmp_path / "other/mlartifacts")))
    later(store, run.folder)
    later(store, run.folder)
    (again,) = store.find({"kind": "test"})
    assert (again.info.run_id == run.id) == (way == "deleted")
    check(store, again.info.run_id)


def test_run_ends_as_its_work_ends(store: Store, tmp_path: Path) -> None:
    ends = {}
    for name, error in {
        "FINISHED": None, "FAILED": OSError("no room"), "KILLED": KeyboardInterrupt()
    }.items():  # fmt: skip
        run = Recorder(store, tmp_path / name, {})
        run.begin()
        run.finish() if error is None else run.fail(error)
        ends[name] = client(store).get_run(run.id).info.status
        kept = {file.path for file in client(store).list_artifacts(run.id)}
        assert kept == (set() if error is None else {"traceback.txt"})
    assert ends == {name: name for name in ends}


def test_killed_run_can_be_logged_from_its_folder(store: Store, tmp_path: Path) -> None:
    run = Recorder(store, tmp_path / "out", {})
    run.begin(live=False)
    fill(run)
    later(store, run.folder)
    (made,) = store.find({"a": "b"})
    check(store, made.info.run_id, "KILLED")


def test_run_that_is_logged_once_more_ended_when_it_did(store: Store, tmp_path: Path) -> None:
    run = Recorder(store, tmp_path / "out", {})
    run.begin()
    run.finish()
    before = client(store).get_run(run.id).info.end_time
    time.sleep(0.01)
    later(store, run.folder)
    assert client(store).get_run(run.id).info.end_time == before


@pytest.mark.parametrize(
    "error", [InputError("data.signal=a_b of http://me:s3cret@host is not there"), OSError("no")]
)
def test_note_of_a_failed_run_begins_with_its_sentence(
    store: Store, tmp_path: Path, error: Exception
) -> None:
    run = Recorder(store, tmp_path / "out", {})
    run.begin()
    run.add_note("the command")
    run.fail(error)
    note = client(store).get_run(run.id).data.tags[NOTE]
    said = r"data.signal=a\_b of http&#58;//\*\*\*@host is not there"
    assert note == (f"{said}\n\nthe command" if isinstance(error, InputError) else "the command")


# ---- folders that may come from anybody ----


@pytest.mark.parametrize("deleted", [False, True])
def test_run_of_another_folder_is_left_alone(store: Store, tmp_path: Path, deleted: bool) -> None:
    other = store.create_run({"kind": "other", RECORDED: "another token"})
    client(store).set_terminated(other, "FINISHED")
    if deleted:
        client(store).delete_run(other)
    before = client(store).get_run(other).to_dictionary()
    later(store, written(tmp_path / "out", f'{{"run": "{other}"}}', METRIC, '{"status": "FAILED"}'))
    assert client(store).get_run(other).to_dictionary() == before
    (made,) = store.find({"kind": "test"})
    assert (made.info.status, made.data.metrics) == ("FAILED", {"a": 1})


def test_run_that_is_still_made_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Recorder(store, tmp_path / "out", {})
    run.begin()
    client(store).set_tag(run.id, PROCESS, "another")
    monkeypatch.setattr(Processes, "is_alive", lambda *_: True)
    with pytest.raises(InputError, match="still being made"):
        later(store, run.folder)
    assert client(store).get_run(run.id).info.status == "RUNNING"


def test_attempt_that_fails_leaves_no_run_open(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path / "out", METRIC, '{"status": "FINISHED"}')
    for _ in range(2):
        with monkeypatch.context() as patch, pytest.raises(JobError, match="cannot be logged"):
            breaks(patch, 1)
            later(store, folder)
    (made,) = store.find({"kind": "test"})
    assert made.info.status == "FAILED"
    later(store, folder)
    (made,) = store.find({"kind": "test"})
    assert made.info.status == "FINISHED"


def test_nothing_is_written_where_the_project_was(empty: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    shutil.copy(empty, old)
    run = Recorder(
        Store(Experiment(f"sqlite:///{old}/mlflow.db", "x", str(old / "mlartifacts"))),
        old / "o",
        {},
    )
    run.begin()
    fill(run)
    old.rename(new)
    store = Store(Experiment(f"sqlite:///{new}/mlflow.db", "y", str(new / "mlartifacts")))
    with pytest.raises(InputError, match="was the project moved or copied"):
        later(store, new / "o")
    assert not old.exists()


# ---- records that are there already ----

RUN, KNOWN, ENDED = '{"run": "a"}', '{"known": "a"}', '{"status": "FINISHED"}'


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], True),  # the store took no run
        ([RUN, METRIC], True),  # killed
        ([RUN, METRIC, ENDED], True),
        ([RUN, METRIC, KNOWN, METRIC, ENDED], False),  # the store failed
        ([RUN, METRIC, KNOWN, METRIC, ENDED, KNOWN], True),  # and was told later
        ([METRIC, ENDED], False),  # a benchmark before it is logged
        ([METRIC, ENDED, RUN], False),  # killed while it was logged
        ([METRIC, ENDED, RUN, KNOWN], True),
        ([RUN, METRIC, ENDED, '{"run": "b"}'], False),  # killed while it was logged elsewhere
        (["what else"], False),
    ],
)
def test_record_is_replaced_only_when_all_of_it_is_told(
    store: Store, tmp_path: Path, lines: list[str], told: bool
) -> None:
    folder = written(tmp_path / "out", *lines)
    before = (folder / RECORD).read_text()
    run = Recorder(store, folder, {})
    if told:
        run.begin(live=False)
        assert list(Record.read(folder).entries) == [{"tags": run.tags}]
        return
    with pytest.raises(InputError, match=r"move it away, or write elsewhere with hydra\.run\.dir="):
        run.begin()
    assert (folder / RECORD).read_text() == before
    assert not store.find({})


@pytest.mark.parametrize("at", ["tags", "run"])
def test_disk_that_is_full_at_the_beginning_leaves_one_run_that_failed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    add = Record.add

    def full(record: Record, entry: dict[str, Any]) -> None:
        if at in entry:
            raise OSError(28, "disk full")
        add(record, entry)

    monkeypatch.setattr(Record, "add", full)
    run = Recorder(store, tmp_path / "out", {"kind": "test"})
    with pytest.raises(OSError, match="disk full") as caught:
        run.begin()
    run.fail(caught.value)
    assert [found.info.status for found in store.find({"kind": "test"})] == ["FAILED"]


# ---- through the commands ----


def test_folder_is_looked_at_before_any_store_is_opened(tmp_path: Path) -> None:
    os.mkfifo(written(tmp_path / "out", '{"file": "x"}') / "x")
    refused = call("evaluate.py", tmp_path, "log=out")
    assert refused.code == 2
    assert "out/run.jsonl names cannot be logged" in refused.output
    assert not (tmp_path / "mlflow.db").exists()


def test_training_goes_on_without_its_store_and_is_logged_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*TINY, *sources(tmp_path), 'hydra.run.dir="out (1)"']
    with monkeypatch.context() as patch:
        breaks(patch, 4)
        done = call("train.py", tmp_path, *command)
    assert done.code == 1
    assert "Traceback" not in done.output
    assert done.output.count("cannot be written any more") == 1
    assert "python evaluate.py 'log=" in done.output
    out = tmp_path / "out (1)"
    assert {path.name for path in (out / "bundle").iterdir()} >= {"hash.json", "config.yaml"}
    assert (out / "held_out.csv").is_file() and (out / "figures/latent_scatter.png").is_file()
    later = call("evaluate.py", tmp_path, 'log="out (1)"')
    assert later.code == 0, later.output
    (run,) = runs(tmp_path)
    assert run.info.status == "FINISHED"
    assert {"test/tpr", "val/loss", "time/fit_seconds"} <= set(run.data.metrics)
    assert run.data.params["model.latent_dim"] == "2"
    again = call("evaluate.py", tmp_path)
    assert again.code == 0, again.output

    with monkeypatch.context() as patch:
        patch.setattr(Store, "log_table", lambda *_: (_ for _ in ()).throw(GONE))
        again = call("evaluate.py", tmp_path, "pictures=unseen", "hydra.run.dir=found")
    assert again.code == 0
    assert "does not have all of this" in again.output
    assert (tmp_path / "found/matches.csv").is_file()

    refused = call("train.py", tmp_path, *command)
    assert refused.code == 2
    assert "bundle exists already" in refused.output
    assert "Fitting" not in refused.output


@pytest.mark.parametrize("broken", ["create_run", "log_entry"])
def test_benchmark_is_kept_when_it_cannot_be_logged(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    parts = {"Leaderboard": pd.DataFrame({"code": ["a"]}), "Edits": Figure(), "Strength": "none"}
    figures = pd.DataFrame({"rate": [0.5]})
    out = tmp_path / "out"
    run = keep(Report("t", parts, {}, figures, {}, {"suite": "s"}, "a: 1"), out, store)
    with monkeypatch.context() as patch:
        fails: Callable[..., None] = lambda *_: (_ for _ in ()).throw(GONE)  # noqa: E731
        patch.setattr(Store, broken, fails)
        with pytest.raises(JobError, match="log it later"):
            run.finish()
    names = ("leaderboard.csv", "figures.csv", "benchmark.html", "figures/edits.png", "config.yaml")
    assert all((out / name).is_file() for name in names)
    with pytest.raises(InputError, match="does not have in full"):  # before pictures are read
        judge_codes(OmegaConf.create({"benchmark": {}, "paths": {"output": str(out)}}))
    later(store, out)
    (made,) = store.find({"latenthash.kind": "benchmark"})
    assert (made.info.status, made.data.params) == ("FINISHED", {"suite": "s"})
