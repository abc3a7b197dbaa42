"""Which processes of this machine are running, and what they work on.

Locks say so, for the system gives them back when their process ends, however it ends. A number of
a process says little: it is given to another one later, and means nothing in another container.
"""

import hashlib
import logging
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from latenthash.system.files import make_folder

log = logging.getLogger(__name__)

CLAIM = ".claim"  # ends the names of files of jobs
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

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            InputError: if it cannot be made or written to.
        """
        make_folder(self.folder, "The folder that says which processes are at work")

    @property
    def own(self) -> str:
        """The name of this process, which is marked as alive from now on."""
        key = self.folder / self.prefix, os.getpid()
        if key not in _own:
            self.prepare()
            lock = self._lock(f"{self.prefix}{uuid4().hex}")
            lock.acquire()
            _own[key] = lock
        return Path(_own[key].lock_file).name

    def is_alive(self, name: str) -> bool:
        """Say whether the process of a name is alive; of other machines nothing is known."""
        # A name comes from a store that others write to, too.
        ours = re.fullmatch(f"{re.escape(self.prefix)}[0-9a-f]{{32}}", name)
        if not ours or not (self.folder / name).is_file():
            return False
        try:
            with self._lock(name).acquire(blocking=False):
                return False
        except Timeout:
            return True

    def dead(self) -> Iterator[str]:
        """Return the names of processes that ended; each is forgotten when the next is asked for.

        What they had claimed is forgotten as well.
        """
        for path in sorted(self.folder.glob(f"{self.prefix}*")):
            with self._if_free(path) as free:
                if free:
                    yield path.name
        for path in sorted(self.folder.glob(f"*{CLAIM}")):
            with self._if_free(path):
                pass

    @contextmanager
    def _if_free(self, path: Path) -> Iterator[bool]:
        """Say whether no process holds a file; if so, hold it meanwhile, and then remove it."""
        try:
            lock = self._lock(path.name)
            lock.acquire(blocking=False)
        except Timeout:  # of a living process, or another one looks at it
            yield False
            return
        try:
            yield True
            path.unlink(missing_ok=True)
        finally:
            lock.release()

    @contextmanager
    def claim(self, job: str, title: str, wait: bool) -> Iterator[None]:
        """Keep other processes from a job for as long as this one is at it.

        Args:
            job: a digest of it.
            title: what to call it.
            wait: whether to wait for another process that is at it, or to begin all the same.
        """
        self.prepare()
        lock = self._lock(f"{job}{CLAIM}")
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
        return FileLock(self.folder / name)
