"""The job that writes the files of a gallery anew as few."""

from omegaconf import DictConfig

from latenthash.jobs.gallery_add import opened_gallery
from latenthash.jobs.gallery_contents import show


def compact(cfg: DictConfig) -> None:
    """Compact a gallery, and show what is in it.

    Raises:
        InputError: if there is no such gallery, or a shard of it cannot be used.
    """
    show(cfg, opened_gallery(cfg).compact())
