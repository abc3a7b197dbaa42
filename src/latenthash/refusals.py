"""How refused input reaches the user: all of it at once, a sentence each, and exit code 2."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig, OmegaConf

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


def check_whole(cfg: DictConfig, least: Mapping[str, int]) -> None:
    """Refuse what is no whole number, or too small.

    Args:
        cfg: a config.
        least: key of the config -> the least that it may be.

    Raises:
        InputError: for all of them at once.
    """
    values = {name: OmegaConf.select(cfg, name) for name in least}
    problems = [
        f"{name}={value} must be a whole number of at least {least[name]}."
        for name, value in values.items()
        if not isinstance(value, int) or value < least[name]
    ]
    if problems:
        raise InputError(problems)


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
