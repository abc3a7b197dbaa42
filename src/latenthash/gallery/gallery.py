"""A folder with the codes of many pictures, as programs and jobs use it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from filelock import FileLock

from latenthash.cache import DiskCache
from latenthash.errors import InputError
from latenthash.gallery import shards
from latenthash.gallery.about import ABOUT, LOCK, About
from latenthash.gallery.adding import Added, add_files
from latenthash.gallery.entries import COLUMNS, Entries, newest, pair
from latenthash.gallery.files import Files, finder
from latenthash.gallery.names import Root, kept, root_of
from latenthash.gallery.searching import Copies, Near, Search, find_copies, find_near
from latenthash.gallery.shards import SCHEMA, Table
from latenthash.library.code import Code
from latenthash.library.given import GivenPicture
from latenthash.library.hashes import Hash
from latenthash.system.paths import absolute, exists, is_folder, path_text


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
        errors: that could not be read; `Gallery.entries` says which, and why.
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
            try:
                others = any(not found.name.startswith(".") for found in path.iterdir())
            except OSError as error:
                raise InputError(f"{path_text(path)} cannot be read ({error.strerror}).") from error
            if others and not exists(path / ABOUT):
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
        cache: DiskCache | None = None,
        cluster: str | None = None,
        show: bool = False,
    ) -> Added:
        """Add pictures; those that are known as they are, by size and time of change, are not read.

        A file that cannot be read gets a row that says why, and is tried again by each call.

        Args:
            code: that makes the codes.
            files: a picture, a folder, which is searched recursively, or several pictures.
            root: the folder within which a new gallery names its files. None takes the folder
                that is given, the one of the picture, or the working directory for several.
            cache: where what makes a code faster is kept, for many pictures; None does without.
            cluster: address of a Ray cluster whose machines read the pictures, by the same paths:
                `auto`, `HOST:PORT`, `ray://HOST:PORT`, or `local`, which begins one here. None
                reads them on all cores here.
            show: whether progress is shown.

        Raises:
            InputError: if the gallery holds codes of another network, has another root, or there
                is no such file.
        """
        if not isinstance(code, Code):
            raise InputError(f"add takes a code, as load gives it, and not {code!r}.")
        found = finder(files, self.folder)
        given = None if root is None else str(absolute(root))
        if not self._begun or not shards.shards(self.folder):
            # A gallery without pictures is begun anew: what failed at first fixes nothing.
            paths = [files] if isinstance(files, str | os.PathLike) else list(found())
            chosen = given or self._root_for(paths) or root_of(files)
            for path in paths:
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
        return add_files(self.folder, about, code, found, cache, cluster, show)

    def entries(self) -> Entries:
        """Read the newest row of each file.

        Raises:
            InputError: if there is no gallery, or a shard of it cannot be used.
        """
        return Entries.read(self.folder)

    def find(
        self,
        picture: GivenPicture | Hash,
        code: Code,
        *,
        false_matches: float = 0.01,
        distance: int | None = None,
        engine: str = "auto",
        database: str | None = None,
    ) -> list[Near]:
        """Find every picture of the gallery that is near a picture, the nearest first.

        Args:
            picture: a path, the bytes of a file, a PIL image, (H, W, 3) uint8 RGB, or its hash.
            code: that made the codes of the gallery.
            false_matches: expected of one query at most, which sets the distance.
            distance: bits, which decide alone; None for the rate.
            engine: `auto`, `numpy`, `faiss` or `postgres`.
            database: URI of PostgreSQL.

        Raises:
            InputError: if the picture, the gallery or the engine cannot be used.
        """
        self.about.refuse_other(code.tag, code.bundle, self.folder)
        hash_ = picture if isinstance(picture, Hash) else code.hash(picture)
        search = Search(false_matches, distance, engine, database)
        return find_near(self.entries(), self.folder, hash_, search)

    def duplicates(
        self,
        *,
        false_matches: float = 0.01,
        distance: int | None = None,
        engine: str = "auto",
    ) -> list[Copies]:
        """Group the files of the gallery that show the same picture; nothing is deleted.

        Args:
            false_matches: expected of one query at most, and every picture is one.
            distance: bits, which decide alone; None for the rate.
            engine: `auto`, `numpy` or `faiss`.

        Raises:
            InputError: if the gallery or the engine cannot be used.
        """
        return find_copies(self.entries(), self.folder, Search(false_matches, distance, engine))

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
            for part in shards.parts(table):
                shards.write(self.folder, about, part, "removed")
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
            # Nobody else removes shards now, and none of an earlier turn comes later.
            with FileLock(self.folder / LOCK):
                old = shards.shards(self.folder)
            table = newest([shards.read(shard, about) for shard in old])
            # Newer shards, which come meanwhile, have later turns.
            turn = max((shard.turn for shard in old), default=0)
            if len(old) > 1:
                self._write_whole(about, table, turn)
                # The oldest first: no row outlives the tombstone that removes it.
                for shard in old:
                    shard.path.unlink(missing_ok=True)
        return self.contents()

    def contents(self) -> Contents:
        """Count what is in the gallery.

        Raises:
            InputError: if there is no gallery, or a shard of it cannot be used.
        """
        about = self.about
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
            *shards.sizes(self.folder),
        )

    def _root_for(self, paths: Iterable[str | os.PathLike[str]]) -> str | None:
        """Return the root of a gallery that was begun, if all these paths lie within it."""
        root = self.about.root if self._begun else None
        within = root is not None and all(absolute(path).is_relative_to(root) for path in paths)
        return root if within else None

    def _write_whole(self, about: About, table: Table, turn: int) -> None:
        """Write rows as new shards, all of them or none, and make sure that they can be read."""
        written: list[shards.Shard] = []
        try:
            for part in shards.parts(table):
                written.append(shards.write(self.folder, about, part, turn=turn))
                if not shards.read(written[-1], about)[1].equals(part.cast(SCHEMA)):
                    raise InputError(
                        f"{path_text(written[-1].path)} does not hold what was written to it, so "
                        "the gallery stays as it was. Look at the disk that it lies on."
                    )
        except BaseException:
            for shard in written:
                shard.path.unlink(missing_ok=True)
            raise

    @property
    def _begun(self) -> bool:
        return (self.folder / ABOUT).exists()


def _named(names: Sequence[str]) -> Table:
    """Lay out files that are removed."""
    empty = {"bytes": -1, "mtime_ns": 0, "detail": False}
    return pa.Table.from_pylist([{"file": name, **empty} for name in names], SCHEMA)
