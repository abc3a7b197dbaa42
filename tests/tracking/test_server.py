"""Sweeps whose jobs are processes of their own and reach a shared MLflow server through HTTP."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from app import TINY, sources
from project import ROOT

pytestmark = pytest.mark.slow
STARTING = 180  # s, for a server on a busy machine
INITDB = "initdb"
APART = "hydra/launcher=submitit_local"
# As on a cluster that starts its jobs in an environment of its own.
BARE = '+hydra.launcher.setup=["unset MLFLOW_TRACKING_URI"]'


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/server.db"


@contextmanager
def postgres() -> Iterator[str]:
    """Start PostgreSQL for as long as it is needed; return the URI of an empty database."""
    if not shutil.which(INITDB) or not shutil.which("pg_ctl"):
        pytest.skip("initdb and pg_ctl, of PostgreSQL, are not on PATH")
    pytest.importorskip("psycopg", reason="psycopg, by which MLflow speaks PostgreSQL, is absent")
    # It refuses to run as root; Debian's package makes a user for it.
    user = "postgres" if os.getuid() == 0 else None
    port = free_port()
    with TemporaryDirectory(dir="/tmp") as name:
        if user:
            shutil.chown(name, user)

        def run(*command: str) -> None:
            subprocess.run(command, cwd=name, user=user, check=True, stdout=subprocess.DEVNULL)

        run(INITDB, "-D", f"{name}/data", "-U", "me", "--auth=trust", "-E", "UTF8")
        options = f"-h 127.0.0.1 -p {port} -k {name} -c fsync=off"
        control = ("pg_ctl", "-D", f"{name}/data", "-w", "-t", str(STARTING))
        run(*control, "-o", options, "-l", f"{name}/server.log", "start")
        try:
            yield f"postgresql+psycopg://me@127.0.0.1:{port}/postgres"
        finally:
            run(*control, "-m", "immediate", "stop")


@contextmanager
def served(store: str, folder: Path) -> Iterator[str]:
    """Start an MLflow server on a store, as docs/sweeps-and-ui.md does; return its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--workers", "1"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it calls uvicorn
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder, env=os.environ | {"PATH": path}, stdout=log, stderr=log,
        ) as server,
    ):  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(STARTING):
                assert server.poll() is None, (folder / "server.log").read_text()
                try:
                    urlopen(f"{address}/health", timeout=1).close()
                    break
                except (URLError, TimeoutError):
                    time.sleep(1)
            yield address
        finally:
            server.terminate()


def sweep(folder: Path, address: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a sweep as a user would, in processes of its own."""
    return subprocess.run(
        [sys.executable, str(ROOT / "train.py"), "-m", *TINY, "resamples=5", *args],
        cwd=folder,
        env=os.environ | {"MLFLOW_TRACKING_URI": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


def found(address: str, kind: str) -> list[Run]:
    client = MlflowClient(address)
    experiment = client.get_experiment_by_name("latenthash")
    assert experiment is not None
    query = f"tags.`latenthash.kind` = '{kind}'"
    return list(client.search_runs([experiment.experiment_id], query, order_by=["start_time ASC"]))


def parent_with(address: str, statuses: list[str]) -> Run:
    """Return the newest sweep, and hold that its jobs are its children and ended so."""
    parent = found(address, "sweep")[-1]
    jobs = found(address, "job")
    children = [
        job for job in jobs if job.data.tags.get("mlflow.parentRunId") == parent.info.run_id
    ]
    assert sorted(job.info.status for job in children) == statuses
    parents = {sweep.info.run_id for sweep in found(address, "sweep")}
    assert all(job.data.tags.get("mlflow.parentRunId") in parents for job in jobs), "orphans"
    return parent


def rows(address: str, parent: Run, folder: Path) -> int:
    client = MlflowClient(address)
    path = client.download_artifacts(parent.info.run_id, "comparison.csv", str(folder))
    return len(pd.read_csv(path))


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_parallel_sweep_runs_unmodified_on_a_shared_server(backend: str, tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="no extra parallel")
    overrides = [*sources(tmp_path)[1:], "hydra/launcher=parallel"]
    database = postgres() if backend == "postgres" else sqlite(tmp_path)
    with database as store, served(store, tmp_path) as address:
        done = sweep(tmp_path, address, *overrides, "data.signal=signal/0.png", "seed=0,1")
        assert done.returncode == 0, done.stdout
        parent = parent_with(address, ["FINISHED", "FINISHED"])
        assert parent.info.status == "FINISHED"
        assert rows(address, parent, tmp_path) == 2

        signals = "data.signal=nowhere.png,signal/0.png"  # of which the last is done
        done = sweep(tmp_path, address, *overrides, signals)
        assert done.returncode == 1, done.stdout
        parent = parent_with(address, ["FAILED"])
        assert parent.info.status == "FAILED"
        assert rows(address, parent, tmp_path) == 2
    assert not list(tmp_path.glob("mlflow.db*")), "a job took another store"


def test_jobs_that_inherit_nothing_find_their_sweep_or_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="no extra slurm")
    overrides = [*sources(tmp_path), APART, BARE]
    with sqlite(tmp_path) as store, served(store, tmp_path) as address:
        done = sweep(tmp_path, address, *overrides, "seed=0")
        assert done.returncode == 0, done.stdout
        assert parent_with(address, ["FINISHED"]).info.status == "FINISHED"

        secret = address.replace("//", "//me:s3cret@")  # which is not handed on
        done = sweep(tmp_path, secret, *overrides, "seed=1", "hydra.sweep.dir=out")
        assert done.returncode == 1, done.stdout
        assert parent_with(address, []).info.status == "FAILED"
        written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        logs = [path.read_text() for path in written if path.suffix in (".out", ".err")]
        assert any("Set MLFLOW_TRACKING_URI on all machines" in log for log in logs), logs
        assert not [path for path in written if b"s3cret" in path.read_bytes()]
