"""The pictures that a job of evaluate.py is asked of."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from omegaconf import DictConfig

from latenthash.data.detail import has_detail
from latenthash.data.reading import Reader
from latenthash.data.sources import Unread, log_remarks, read_each, refused
from latenthash.data.splits import ViewSet
from latenthash.data.views import pipeline
from latenthash.errors import InputError
from latenthash.jobs.build import build
from latenthash.jobs.open import Opened
from latenthash.system.paths import find_files, is_folder

LISTED = "-"  # in place of a path: standard input names the pictures
EXPLAINED = 20  # pictures at most: a figure of each takes a second or more


@dataclass(frozen=True)
class Given:
    """Pictures that were asked of.

    Attributes:
        views: one of each.
        plain: (N,) whether a picture has no detail, so that its code tells it from no other.
        skipped: files that could not be read.
    """

    views: ViewSet
    plain: Sequence[bool]
    skipped: Sequence[Unread]


def noted(table: pd.DataFrame, plain: Sequence[bool], skipped: Sequence[Unread]) -> pd.DataFrame:
    """Add to a table with a row a picture what is odd, and a row for each skipped file.

    Args:
        table: N rows.
        plain: (N,) whether a picture has no detail.
        skipped: files that could not be read.
    """
    table = table.assign(note=["no detail" if one else "" for one in plain])
    if not skipped:
        return table
    rows = pd.DataFrame([{"file": file.name, "note": file.reason} for file in skipped])
    rows = rows.reindex(columns=table.columns, fill_value="")
    return pd.concat([table, rows], ignore_index=True)


def given_paths(cfg: DictConfig) -> tuple[list[Path], Path | None]:
    """Find the picture at cfg.pictures, all files of a folder, or what standard input names.

    Returns:
        the files, and the folder or the one file within which they are named in tables; None
        where they were named one by one.

    Raises:
        InputError: if there is none.
    """
    if cfg.pictures is None:
        raise InputError("pictures is not set; give a picture or a folder: pictures=PATH.")
    if cfg.pictures == LISTED:
        return listed(), None
    path = Path(cfg.pictures)
    paths = find_files(path) if is_folder(path) else [path]
    if not paths:
        raise InputError(f"pictures={path} is an empty folder; put pictures into it.")
    return paths, path


def listed(option: str = "pictures") -> list[Path]:
    """Read the names of files from standard input, one a line, or each ended by NUL.

    Args:
        option: that asks for it.

    Raises:
        InputError: if there are none.
    """
    names = b"" if sys.stdin is None else sys.stdin.buffer.read()
    nul = b"\0" in names  # as find -print0 writes them, for a name may hold line breaks
    found = names.split(b"\0") if nul else [line.rstrip(b"\r") for line in names.split(b"\n")]
    paths = [Path(os.fsdecode(name)) for name in found if name]
    if not paths:
        raise InputError(
            f"{option}={LISTED} found no names in standard input; write one a line, as "
            "find FOLDER -type f does, or each ended by NUL, as it does with -print0."
        )
    return paths


def given_reader(cfg: DictConfig, opened: Opened) -> Reader:
    """Build what decodes the given pictures: as the bundle's were, and as cfg.unreadable says."""
    reader: Reader = build(opened.config.data.reader, _convert_="all")
    return replace(reader, unreadable=cfg.unreadable)


def read_given(cfg: DictConfig, opened: Opened) -> Given:
    """Read the picture at cfg.pictures, or all of a folder, as the bundle wants them, a view each.

    Args:
        cfg: the composed config of evaluate.py.
        opened: the bundle.

    Raises:
        InputError: if any cannot be read and none may be skipped, there is none, or there are too
            many to be explained.
    """
    (paths, path), config = given_paths(cfg), opened.config
    if cfg.explain and len(paths) > EXPLAINED:
        raise InputError(
            f"explain=true draws a figure of each picture, of {EXPLAINED} at most, and "
            f"pictures={cfg.pictures} holds {len(paths)}; give fewer."
        )
    reader = given_reader(cfg, opened)
    reduce = pipeline([], config.features.size, config.features.get("trim", False))
    reduced, unread, plain, remarks = [], [], [], []
    for found in read_each(paths, reader, "Pictures", path):
        if isinstance(found, Unread):
            unread.append(found)
        else:  # no picture is held, for there may be many
            reduced.append(reduce(image=found.pixels)["image"])
            plain.append(not has_detail(found.pixels))
            remarks.append((found.name, found.remarks))
    for remark in remarks:
        log_remarks(*remark)
    if problems := refused(unread, len(reduced), reader):
        raise InputError(problems)
    names = tuple(name for name, _ in remarks)
    views = ViewSet(torch.from_numpy(np.stack(reduced)), np.arange(len(names)), names)
    return Given(views, plain, unread)
