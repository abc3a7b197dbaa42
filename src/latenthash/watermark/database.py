"""The database of a registry, SQLite or PostgreSQL: how it is opened, and what can go wrong."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoResultFound

from latenthash.errors import InputError
from latenthash.system.files import Unusable
from latenthash.system.terminal import without_password
from latenthash.watermark.tables import METADATA

BUSY = 120.0  # s to wait for other processes that append
MOST_CELL = 2**22  # bytes of a value that is read from a file; a manifest has at most 2**20
POSTGRES = re.compile(r"(postgres|postgresql|postgresql\+psycopg)://")
LOCK = 0x6C617465  # of PostgreSQL: whoever appends to a registry holds it


def is_postgres(place: str) -> bool:
    """Say whether a registry is one of PostgreSQL; else it is a file of SQLite."""
    return POSTGRES.match(place) is not None


def connect(place: str, make: bool) -> Engine:
    """Return what connections to a registry come from; nothing is opened yet.

    Args:
        place: a file, or a URI such as postgresql://user@host/database.
        make: whether a file that is missing may be made.

    Raises:
        InputError: if there is no such file, or no driver.
    """
    if is_postgres(place):
        return _postgres(place)
    path = Path(place).absolute()
    if not path.parent.is_dir() or (not make and not path.exists()):
        raise InputError(
            f"There is no registry {place}: name one that mark=PATH made, or postgresql://... for "
            "one on a server."
        )
    if path.exists() and not path.is_file():
        raise InputError(f"The registry {place} is no file; move away what is in its place.")
    uri = f"{path.as_uri()}?mode={'rwc' if make else 'rw'}"

    def opened() -> sqlite3.Connection:
        # isolation_level: Python begins no transaction of its own, SQLAlchemy's are by _begin.
        database = sqlite3.connect(uri, BUSY, uri=True, isolation_level=None)
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_CELL)
        database.execute("PRAGMA trusted_schema = OFF")  # a stranger's file runs nothing
        return database

    # A connection each time: none is shared by threads, or by processes that were forked.
    engine = create_engine("sqlite://", creator=opened, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begin a transaction of SQLite: who will write waits here, not halfway."""
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _postgres(place: str) -> Engine:
    try:
        url: URL = make_url(place).set(drivername="postgresql+psycopg")
        return create_engine(url, poolclass=NullPool)
    except ArgumentError as error:
        raise InputError(
            f"registry={without_password(place)} cannot be read: write it as "
            "postgresql://user:password@host:port/database."
        ) from error
    except ModuleNotFoundError as error:
        raise InputError(
            "A registry on PostgreSQL needs psycopg: pip install 'latenthash[postgres]'."
        ) from error


@contextmanager
def reading(engine: Engine, place: str) -> Iterator[Connection]:
    """Open a transaction that reads.

    Raises:
        InputError: why the registry cannot be used.
    """
    with _explained(place), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, place: str) -> Iterator[Connection]:
    """Open a transaction that appends, alone: others wait until it has ended.

    Raises:
        InputError: why the registry cannot be used.
    """
    with _explained(place), engine.connect() as plain:
        connection = plain.execution_options(writing=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":  # released when the transaction ends
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            yield connection


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    # Of a damaged file, SQLite gives texts that are none, and SQLAlchemy finds no row where one is.
    except (Unusable, UnicodeError, NoResultFound) as error:
        what = error if isinstance(error, Unusable) else f"is damaged ({error})"
        raise InputError(
            f"The registry {without_password(place)} {what}: it was altered, or another program "
            "made it. Use an untouched copy."
        ) from error
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        way = "wait until others have ended" if "locked" in reason else "put it right"
        raise InputError(
            f"The registry {without_password(place)} cannot be used ({reason}): {way}, or name "
            "another."
        ) from error


def has_tables(connection: Connection, place: str) -> bool:
    """Say whether there is a registry.

    Raises:
        InputError: if it is the file of another program.
    """
    tables = set(inspect(connection).get_table_names())
    if tables.issuperset(METADATA.tables):
        return True
    if tables and (connection.dialect.name == "sqlite" or tables & set(METADATA.tables)):
        raise InputError(
            f"The registry {without_password(place)} is a database of another program, or lacks "
            "tables. Nothing in it was changed: name another one."
        )
    return False
