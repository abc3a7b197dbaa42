"""The job that adds pictures to a gallery."""

import logging
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from latenthash.cache import DiskCache
from latenthash.codes.latent import Latent, latent_key
from latenthash.errors import InputError
from latenthash.gallery.gallery import Gallery
from latenthash.jobs.answer import write
from latenthash.jobs.build import build, restore
from latenthash.jobs.open import open_bundle
from latenthash.jobs.pictures import LISTED, given_reader, listed
from latenthash.library.code import Code
from latenthash.system.endings import ended_by_sigterm

ADDING = ("auto", "local", "ray")  # engines

log = logging.getLogger(__name__)


def add(cfg: DictConfig) -> None:
    """Add the pictures at a path to a gallery, and say what came of it.

    Raises:
        InputError: if the gallery, the run or the pictures cannot be used.
    """
    gallery = opened_gallery(cfg)
    if cfg.add is None:
        raise InputError("add is not set; give a picture or a folder: gallery=DIR add=PATH.")
    if cfg.engine not in ADDING:
        raise InputError(
            f"engine={cfg.engine} does not read pictures: give one of {', '.join(ADDING)}."
        )
    cluster = cfg.cluster if cfg.engine == "ray" else None
    cache = build(cfg.cache)
    code = given_code(cfg, cache)
    files = listed("add") if cfg.add == LISTED else Path(cfg.add)
    with ended_by_sigterm():  # what was computed until then is kept
        done = gallery.add(code, files, root=cfg.root, cache=cache, cluster=cluster, show=True)
    figures = {
        "added": done.added,
        "unchanged": done.unchanged,
        "no detail": done.plain,
        "errors": done.errors,
        "seconds": round(done.seconds, 1),
        "files / s": round(done.rate, 1),
    }
    write(cfg, pd.DataFrame([figures]), "added")
    if done.errors:
        log.warning(
            "%d files cannot be read; they have a row that says why, and the next add= tries them "
            "again. gallery=DIR lists all such files.",
            done.errors,
        )


def opened_gallery(cfg: DictConfig) -> Gallery:
    """Open the gallery that the config names.

    Raises:
        InputError: if it names none.
    """
    if cfg.gallery is None:
        raise InputError("gallery is not set; give its folder: gallery=DIR.")
    return Gallery.open(cfg.gallery)


def given_code(cfg: DictConfig, cache: DiskCache) -> Code:
    """Open the code that run= names.

    Raises:
        InputError: if it names none.
    """
    opened = open_bundle(cfg)
    if opened.bundle.hash is not None:
        raise InputError(
            f"run={cfg.run} left the hash of one picture, and no code: a gallery holds codes, such "
            "as those of run=code."
        )
    hasher = restore(opened.bundle, opened.config, cache)
    return Code(Latent(latent_key(opened.bundle), hasher), given_reader(cfg, opened))
