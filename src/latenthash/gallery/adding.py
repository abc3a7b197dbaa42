"""Adding pictures to a gallery, as they come: no more are held than what is under way."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa

from latenthash.cache import DiskCache
from latenthash.codes.stream import DescribedFile
from latenthash.data.sources import Unread
from latenthash.gallery import shards
from latenthash.gallery.about import About
from latenthash.gallery.known import Known
from latenthash.gallery.names import Root, kept
from latenthash.gallery.shards import SCHEMA
from latenthash.library.code import Code
from latenthash.system.terminal import escaped, track

log = logging.getLogger(__name__)

ROWS = 8192  # of a shard
SECONDS = 60.0  # after which a shard is written, however few rows it has: so much work is at risk
CHECKED = 1024  # files that are looked up at once
LONGEST = 600  # letters of a reason
GONE = -1, 0  # bytes and time of change of a file that cannot be looked at
MANY_SHARDS = 200  # from which on reading them takes longer than it need
MANY = 1000  # files: about so many win back the seconds that it takes to be faster
SHORT = 10  # files, of which no progress is shown


@dataclass(frozen=True)
class Added:
    """What was added to a gallery.

    Attributes:
        added: files that were read.
        unchanged: files that the gallery knew as they are, and that were not read.
        plain: of those added, the ones without detail, which cannot be found.
        errors: files that could not be read, also not again, and have a row that says why.
        seconds: that it took.
    """

    added: int
    unchanged: int
    plain: int
    errors: int
    seconds: float

    @property
    def rate(self) -> float:
        """Files a second, of those that were read or could not be."""
        return (self.added + self.errors) / max(self.seconds, 1e-9)


@dataclass(frozen=True)
class Seen:
    """A file as it was before it was read.

    Attributes:
        name: as `names.kept` writes it.
        path: of the file.
        size: bytes.
        mtime_ns: time of its last change.
    """

    name: str
    path: Path
    size: int
    mtime_ns: int


@dataclass
class Rows:
    """Rows that wait for their shard.

    Args:
        folder: of the gallery.
        about: what it is.
    """

    folder: Path
    about: About
    _rows: list[dict[str, object]] = field(default_factory=list)
    _begun: float = 0.0

    def add(self, seen: Seen, found: DescribedFile | Unread, code: bytes | None) -> None:
        """Take what was found of a file; write a shard when it is time to."""
        if not self._rows:
            self._begun = time.monotonic()
        self._rows.append(row(seen, found, code))
        if len(self._rows) >= ROWS or time.monotonic() - self._begun >= SECONDS:
            self.write()

    def write(self) -> None:
        """Write what waits."""
        if self._rows:
            shards.write(self.folder, self.about, pa.Table.from_pylist(self._rows, SCHEMA))
            self._rows = []


def row(seen: Seen, found: DescribedFile | Unread, code: bytes | None) -> dict[str, object]:
    """Lay out what was found of a file as a row of `shards.SCHEMA`.

    Args:
        seen: the file.
        found: what was read, or why it could not be.
        code: 32 bytes; None where there is no detail.
    """
    read = isinstance(found, DescribedFile)
    return {
        "file": seen.name,
        "bytes": seen.size,
        "mtime_ns": seen.mtime_ns,
        "sha256": bytes.fromhex(found.digest) if isinstance(found, DescribedFile) else None,
        "code": code if read else None,
        "detail": read and code is not None,
        "error": None if isinstance(found, DescribedFile) else reason_of(found),
    }


def reason_of(found: Unread) -> str:
    """Return why a file could not be read, as its row says it."""
    return escaped(found.reason)[:LONGEST]


def add_files(
    folder: Path,
    about: About,
    code: Code,
    files: Callable[[], Iterable[Path]],
    cache: DiskCache | None,
    cluster: str | None,
    show: bool,
) -> Added:
    """Add files to a gallery, but those that it knows as they are.

    Args:
        folder: of the gallery.
        about: what it is.
        code: that makes the codes.
        files: finds them; it is asked twice, for they are counted first.
        cache: where what makes a code faster is kept; None leaves it as it is.
        cluster: address of a Ray cluster that reads them; None reads here.
        show: whether progress is shown.

    Raises:
        InputError: if a file lies outside of the root, a shard cannot be used, or there is no such
            cluster.
    """
    shards.sweep(folder)
    began = time.monotonic()
    root, known = Root(about.root), Known.of(folder, about)
    waiting = total = 0
    for group in _looked_at(files(), root, known):
        total, waiting = total + group.count, waiting + len(group.new)
    if cache is not None and cluster is None and waiting >= MANY:
        code.hasten(cache)
    rows, under_way = Rows(folder, about), deque[Seen]()

    def paths() -> Iterator[Path]:
        for group in _looked_at(files(), root, known):
            for seen in group.new:
                under_way.append(seen)
                yield seen.path

    added = plain = errors = 0
    try:
        results = code.read_many(paths(), cluster) if waiting else iter(())
        for found, bits in track(results, "Adding", waiting, disable=not show or waiting < SHORT):
            seen = under_way.popleft()
            if isinstance(found, Unread):
                errors += 1
                reason = reason_of(found)
                if known.has([seen.name], [seen.size], [seen.mtime_ns], reason).all():
                    continue  # nothing is new
            else:
                added, plain = added + 1, plain + (bits is None)
            rows.add(seen, found, bits)
    finally:  # also when it is interrupted: what was computed is kept
        rows.write()
    if (count := len(shards.shards(folder))) >= MANY_SHARDS:
        log.info("The gallery has %d shards: compact=true makes this faster.", count)
    unchanged = max(total - added - errors, 0)
    return Added(added, unchanged, plain, errors, time.monotonic() - began)


@dataclass(frozen=True)
class _Group:
    """Some files that were looked at: how many, and which of them are new or changed."""

    count: int
    new: list[Seen]


def _looked_at(files: Iterable[Path], root: Root, known: Known) -> Iterator[_Group]:
    files = iter(files)
    while some := [_seen(path, root) for path in islice(files, CHECKED)]:
        names, sizes, times = zip(*((s.name, s.size, s.mtime_ns) for s in some), strict=True)
        old = known.has(names, sizes, times)
        yield _Group(
            len(some), [seen for seen, is_old in zip(some, old, strict=True) if not is_old]
        )


def _seen(path: Path, root: Root) -> Seen:
    """Look at a file before it is read: if it changes meanwhile, it is read again next time."""
    try:
        status = path.stat()
        size, changed = status.st_size, status.st_mtime_ns
    except (OSError, ValueError):  # reading it says why
        size, changed = GONE
    return Seen(kept(root.name(path)), path, size, changed)
