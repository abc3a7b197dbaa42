"""The job that finds pictures in a gallery."""

import logging
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from omegaconf import DictConfig

from latenthash.data.sources import log_remarks, named
from latenthash.errors import InputError
from latenthash.gallery.engines import open_engine
from latenthash.gallery.entries import Entries
from latenthash.gallery.finding import NO_DETAIL, Limit, Query, as_table, find
from latenthash.gallery.gallery import Gallery
from latenthash.gallery.impostors import known_impostors
from latenthash.jobs.answer import write
from latenthash.jobs.gallery_add import given_code, opened_gallery
from latenthash.jobs.pictures import LISTED, listed
from latenthash.library.code import Code
from latenthash.library.hashes import Refusal
from latenthash.system.paths import is_folder, walk_files
from latenthash.system.terminal import track

log = logging.getLogger(__name__)


def find_pictures(cfg: DictConfig) -> None:
    """Find the pictures at a path in a gallery, and say what each distance means.

    Raises:
        InputError: if the gallery, the run, the pictures or the engine cannot be used.
    """
    gallery = opened_gallery(cfg)
    if cfg.find is None:
        raise InputError("find is not set; give a picture or a folder: gallery=DIR find=PATH.")
    paths, given = _given(cfg.find)
    entries = gallery.entries()
    limit = given_limit(cfg, gallery, entries)
    code = given_code(cfg)
    gallery.about.refuse_other(code.tag, code.bundle, gallery.folder)
    with open_engine(cfg.engine, entries, gallery.folder, cfg.database) as engine:
        queries = track(_queries(code, paths, given), "Looking", disable=given is None)
        table = as_table(find(entries, engine, limit, queries))
    write(cfg, table, "found", f" in {gallery.folder.name}")
    log.info("%s", limit.text())


def given_limit(cfg: DictConfig, gallery: Gallery, entries: Entries) -> Limit:
    """Choose the distance within which pictures are the same, as the config says.

    Raises:
        InputError: if none is known for the rate that it asks for.
    """
    impostors = known_impostors(gallery.folder, entries.tag)
    return Limit.choose(entries, impostors, cfg.false_matches, cfg.distance)


def _given(find: str) -> tuple[Iterable[Path], Path | None]:
    """Return the files at a path, which a folder's are found as they are asked for.

    Returns:
        the files, and the folder or the one file within which they are named in tables; None
        where they were named one by one.

    Raises:
        InputError: if there is none.
    """
    if find == LISTED:
        return listed("find"), None
    path = Path(find)
    if not is_folder(path):
        return [path], path
    found = walk_files(path)
    first = list(islice(found, 1))
    if not first:
        raise InputError(f"find={path} is an empty folder; put pictures into it.")
    return chain(first, found), path


def _queries(code: Code, paths: Iterable[Path], given: Path | None) -> Iterator[Query]:
    """Hash files as they are asked for."""
    for path, found in code.hash_many(paths):
        name = named(path, given)
        if isinstance(found, Refusal):
            yield Query(name, None, f"it {found.reason}")
        else:
            log_remarks(name, found.remarks)
            yield Query(name, found.packed or None, NO_DETAIL)
