"""How refused input and failures reach the user: all at once, a sentence each, an exit code."""

import errno
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class InputError(ValueError):
    """What the user gave cannot be used; the message names it and the way out.

    Args:
        problems: one sentence each; all that were found, not only the first.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class JobError(RuntimeError):
    """The work failed, wholly or in part, for a reason that a sentence explains."""


def collect(*makers: Callable[[], Any]) -> list[Any]:
    """Call each of the makers, and raise everything that any of them refuses at once."""
    made, problems = [], []
    for maker in makers:
        try:
            made.append(maker())
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return made


ELSEWHERE = "write elsewhere with hydra.run.dir=PATH (hydra.sweep.dir=PATH for a sweep)"


def refuse_existing(path: Path, way_out: str = ELSEWHERE) -> None:
    """Refuse to write over what another run left.

    Args:
        path: of what would be written.
        way_out: what to do if not to move away what is there.

    Raises:
        InputError: if something is there.
    """
    if os.path.lexists(path):
        raise InputError(f"{path} exists already: move it away, or {way_out}.")


def find_refusal(error: BaseException) -> InputError | None:
    """Find the refusal behind what OmegaConf or Hydra raised when a resolver refused."""
    behind: BaseException | None = error
    while behind is not None and not isinstance(behind, InputError):
        behind = behind.__cause__ or behind.__context__
    return behind


@contextmanager
def refusals(folder: Path) -> Iterator[None]:
    """Turn what can be explained into sentences, and exit code 2 for refused input, or else 1.

    Args:
        folder: where the command writes.
    """
    # A log file that cannot be written, on a full disk, would add a traceback to every line.
    logging.raiseExceptions = False
    try:
        yield
    except Exception as error:
        if not log_problems(error, folder):
            raise
        sys.exit(2 if isinstance(error, InputError) else 1)


def log_problems(error: BaseException, folder: Path) -> bool:
    """Log a sentence for each problem; say whether there was one: other errors are bugs.

    Args:
        error: what was raised.
        folder: where the command writes.
    """
    problems: list[str] = []
    if isinstance(error, InputError):
        problems = error.problems
    elif isinstance(error, JobError):
        problems = [str(error)]
    elif _is_full_disk(error):
        problems = [_full_disk(folder)]
    for problem in problems:
        log.error(problem)
    return bool(problems)


def _is_full_disk(error: BaseException | None) -> bool:
    """Say whether a full disk, or a quota that is used up, is the cause of an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def _full_disk(folder: Path) -> str:
    """Name the disk: an error of writing does not tell of which file it is."""
    existing = (path for path in (folder, *folder.absolute().parents) if path.is_dir())
    places = [next(existing), Path(tempfile.gettempdir())]
    free, place = min((shutil.disk_usage(path).free, path) for path in places)
    return (
        f"The disk of {place} is full ({free} bytes are free): make room, or write elsewhere with "
        "hydra.run.dir=PATH, logger.tracking_uri=URI or the variable TMPDIR."
    )
