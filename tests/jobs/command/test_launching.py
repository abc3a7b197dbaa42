"""Launchers: what jobs of other machines and processes are told, and what is refused before."""

import os
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig

from app import TINY, call, client, runs, sources
from latenthash.errors import InputError
from latenthash.jobs.command.launching import HERE, SLURM, check_launcher, hand_on, process
from latenthash.jobs.command.mistakes import explain
from latenthash.jobs.command.sweeping import count_jobs
from latenthash.tracking.run_logger import RunLogger
from latenthash.tracking.store import Store
from project import CONF

SERVER = "logger.tracking_uri=http://127.0.0.1:1"


def swept(*line: str) -> tuple[DictConfig, DictConfig]:
    """Compose a sweep with a parent, and its first job as a launcher does."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        sweep = hydra.compose_config(
            "train", list(line), RunMode.MULTIRUN, with_log_configuration=False
        )
        HydraConfig.instance().set_config(sweep)
        hand_on(sweep, "1" * 32)
        job = hydra.config_loader.load_sweep_config(sweep, ["seed=3"])
    return sweep, job


def test_job_of_any_launcher_is_told_its_parent_its_store_and_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "it's [a] {b}, $c=d\\e"
    folder.mkdir()
    monkeypatch.chdir(folder)
    _, job = swept(SERVER, "hydra.sweep.dir=out")
    assert job.hydra.job.env_set == {
        "LATENTHASH_PARENT_RUN_ID": "1" * 32,
        "LATENTHASH_SWEEP_PROCESS": process(),
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:1",
    }
    monkeypatch.chdir(tmp_path)  # as on a cluster
    assert job.hydra.sweep.dir == str(folder / "out")
    assert job.hydra.job.override_dirname == "seed=3", "the launcher is no part of a job"


@pytest.mark.parametrize(
    "uri", ["http://me:s3cret@127.0.0.1:1", "https://token@host", "sqlite:////tmp/x.db"]
)
def test_password_and_database_are_not_handed_on(uri: str) -> None:
    sweep, job = swept(f"logger.tracking_uri='{uri}'")
    assert "MLFLOW_TRACKING_URI" not in job.hydra.job.env_set
    assert uri not in "".join(sweep.hydra.overrides.hydra)


def test_database_is_refused_where_jobs_run_on_other_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    for target in HERE:
        sweep, _ = swept(f"++hydra.launcher._target_={target}")
        check_launcher(sweep)
    for target in (SLURM, "somebody.s.RayLauncher"):
        sweep, _ = swept(f"++hydra.launcher._target_={target}")
        with pytest.raises(InputError, match=r"mlflow\.db is a file of this one: name an MLflow"):
            check_launcher(sweep)
    check_launcher(swept(SERVER, "++hydra.launcher._target_=somebody.s.RayLauncher")[0])
    with pytest.raises(InputError, match="needs Slurm's program sbatch") as refused:
        check_launcher(swept(SERVER, f"++hydra.launcher._target_={SLURM}")[0])
    assert len(refused.value.problems) == 1


def test_slurm_is_refused_before_a_store_is_made(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="the extra slurm is absent")
    done = call("train.py", tmp_path, "-m", "seed=0,1", "hydra/launcher=slurm")
    assert done.code == 2, done.output
    assert "hydra/launcher=slurm runs jobs on other machines" in done.output
    assert not list(tmp_path.glob("mlflow.db*"))


@pytest.mark.parametrize(("file", "extra"), [("joblib", "parallel"), ("submitit_slurm", "slurm")])
def test_launcher_that_is_not_installed_is_named_with_its_extra(file: str, extra: str) -> None:
    error = MissingConfigException("", f"hydra/launcher/{file}", ["basic"])
    assert f"pip install 'latenthash[{extra}]'" in explain(error)


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (["seed=0,1", "model.latent_dim=2,3,4", "seed=5,6,6"], 6),  # the last seed, each once
        (["force=true,false", "seed=range(3)"], 3),  # whether it is forced is no part of a job
        (["+sweep=latent_dim", "seed=0"], 3),
        (["seed=1,2", "hydra.sweeper._target_=somebody.s.Sweeper"], 0),
    ],
)
def test_jobs_of_a_sweep_are_counted(line: list[str], count: int) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        sweep = hydra.compose_config("train", line, RunMode.MULTIRUN, with_log_configuration=False)
        HydraConfig.instance().set_config(sweep)
        assert count_jobs(sweep) == count


def test_jobs_that_leave_no_run_fail_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a launcher's jobs did not find the store, the sweep ended with exit code 0."""

    class Launcher:
        """A launcher of jobs of which nothing is heard."""

        def launch(self, *_: object, **__: object) -> list[object]:
            """Launch nothing."""
            return []

    monkeypatch.setattr(Plugins, "instantiate_launcher", lambda *_, **__: Launcher())
    done = call("train.py", tmp_path, "-m", *TINY, *sources(tmp_path), "seed=0,1")
    assert done.code == 1, done.output
    assert "2 job(s) left no run in " in done.output
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == "FAILED"


def test_fault_at_the_end_of_a_sweep_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hydra only warns of it."""

    def broken(*_: object) -> None:
        raise KeyError("no such job")

    monkeypatch.setattr("latenthash.jobs.enrol.enrol", lambda *_: None)
    monkeypatch.setattr("latenthash.jobs.command.multirun.jobs_of", broken)
    done = call("train.py", tmp_path, "-m", *TINY, *sources(tmp_path), "seed=0")
    assert done.code == 1, done.output
    assert "The sweep cannot end" in done.output
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == "FAILED"
    assert not {name for name in os.environ if name.startswith("LATENTHASH")}


def test_job_whose_store_lacks_its_sweep_is_refused(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"

    def logger(parent: str) -> RunLogger:
        return RunLogger(
            experiment_name="latenthash", tracking_uri=uri, run_name="job", overrides="",
            artifact_root=str(tmp_path / "mlartifacts"), parent_run_id=parent, fingerprint="f",
            folder=str(tmp_path / "out"),
        )  # fmt: skip

    with pytest.raises(InputError, match="Set MLFLOW_TRACKING_URI on all machines of the sweep"):
        logger("0" * 32)
    store = Store(logger("").store.experiment)
    parent = store.create_run({})
    client(store).delete_run(parent)  # by somebody, while the sweep is at work
    assert logger(parent).parent_run_id == parent
