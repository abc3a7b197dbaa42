"""The job that finds groups of the same picture in a gallery."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from latenthash.data.reading import Reader
from latenthash.errors import InputError
from latenthash.gallery.copies import Group, groups, table
from latenthash.gallery.engines import open_engine
from latenthash.gallery.finding import Limit
from latenthash.gallery.page import SIDE, write_page
from latenthash.jobs.answer import write
from latenthash.jobs.build import build
from latenthash.jobs.gallery_add import opened_gallery
from latenthash.jobs.gallery_find import given_limit
from latenthash.system.terminal import track

log = logging.getLogger(__name__)

PAGE = "duplicates.html"


def find_duplicates(cfg: DictConfig) -> None:
    """Group the pictures of a gallery that are the same, for review; nothing is deleted.

    Raises:
        InputError: if the gallery or the engine cannot be used.
    """
    if cfg.engine == "postgres":
        raise InputError(
            "duplicates=true compares every picture with every other, in memory: leave "
            "engine=postgres away, or use engine=numpy or engine=faiss."
        )
    gallery = opened_gallery(cfg)
    entries = gallery.entries()
    limit = given_limit(cfg, gallery, entries)
    with open_engine(cfg.engine, entries, gallery.folder) as engine:
        show = partial(track, title="Comparing")
        found = groups(entries, engine, limit.distance, show)
    write(cfg, table(entries, found), "duplicates", f" in {gallery.folder.name}")
    said = _said(limit, found)
    page = Path(cfg.paths.output, PAGE)
    reader: Reader = build(cfg.reader, _convert_="all")
    write_page(page, entries, found, said, replace(reader, working_size=SIDE))
    log.info("Written to %s", page)
    for sentence in said:
        log.info("%s", sentence)


def _said(limit: Limit, found: Sequence[Group]) -> list[str]:
    """Say what the groups are, and how many of them may be wrong."""
    files = sum(len(group.rows) for group in found)
    chains = sum(group.chain for group in found)
    said = [
        f"{len(found):,} groups of {files:,} files. {chains:,} of them are chains, in which some "
        "are further apart than the threshold. Nothing was deleted or changed.",
        limit.text(),
    ]
    expected = limit.false_matches(limit.distance)
    if expected is not None:
        pairs = limit.size * (limit.size - 1) // 2
        said.append(
            f"That is of one query. Here every picture was one: of {pairs:,} pairs, at most "
            f"{expected * limit.size / 2:.2g} are expected to be so near by chance. A smaller "
            "false_matches= brings fewer."
        )
    return said
