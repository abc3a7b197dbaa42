"""Paths that a user gives: what lies there, and how they are written down."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from latenthash.system.terminal import escaped

# Of an absolute path, all but its name.
FOLDERS = re.compile(r"(?<![\w/:.])/(?:[^\s/]+/)+")
SYSTEM_FILES = ("thumbs.db", "desktop.ini")  # left in picture folders by operating systems


def find_files(path: Path) -> list[Path]:
    """List the files of a folder and of all below it, sorted; see `walk_files`."""
    return sorted(walk_files(path))


def walk_files(path: Path) -> Iterator[Path]:
    """Find the files of a folder and of all below it, links followed; hidden ones are left out.

    Links that lead nowhere and folders that cannot be opened are found too, so that reading
    names them. No more of them are held than the names of one folder.
    """
    barred: list[Path] = []
    seen: set[str] = set()

    def unreadable(error: OSError) -> None:
        barred.append(Path(error.filename))

    for folder, folders, names in os.walk(path, followlinks=True, onerror=unreadable):
        yield from barred
        barred.clear()
        inside = os.path.realpath(folder)
        if inside in seen:  # a link back to a folder above would be followed for ever
            folders.clear()
            continue
        seen.add(inside)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower() not in SYSTEM_FILES:
                yield Path(folder, name)
    yield from barred


def exists(path: Path) -> bool:
    """Say whether there is anything at a path; at one that cannot be a path at all there is not."""
    try:
        return path.exists()
    except OSError:  # a name too long, a folder that may not be entered
        return False


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder; one that cannot be a path at all is none."""
    return exists(path) and path.is_dir()


def is_file(path: Path) -> bool:
    """Say whether a path is a file; one that cannot be a path at all is none."""
    return exists(path) and path.is_file()


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return a path as it is from the root of the disk; links are not followed."""
    return Path(os.path.normpath(Path.cwd() / path))


def shareable(path: Path) -> Path:
    """Return a path that tells nothing of the machine.

    It is the one seen from the working directory; the name alone of what lies elsewhere.
    """
    here, whole = Path.cwd(), absolute(path)
    return whole.relative_to(here) if whole.is_relative_to(here) else Path(whole.name)


def without_folders(text: str) -> str:
    """Return a text whose absolute paths are names alone: it stands where others may read it."""
    return FOLDERS.sub("", text)


def path_text(path: Path) -> str:
    """Return a path as text that any table or figure can hold.

    Bytes that are not UTF-8, line breaks and what steers a terminal are escaped.
    """
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:  # text that no file can be named by
        name = str(path).encode(errors="backslashreplace")
    return escaped(name.decode(errors="backslashreplace"))
