"""The job that writes the views of a benchmark, for hashes that other programs compute."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from latenthash.benchmark.hard import hard_pictures
from latenthash.benchmark.judging import split_pictures
from latenthash.codes.pictures import list_pictures
from latenthash.codes.view_files import INDEX, ViewNames, refuse_unusable, write_views
from latenthash.data.reading import Reader
from latenthash.errors import InputError, collect
from latenthash.jobs.build import build, build_suite
from latenthash.jobs.pictures import given_folder

log = logging.getLogger(__name__)


def write(cfg: DictConfig) -> None:
    """Write the views that a benchmark judges codes by, to the folder that the config names.

    Raises:
        InputError: if pictures, edits or the folder cannot be used, before any work.
    """
    if cfg.get("benchmark") is None or cfg.views_to is None:
        raise InputError("Name a suite of edits and a folder: benchmark=edits_v1 views_to=FOLDER.")
    folder = Path(cfg.views_to)
    suite = build_suite(cfg)
    reader: Reader = build(cfg.reader, _convert_="all")
    _, edits, items = collect(
        lambda: refuse_unusable(folder),
        lambda: suite.chosen(cfg.edits),
        lambda: list_pictures(given_folder(cfg), reader),
    )
    _, test = split_pictures([item.digest for item in items])
    hard = hard_pictures(items, test, reader).values()
    groups = [(items, edits), *(([item for item, _ in members], ()) for members in hard)]
    count = write_views(folder, groups, ViewNames(suite, reader))
    log.info(
        "%d views are in %s, and which is which in its %s. Hash each of them, and give the table "
        "(file, code) with codes_from=FILE and the same benchmark, pictures and edits.",
        count, folder, INDEX,
    )  # fmt: skip
