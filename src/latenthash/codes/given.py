"""Codes that another program computed of the suite's views, read from a file."""

import csv
import io
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latenthash.codes.code import Code, Described, Kind, plain_bits, signs
from latenthash.codes.describe import Item
from latenthash.codes.view_files import ViewNames
from latenthash.data.edits.suite import SuiteEdit
from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.hashing.projections import unit
from latenthash.system.files import Unusable, read_bounded

MOST_BYTES = 2**31  # of a table
NAMED = 4  # files in a sentence
FILE, CODE = "file", "code"
PARQUET = b"PAR1"  # how such a file begins
NEEDED = "a CSV or Parquet file with the columns file and code (hexadecimal), or file and numbers"


class GivenCodes:
    """A source that says of each view what stands in a table.

    Args:
        key: of the table.
        rows: name of a view's file -> its row.
        described: (rows, D) bits as -1 and 1, or floats.
        names: of the views' files.
    """

    side: int | None = None
    trim = False

    def __init__(
        self, key: str, rows: dict[str, int], described: Described, names: ViewNames
    ) -> None:
        self.key = key
        self.rows = rows
        self.described = described
        self.names = names
        self.kind: Kind = np.int8 if described.dtype == np.int8 else np.float32
        self.dimensions: int = described.shape[1]

    def of(self, items: Sequence[Item], edits: Sequence[SuiteEdit]) -> Described:
        """Return what the table says of pictures as they are and under edits, (P, 1 + E, D)."""
        at = [[self.rows[self.names.of(item, edit)] for edit in (None, *edits)] for item in items]
        described: Described = self.described[np.array(at)]
        return described

    def missing(self, items: Sequence[Item], edits: Sequence[SuiteEdit]) -> list[str]:
        """List the files that the table does not name."""
        files = (self.names.of(item, edit) for item in items for edit in (None, *edits))
        return [file for file in files if file not in self.rows]

    def describe(self, views: Sequence[Pixels]) -> Described:
        """Refuse to describe pictures: nothing is known but what stands in the table."""
        raise NotImplementedError("codes that are given are looked up, by `of`")


def given_code(path: Path, names: ViewNames) -> Code:
    """Read the codes of a file: hexadecimal ones are compared by their bits, floats by the cosine.

    Args:
        path: CSV or Parquet, with the columns file and code (hexadecimal, or in Parquet a list of
            numbers), or with file and numbers in all other columns. Of a file the name counts.
        names: of the views' files.

    Raises:
        InputError: for all that is wrong with it.
    """
    at = f"codes_from={path}"
    try:
        data = read_bounded(path, MOST_BYTES)
    except Unusable as error:
        raise InputError(f"{at} {error}.") from error
    table = _parquet(at, data) if data.startswith(PARQUET) else _csv(at, data)
    if FILE not in table or len(table) < 2:
        raise InputError(f"{at} must be {NEEDED}; its columns are {', '.join(table) or 'none'}.")
    files = [re.split(r"[/\\]", str(name).strip())[-1] for name in table.pop(FILE)]
    if not files:
        raise InputError(f"{at} names no file.")
    rows = {name: row for row, name in enumerate(files)}
    if len(rows) < len(files):
        twice = [name for row, name in enumerate(files) if rows[name] != row]
        raise InputError(f"{at} names files twice: {_some(twice)}.")
    described = _described(at, files, table)
    source = GivenCodes(f"{path.name} {sha256(data).hexdigest()}", rows, described, names)
    called = re.sub(r"[^\w-]+", "_", path.stem)
    if source.kind is np.int8:
        return plain_bits(f"{called}-{source.dimensions}", source)
    return Code(f"{called}-float", source, 4 * source.dimensions, unit, unit, 1.0)


def refuse_missing(
    at: str,
    source: GivenCodes,
    groups: Sequence[tuple[Sequence[Item], Sequence[SuiteEdit]]],
) -> None:
    """Refuse a table that lacks views that are judged.

    Args:
        at: begins the sentence.
        source: of the table.
        groups: pictures, and the edits that they are judged under.

    Raises:
        InputError: names some of them.
    """
    missing = [name for items, edits in groups for name in source.missing(items, edits)]
    if missing:
        raise InputError(
            f"{at} lacks {len(missing):,} of the views that are judged: {_some(missing)}. Write "
            "them with views_to=FOLDER and the same benchmark, pictures and edits, and hash all."
        )


def _csv(at: str, data: bytes) -> dict[str, list[Any]]:
    """Read columns of texts."""
    try:
        text = data.decode("utf-8-sig")  # Excel writes a mark first
        table = csv.reader(io.StringIO(text, newline=""))
        header = [name.strip() for name in next(table, [])]
        rows = [(table.line_num, row) for row in table if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{at} cannot be read: {error}.") from error
    if odd := [line for line, row in rows if len(row) != len(header)]:
        raise InputError(f"{at}, line {odd[0]}: it has not as many cells as the first line.")
    return {name: [row[i] for _, row in rows] for i, name in enumerate(header)}


def _parquet(at: str, data: bytes) -> dict[str, list[Any]]:
    from pyarrow import ArrowException, BufferReader, parquet

    try:
        columns: dict[str, list[Any]] = parquet.read_table(BufferReader(data)).to_pydict()
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{at} cannot be read: {' '.join(str(error).split())}.") from error
    return columns


def _described(at: str, files: Sequence[str], table: dict[str, list[Any]]) -> Described:
    """Turn columns into bits (N, D) as -1 and 1, or floats."""
    if CODE in table:
        codes = [code.strip() if isinstance(code, str) else code for code in table[CODE]]
        texts = all(isinstance(code, str) for code in codes)
    else:
        codes, texts = list(zip(*table.values(), strict=True)), False
    wanted = "a hexadecimal code" if texts else "finite numbers"
    made = [_bits(code) if texts else _numbers(code) for code in codes]
    if odd := [file for file, one in zip(files, made, strict=True) if one is None]:
        raise InputError(f"{at} must give {wanted} for every file; not so {_some(odd)}.")
    found = [one for one in made if one is not None]
    if odd := [file for file, one in zip(files, found, strict=True) if len(one) != len(found[0])]:
        unit_of = "bits" if texts else "numbers"
        raise InputError(
            f"{at}: the code of {files[0]} has {len(found[0])} {unit_of}; of another length "
            f"{_some(odd)}."
        )
    stacked = np.stack(found)
    return signs(stacked) if texts else stacked.astype(np.float32)


def _bits(code: str) -> NDArray[Any] | None:
    """Read a hexadecimal code, first bit first; None where it is none."""
    digits = code.removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]+", digits):
        return None
    values = np.array([int(digit, 16) for digit in digits], np.uint8)
    return np.unpackbits(values[:, None], axis=1)[:, 4:].ravel()


def _numbers(code: Any) -> NDArray[Any] | None:
    """Read numbers; None where they are none, or not finite."""
    try:
        row = np.array(code, np.float64).ravel()
    except (TypeError, ValueError):
        return None
    with np.errstate(over="ignore"):  # what is too large for a float is infinite
        return row if len(row) and np.isfinite(row.astype(np.float32)).all() else None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
