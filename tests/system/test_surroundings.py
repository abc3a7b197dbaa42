"""Commands and tests in surroundings that are not theirs: Slurm, torchrun, no home, odd paths."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app import TINY, runs, sources
from latenthash.jobs.command.launching import PARENT_VARIABLE
from latenthash.system.surroundings import settle
from project import ROOT

# All at once; what each of them did alone stands beside it.
HOSTILE = {
    # The Trainer refused to start.
    "SLURM_JOB_ID": "77", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "4", "SLURM_NNODES": "2",
    "SLURM_PROCID": "2", "SLURM_LOCALID": "2", "SLURM_NODEID": "0",
    # Nothing was logged, for only the process of rank 0 does.
    "RANK": "1", "LOCAL_RANK": "1", "GROUP_RANK": "0", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4",
    "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500", "TORCHELASTIC_RUN_ID": "none",
    # A training ended after one batch.
    "PL_TRAINER_FAST_DEV_RUN": "true",
    # Of another project, or of a sweep that is over.
    "MLFLOW_RUN_ID": "0" * 32, "MLFLOW_EXPERIMENT_NAME": "other", "MLFLOW_EXPERIMENT_ID": "99",
    "MLFLOW_REGISTRY_URI": "http://127.0.0.1:1", PARENT_VARIABLE: "0" * 32,
    # matplotlib failed at import; and warned, for it keeps its list of fonts at home.
    "MPLBACKEND": "module://of.a.notebook", "HOME": os.devnull,
    # The progress bar ended the run.
    "LC_ALL": "C", "PYTHONUTF8": "0",
    "CUDA_VISIBLE_DEVICES": "", "TZ": "Asia/Kathmandu", "http_proxy": "http://127.0.0.1:1",
}  # fmt: skip
LOG_LINE = re.compile(r"^\[[\d: ,-]+\]\[(\S+?)\]", re.MULTILINE)
FOREIGN = re.compile(r"warning|srun|traceback|site-packages|lightning|matplotlib", re.IGNORECASE)
TRAININGS = "tracking/test_callbacks.py::test_every_so_many_epochs_have_an_image"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "a b%20c"
    folder.mkdir()
    srun = folder / "bin" / "srun"  # Lightning warned that it was not used
    srun.parent.mkdir()
    srun.write_text("#!/bin/sh\n")
    srun.chmod(0o755)
    return folder


def command(folder: Path, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run Python there, with files that are nobody else's."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, *args],
        cwd=folder,
        env=os.environ | HOSTILE | {"PATH": path, "TMPDIR": str(temporary)} | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        umask=0o077,
        check=False,
    )


def test_commands_do_their_work_anywhere_and_let_nobody_else_speak(folder: Path) -> None:
    for script, args in (
        ("train.py", [*TINY, *sources(folder)]),
        ("evaluate.py", ["run=latest", "pictures=unseen"]),
    ):
        done = command(folder, str(ROOT / script), *args)
        assert done.returncode == 0, done.stdout
        speakers = set(LOG_LINE.findall(done.stdout))
        assert all(name.startswith("latenthash.") for name in speakers), done.stdout
        assert not FOREIGN.search(done.stdout), done.stdout
    (run,) = runs(folder)
    assert run.info.status == "FINISHED"
    assert "mlflow.parentRunId" not in run.data.tags
    assert {"test/tpr", "train/loss", "val/loss"} <= set(run.data.metrics)
    assert len(list(folder.glob("outputs/*/*/bundle/hash.json"))) == 1
    assert len(list(folder.glob("outputs/*/*/matches.csv"))) == 1
    assert {path.name for path in folder.iterdir()} <= {
        *("signal", "noise_edited", "noise_similar", "outliers", "unseen", "bin", "temporary"),
        *("mlflow.db", "mlflow.db.lock", "mlflow.db.processes", "mlartifacts", "outputs", ".cache"),
    }


def test_tests_run_anywhere(folder: Path) -> None:
    """Where a Trainer of their own met the variables, they failed."""
    done = command(
        folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "tests" / TRAININGS),
        MLFLOW_TRACKING_URI="http://127.0.0.1:1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "warning" not in done.stdout


def test_settling_takes_only_what_is_meant_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PL_TRAINER_DEVICES": "4", "MPLBACKEND": "x", "PL_OTHER": "1"}.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    settle()
    assert "PL_TRAINER_DEVICES" not in os.environ
    expected = before | {"MPLBACKEND": "agg"}
    del expected["PL_TRAINER_DEVICES"]
    assert dict(os.environ) == expected


@pytest.mark.parametrize("is_folder", [True, False])
def test_pip_keeps_nothing_where_there_is_no_home(is_folder: bool, tmp_path: Path) -> None:
    home = str(tmp_path) if is_folder else os.devnull
    done = subprocess.run(
        ["make", "-n", "-B", "setup"], cwd=ROOT, env=os.environ | {"HOME": home},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    installs = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert all(("--no-cache-dir" in line) == (not is_folder) for line in installs)
