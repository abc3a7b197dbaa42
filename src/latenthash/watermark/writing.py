"""Where marked copies are written: whole or not at all, over nothing, by one process at once."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from latenthash.errors import InputError
from latenthash.system.paths import path_text
from latenthash.watermark.files import ENDS, WRITTEN, Format

FOLDER = "marked"  # beside the original, where no folder is named
LONGEST = 255  # bytes of a file's name, on nearly all disks


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


def refuse_long(path: Path) -> None:
    """Refuse a name that leaves no room for the one under which the file is written aside.

    Raises:
        InputError: if it is too long.
    """
    over = len(os.fsencode(_aside(path).name)) - LONGEST
    if over > 0:
        raise InputError(
            f"{path_text(path)} has too long a name to be written: call the picture by a name "
            f"that is {over} bytes shorter."
        )


@contextmanager
def claimed(target: Path) -> Iterator[None]:
    """Be the only process that writes a file; a claim ends with the process that has it.

    Raises:
        InputError: if another has it, or the folder cannot be written to.
    """
    lock = target.with_name(f".{target.name}.lock")
    claim = FileLock(lock, timeout=0)
    with _explained(target):
        try:
            claim.acquire()
        except Timeout as error:
            raise Claimed(f"{path_text(target)} is being written by another process.") from error
    try:
        yield
    finally:
        with suppress(OSError):  # such as a folder that was taken away meanwhile
            lock.unlink()
        claim.release()


class Claimed(InputError):
    """Another process is writing the same file."""


def put(data: bytes, target: Path) -> None:
    """Write a file that nobody else writes now, and never over another.

    It is written under a name that nobody can foresee, where nothing is, and moved when it is
    whole. A process that is killed may leave that one behind: a hidden file, which is never read.

    Raises:
        InputError: if something is there, or it cannot be written.
    """
    aside = _aside(target)
    with _explained(target):
        try:
            with aside.open("xb") as file:  # which follows no link
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _moved(aside, target)
        finally:
            aside.unlink(missing_ok=True)


def _moved(aside: Path, target: Path) -> None:
    try:
        os.link(aside, target)  # unlike a rename, it never replaces what is there
    except FileExistsError:
        refuse_taken(target)
        raise
    except OSError:  # a disk without links, such as a memory card
        refuse_taken(target)
        aside.replace(target)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Refuse in words what hinders a file from being written."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path_text(path)} cannot be written ({error.strerror or error}): make room and give "
            "yourself the right to write there, or name another place."
        ) from error
