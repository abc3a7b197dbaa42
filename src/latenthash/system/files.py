"""Open a user's files without hanging or filling the memory, whatever lies at a path."""

import hashlib
import os
import stat
import sys
from io import BufferedReader
from pathlib import Path

from latenthash.errors import InputError

LARGEST = 2**32  # bytes; no picture, network or table of anybody is larger
# A pipe without a writer is not waited for, and no terminal takes hold of the process.
FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Unusable(ValueError):
    """Why a file cannot be used: the end of a sentence that begins with its name."""


def open_regular(path: Path, most: int = LARGEST, way_out: str = "") -> BufferedReader:
    """Open a file for reading, if it is one and has a size that can be read.

    Args:
        path: links are followed.
        most: bytes it may have.
        way_out: what the refusal of a larger one advises.

    Raises:
        Unusable: it cannot be opened, is no regular file, is empty or too large.
    """
    try:
        # Before opening, which may already rewind a tape, or unblock the writer of a pipe.
        kind = stat.S_IFMT(path.stat().st_mode)
        descriptor = os.open(path, FLAGS) if kind in (stat.S_IFREG, stat.S_IFDIR) else None
    except OSError as error:
        raise Unusable(f"cannot be opened ({error.strerror})") from error
    except ValueError as error:  # no path at all: it holds a zero byte
        raise Unusable(f"cannot be opened ({error})") from error
    if descriptor is None:
        raise _no_file(kind)
    try:
        status = os.fstat(descriptor)  # again: another may have taken its place
        if not stat.S_ISREG(status.st_mode):
            raise _no_file(stat.S_IFMT(status.st_mode))
        if not status.st_size:  # also those of /proc, which may wait for ever
            raise Unusable("is empty (0 bytes)")
        if status.st_size > most:
            raise Unusable(f"has {status.st_size:,} bytes, over the limit of {most:,}{way_out}")
    except Unusable:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_bounded(path: Path, most: int) -> bytes:
    """Read a file of at most so many bytes.

    Raises:
        Unusable: see `open_regular`; or it cannot be read.
    """
    with open_regular(path, most) as file:
        try:
            data = file.read(most + 1)
        except OSError as error:
            raise Unusable(f"cannot be read ({error.strerror})") from error
    if len(data) > most:
        raise Unusable(f"grew over the limit of {most:,} bytes while it was read")
    return data


def digest(path: Path) -> str:
    """Return the sha256 of a file in hex, read in chunks.

    Raises:
        Unusable: see `open_regular`; or it cannot be read.
    """
    with open_regular(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Unusable(f"cannot be read ({error.strerror})") from error


def code_digest(found: object) -> str:
    """Digest the file of the module that a class, a function or an object is of.

    Other files that it uses do not count.

    Raises:
        Unusable: if it is in no file that can be read.
    """
    module = sys.modules.get(getattr(found, "__module__", None) or "")
    return digest(Path(getattr(module, "__file__", None) or ""))


def make_folder(path: Path, what: str) -> None:
    """Make a folder to write to, unless it is there.

    Args:
        path: of the folder.
        what: begins the sentence on why it cannot be: what the folder is.

    Raises:
        InputError: if it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        problem = None if os.access(path, os.W_OK | os.X_OK) else "it may not be written to"
    except OSError as error:
        problem = error.strerror
    if problem:
        raise InputError(
            f"{what} cannot be used: {path} ({problem}). Move away what is in its place, or give "
            "yourself the right to write there."
        )


def _no_file(kind: int) -> Unusable:
    return Unusable(f"is {KINDS.get(kind, 'no file')}; only regular files are read")
