"""A gallery's codes in PostgreSQL, where many machines can search them.

Needs psycopg, of the extra `postgres`. Each gallery has a table (file, code) of its own, whose
name is kept in the gallery's folder; it follows the gallery, and may be dropped at any time.
"""

import hashlib
import os
import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import LiteralString
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from latenthash.errors import InputError
from latenthash.gallery.engines import Codes, Pairs
from latenthash.gallery.entries import Entries
from latenthash.gallery.names import Names, kept
from latenthash.hashing.printable_code import BITS
from latenthash.report.tables import write_text
from latenthash.system.files import Unusable, read_bounded
from latenthash.system.terminal import without_password

NAMED = "postgres-table.txt"  # in the gallery's folder: what its table is called
NAME = re.compile(r"latenthash_[0-9a-f]{16}")
WAIT = 10  # seconds for a server's answer
WAY = "database=postgresql://USER@HOST/NAME"
SECRETS = "keep a password in ~/.pgpass, in PGPASSWORD or before the @ of the URI"


class PostgresEngine:
    """Lets PostgreSQL compare codes: with pgvector where it is installed, else with bit_count.

    Args:
        connection: to the database.
        table: of the gallery, which holds its usable rows.
        entries: of the gallery, in the order of files.
    """

    def __init__(
        self, connection: psycopg.Connection, table: sql.Identifier, entries: Entries
    ) -> None:
        self._connection = connection
        self._entries = entries
        self._ask = sql.SQL(
            "SELECT query.number, entry.file, entry.distance FROM unnest(%s::text[]::bit({bits})[])"
            " WITH ORDINALITY AS query(code, number) CROSS JOIN LATERAL (SELECT file, {distance}"
            " AS distance FROM {table} AS stored) AS entry WHERE entry.distance <= %s"
        ).format(
            bits=sql.Literal(BITS),
            distance=sql.SQL(_distance(connection)),
            table=table,
        )

    @classmethod
    @contextmanager
    def open(
        cls, entries: Entries, gallery: Path, database: str | None
    ) -> Iterator["PostgresEngine"]:
        """Connect, and bring the gallery's table up to date.

        Args:
            entries: of the gallery, in the order of files.
            gallery: its folder.
            database: URI; None takes what libpq's variables name, such as PGHOST and PGSERVICE.

        Raises:
            InputError: if the database cannot be used; no password is told.
        """
        uri = _checked(database)
        name = _table_name(gallery)
        shown = without_password(database or "that PGHOST, PGDATABASE or PGSERVICE name")
        try:
            with psycopg.connect(
                uri, autocommit=True, connect_timeout=WAIT, application_name="latenthash"
            ) as connection:
                table = sql.Identifier(name)
                _follow(connection, table, name, entries)
                yield cls(connection, table, entries)
        except psycopg.Error as error:
            reason = without_password(str(error)).strip().partition("\n")[0].rstrip(".")
            raise InputError(
                f"The database {shown} cannot be used: {reason}. Name another one with {WAY}, or "
                "search without one: engine=numpy."
            ) from None  # whose text may hold the URI

    def within(self, queries: Codes, threshold: int, first: int = 0) -> Pairs:
        """Find every row within a distance; see `engines.Engine`."""
        codes = [_bits(row) for row in queries]
        found = self._connection.execute(self._ask, (codes, threshold)).fetchall()
        query = np.array([number - 1 for number, _, _ in found], np.int64)
        row = np.array([self._row(file) for _, file, _ in found], np.int64)
        distance = np.array([distance for _, _, distance in found], np.int64)
        late = row >= first
        return Pairs.ordered([(query[late], row[late], distance[late])])

    def _row(self, file: str) -> int:
        """Return the row of a file; the table holds none but the gallery's."""
        row = bisect_left(self._entries.files, file, key=kept)
        if row == len(self._entries) or kept(self._entries.files[row]) != file:
            raise InputError(
                f"{file} was added to the gallery by another process, or removed, while it was "
                "searched. Search again."
            )
        return row


def _checked(database: str | None) -> str:
    """Return a URI that can be shown without its password.

    Raises:
        InputError: if it is none, or holds a password where it would be shown.
    """
    if database is None:
        return ""
    uri = re.sub(r"^postgres(?:ql)?(?:\+psycopg)?://", "postgresql://", database)
    try:
        if not uri.startswith("postgresql://"):
            raise ValueError
        conninfo_to_dict(uri)
    except (ValueError, psycopg.Error):
        raise InputError(f"database= is no URI of PostgreSQL; name one: {WAY}.") from None
    if any(name.endswith("password") for name, _ in parse_qsl(urlsplit(uri).query)):
        raise InputError(f"database= holds a password behind its question mark; {SECRETS}.")
    return uri


def _table_name(gallery: Path) -> str:
    """Return what the gallery's table is called, the same for all who share the folder.

    Raises:
        InputError: if the folder's word for it is damaged, or cannot be written.
    """
    path = gallery / NAMED
    try:
        if not path.exists():
            aside = gallery / f".{NAMED}.{token_hex(8)}"
            write_text(f"latenthash_{token_hex(8)}\n", aside)
            try:
                os.link(aside, path)  # who comes second finds the name of the first
            except FileExistsError:
                pass
            finally:
                aside.unlink()
        name = read_bounded(path, 100).decode(errors="replace").strip()
    except (OSError, Unusable) as error:
        raise InputError(
            f"{path}, which names the gallery's table, cannot be used: {error}."
        ) from None
    if not NAME.fullmatch(name):
        raise InputError(f"{path} names no table of a gallery; remove it, and it is made anew.")
    return name


def _follow(
    connection: psycopg.Connection, table: sql.Identifier, name: str, entries: Entries
) -> None:
    """Let a table hold the usable rows of a gallery: what is there already is not written again."""
    state = _digest(entries)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (name,))
        cursor.execute(
            sql.SQL(
                'CREATE TABLE IF NOT EXISTS {} (file text COLLATE "C" PRIMARY KEY, code bit({}) '
                "NOT NULL)"
            ).format(table, sql.Literal(BITS))
        )
        cursor.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", (name,))
        if cursor.fetchone() == (state,):
            return
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE wanted (LIKE {}) ON COMMIT DROP").format(table)
        )
        with cursor.copy("COPY wanted FROM STDIN") as copy:
            for row in np.flatnonzero(entries.usable).tolist():
                copy.write_row((kept(entries.files[row]), _bits(entries.codes[row])))
        cursor.execute("ANALYZE wanted")
        for statement in (
            "DELETE FROM {} AS stored WHERE NOT EXISTS (SELECT FROM wanted WHERE wanted.file = "
            "stored.file AND wanted.code = stored.code)",
            "INSERT INTO {0} SELECT file, code FROM wanted WHERE NOT EXISTS (SELECT FROM {0} AS "
            "stored WHERE stored.file = wanted.file)",
        ):
            cursor.execute(sql.SQL(statement).format(table))
        cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(state)))


def _digest(entries: Entries) -> str:
    """Name the usable rows of a gallery, by columns: there may be millions of rows."""
    files = entries.files
    column = files.column if isinstance(files, Names) else pa.array(map(kept, files), pa.string())
    # Between names, what is in none of them: together they may be longer than a string's 2 GB.
    whole = pa.LargeListArray.from_arrays([0, len(column)], column.cast(pa.large_string()))
    digest = hashlib.sha256(entries.usable.tobytes())
    digest.update(entries.codes.tobytes())
    digest.update(pc.binary_join(whole, pa.scalar("\0", pa.large_string()))[0].as_buffer())
    return f"latenthash {entries.tag.hex()} {digest.hexdigest()}"


def _distance(connection: psycopg.Connection) -> LiteralString:
    """Return how this server counts the bits in which two codes differ."""
    try:
        connection.execute("SELECT B'1' <~> B'0'")
    except psycopg.errors.UndefinedFunction:
        return "bit_count(stored.code # query.code)::int"
    return "(stored.code <~> query.code)::int"


def _bits(code: Codes) -> str:
    """Write a code as PostgreSQL reads bits in hex."""
    return f"x{code.tobytes().hex()}"
