"""The tables of a registry, in SQLite or PostgreSQL, to which rows are added and nothing else."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    NullPool,
    String,
    Table,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from latenthash.errors import InputError
from latenthash.system.files import Unusable
from latenthash.system.terminal import without_password

BUSY = 120.0  # s to wait for other processes that append
MOST_CELL = 2**22  # bytes of a value that is read from a file; a manifest has at most 2**20
POSTGRES = re.compile(r"(postgres|postgresql|postgresql\+psycopg)://")
T = TypeVar("T")
LOCK = 0x6C617465  # of PostgreSQL: whoever appends to a registry holds it


def _only(kind: type[T]) -> Callable[[object], T]:
    """Make what takes values of one kind alone: in SQLite's columns may stand anything."""

    def taken(value: object) -> T:
        if not isinstance(value, kind):
            raise Unusable(f"holds {type(value).__name__} where {kind.__name__} must stand")
        return value

    return taken


class Octets(LargeBinary):
    """Bytes; of a number, SQLAlchemy would make as many zeros."""

    def result_processor(self, dialect: object, coltype: object) -> Any:  # noqa: D102
        return _only(bytes)


class Words(String):
    """A text."""

    def result_processor(self, dialect: object, coltype: object) -> Any:  # noqa: D102
        return _only(str)


class Number(BigInteger):
    """A whole number."""

    def result_processor(self, dialect: object, coltype: object) -> Any:  # noqa: D102
        return _only(int)


class RowNumber(Integer):
    """A whole number by which SQLite itself counts rows, as it does with a key of this type."""

    def result_processor(self, dialect: object, coltype: object) -> Any:  # noqa: D102
        return _only(int)


Seq = Number().with_variant(RowNumber(), "sqlite")
METADATA = MetaData()
REGISTRY = Table(
    "latenthash_registry",
    METADATA,
    Column("format", Seq, primary_key=True, autoincrement=False),
    Column("public", Octets, nullable=False),
    Column("seal", Octets, nullable=False),
)
# The long column is last: SQLite keeps it on pages of its own, which a search does not read.
MARKS = Table(
    "latenthash_marks",
    METADATA,
    Column("seq", Seq, primary_key=True, autoincrement=False),
    Column("id", Octets, nullable=False, unique=True),
    Column("bundle", Words, nullable=False),
    Column("bits", Octets, nullable=False),
    Column("added", Words, nullable=False),
    Column("previous", Octets, nullable=False),
    Column("digest", Octets, nullable=False),
    Column("seal", Octets, nullable=False),
    Column("signature", Octets, nullable=False),
    Column("manifest", Octets, nullable=False),
)
PARENTS = Table(
    "latenthash_parents",
    METADATA,
    Column("seq", Seq, ForeignKey(MARKS.c.seq), primary_key=True, autoincrement=False),
    Column("position", Seq, primary_key=True, autoincrement=False),
    Column("parent", Octets, nullable=False),
)
Index("latenthash_parents_parent", PARENTS.c.parent, PARENTS.c.seq)
# Codes are read from the index alone.
Index("latenthash_marks_bits", MARKS.c.bundle, MARKS.c.seq, MARKS.c.id, MARKS.c.bits)


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
    except Unusable as error:
        raise InputError(
            f"The registry {without_password(place)} {error}: it was altered, or another program "
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


def make_tables(connection: Connection) -> None:
    """Make the tables, and what keeps rows from being changed or removed."""
    METADATA.create_all(connection)
    sqlite = connection.dialect.name == "sqlite"
    for statement in _guards_of_sqlite() if sqlite else _guards_of_postgres():
        connection.exec_driver_sql(statement)


def _guards_of_sqlite() -> Iterator[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'rows of a registry are never changed'); END"
    for name in METADATA.tables:
        for act in ("UPDATE", "DELETE"):
            yield f"CREATE TRIGGER {name}_{act.lower()} BEFORE {act} ON {name} {refuse}"
    # INSERT OR REPLACE removes a row without a trigger of DELETE.
    marks, parents, registry = MARKS.name, PARENTS.name, REGISTRY.name
    taken = {
        marks: f"NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM {marks})"
        f" OR EXISTS (SELECT 1 FROM {marks} WHERE id = NEW.id)",
        parents: f"EXISTS (SELECT 1 FROM {parents}"
        " WHERE seq = NEW.seq AND position = NEW.position)",
        registry: f"EXISTS (SELECT 1 FROM {registry})",
    }
    for name, condition in taken.items():
        yield f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {name} WHEN {condition} {refuse}"


def _guards_of_postgres() -> Iterator[str]:
    yield (
        "CREATE OR REPLACE FUNCTION latenthash_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'rows of a registry are never changed'; END $$"
    )
    for name in METADATA.tables:
        for act, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            yield (
                f"CREATE TRIGGER {name}_{act.lower()} BEFORE {act} ON {name} "
                f"FOR EACH {each} EXECUTE FUNCTION latenthash_refuse()"
            )
