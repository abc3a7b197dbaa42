"""A cache on disk of what is slow to compute: trunk activations, painted pictures."""

import hashlib
import io
import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

DIGEST = 32  # bytes of sha256 at the head of every entry
KEPT = 0.8  # of the limit, once it was passed, so that not every new entry has to make room
RECOUNT = 0.1  # of the limit may be written until entries are counted again: others write, too


class DiskCache:
    """Bytes under a key, in a folder that may be deleted at any time.

    Safe when several processes use it at once: an entry appears whole or not at all. A damaged
    entry counts as missing. When there is no more room, the least recently used are removed.

    Args:
        folder: where entries are kept; created when first needed.
        max_bytes: of all entries together.
    """

    def __init__(self, *, folder: str, max_bytes: int) -> None:
        self.folder = Path(folder)
        self.max_bytes = max_bytes
        self.writable = True
        self._left = 0.0  # bytes that may be written until entries are counted again

    def read(self, key: str) -> bytes | None:
        """Return the bytes of an entry; None when there is none, or it was damaged."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        with suppress(OSError):  # a cache that is read-only works, too
            os.utime(path)  # its last use
        body = data[DIGEST:]
        return body if hashlib.sha256(body).digest() == data[:DIGEST] else None

    def write(self, key: str, body: bytes) -> None:
        """Keep the bytes of an entry."""
        if not self.writable:
            return
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                temporary = Path(file.name)
                try:
                    file.write(hashlib.sha256(body).digest() + body)
                    file.flush()
                    temporary.replace(path)
                except OSError:
                    temporary.unlink(missing_ok=True)
                    raise
            self._left -= DIGEST + len(body)
            if self._left < 0:
                self._make_room()
        except (FileNotFoundError, FileExistsError):
            pass  # deleted this very moment, the folder took the entry along
        except OSError as error:  # a full disk is no reason to lose a training
            self.writable = False
            log.warning("Nothing more goes into the cache %s: %s", self.folder, error)

    def read_array(self, key: str) -> NDArray[Any] | None:
        """Return the array of an entry; None when there is none, or it was damaged."""
        data = self.read(key)
        try:
            return None if data is None else np.load(io.BytesIO(data), allow_pickle=False)
        except ValueError:  # an older version wrote entries otherwise
            return None

    def write_array(self, key: str, array: NDArray[Any]) -> None:
        """Keep an array."""
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        self.write(key, file.getvalue())

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _entries(self) -> list[tuple[float, int, Path]]:
        """List when each entry was last used, its bytes, and its path."""
        entries = []
        for path in self.folder.glob("??/*"):
            try:
                status = path.stat()
            except FileNotFoundError:  # another process made room
                continue
            entries.append((status.st_mtime, status.st_size, path))
        return entries

    def _make_room(self) -> None:
        entries = sorted(self._entries())
        total = sum(size for _, size, _ in entries)
        if total > self.max_bytes:
            for _, size, path in entries:
                if total <= KEPT * self.max_bytes:
                    break
                path.unlink(missing_ok=True)
                total -= size
        self._left = min(self.max_bytes - total, RECOUNT * self.max_bytes)


def cache_key(*parts: str | bytes) -> str:
    """Digest all that decides an entry; where one part ends and the next begins counts too."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
