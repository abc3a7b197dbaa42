"""The shards of a gallery: Parquet files that are written once, and checked when they are read.

A shard's name begins with its turn. Of two rows of a file, the one of the later turn counts. A
tombstone is a shard whose files are removed, as far as no later shard holds them again.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock
from pyarrow import parquet

from latenthash import __version__
from latenthash.errors import InputError
from latenthash.gallery.about import FORMAT, LOCK, PRECISION, About
from latenthash.hashing.printable_code import BITS
from latenthash.system.files import Unusable, open_regular
from latenthash.system.paths import path_text

Table: TypeAlias = Any  # pyarrow's
Kind: TypeAlias = Literal["rows", "removed"]
Made = TypeVar("Made")

SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),  # as `names.kept` writes it
        pa.field("bytes", pa.int64(), nullable=False),  # -1 where the file could not be looked at
        pa.field("mtime_ns", pa.int64(), nullable=False),
        pa.field("sha256", pa.binary(32)),  # of the file; none where it could not be read
        pa.field("code", pa.binary(BITS // 8)),  # none without detail
        pa.field("detail", pa.bool_(), nullable=False),
        pa.field("error", pa.string()),  # the end of a sentence that begins with the file
    ]
)
KEY = "latenthash."  # begins the keys of our metadata
NAME = re.compile(r"(\d{12})-[0-9a-f]{32}\.parquet")
ASIDE = re.compile(r"\.[0-9a-f]{32}\.tmp")  # written aside
COMPACTING = ".compacting.lock"
MOST_ROWS = 2**20  # of a shard
MOST_BYTES = 2**30  # of a shard's file, and of what it holds
LEFT = 3600  # seconds after which what was written aside is of a process that was killed
# What names no file within the root: it leads out of it, or nowhere.
ODD = r"^/|^$|//|/$|\x00|(^|/)\.\.?(/|$)"
UNTOUCHED = "Use an untouched copy, or move it out of the gallery and add its pictures again."


@dataclass(frozen=True)
class Shard:
    """A shard of a gallery.

    Attributes:
        path: of its file.
        turn: shards are numbered in the order in which they were written.
    """

    path: Path
    turn: int


def shards(folder: Path) -> list[Shard]:
    """List the shards of a gallery, the oldest first.

    Raises:
        InputError: if there is a Parquet file that is none.
    """
    found = []
    for path in folder.glob("*.parquet"):
        match = NAME.fullmatch(path.name)
        if match is None:
            raise _foreign(path, "is not named as a shard of a gallery")
        found.append(Shard(path, int(match[1])))
    return sorted(found, key=lambda shard: shard.path.name)


def write(
    folder: Path, about: About, table: Table, kind: Kind = "rows", turn: int | None = None
) -> Shard:
    """Write a shard; it appears whole or not at all.

    Args:
        folder: of the gallery.
        about: what it is.
        table: of `SCHEMA`.
        kind: whether files are removed by it.
        turn: of the shard; None takes the next one.
    """
    table = table.cast(SCHEMA).replace_schema_metadata(_metadata(about, kind))
    aside = folder / f".{uuid4().hex}.tmp"
    try:
        with aside.open("xb") as file:
            # No dictionaries: hardly any value comes twice.
            parquet.write_table(table, file, compression="zstd", use_dictionary=False)
            file.flush()
            os.fsync(file.fileno())
        with FileLock(folder / LOCK):  # no turn is taken twice
            if About.read(folder) != about:
                raise InputError(
                    f"The gallery {path_text(folder)} was begun anew with another root or code, or "
                    "changed, while pictures were added to it. Add them again."
                )
            if turn is None:
                turn = max((shard.turn for shard in shards(folder)), default=0) + 1
            shard = Shard(folder / f"{turn:012d}-{uuid4().hex}.parquet", turn)
            aside.rename(shard.path)
        return shard
    finally:
        aside.unlink(missing_ok=True)


def read(shard: Shard, about: About, columns: Sequence[str] | None = None) -> tuple[Kind, Table]:
    """Read a shard, and check all that is taken of it.

    Args:
        shard: of a gallery.
        about: what that is.
        columns: that are read; None reads all.

    Raises:
        FileNotFoundError: if another process has compacted it meanwhile.
        InputError: if it is damaged, or not of this gallery.
    """
    path = shard.path
    try:
        with open_regular(path, MOST_BYTES) as opened, parquet.ParquetFile(opened) as file:
            kind = _check_head(path, file, about)
            table = file.read(columns=columns, use_threads=False)
            table = table.select(columns or SCHEMA.names).replace_schema_metadata(None)
        table.validate(full=True)
    except Unusable as error:
        if not os.path.lexists(path):
            raise FileNotFoundError(path) from error
        raise _foreign(path, str(error)) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).partition("\n")[0][:200]
        raise _foreign(path, f"is damaged or no Parquet file ({reason})") from error
    _check_rows(path, table)
    return kind, table


def read_all(
    folder: Path,
    about: About,
    made: Callable[[Kind, Table], Made],
    columns: Sequence[str] | None = None,
) -> list[Made]:
    """Read the shards of a gallery, the oldest first; see `read`.

    Args:
        folder: of the gallery.
        about: what it is.
        made: is called with each, and keeps of it what is needed.
        columns: that are read; None reads all.
    """
    done: dict[Shard, Made] = {}
    while True:
        listed = shards(folder)
        done = {shard: done[shard] for shard in listed if shard in done}
        try:
            for shard in listed:
                if shard not in done:
                    done[shard] = made(*read(shard, about, columns))
        except FileNotFoundError:  # another process compacted it: its rows are elsewhere now
            continue
        # Listing takes a while, in which a shard may come where it has looked already, and those
        # that it replaces go where it has not yet.
        if shards(folder) == listed:
            return [done[shard] for shard in listed]


def sizes(folder: Path) -> tuple[int, int]:
    """Return how many shards a gallery has, and their bytes."""
    while True:
        with suppress(FileNotFoundError):  # another process compacted it
            found = [shard.path.stat().st_size for shard in shards(folder)]
            return len(found), sum(found)


def parts(table: Table) -> Iterator[Table]:
    """Cut rows into parts that `read` takes as shards."""
    # Half of what is read: what Parquet holds may be a little more.
    if len(table) > MOST_ROWS or (table.nbytes > MOST_BYTES // 2 and len(table) > 1):
        half = len(table) // 2
        yield from parts(table.slice(0, half))
        yield from parts(table.slice(half))
    elif len(table):
        yield table


def sweep(folder: Path) -> None:
    """Remove what processes that were killed had written aside."""
    for path in folder.glob(".*.tmp"):
        with suppress(FileNotFoundError):  # another process was faster
            if ASIDE.fullmatch(path.name) and time.time() - path.stat().st_mtime > LEFT:
                path.unlink()


def _metadata(about: About, kind: Kind) -> dict[str, str]:
    return {
        f"{KEY}format": str(FORMAT),
        f"{KEY}version": __version__,
        f"{KEY}kind": kind,
        f"{KEY}bundle": about.bundle,
        f"{KEY}tag": about.tag,
        f"{KEY}bits": str(BITS),
        f"{KEY}precision": PRECISION,
    }


def _check_head(path: Path, file: Any, about: About) -> Kind:
    """Check what a shard says of itself, before its rows are read."""
    schema, of_file = file.schema_arrow, file.metadata
    if not schema.equals(SCHEMA, check_metadata=False):
        raise _foreign(path, "has other columns than the shards of a gallery")
    given = {
        key.decode(errors="replace").removeprefix(KEY): value.decode(errors="replace")
        for key, value in (schema.metadata or {}).items()
    }
    if given.get("format") != str(FORMAT):
        raise _foreign(path, f"has format {given.get('format')}, and format {FORMAT} is read")
    mine = (about.tag, about.bundle, str(BITS), PRECISION)
    if tuple(given.get(key) for key in ("tag", "bundle", "bits", "precision")) != mine:
        raise _foreign(
            path,
            f"holds codes of the network {given.get('tag')} ({given.get('bundle')}), and this "
            f"gallery's are of {about.tag} ({about.bundle}): they are not comparable",
        )
    held = sum(of_file.row_group(i).total_byte_size for i in range(of_file.num_row_groups))
    if of_file.num_rows > MOST_ROWS or held > MOST_BYTES:
        raise _foreign(path, f"holds more than {MOST_ROWS:,} rows or {MOST_BYTES:,} bytes")
    kind = given.get("kind")
    if kind not in ("rows", "removed"):
        raise _foreign(path, "does not say whether its files are added or removed")
    return "rows" if kind == "rows" else "removed"


def _check_rows(path: Path, table: Table) -> None:
    given = set(table.column_names)
    for field in SCHEMA:
        if field.name in given and not field.nullable and table[field.name].null_count:
            raise _foreign(path, f"has rows without {field.name}")
    if "file" in given and pc.any(pc.match_substring_regex(table["file"], ODD)).as_py():
        raise _foreign(path, "names files outside of the gallery's root")
    if {"code", "detail"} <= given:
        same = pc.equal(table["detail"], pc.is_valid(table["code"]))
        if not pc.all(same, min_count=0).as_py():
            raise _foreign(path, "has pictures with detail and no code, or the other way round")


def _foreign(path: Path, reason: str) -> InputError:
    return InputError(f"{path_text(path)} {reason}. {UNTOUCHED}")
