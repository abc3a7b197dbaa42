"""The files that are added to a gallery, found as they are needed."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

from latenthash.errors import InputError
from latenthash.system.paths import absolute, exists, is_folder, path_text, walk_files

Files: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def finder(files: Files, gallery: Path) -> Callable[[], Iterable[Path]]:
    """Return what finds files, as often as it is asked.

    Args:
        files: a picture, a folder, which is searched recursively, or several pictures.
        gallery: a folder whose own files are left out.

    Raises:
        InputError: if there is none.
    """
    if not isinstance(files, str | os.PathLike):
        paths = [os.fspath(path) for path in files]
        return lambda: map(Path, paths)
    path = Path(files)
    if not exists(path):
        raise InputError(f"{path_text(path)} does not exist; add a picture or a folder.")
    if not is_folder(path):
        return lambda: [path]
    if not os.access(path, os.R_OK | os.X_OK):
        raise InputError(f"{path_text(path)} is a folder that may not be read.")
    found = partial(_outside, gallery, absolute(path))
    if next(found(), None) is None:
        raise InputError(f"{path_text(path)} is an empty folder; put pictures into it.")
    return found


def _outside(gallery: Path, folder: Path) -> Iterator[Path]:
    own = f"{gallery}{os.sep}"
    return (path for path in walk_files(folder) if not str(path).startswith(own))
