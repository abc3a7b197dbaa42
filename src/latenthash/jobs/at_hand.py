"""The bundles that no store is asked for: those that come with the project, and folders."""

from importlib.resources import as_file, files
from pathlib import Path

from latenthash.hashing.bundle import Bundle
from latenthash.options.jobs import SHIPPED_CODES
from latenthash.system.paths import is_folder
from latenthash.tracking.names import BUNDLE


def bundle_at_hand(run: str) -> Bundle | None:
    """Load a code that ships, or a folder's bundle; None when a run of a store is named."""
    if run in SHIPPED_CODES:
        return shipped_bundle(run)
    folder = bundle_folder(run)
    return None if folder is None else Bundle.load(folder)


def shipped_bundle(name: str) -> Bundle:
    """Load one of the codes that come with the project."""
    with as_file(files("latenthash") / "shipped" / name) as folder:
        return Bundle.load(folder)


def bundle_folder(name: str) -> Path | None:
    """Find the bundle in a folder, be it a run's output folder or the bundle's own.

    Args:
        name: what the user called the bundle by; a folder, or anything else.

    Returns:
        its folder; None when there is no folder of that name.
    """
    folder = Path(name)
    if is_folder(folder / BUNDLE):
        return folder / BUNDLE
    return folder if is_folder(folder) else None
