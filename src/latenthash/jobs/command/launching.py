"""Launchers of sweeps: which stores their jobs can reach, and what the jobs are told."""

import os
import platform
import shutil
from logging import getLogger
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import DictConfig, open_dict, read_write

from latenthash.errors import InputError
from latenthash.system.terminal import without_password
from latenthash.tracking.store_uri import StoreURI

log = getLogger(__name__)

PARENT_VARIABLE = "LATENTHASH_PARENT_RUN_ID"  # read by conf/logger
PROCESS_VARIABLE = "LATENTHASH_SWEEP_PROCESS"  # machine and number of the sweep's process
STORE_VARIABLE = "MLFLOW_TRACKING_URI"
# Launchers whose jobs stay on this machine; of any other one the jobs may run anywhere.
SUBMITIT = "hydra_plugins.hydra_submitit_launcher.submitit_launcher"
HERE = (
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
    f"{SUBMITIT}.LocalLauncher",
)
SLURM = f"{SUBMITIT}.SlurmLauncher"


def check_launcher(config: DictConfig) -> None:
    """Refuse a launcher that is not there, or whose jobs could not reach the store.

    Args:
        config: of the sweep, with the node `hydra`.

    Raises:
        InputError: if the store is a file and the jobs run on other machines, where a database of
            SQLite is another one, or is broken by who writes to it over a network; or if this is
            no machine of a Slurm cluster.
    """
    launcher = config.hydra.launcher._target_
    if launcher in HERE:
        return
    chosen = f"hydra/launcher={config.hydra.runtime.choices['hydra/launcher']}"
    problems = []
    if database := StoreURI.parse(config.logger.tracking_uri).database:
        problems.append(
            f"{chosen} runs jobs on other machines, and {database} is a file of this one: name an "
            f"MLflow server that all of them reach, {STORE_VARIABLE}=http://HOST:PORT."
        )
    if launcher == SLURM and not shutil.which("sbatch"):
        problems.append(
            f"{chosen} needs Slurm's program sbatch, which is not on PATH: call it on a machine "
            "of the cluster."
        )
    if problems:
        raise InputError(problems)
    if launcher == SLURM and not shutil.which("sacct"):
        log.warning("Without Slurm's program sacct the sweep waits for ever for a killed job.")


def hand_on(config: DictConfig, parent_id: str) -> None:
    """Tell every job of a sweep its parent, its store and the sweep's folder.

    Jobs of a cluster inherit neither the environment nor the working directory. What Hydra's
    `env_set` holds goes with them wherever they run.

    Args:
        config: of the sweep, with the node `hydra`.
        parent_id: the sweep's run.
    """
    told = {PARENT_VARIABLE: parent_id, PROCESS_VARIABLE: process()}
    uri = str(config.logger.tracking_uri)
    # A password would be written into the folder of every job.
    if StoreURI.parse(uri).database is None and without_password(uri) == uri:
        told[STORE_VARIABLE] = uri
    given = {f"++hydra.job.env_set.{name}": value for name, value in told.items()}
    given["hydra.sweep.dir"] = str(Path(config.hydra.sweep.dir).absolute())
    with read_write(config.hydra), open_dict(config.hydra):
        config.hydra.overrides.hydra += [
            f"{key}={QuotedString(value, Quote.single).with_quotes()}"
            for key, value in given.items()
        ]


def process() -> str:
    """Name this process among those of all machines."""
    return f"{platform.node()}-{os.getpid()}"


def is_job_apart() -> bool:
    """Say whether a job has a process of its own, beside that of its sweep."""
    return os.environ.get(PROCESS_VARIABLE) != process()
