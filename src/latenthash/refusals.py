"""How refused input reaches the user: all of it at once, a sentence each, and exit code 2."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from latenthash import InputError

log = logging.getLogger(__name__)


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


def find_refusal(error: BaseException) -> InputError | None:
    """Find the refusal behind what OmegaConf or Hydra raised when a resolver refused."""
    behind: BaseException | None = error
    while behind is not None and not isinstance(behind, InputError):
        behind = behind.__cause__ or behind.__context__
    return behind


@contextmanager
def refusals() -> Iterator[None]:
    """Turn refused input into a sentence for each problem and exit code 2."""
    try:
        yield
    except InputError as error:
        log_problems(error)
        sys.exit(2)


def log_problems(error: InputError) -> None:
    """Log a sentence for each problem."""
    for problem in error.problems:
        log.error(problem)
