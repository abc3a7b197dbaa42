"""How the files of a gallery are named: within its root, as text that any table can hold."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from re import compile as pattern
from typing import Any, overload

from latenthash.errors import InputError
from latenthash.system.paths import absolute, is_folder, path_text

ESCAPED = pattern(r"\\(?:\\|x([0-9a-f]{2}))")


def kept(name: str) -> str:
    r"""Write a name as UTF-8 can: a byte that is not as `\xe9`, and a backslash as two."""
    text = name.replace("\\", "\\\\")
    if text.isascii():
        return text
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def restored(text: str) -> str:
    """Read what `kept` wrote."""
    if "\\" not in text:
        return text
    data = b""
    end = 0
    for found in ESCAPED.finditer(text):
        data += text[end : found.start()].encode()
        data += bytes.fromhex(found[1]) if found[1] else b"\\"
        end = found.end()
    return os.fsdecode(data + text[end:].encode())


class Names(Sequence[str]):
    """Names of files that are made as they are asked for, of a column of what `kept` wrote.

    Args:
        column: pyarrow's, of strings.
    """

    def __init__(self, column: Any) -> None:
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [restored(text.as_py()) for text in self.column[index]]
        return restored(self.column[range(len(self))[index]].as_py())

    def __iter__(self) -> Iterator[str]:
        return (restored(text.as_py()) for text in self.column)


class Root:
    """The folder within which a gallery names its files.

    Args:
        folder: absolute.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def name(self, path: str | os.PathLike[str]) -> str:
        """Name a file, wherever the command was given; links are not followed.

        Raises:
            InputError: if it lies outside.
        """
        whole = absolute(path)
        if not whole.is_relative_to(self.folder) or whole == Path(self.folder):
            raise InputError(
                f"{path_text(Path(path))} lies outside of {path_text(Path(self.folder))}, within "
                "which this gallery names its files. Use another gallery for it, or begin one "
                "with root=FOLDER, a folder that holds all."
            )
        return whole.relative_to(self.folder).as_posix()

    def path(self, name: str) -> Path:
        """Return where the file of a name lies."""
        return Path(self.folder, PurePath(name))


def root_of(files: str | os.PathLike[str] | Iterable[object]) -> str:
    """Choose the root of a new gallery: the folder given, that of the one file, or this one."""
    if not isinstance(files, str | os.PathLike):
        return str(Path.cwd())
    whole = absolute(files)
    return str(whole if is_folder(whole) else whole.parent)
