"""Which processes of this machine are at work, and at what.

Locks say so, for the system gives them back when their process ends, however it ends. A number of
a process says little: it is given to another one later, and means nothing in another container.
"""

import hashlib
import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

POLL = 0.5  # seconds between looks whether another process has ended

_own: dict[tuple[Path, int], FileLock] = {}  # (file name's beginning, process) -> its lock


class Processes:
    """The processes of this machine that share some work: a file for each, locked while it lives.

    Args:
        folder: of the files; made when first needed.
        work: what they share, in words that no other work has.
    """

    def __init__(self, folder: Path, work: str) -> None:
        self.folder = folder.absolute()
        # Files of other machines may lie in the same folder, where it is shared.
        host = "".join(c if c.isalnum() or c == "." else "_" for c in platform.node())
        self.prefix = f"{host}-{hashlib.sha256(work.encode()).hexdigest()[:8]}-"

    @property
    def own(self) -> str:
        """The name of this process, which is marked as alive from now on."""
        key = self.folder / self.prefix, os.getpid()
        if key not in _own:
            lock = self._lock(f"{self.prefix}{uuid4().hex}")
            lock.acquire()
            _own[key] = lock
        return Path(_own[key].lock_file).name

    def is_alive(self, name: str) -> bool:
        """Say whether the process of a name is alive; of other machines nothing is known."""
        if not (self.folder / name).is_file():
            return False
        try:
            with self._lock(name).acquire(blocking=False):
                return False
        except Timeout:
            return True

    def dead(self) -> Iterator[str]:
        """Give the names of processes that ended; each is forgotten when the next is asked for."""
        for path in sorted(self.folder.glob(f"{self.prefix}*")):
            try:
                with self._lock(path.name).acquire(blocking=False):
                    yield path.name
                    path.unlink(missing_ok=True)
            except Timeout:
                continue  # alive, or another process is at it

    @contextmanager
    def claim(self, job: str, title: str, wait: bool) -> Iterator[None]:
        """Keep other processes from a job for as long as this one is at it.

        Args:
            job: a digest of it.
            title: what to call it.
            wait: whether to wait for another process that is at it, or to begin all the same.
        """
        lock = self._lock(f"{job}.claim")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if not wait:
                yield
                return
            log.info("Waiting for another process, which runs %s", title)
            lock.acquire(poll_interval=POLL)
        try:
            yield
        finally:
            # While it is held: whoever waits sees that the file is gone, and makes a new one.
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()

    def _lock(self, name: str) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / name)
