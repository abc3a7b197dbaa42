"""The job that shows what is in a gallery."""

from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from latenthash.gallery.gallery import Contents
from latenthash.jobs.answer import write
from latenthash.jobs.gallery_add import opened_gallery
from latenthash.system.paths import path_text


def show_contents(cfg: DictConfig) -> None:
    """Show what is in a gallery.

    Raises:
        InputError: if there is no such gallery, or a shard of it cannot be used.
    """
    show(cfg, opened_gallery(cfg).contents())


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
