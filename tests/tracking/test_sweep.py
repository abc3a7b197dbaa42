"""Sweeps: a job for every picture of a folder, the order of choices, the summary."""

import contextlib
import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra.core.plugins import Plugins
from omegaconf import DictConfig
from PIL import Image

from app import TINY, artifact, call, client, runs, sources
from latenthash.errors import InputError
from latenthash.hashing.enrolled import Hash
from latenthash.report.tables import centroid_table
from latenthash.tracking import database
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.names import FINGERPRINT, OVERRIDES, PARENT
from latenthash.tracking.record import Record
from latenthash.tracking.replaying import log_later
from latenthash.tracking.store import Store
from latenthash.tracking.sweep import _row, jobs_of

# ---- whole sweeps ----


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([], "signals is not set; give a folder of pictures: signals=PATH."),
        (["signals=nowhere"], "signals=nowhere is not a folder (looked in "),
        (["signals=file"], "signals=file is not a folder (looked in "),
        (["signals=empty"], "signals=empty is an empty folder; put pictures into it."),
    ],
)
def test_folder_of_signals_that_cannot_be_used_is_refused_before_any_job(
    tmp_path: Path, args: list[str], sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    done = call("train.py", tmp_path, "-m", "+sweep=signals", *args)
    assert done.code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "mlflow.db").exists()


def test_config_of_the_sweep_can_be_shown(tmp_path: Path) -> None:
    done = call("train.py", tmp_path, "+sweep=signals", "signals=any", "--cfg", "all")
    assert done.code == 0, done.output
    assert "${pictures:${signals}}" in done.output
    done = call("train.py", tmp_path, "+sweep=signals", "signals=any", "--cfg", "job", "--resolve")
    assert done.code == 0, done.output
    assert "run_name: embedded:girl-k2-s0" in done.output


def test_every_picture_of_a_folder_is_a_signal_in_turn(tmp_path: Path) -> None:
    overrides = sources(tmp_path)[1:]
    tiny = ["features=pixels", *(value for value in TINY if value != "data=folders")]
    names = ["a, b=c.png", 'sub/it\'s "Ü" [1].png']
    for i, name in enumerate(names):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((40, 40), 50 + i).save(path)
    command = ["-m", "+sweep=signals", "signals=set", *tiny, *overrides, "seed=0,1"]
    done = call("train.py", tmp_path, *command)
    assert done.code == 0, done.output
    jobs = runs(tmp_path)
    assert [job.info.run_name for job in jobs] == [f"{n}-k2-s{s}" for n in names for s in (0, 1)]
    assert [job.data.params["data.signal"] for job in jobs] == [
        f"set/{name}" for name in names for _ in (0, 1)
    ]
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.run_name == "sweep signals"
    summary = pd.read_csv(artifact(tmp_path, parent, "summary.csv"))
    assert list(summary["runs"]) == [4], "Signals are put together"
    assert summary["drift"].notna().all()
    assert {"summary.json", "comparison.json"} <= {
        entry["path"] for entry in json.loads(parent.data.tags["mlflow.loggedArtifacts"])
    }
    assert "Summary of the sweep" in done.output
    assert "test/auroc_unseen worst" in done.output

    again = call("train.py", tmp_path, *command[:2], "signals=set/", *command[3:])
    assert again.code == 0, again.output
    assert again.output.count("Skipped") == 4
    Image.effect_noise((40, 40), 60).save(tmp_path / "set" / "0 new.png")
    more = call("train.py", tmp_path, *command)
    assert more.code == 0, more.output
    assert more.output.count("Skipped") == 4
    newest = runs(tmp_path, "sweep")[-1]
    table = pd.read_csv(artifact(tmp_path, newest, "comparison.csv"))
    assert list(table["run"].str.removesuffix("-k2-s0"))[::2] == ["0 new.png", *names]


def test_rows_are_in_the_order_of_the_choices(tmp_path: Path) -> None:
    command = [*TINY, *sources(tmp_path), "resamples=5"]
    order = "model.latent_dim=10,3,2"
    assert call("train.py", tmp_path, "-m", *command, "model.latent_dim=3").code == 0
    done = call("train.py", tmp_path, "-m", *command, order, "seed=1,0")
    assert done.code == 0, done.output
    parent = runs(tmp_path, "sweep")[-1]
    expected = [f"vae-pixels-k{k}-s{seed}" for k in (10, 3, 2) for seed in (1, 0)]
    table = pd.read_csv(artifact(tmp_path, parent, "comparison.csv"))
    assert list(table["run"]) == expected, "a reused run has its place as well"
    summary = pd.read_csv(artifact(tmp_path, parent, "summary.csv"))
    assert list(summary["model.latent_dim"]) == [10, 3, 2]
    assert list(summary["group"]) == [
        f"vae-pixels-k{k}-s1 ... vae-pixels-k{k}-s0" for k in (10, 3, 2)
    ]


def test_centroid_is_read_of_runs_of_either_version(tmp_path: Path) -> None:
    store = Store(
        Experiment(f"sqlite:///{tmp_path}/mlflow.db", "latenthash", str(tmp_path / "mlartifacts"))
    )
    parent = store.create_run({})
    ids = [store.create_run({PARENT: parent, OVERRIDES: str(i)}) for i in range(3)]
    for i, value in enumerate((3.0, 4.0)):
        client(store).log_metric(ids[0], f"hash/centroid_{i}", value)
    store.log_table(ids[1], centroid_table(Hash(np.array([0.0, 0.0]), 1.0)), "centroid")
    found = [_row(store, run).centroid for run in jobs_of(store, parent)]
    assert [None if z is None else z.tolist() for z in found] == [[3, 4], [0, 0], None]


# ---- how sweeps end ----


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("no workers"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
    ],
)
def test_sweep_whose_launcher_ends_early_does_not_stay_open(
    error: BaseException, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launch(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Plugins, "instantiate_launcher", launch)
    before = signal.getsignal(signal.SIGTERM)
    call("train.py", tmp_path, "-m", "seed=0,1")
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == status
    assert signal.getsignal(signal.SIGTERM) == before
    assert not {name for name in os.environ if name.startswith("LATENTHASH")}


@pytest.mark.parametrize("apart", [True, False])
def test_sigterm_ends_the_sweep_only_in_its_own_process(
    apart: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher may give each job a process; here the sweep's number says that it did."""

    def job(cfg: DictConfig, *_: object) -> None:
        if apart:
            monkeypatch.setenv("LATENTHASH_SWEEP_PROCESS", "1")
        if cfg.seed == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("latenthash.jobs.enrol.enrol", job)
    done = call("train.py", tmp_path, "-m", *TINY, *sources(tmp_path), "seed=0,1")
    (parent,) = runs(tmp_path, "sweep")
    statuses = [run.info.status for run in runs(tmp_path)]
    if apart:
        assert (done.code, parent.info.status) == (1, "FAILED")
        assert statuses == ["KILLED", "FINISHED"]
    else:
        assert (done.code, parent.info.status) == (143, "KILLED")
        assert statuses == ["KILLED"]


@pytest.mark.parametrize("back", [True, False])
def test_jobs_go_on_when_the_store_goes_away(
    back: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is gone in the middle of job 0, and maybe back in the middle of job 2."""
    check, log_entry = database.check, Store.log_entry
    seen: list[int] = []

    def is_gone() -> bool:
        return bool(seen) and not (back and len(seen) == 3)

    def checked(path: Path, writing: bool) -> None:
        if is_gone():
            raise InputError(f"{path} is gone.")
        check(path, writing)

    def logged(*args: Any) -> None:
        if is_gone():
            raise OSError("gone")
        log_entry(*args)

    monkeypatch.setattr(database, "check", checked)
    monkeypatch.setattr(Store, "log_entry", logged)
    monkeypatch.setattr("latenthash.jobs.enrol.enrol", lambda cfg, *_: seen.append(cfg.seed))
    command = [*TINY, *sources(tmp_path), "seed=0,1,2", "hydra.sweep.dir=out"]
    done = call("train.py", tmp_path, "-m", *command)
    assert done.code == 1, done.output
    assert seen == [0, 1, 2]
    assert "Traceback" not in done.output
    untold = {0, 1} if back else {0, 1, 2}
    for job in (0, 1, 2):
        command_later = f'log="{tmp_path}/out/{job}"'
        assert (command_later in done.output) == (job in untold), done.output
    seen.clear()
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == "FAILED"
    store = Store(
        Experiment(f"sqlite:///{tmp_path}/mlflow.db", "latenthash", str(tmp_path / "mlartifacts"))
    )
    for job in untold:
        log_later(store, Record.read(tmp_path / "out" / str(job)))
    assert [run.info.status for run in jobs_of(store, parent.info.run_id)] == ["FINISHED"] * 3


def test_job_of_another_process_is_waited_for_and_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latenthash.jobs.enrol.enrol", lambda *_: None)
    monkeypatch.setattr("latenthash.system.processes.POLL", 0.01)
    command = [*TINY, *sources(tmp_path)]
    waited = []

    class Other(logging.Handler):
        """Another process, which ends its run once it is waited for."""

        def emit(self, record: logging.LogRecord) -> None:
            """Finish the run and give the claim back."""
            if "Waiting for another process" in record.getMessage():
                waited.append(record.getMessage())
                client(store).set_terminated(run_id, "FINISHED")
                claim.close()

    assert call("train.py", tmp_path, *command).code == 0
    (run,) = runs(tmp_path)
    store = Store(
        Experiment(f"sqlite:///{tmp_path}/mlflow.db", "latenthash", str(tmp_path / "mlartifacts"))
    )
    run_id, fingerprint = run.info.run_id, run.data.tags[FINGERPRINT]
    client(store).update_run(run_id, status="RUNNING")
    claim = contextlib.ExitStack()
    claim.enter_context(store.experiment.processes.claim(fingerprint, "job", wait=False))
    logger, handler = logging.getLogger("latenthash.system.processes"), Other()
    logger.addHandler(handler)
    try:
        done = call("train.py", tmp_path, "-m", *command)
    finally:
        logger.removeHandler(handler)
        claim.close()
    assert done.code == 0, done.output
    assert waited == ["Waiting for another process, which runs vae-pixels-k2-s0"]
    assert "Skipped" in done.output
    assert len(runs(tmp_path)) == 1
