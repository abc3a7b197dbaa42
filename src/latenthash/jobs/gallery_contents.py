"""The job that shows what is in a gallery."""

import logging
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from latenthash.gallery.entries import Entries
from latenthash.gallery.gallery import Contents
from latenthash.jobs.answer import write
from latenthash.jobs.gallery_add import opened_gallery
from latenthash.report.tables import write_csv
from latenthash.system.paths import path_text

log = logging.getLogger(__name__)


def show_contents(cfg: DictConfig) -> None:
    """Show what is in a gallery, and list the files that could not be read.

    Raises:
        InputError: if there is no such gallery, or a shard of it cannot be used.
    """
    gallery = opened_gallery(cfg)
    contents = gallery.contents()
    show(cfg, contents)
    path = Path(cfg.paths.output, "errors.csv")
    table = _errors(gallery.entries())
    write_csv(table, path)
    if len(table):
        log.warning("%d files cannot be read; %s says why of each.", len(table), path_text(path))


def show(cfg: DictConfig, contents: Contents) -> None:
    """Show and write what is in a gallery, a row."""
    figures = {
        "root": path_text(Path(contents.root)),
        "code": contents.tag,
        "files": contents.files,
        "findable": contents.findable,
        "no detail": contents.plain,
        "errors": contents.errors,
        "shards": contents.shards,
        "MB": round(contents.bytes / 1e6, 2),
    }
    write(cfg, pd.DataFrame([figures]), "gallery")


def _errors(entries: Entries) -> pd.DataFrame:
    """Lay out the files that could not be read, and why."""
    pairs = zip(entries.files, entries.errors, strict=True)
    return pd.DataFrame([pair for pair in pairs if pair[1]], columns=["file", "reason"])
