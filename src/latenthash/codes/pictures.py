"""The pictures of a benchmark: found and looked at once, and read again whenever needed.

Processes of workers import this, so it does without torch.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path

from latenthash.codes.describe import Item
from latenthash.codes.workers import in_workers
from latenthash.data.reading import Picture, Reader, quarter
from latenthash.data.samples.sets import embedded
from latenthash.data.sources import Unread, log_remarks, log_skipped, named, refused
from latenthash.errors import InputError
from latenthash.system.files import Unusable
from latenthash.system.paths import find_files, is_folder
from latenthash.system.terminal import track

log = logging.getLogger(__name__)

FEWEST = 4  # pictures: two calibrate, two test
SHIPPED_PIXELS = 10**6  # that files of our own may have, whatever the user allows
SETS = ("girl", "photos_a", "photos_b")  # embedded photographs, when no pictures are given


def list_pictures(pictures: str | None, reader: Reader) -> list[Item]:
    """List the pictures, each of which can be read, without holding their pixels.

    Args:
        pictures: a folder, searched recursively; None for the embedded photographs.
        reader: how files are decoded.

    Raises:
        InputError: every file that cannot be read, unless the reader skips them; or too few
            pictures.
    """
    if pictures is None:
        log.info("No pictures=PATH: the few embedded photographs are used; intervals are wide.")
        return [
            Item(picture.name, picture.digest, partial(_same, picture))
            for name in SETS
            for picture in embedded(name)
        ]
    path = Path(pictures)
    if not is_folder(path):
        raise InputError(f"pictures={path} must be a folder of at least {FEWEST} pictures.")
    found = list_files(find_files(path), path, reader)
    items: dict[str, Item] = {}
    for item in found:
        items.setdefault(item.digest, item)
    copies = [item for item in found if items[item.digest] is not item]
    if copies:
        log.warning(
            "Files that are the same as others count once: %d, such as %s, which is %s.",
            len(copies), copies[0].name, items[copies[0].digest].name,
        )  # fmt: skip
    if len(items) < FEWEST:
        raise InputError(
            f"pictures={path} holds {len(items)} pictures; at least {FEWEST} are needed."
        )
    return list(items.values())


def list_files(paths: Sequence[Path], source: Path, reader: Reader) -> list[Item]:
    """List picture files, each of which can be read, in their order; equal ones stay.

    Args:
        paths: of the files.
        source: the folder given, within which pictures are named.
        reader: how files are decoded.

    Raises:
        InputError: every file that cannot be read, unless the reader skips them.
    """
    tasks = ((p, source, Path.cwd(), reader) for p in paths)
    results = list(track(in_workers(_listed, tasks), "Looking at pictures", len(paths)))
    unread = [result for result in results if isinstance(result, Unread)]
    found = []
    for item, remarks in (result for result in results if not isinstance(result, Unread)):
        log_remarks(item.name, remarks)
        found.append(item)
    if problems := refused(unread, len(found), reader):
        raise InputError(problems)
    log_skipped(unread)
    return found


def quarters(items: Sequence[Item]) -> list[tuple[Item, int]]:
    """Return the four quarters of each picture, sharing no pixel, and which picture each is of."""
    return [
        (
            Item(
                f"{item.name} [{corner}]",
                f"{item.digest}/quarter {corner}",
                partial(_quarter, item, corner),
            ),
            number,
        )
        for number, item in enumerate(items)
        for corner in range(4)
    ]


def stereo(reader: Reader) -> list[tuple[Item, int]]:
    """Return the two halves of the stereo pair that scikit-image ships."""
    loads = {
        name: partial(_shipped, replace(reader, max_pixels=SHIPPED_PIXELS), name)
        for name in ("motorcycle_left.png", "motorcycle_right.png")
    }
    return [(Item(name, load().digest, load), 0) for name, load in loads.items()]


def _listed(
    path: Path, source: Path, place: Path, reader: Reader
) -> tuple[Item, tuple[str, ...]] | Unread:
    """Read a picture once, to see whether it can be; a worker may have begun elsewhere.

    Returns:
        the picture, and remarks on its file.
    """
    read = partial(reader.read, place / path)
    try:
        picture = read()
    except Unusable as error:
        return Unread(named(path, source), path, str(error))
    item = Item(named(path, source), picture.digest, read, place / path)
    return item, picture.remarks


def _same(picture: Picture) -> Picture:
    return picture


def _quarter(item: Item, corner: int) -> Picture:
    return quarter(item.read(), corner)


def _shipped(reader: Reader, name: str) -> Picture:
    with as_file(files("skimage.data") / name) as path:
        return reader.read(path)
