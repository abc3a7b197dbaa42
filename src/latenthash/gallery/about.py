"""What a gallery is: the code that made it, and the folder within which its files are named."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

from latenthash import __version__
from latenthash.errors import InputError
from latenthash.hashing.printable_code import BITS
from latenthash.system.files import Unusable, make_folder, read_bounded
from latenthash.system.paths import path_text

ABOUT = "gallery.json"
FORMAT = 1  # of the file and of shards; raised whenever older readers would misread one
PRECISION = "float32"  # that the network computes in
LOCK = ".writing.lock"
MOST = 2**16  # bytes of the file
WAY = "gallery=DIR add=PATH"


@dataclass(frozen=True)
class About:
    """What a gallery is.

    Attributes:
        root: the folder within which files are named; absolute. Whoever moves the pictures
            changes it in the file.
        tag: 2 bytes in hex that name the network of the codes.
        bundle: digest of the bundle that made them.
    """

    root: str
    tag: str
    bundle: str

    def write(self, folder: Path) -> "About":
        """Begin a gallery, anew while it has no shard; return what stands there, if it has one.

        Raises:
            InputError: if nothing can be written there, or what is there is no gallery.
        """
        make_folder(folder, "The gallery")
        values = {"format": FORMAT, "latenthash": __version__, **asdict(self)}
        values |= {"bits": BITS, "precision": PRECISION}
        aside = folder / f".{uuid4().hex}.tmp"
        try:
            aside.write_text(json.dumps(values, indent=2) + "\n", encoding="ascii")
            with FileLock(folder / LOCK):
                if not (folder / ABOUT).exists() or not any(folder.glob("*.parquet")):
                    aside.replace(folder / ABOUT)
        finally:
            aside.unlink(missing_ok=True)
        return About.read(folder)

    @classmethod
    def read(cls, folder: Path) -> "About":
        """Read what a gallery is.

        Raises:
            InputError: if there is none, or it cannot be read.
        """
        path = folder / ABOUT
        if not folder.is_dir() or not path.exists():
            raise InputError(
                f"{path_text(folder)} is no gallery: it holds no {ABOUT}. Add pictures first: {WAY}"
            )
        try:
            values = json.loads(read_bounded(path, MOST))
        except (Unusable, ValueError, RecursionError) as error:
            raise InputError(f"{path_text(path)} cannot be read: {error}.") from error
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise InputError(f"{path_text(path)} is not the {ABOUT} of a gallery.")
        if values["format"] != FORMAT:
            raise InputError(
                f"{path_text(path)} has format {values['format']}, and latenthash {__version__} "
                f"reads format {FORMAT}. Use the version that wrote it, or add the pictures anew."
            )
        root, tag, bundle = (values.get(key) for key in ("root", "tag", "bundle"))
        if not (
            isinstance(root, str)
            and Path(root).is_absolute()
            and "\0" not in root
            and isinstance(tag, str)
            and re.fullmatch("[0-9a-f]{4}", tag)
            and isinstance(bundle, str)
            and re.fullmatch(r"[\w :.-]{1,100}", bundle)
        ):
            raise InputError(
                f"{path_text(path)} names no root, tag and bundle as a gallery does. Use an "
                "untouched copy; where the pictures were moved, change its root alone."
            )
        return cls(root, tag, bundle)

    def refuse_other(self, tag: bytes, bundle: str, folder: Path) -> None:
        """Refuse a code that is not the one of the gallery.

        Raises:
            InputError: that names both.
        """
        if (self.tag, self.bundle) != (tag.hex(), bundle):
            raise InputError(
                f"The gallery {path_text(folder)} holds codes of the network {self.tag} "
                f"({self.bundle}), and this code is {tag.hex()} ({bundle}): their bits mean "
                "different things. Name the same run=, or use another gallery."
            )
