"""The file of a local MLflow database: made whole or not at all, and looked at before its use."""

import glob
import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from latenthash.errors import InputError

log = logging.getLogger(__name__)

BUSY = 5.0  # s to wait for another program that is writing
LOCKED = 60.0  # s to wait for another process that makes the same database; that takes about two
MAKING = ".making-"  # folders beside a database, in which it is made
# Columns of MLflow's table of experiments, which tables of that name elsewhere hardly have.
COLUMNS = {"experiment_id", "artifact_location", "lifecycle_stage"}
JOURNALS = ("-journal", "-wal", "-shm")  # what SQLite keeps beside a database
# Primary code of SQLite -> what a user can do.
WAYS = {
    sqlite3.SQLITE_BUSY: "another program holds it: wait until that one ends, or end it",
    sqlite3.SQLITE_LOCKED: "another program holds it: wait until that one ends, or end it",
    sqlite3.SQLITE_READONLY: "give yourself the right to write to the file and its folder",
    sqlite3.SQLITE_PERM: "give yourself the right to read and write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "give yourself the right to read and write the file and its folder",
    sqlite3.SQLITE_NOTADB: "move it away, and the next call makes a new one",
    sqlite3.SQLITE_CORRUPT: "put back a copy, or move it away, and the next call makes a new one",
    sqlite3.SQLITE_FULL: "make room on its disk",
}


def lock(path: Path) -> FileLock:
    """Return the lock under which one process of this machine makes things in a database.

    It is free again when its process dies. Waiting for it too long raises a TimeoutError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(path.name + ".lock"), timeout=LOCKED)


def prepare(path: Path, make: Callable[[Path], None]) -> None:
    """Make a database when there is none.

    It is made in a folder aside and renamed into place: whoever dies meanwhile leaves no half of
    one behind, and the next call clears the folder away.

    Args:
        path: of the database.
        make: makes the database at the path it is given, and closes it.
    """
    if _is_there(path) and not _leftovers(path):
        return
    with lock(path):
        for leftover in _leftovers(path):
            shutil.rmtree(leftover, ignore_errors=True)
        if _is_there(path):  # another process had the lock first
            return
        with TemporaryDirectory(prefix=path.name + MAKING, dir=path.parent) as folder:
            new = Path(folder, path.name)
            make(new)
            if _is_there(path):  # made by a program that takes no lock, as MLflow's own UI
                return
            for journal in (path.with_name(path.name + ending) for ending in JOURNALS):
                if journal.exists():  # SQLite would write what it holds into the new database
                    aside = journal.with_name(journal.name + ".old")
                    log.warning("%s belongs to a database that is gone: now %s", journal, aside)
                    journal.replace(aside)
            new.rename(path)


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()  # a link may lead to a disk that is not mounted


def _leftovers(path: Path) -> list[Path]:
    return list(path.parent.glob(glob.escape(path.name + MAKING) + "*"))


def check(path: Path, writing: bool) -> None:
    """Refuse a file that is no MLflow database, or that cannot be used now.

    MLflow itself would try for hours, or add tables to what is not its own.

    Args:
        path: of the database.
        writing: whether it must take something new.

    Raises:
        InputError: if it cannot be used.
    """
    if not path.is_file():
        raise InputError(f"The MLflow database {path} is no file; move away what is in its place.")
    try:
        # isolation_level: Python begins no transaction of its own
        uri = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, BUSY, uri=True, isolation_level=None)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            found = database.execute("SELECT name FROM pragma_table_info('experiments')")
            whole = "alembic_version" in tables and {name for (name,) in found} >= COLUMNS
            if whole:  # MLflow's own last step is to enter an experiment
                whole = database.execute("SELECT 1 FROM experiments LIMIT 1").fetchone() is not None
            if whole and writing:
                database.execute("BEGIN IMMEDIATE")
                database.execute("ROLLBACK")
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        way = WAYS.get(code, "put it right, or move it away, and the next call makes a new one")
        raise InputError(f"The MLflow database {path} cannot be used ({error}): {way}.") from error
    if not whole:
        raise InputError(
            f"The MLflow database {path} is half made, or of another program: it lacks "
            "MLflow's tables, or any experiment. Nothing in it was changed: move the file away (or "
            "name another one, logger.tracking_uri=sqlite:///PATH) and call again."
        )
    unfinished = sorted(name for name in tables if name.startswith("_alembic_tmp_"))
    if unfinished:
        raise InputError(
            f"The MLflow database {path} is half upgraded: `mlflow db upgrade` was stopped and "
            f"left the table {unfinished[0]}. Put back the copy made before it, and upgrade again."
        )
