"""The record of a run in its output folder: how it is written, and read again.

A line of JSON says one thing of the run. A folder may come from anywhere, so that nothing of it is
sent to MLflow before all of it is known to be what train.py and evaluate.py write.
"""

import errno
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image
from pydantic import ValidationError

from latenthash.errors import InputError
from latenthash.system.files import Unusable, open_regular, read_bounded
from latenthash.tracking.entries import LINE
from latenthash.tracking.names import RECORDED

RECORD = "run.jsonl"  # its name in the output folder
LARGEST = 2**26  # bytes of a record; a thousand epochs take a hundredth of it
DEEPEST = 16  # folders within each other that are sent
MOST_PIXELS = 2**24  # of an image of a series


@dataclass(frozen=True)
class Record:
    """What was written down of a run.

    Attributes:
        folder: its output folder.
        entries: what the lines of the record said when it was read.
    """

    folder: Path
    entries: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """Read the record that a folder holds.

        Raises:
            InputError: if there is none, or it is not of the kind that we write.
        """
        path = folder / RECORD
        try:
            if path.is_symlink():
                raise Unusable("is a link")
            # Of a process that was killed, the last line may have no end.
            lines = read_bounded(path, LARGEST).split(b"\n")[:-1]
            entries = [_entry(number, line) for number, line in enumerate(lines, 1)]
            if not entries or RECORDED not in entries[0].get("tags", {}):
                raise Unusable("does not begin with the tags of a run")
        except (Unusable, OSError) as error:
            raise InputError(
                f"{path} {error}: only the output folder of a run that could not be logged holds "
                "one that can be."
            ) from error
        return cls(folder, entries)

    @property
    def token(self) -> str:
        """A word that only this record and the run that was made of it hold."""
        return str(self.entries[0]["tags"][RECORDED])

    @property
    def run_id(self) -> str:
        """The run that was last made of it in MLflow; empty when none was."""
        return next((str(entry["run"]) for entry in self.entries[::-1] if "run" in entry), "")

    @property
    def is_told(self) -> bool:
        """Whether MLflow was told all of it, as far as the record knows."""
        if len(self.entries) == 1 or "known" in self.entries[-1]:
            return True
        # It was told line by line from the beginning, and never failed to answer.
        later = {name for entry in self.entries[2:] for name in entry}
        return "run" in self.entries[1] and not later & {"run", "known"}

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write a line down, whole or not at all."""
        line = json.dumps(entry).encode() + b"\n"
        with (self.folder / RECORD).open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file.name))
            except OSError:
                file.truncate(end)
                raise

    def check_files(self) -> None:
        """Look at all that is to be sent, and make ready to add lines.

        Raises:
            InputError: if a file is not there, or a link, which leads elsewhere, or no regular one.
        """
        try:
            for name in {name for entry in self.entries for name in _files(entry)}:
                self._check(name)
            for name in {entry["image"] for entry in self.entries if "image" in entry}:
                _check_image(self.folder / name)
            for name in {entry["folder"] for entry in self.entries if "folder" in entry}:
                self._check_folder(name)
            with (self.folder / RECORD).open("r+b") as file:  # what follows begins a line
                file.truncate(file.read().rfind(b"\n") + 1)
        except (Unusable, OSError) as error:
            path = self.folder / RECORD
            raise InputError(f"What {path} names cannot be logged: {error}.") from error

    def _check(self, name: str, kind: int = stat.S_IFREG) -> None:
        parts = PurePosixPath(name).parts
        if len(parts) > DEEPEST:
            raise Unusable(f"{name} lies too deep")
        for end in range(1, len(parts) + 1):
            path = self.folder.joinpath(*parts[:end])
            if stat.S_IFMT(path.lstat().st_mode) != (kind if end == len(parts) else stat.S_IFDIR):
                raise Unusable(f"{path} is a link or of another kind than its name says")

    def _check_folder(self, name: str) -> None:
        self._check(name, stat.S_IFDIR)
        with os.scandir(self.folder / name) as found:
            for entry in found:
                inner = f"{name}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    self._check_folder(inner)
                else:
                    self._check(inner)


def _entry(number: int, line: bytes) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = LINE.validate_json(line).model_dump()
    except ValidationError as error:
        raise Unusable(f"holds something else than a run in line {number}") from error
    return entry


def _files(entry: Mapping[str, Any]) -> list[str]:
    """Name the files that an entry is about."""
    tables = [f"{entry['table']}.{suffix}" for suffix in ("csv", "json") if "table" in entry]
    return tables + [entry[kind] for kind in ("file", "image") if kind in entry]


def _check_image(path: Path) -> None:
    """Decode an image: MLflow does so to make a smaller one."""
    with open_regular(path) as file:
        try:
            with Image.open(file, formats=["PNG"]) as image:
                if image.mode != "RGB" or image.width * image.height > MOST_PIXELS:
                    raise ValueError(f"{image.mode}, {image.width} x {image.height}")
                image.load()
        except Exception as error:  # Pillow raises all kinds of what is broken
            raise Unusable(f"{path} is no image of a series ({error})") from error
