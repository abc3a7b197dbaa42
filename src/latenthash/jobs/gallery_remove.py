"""The job that lets a gallery forget files."""

import logging

from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.jobs.gallery_add import opened_gallery

log = logging.getLogger(__name__)


def remove(cfg: DictConfig) -> None:
    """Let a gallery forget a file, or all below a folder; nothing on disk is deleted.

    Raises:
        InputError: if there is no such gallery, or it knows no such file.
    """
    gallery = opened_gallery(cfg)
    if cfg.remove is None:
        raise InputError("remove is not set; give a file or a folder: gallery=DIR remove=PATH.")
    log.info("The gallery forgot %d files", gallery.remove(cfg.remove))
