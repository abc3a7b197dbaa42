"""Runs that MLflow does not have in full: kept in their output folder, and told from it later."""

import logging
import os
import shlex
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString

from latenthash.errors import InputError, JobError
from latenthash.system.calling import typed
from latenthash.tracking.client import STORE_ERRORS, brief
from latenthash.tracking.names import RECORDED
from latenthash.tracking.record import RECORD, Record
from latenthash.tracking.store import Store

log = logging.getLogger(__name__)


def refuse_untold(folder: Path) -> None:
    """Keep a run that lies in a folder, and that MLflow does not have in full, from being replaced.

    Raises:
        InputError: if there is one, or may be.
    """
    if not os.path.lexists(folder / RECORD):
        return
    way = logging_command(folder)
    problem = f"{folder} holds a run that MLflow does not have in full: {way} logs it;"
    try:
        if Record.read(folder).is_told:
            return
    except InputError as error:
        problem = f"{error} It would be replaced:"
    raise InputError(f"{problem} move it away, or write elsewhere with hydra.run.dir=PATH.")


def log_later(store: Store, record: Record) -> None:
    """Log a run that its output folder alone has in full.

    Args:
        store: where it is logged: into the run as it was begun there, or into a new one.
        record: of its output folder, with all its files.

    Raises:
        InputError: if the run is still being made, or would be kept outside the project.
        JobError: if the store still cannot be written.
    """
    try:
        run_id = replay(store, record, restore=True)
    except STORE_ERRORS as error:
        raise JobError(f"The run in {record.folder} cannot be logged: {brief(error)}") from error
    log.info("Run %s has everything that %s holds", run_id, record.folder)


def replay(store: Store, record: Record, restore: bool) -> str:
    """Tell MLflow what it does not know of a run, and return the run's id.

    Args:
        store: where the run is, or will be.
        record: of the run.
        restore: whether a run that was deleted is taken back.

    Raises:
        InputError: if the run is still being made, or would be kept outside the project.
    """
    entries, run_id, new = record.entries, record.run_id, 0
    # The record may name any run; only the one that was made of it is gone on with.
    if run_id and store.open_again(run_id, {RECORDED: record.token}, restore):
        new = max((i for i, entry in enumerate(entries) if entry.get("known") == run_id), default=0)
    else:
        run_id = store.create_run(entries[0]["tags"])
    try:
        if run_id != record.run_id:
            record.add({"run": run_id})
        for entry in entries[new:]:
            store.log_entry(run_id, record.folder, entry)
        if not any("status" in entry for entry in entries):  # its process was killed
            store.log_entry(run_id, record.folder, {"status": "KILLED"})
        record.add({"known": run_id})
    except BaseException as error:
        store.end(run_id, status_after(error))
        raise
    return run_id


def status_after(error: BaseException) -> str:
    """Return the status of a run that an error ended: interrupted, it was killed."""
    return "FAILED" if isinstance(error, Exception) else "KILLED"


def logging_command(folder: Path) -> str:
    """Return the command that logs the run of a folder."""
    quoted = QuotedString(str(folder), Quote.double).with_quotes()
    return f"{typed('evaluate')} {shlex.quote(f'log={quoted}')}"
