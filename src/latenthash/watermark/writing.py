"""Where marked copies are written: whole or not at all, over nothing, by one process at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from latenthash.errors import InputError
from latenthash.system.paths import path_text
from latenthash.watermark.files import ENDS, WRITTEN, Format

FOLDER = "marked"  # beside the original, where no folder is named


def target_of(file: Path, to: Path | None, kind: Format) -> Path:
    """Return where the marked copy of a file is written.

    Of another kind than the file, it has the file's whole name and an ending more: a.heic and
    a.jpg, as telephones leave them side by side, have two copies.

    Args:
        file: the original.
        to: folder of the copy; None is `marked` beside the original.
        kind: of the copy.
    """
    folder = file.parent / FOLDER if to is None else to
    ending = "" if ENDS.get(file.suffix.lower()) == kind else WRITTEN[kind][0]
    return folder / f"{file.name}{ending}"


def refuse_taken(target: Path) -> None:
    """Refuse to write where anything is.

    Raises:
        InputError: if there is.
    """
    if os.path.lexists(target):
        raise InputError(f"{path_text(target)} exists: give another folder with to=DIR.")


@contextmanager
def claimed(target: Path) -> Iterator[None]:
    """Be the only process that writes a file; a claim ends with the process that has it.

    Raises:
        InputError: if another has it.
    """
    lock = target.with_name(f".{target.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
    except Timeout as error:
        raise Claimed(f"{path_text(target)} is being written by another process.") from error


class Claimed(InputError):
    """Another process is writing the same file."""


def put(data: bytes, target: Path) -> None:
    """Write a file that nobody else writes now, and never over another.

    Raises:
        InputError: if something is there.
    """
    aside = target.with_name(f".{target.name}.part")  # what a process left that was killed, too
    try:
        aside.write_bytes(data)
        os.link(aside, target)
    except FileExistsError:
        refuse_taken(target)
        raise
    except OSError:  # a disk without links, such as a memory card
        if not aside.exists():
            raise
        refuse_taken(target)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
