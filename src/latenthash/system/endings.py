"""What has to happen however a command ends."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# Around all of train.py. Hydra tells its callbacks neither that a sweep was interrupted nor that
# its launcher raised, so they leave here what is to be done then.
endings = ExitStack()


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the work within as Ctrl-C does, so that its runs are marked KILLED."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
