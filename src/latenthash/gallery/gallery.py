"""A folder with the codes of many pictures, as programs and jobs use it."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
from filelock import FileLock

from latenthash.errors import InputError
from latenthash.gallery import shards
from latenthash.gallery.about import ABOUT, About
from latenthash.gallery.adding import Added, add_files
from latenthash.gallery.entries import COLUMNS, Entries, newest, pair
from latenthash.gallery.names import Root, kept, root_of
from latenthash.gallery.shards import SCHEMA, Table
from latenthash.library.code import Code
from latenthash.system.paths import absolute, exists, is_folder, path_text, walk_files

Files: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


@dataclass(frozen=True)
class Contents:
    """What is in a gallery.

    Attributes:
        root: the folder within which files are named.
        tag: 2 bytes in hex that name the network of the codes.
        bundle: digest of the bundle that made them.
        files: that the gallery knows.
        findable: of these, the ones that have a code.
        plain: without detail.
        errors: that could not be read.
        shards: Parquet files.
        bytes: of these on disk.
    """

    root: str
    tag: str
    bundle: str
    files: int
    findable: int
    plain: int
    errors: int
    shards: int
    bytes: int


class Gallery:
    """A folder with the codes of many pictures.

    Any number of processes may add to it and read it at once.

    Attributes:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> "Gallery":
        """Open a gallery, or name the folder of a new one, which begins when pictures are added.

        Raises:
            InputError: if it is no folder, or one with other things in it.
        """
        if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
            raise InputError(f"A gallery is a folder, and not {folder!r}.")
        path = absolute(folder)
        if exists(path):
            if not is_folder(path):
                raise InputError(f"{path_text(path)} is not a folder; a gallery is one.")
            others = (found for found in path.iterdir() if not found.name.startswith("."))
            if not (path / ABOUT).exists() and any(others):
                raise InputError(
                    f"{path_text(path)} is no gallery, and holds other things: give a gallery, or "
                    "a folder that is empty or not there."
                )
        return cls(path)

    @property
    def about(self) -> About:
        """What the gallery is.

        Raises:
            InputError: if nothing was added to it yet.
        """
        return About.read(self.folder)

    def add(
        self,
        code: Code,
        files: Files,
        *,
        root: str | os.PathLike[str] | None = None,
        show: bool = False,
    ) -> Added:
        """Add pictures; those that are known as they are, by size and time of change, are not read.

        A file that cannot be read gets a row that says why, and is read again when it changed.

        Args:
            code: that makes the codes.
            files: a picture, a folder, which is searched recursively, or several pictures.
            root: the folder within which a new gallery names its files. None takes the folder
                that is given, the one of the picture, or the working directory for several.
            show: whether progress is shown.

        Raises:
            InputError: if the gallery holds codes of another network, has another root, or there
                is no such file.
        """
        if not isinstance(code, Code):
            raise InputError(f"add takes a code, as load gives it, and not {code!r}.")
        found = self._found(files)
        given = None if root is None else str(absolute(root))
        if not self._begun:
            chosen = root_of(files) if given is None else given
            for path in [files] if isinstance(files, str | os.PathLike) else found():
                if str(absolute(path)) != chosen:
                    Root(chosen).name(path)  # refuses what lies outside
            About(chosen, code.tag.hex(), code.bundle).write(self.folder)
        about = self.about
        about.refuse_other(code.tag, code.bundle, self.folder)
        if given is not None and given != about.root:
            raise InputError(
                f"The gallery {path_text(self.folder)} names its files within "
                f"{path_text(Path(about.root))}, and not within root={path_text(Path(given))}. "
                "Leave root away, or use another gallery."
            )
        return add_files(self.folder, about, code, found, show)

    def entries(self) -> Entries:
        """Read the newest row of each file.

        Raises:
            InputError: if there is no gallery, or a shard of it cannot be used.
        """
        return Entries.read(self.folder)

    def remove(self, files: Files) -> int:
        """Remove files from the gallery, be they still on disk or not; no file is deleted.

        Args:
            files: a file, a folder, with all below it, or several of them.

        Returns:
            how many were removed.

        Raises:
            InputError: if none of the gallery's is meant, or a shard cannot be used.
        """
        about = self.about
        root = Root(about.root)
        given = [files] if isinstance(files, str | os.PathLike) else list(files)
        whole = [path for path in given if str(absolute(path)) == about.root]
        names = [kept(root.name(path)) for path in given if path not in whole]
        known = newest(shards.read_all(self.folder, about, pair, COLUMNS))["file"].to_pylist()
        exact, folders = set(names), tuple(f"{name}/" for name in names)
        meant = [name for name in known if whole or name in exact or name.startswith(folders)]
        if not meant:
            shown = " ".join(path_text(Path(path)) for path in given[:3])
            raise InputError(f"The gallery {path_text(self.folder)} knows no file of {shown}.")
        for at in range(0, len(meant), shards.MOST_ROWS):
            table = _named(meant[at : at + shards.MOST_ROWS])
            shards.write(self.folder, about, table, "removed")
        return len(meant)

    def compact(self) -> Contents:
        """Write all shards anew as few, without rows that do not count any more.

        Other processes may add and read meanwhile. One that is killed leaves all as it was.

        Raises:
            InputError: if a shard cannot be used.
        """
        about = self.about
        with FileLock(self.folder / shards.COMPACTING):
            shards.sweep(self.folder)
            # Nobody else removes shards now.
            old = shards.shards(self.folder)
            table = newest([shards.read(shard, about) for shard in old])
            # Newer shards, which come meanwhile, have later turns.
            turn = max((shard.turn for shard in old), default=0)
            if len(old) > 1:
                for at in range(0, len(table), shards.MOST_ROWS):
                    part = table.slice(at, shards.MOST_ROWS)
                    shards.write(self.folder, about, part, turn=turn)
                # The oldest first: no row outlives the tombstone that removes it.
                for shard in old:
                    shard.path.unlink(missing_ok=True)
        return self.contents()

    def contents(self) -> Contents:
        """Count what is in the gallery.

        Raises:
            InputError: if there is no gallery, or a shard of it cannot be used.
        """
        about, found = self.about, shards.shards(self.folder)
        table = newest(shards.read_all(self.folder, about, pair, COLUMNS))
        errors = len(table) - table["error"].null_count
        findable = len(table) - table["code"].null_count
        return Contents(
            about.root,
            about.tag,
            about.bundle,
            len(table),
            findable,
            len(table) - findable - errors,
            errors,
            len(found),
            sum(shard.path.stat().st_size for shard in found),
        )

    @property
    def _begun(self) -> bool:
        return (self.folder / ABOUT).exists()

    def _found(self, files: Files) -> Callable[[], Iterable[Path]]:
        """Return what finds files, as often as it is asked.

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
        found = partial(_outside, self.folder, absolute(path))
        if next(iter(found()), None) is None:
            raise InputError(f"{path_text(path)} is an empty folder; put pictures into it.")
        return found


def _outside(gallery: Path, folder: Path) -> Iterator[Path]:
    """Find the files of a folder, but those of the gallery, which may lie within."""
    own = f"{gallery}{os.sep}"
    return (path for path in walk_files(folder) if not str(path).startswith(own))


def _named(names: Sequence[str]) -> Table:
    """Lay out files that are removed."""
    empty = {"bytes": -1, "mtime_ns": 0, "detail": False}
    return pa.Table.from_pylist([{"file": name, **empty} for name in names], SCHEMA)
