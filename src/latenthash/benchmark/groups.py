"""Pictures that are nearly the same: as the user says, and as they look."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from latenthash.codes.code import Code, Described
from latenthash.codes.describe import Item
from latenthash.errors import InputError
from latenthash.system.files import Unusable, read_bounded

Labels: TypeAlias = NDArray[np.int64]

COPY = 0.875  # similarity of copies: of pHash's bits 1 in 16 differs; of different photographs, 5
NAMED = 6  # pairs of copies
MOST_BYTES = 2**26  # of a table: a million long names


def read_groups(path: Path, items: Sequence[Item]) -> Labels:
    """Read which pictures are nearly the same and yet different.

    Args:
        path: CSV with the columns file and group; files relative to the CSV, as given to
            pictures=, or as the benchmark's tables name them.
        items: P pictures of the benchmark.

    Returns:
        (P,) number of each picture's group; a picture of no group is alone in one.

    Raises:
        InputError: if the file cannot be used.
    """
    known = {os.path.realpath(item.path): i for i, item in enumerate(items) if item.path}
    named = {item.name: i for i, item in enumerate(items)}
    problems: list[str] = []
    labels: dict[int, str] = {}  # of the pictures named
    for line, name, label in _read_rows(path):
        at = f"groups={path}, line {line}:"
        if not name or not label:
            problems.append(f"{at} a file and its group are needed.")
            continue
        if "\0" in name:  # no path
            problems.append(f"{at} the file's name holds a zero byte.")
            continue
        places = (os.path.realpath(path.parent / name), os.path.realpath(name))
        i = next((known[place] for place in places if place in known), named.get(name))
        if i is None:
            problems.append(f"{at} {name} is not one of pictures=.")
        elif i in labels:
            problems.append(f"{at} {name} is there twice.")
        else:
            labels[i] = label
    if not problems and len(set(labels.values())) == len(labels):
        problems.append(
            f"groups={path}: no group has two pictures, so there is nothing to compare."
        )
    if problems:
        raise InputError(problems)
    numbers = {label: len(items) + n for n, label in enumerate(dict.fromkeys(labels.values()))}
    alone_or_not = [numbers[labels[i]] if i in labels else i for i in range(len(items))]
    return np.unique(alone_or_not, return_inverse=True)[1]


def _read_rows(path: Path) -> list[tuple[int, str, str]]:
    """Read the rows of a CSV: number of the line, file and group, empty where there is none.

    Raises:
        InputError: if the file is no such CSV.
    """
    try:
        text = read_bounded(path, MOST_BYTES).decode("utf-8-sig")  # Excel writes a mark first
        table = csv.reader(io.StringIO(text, newline=""))
        header = [name.strip() for name in next(table, [])]
        rows = [(table.line_num, row) for row in table if row]
    except Unusable as error:
        raise InputError(f"groups={path} {error}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"groups={path} cannot be read: {error}.") from error
    if not {"file", "group"} <= set(header):
        raise InputError(
            f"groups={path} must be a CSV with the columns file and group, separated by commas; "
            f"its first line is {','.join(header)!r}."
        )
    if not rows:
        raise InputError(f"groups={path} names no picture.")
    cells = [dict(zip(header, map(str.strip, row), strict=False)) for _, row in rows]
    return [
        (line, row.get("file", ""), row.get("group", ""))
        for (line, _), row in zip(rows, cells, strict=True)
    ]


def name_copies(code: Code, described: Described, items: Sequence[Item], group: Labels) -> str:
    """Say which pictures look like copies of others, such as one photograph in two formats.

    Args:
        code: pHash, whose bits hardly change when a picture is saved again.
        described: (P, 1 + E, D) of its source.
        items: P pictures.
        group: (P,); pictures of one group are known to be nearly the same.

    Returns:
        a sentence and the way out; nothing when there are none.
    """
    similarity = code.similarity(described[:, 0], described[:, 0])
    same = (similarity >= COPY * code.span) & (group[:, None] != group)
    found = np.argwhere(np.triu(same))
    if not len(found):
        return ""
    named = "; ".join(f"{items[i].name} and {items[j].name}" for i, j in found[:NAMED])
    more = f"; and {len(found) - NAMED} pairs more" if len(found) > NAMED else ""
    return (
        "Pictures that look like copies of each other set the thresholds as if they were "
        f"different ones: {named}{more}. Leave one of each pair out, or name them in groups=CSV."
    )
