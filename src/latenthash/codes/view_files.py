"""The suite's views as files, for hashes that other programs compute.

A file's name depends on all that decides its pixels, so that codes of other views are told apart.
Processes of workers import this, so it does without torch.
"""

import csv
import pickle
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

from PIL import Image

from latenthash.cache import cache_key
from latenthash.codes.describe import Item
from latenthash.codes.workers import in_workers
from latenthash.data.edits.suite import LIBRARIES, Suite, SuiteEdit
from latenthash.data.reading import READING, Reader
from latenthash.errors import InputError
from latenthash.system.files import make_folder
from latenthash.system.terminal import track

ORIGINAL = "original"  # in the index, what is not edited
INDEX = "index.csv"
LETTERS = 16  # of a digest; as many pictures as anybody has differ in them
FAST = 1  # zlib's level: a view is read once or twice


class ViewNames:
    """How the files of views are called.

    Args:
        suite: of edits.
        reader: how pictures are decoded.
    """

    def __init__(self, suite: Suite, reader: Reader) -> None:
        self.made_by = (suite.digest, READING, repr(reader), *LIBRARIES)

    def of(self, item: Item, edit: SuiteEdit | None) -> str:
        """Name the file of a picture under an edit, or as it is."""
        letters = cache_key("view", *self.made_by, item.digest)[:LETTERS]
        return f"{letters}_{ORIGINAL if edit is None else edit.name}.png"


def refuse_unusable(folder: Path) -> None:
    """Refuse a folder that views cannot be written to.

    Raises:
        InputError: if something is in it already, or it cannot be made.
    """
    try:
        filled = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise InputError(f"views_to={folder} cannot be used: {error.strerror}.") from error
    if filled:
        raise InputError(f"views_to={folder} is not empty: name another folder, or empty it.")
    make_folder(folder.absolute().parent, f"The folder above views_to={folder}")
    make_folder(folder, f"views_to={folder}")


def write_views(
    folder: Path,
    groups: Sequence[tuple[Sequence[Item], Sequence[SuiteEdit]]],
    names: ViewNames,
) -> int:
    """Write pictures as they are and under edits as PNG, and an index of them; all or nothing.

    Args:
        folder: for the files, empty.
        groups: pictures, and the edits that each of them is written under.
        names: of the files.

    Returns:
        number of views.

    Raises:
        InputError: naming pictures that cannot be read any more.
    """
    rows = [
        (item.name, ORIGINAL if edit is None else edit.name, names.of(item, edit))
        for items, edits in groups
        for item in items
        for edit in (None, *edits)
    ]
    with _whole(folder) as place:
        packed = [zlib.compress(pickle.dumps((tuple(edits), names))) for _, edits in groups]
        tasks = [
            (of_group, item, place)
            for of_group, (items, _) in zip(packed, groups, strict=True)
            for item in items
        ]
        problems: list[str] = []
        for result in track(in_workers(_write, tasks), "Writing views", len(tasks)):
            problems += result
        if problems:
            raise InputError(problems)
        with (place / INDEX).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(("picture", "edit", "file"))
            table.writerows(rows)
    return len(rows)


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """Give a folder to write to, that takes the place of another when all is written."""
    folder = folder.resolve()  # a link stays
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield place
        place.chmod(folder.stat().st_mode & 0o777)
        place.replace(folder)
    except BaseException:  # Ctrl-C too
        shutil.rmtree(place, ignore_errors=True)
        raise


@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> tuple[tuple[SuiteEdit, ...], ViewNames]:
    edits, names = pickle.loads(zlib.decompress(packed))
    return edits, names


def _write(packed: bytes, item: Item, place: Path) -> list[str]:
    """Write a picture's views; return why it cannot be read."""
    edits, names = _unpacked(packed)
    try:
        picture = item.read()
    except InputError as error:
        return error.problems
    save = partial(Image.Image.save, format="PNG", compress_level=FAST)
    save(Image.fromarray(picture.pixels), place / names.of(item, None))
    for edit in edits:
        pixels = edit.apply(picture.pixels, picture.digest)
        save(Image.fromarray(pixels), place / names.of(item, edit))
    return []
