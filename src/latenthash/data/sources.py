"""Where the pictures of a run come from: the project's own, or a user's files.

A source is a string: `embedded:<set>`, or the path of a picture or of a folder. All sources
are read, and everything wrong with them collected, before any work begins.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from latenthash.cache import DiskCache
from latenthash.data.detail import has_detail
from latenthash.data.reading import Picture, Reader
from latenthash.data.samples.sets import PREFIX, SETS, embedded
from latenthash.errors import InputError
from latenthash.system.files import Unusable, digest
from latenthash.system.paths import exists, find_files, path_text
from latenthash.system.terminal import track

log = logging.getLogger(__name__)

SINGLE = ("signal", "noise_edited")  # roles that are one picture, not a set
DISJOINT = ("outliers", "unseen")  # roles that must not hold a picture of another role
SKIP = "Files that cannot be read are left out with unreadable=skip."
NAMED = 6  # files left out that are named in the log


@dataclass(frozen=True)
class Unread:
    """A file that could not be read.

    Attributes:
        name: as that of a picture, which may be shared.
        path: as it was found, for whoever gave it.
        reason: the end of a sentence that begins with it.
    """

    name: str
    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{path_text(self.path)} {self.reason}."


def load_pictures(
    sources: Mapping[str, str],
    reader: Reader,
    cache: DiskCache | None = None,
    problems: Sequence[str] = (),
) -> dict[str, list[Picture]]:
    """Read the pictures of every role.

    Args:
        sources: role -> `embedded:<set>` or a path; a folder is searched recursively.
        reader: how files are decoded.
        cache: where painted pictures are kept; None paints them anew.
        problems: what is known to be wrong already.

    Raises:
        InputError: everything that is wrong, in all sources at once.
    """
    problems = list(problems)
    found = {role: _find(role, source, problems) for role, source in sources.items()}
    pictures = {
        role: _read(role, sources[role], paths, reader, cache, problems)
        for role, paths in found.items()
    }
    problems += _without_detail(pictures)
    if not problems:
        problems = _overlaps(pictures)
    if problems:
        raise InputError(problems)
    return pictures


def load_outliers(outliers: str | None, reader: Reader, cache: DiskCache | None) -> list[Picture]:
    """Read the one set of pictures that a code learns from.

    Args:
        outliers: its source; None is not set.
        reader: how files are decoded.
        cache: where painted pictures are kept; None paints them anew.

    Raises:
        InputError: everything that is wrong with it, at once.
    """
    if outliers is None:
        raise InputError("data.outliers is not set; give a folder: data.outliers=PATH.")
    return load_pictures({"outliers": outliers}, reader, cache)["outliers"]


def named(path: Path, source: Path | None) -> str:
    """Name a picture by its path within the folder given, or by its own name.

    Args:
        path: of its file.
        source: the folder, or the file itself; None where files were named one by one, as which
            they stay.
    """
    if source is None:
        return path_text(path)
    return path_text(Path(path.name) if path == source else path.relative_to(source))


def read_files(
    paths: list[Path], reader: Reader, title: str, source: Path | None
) -> tuple[list[Picture], list[Unread]]:
    """Read files with a progress bar.

    Args:
        paths: of the files.
        reader: how they are decoded.
        title: of the bar.
        source: the file or folder that was given, within which pictures are named; or None.

    Returns:
        the pictures, and the files that are none.
    """
    pictures, unread = [], []
    for found in read_each(paths, reader, title, source):
        if isinstance(found, Unread):
            unread.append(found)
        else:
            pictures.append(found)
    for picture in pictures:
        log_remarks(picture.name, picture.remarks)
    return pictures, unread


def read_each(
    paths: list[Path], reader: Reader, title: str, source: Path | None
) -> Iterator[Picture | Unread]:
    """Read files one by one, as `read_files` does, and hold none of them."""
    for path in track(paths, title, disable=len(paths) < 10):
        try:
            yield replace(reader.read(path), name=named(path, source))
        except Unusable as error:
            yield Unread(named(path, source), path, str(error))


def log_remarks(name: str, remarks: Sequence[str]) -> None:
    """Log what of a picture's file was left out or looked odd."""
    for remark in remarks:
        log.warning("%s: %s", name, remark)


def refused(unread: Sequence[Unread], left: int, reader: Reader) -> list[str]:
    """Say what is wrong with files that cannot be read; nothing where they may be left out.

    Args:
        unread: of one source.
        left: pictures that could be read; without any, nothing may be left out.
        reader: says what is done.
    """
    if not unread or (reader.unreadable == "skip" and left):
        return []
    return [*map(str, unread), *([SKIP] if left else [])]


def log_skipped(unread: Sequence[Unread]) -> None:
    """Log which files were left out."""
    if unread:
        names = " ".join(map(str, unread[:NAMED])) + (" ..." if len(unread) > NAMED else "")
        log.warning("Files left out because they cannot be read: %d. %s", len(unread), names)


def source_digest(source: str) -> str:
    """Digest what a source holds now, so that a changed file makes a changed job.

    An embedded set is named by its own name: the project's version covers its content.
    """
    path = Path(source)
    if source.startswith(PREFIX) or not exists(path):
        return source
    whole = sha256()
    for file in find_files(path) if path.is_dir() else [path]:
        with suppress(Unusable):  # it is named when the pictures are read
            whole.update(bytes.fromhex(digest(file)))
    return whole.hexdigest()


def _find(role: str, source: str, problems: list[str]) -> list[Path]:
    if source.startswith(PREFIX):
        if source.removeprefix(PREFIX) not in SETS:
            known = ", ".join(PREFIX + name for name in SETS)
            problems.append(f"data.{role}={source} is not one of {known}.")
        return []
    path = Path(source)
    if not exists(path):
        problems.append(
            f"data.{role}={source} does not exist (looked in {path.absolute().parent})."
        )
    elif path.is_dir() and role in SINGLE:
        problems.append(f"data.{role}={source} is a folder; give the path of one picture.")
    elif path.is_dir():
        paths = find_files(path)
        if not paths:
            problems.append(f"data.{role}={source} is an empty folder; put pictures into it.")
        return paths
    else:
        return [path]
    return []


def _read(
    role: str,
    source: str,
    paths: list[Path],
    reader: Reader,
    cache: DiskCache | None,
    problems: list[str],
) -> list[Picture]:
    if source.startswith(PREFIX):
        name = source.removeprefix(PREFIX)
        return embedded(name, cache) if name in SETS else []
    pictures, unread = read_files(paths, reader, f"Pictures of {role}", Path(source))
    if sentences := refused(unread, len(pictures), reader):
        problems.extend(f"data.{role}: {sentence}" for sentence in sentences)
    else:
        log_skipped(unread)
    return pictures


def _without_detail(pictures: Mapping[str, list[Picture]]) -> list[str]:
    """Refuse a Signal that shows nothing: networks tell it from no other such picture."""
    return [
        f"data.signal: {picture.name} has no detail beyond what noise on one colour has; give a "
        "picture that shows something."
        for picture in pictures.get("signal", [])
        if not has_detail(picture.pixels)
    ]


def _overlaps(pictures: Mapping[str, list[Picture]]) -> list[str]:
    """Say which pictures stand in two roles where that makes the test void.

    The Signal must be in no other set, and outliers and unseen pictures in none but their own.
    """
    problems = []
    for role, members in pictures.items():
        if role == "signal":
            continue
        others = [other for other in pictures if other != role] if role in DISJOINT else ["signal"]
        elsewhere = {picture.digest: o for o in others for picture in pictures.get(o, [])}
        problems += [
            f"data.{role}: {picture.name} is also a picture of data.{elsewhere[picture.digest]}; "
            "the sets must be disjoint."
            for picture in members
            if picture.digest in elsewhere
        ]
    return problems
