"""The job that logs a run which MLflow could not be told of when it was made."""

from pathlib import Path

from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.jobs.stores import open_store
from latenthash.tracking.record import Record
from latenthash.tracking.replaying import log_later


def log_run(cfg: DictConfig) -> None:
    """Log the run that an output folder holds.

    Raises:
        InputError: if no folder is given, or it holds no such run.
        JobError: if the store still cannot be written.
    """
    if cfg.log is None:
        raise InputError("log is not set; give the output folder of a run: log=FOLDER.")
    record = Record.read(Path(cfg.log))
    record.check_files()  # before any store is opened
    log_later(open_store(cfg), record)
