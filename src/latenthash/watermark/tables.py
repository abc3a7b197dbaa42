"""The tables of a registry, to which rows are added and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from latenthash.system.files import Unusable

T = TypeVar("T")


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
