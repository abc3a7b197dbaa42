"""What is known of each file of a gallery."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from latenthash.errors import InputError
from latenthash.gallery import shards
from latenthash.gallery.about import About
from latenthash.gallery.names import Names
from latenthash.gallery.shards import SCHEMA, Kind, Table

SIZE = 32  # bytes of a code, and of a digest


@dataclass(frozen=True)
class Entries:
    """The newest row of each file of a gallery, in the order of files; removed ones are left out.

    There may be millions, so texts are made when they are asked for.

    Attributes:
        files: N names, relative to the gallery's root, with / between folders.
        codes: (N, 32) packed bits; zeros where there is none.
        usable: (N,) whether a file has a code of its own: it was read, and shows enough detail.
        sha256: (N,) S32, the digests of the files' bytes; empty where one could not be read.
        errors: N texts, the end of a sentence that begins with the file; empty where it was read.
        tag: 2 bytes that name the network of the codes.
        bundle: digest of the bundle that made the codes.
        root: the folder within which files are named; absolute.
    """

    files: Sequence[str]
    codes: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    sha256: NDArray[np.bytes_]
    errors: Sequence[str]
    tag: bytes
    bundle: str
    root: str

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def read(cls, folder: Path) -> "Entries":
        """Read the entries of a gallery.

        Raises:
            InputError: if there is none, or it cannot be used.
        """
        about = About.read(folder)
        table = newest(shards.read_all(folder, about, pair, COLUMNS))
        codes, usable = _bytes(table["code"])
        digests, _ = _bytes(table["sha256"])
        with _within_arrow():
            files, errors = (table[name].combine_chunks() for name in ("file", "error"))
        return cls(
            Names(files),
            codes,
            usable,
            digests.view(f"S{SIZE}").ravel(),
            Names(pc.fill_null(errors, "")),
            bytes.fromhex(about.tag),
            about.bundle,
            about.root,
        )


COLUMNS = ("file", "sha256", "code", "detail", "error")


def newest(read: Sequence[tuple[Kind, Table]]) -> Table:
    """Choose the newest row of each file, in the order of files, without those that were removed.

    Args:
        read: the shards of a gallery, the oldest first.

    Raises:
        InputError: if the names are too long together.
    """
    if not read:
        return SCHEMA.empty_table()
    table = pa.concat_tables(
        [rows.append_column("kept", pa.repeat(kind == "rows", len(rows))) for kind, rows in read]
    )
    files = table["file"]
    if len(read) > 1 or not _ascends(files):
        # Equal rows of a sorted column lie side by side, the newest of them last.
        with _within_arrow():
            order = pc.sort_indices(files)
            table = table.take(order)
            files = table["file"]
            last = np.append(pc.not_equal(files[1:], files[:-1]).to_numpy(), True)[: len(files)]
            table = table.filter(pa.array(last.astype(bool)))
            table = table.filter(table["kept"])
    return table.drop_columns("kept")


@contextmanager
def _within_arrow() -> Iterator[None]:
    """Say it in a sentence where a column of texts does not fit into one array, 2 GB."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise InputError(
            "The names of the gallery's files have more than 2 GB together, and cannot be held. "
            "Use several galleries, or one whose root lies nearer to the pictures."
        ) from error


def _ascends(files: pa.ChunkedArray) -> bool:
    """Say whether each name comes after the one before it, as compacted shards have them."""
    return bool(pc.all(pc.greater(files[1:], files[:-1]), min_count=0).as_py())


def _bytes(column: pa.ChunkedArray) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Turn a column of 32 bytes into (N, 32), zeros where there is none; and where there is."""
    rows = np.zeros((len(column), SIZE), np.uint8)
    there: NDArray[np.bool_] = pc.is_valid(column).to_numpy().astype(bool)
    at = 0
    for chunk in column.chunks:
        if chunk.null_count < len(chunk):
            given = np.frombuffer(chunk.buffers()[1], np.uint8)
            part = given[chunk.offset * SIZE : (chunk.offset + len(chunk)) * SIZE]
            rows[at : at + len(chunk)] = part.reshape(-1, SIZE)
        at += len(chunk)
    rows[~there] = 0
    return rows, there


def pair(kind: Kind, table: Table) -> tuple[Kind, Table]:
    """Keep all that is read of a shard."""
    return kind, table
