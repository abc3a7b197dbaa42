"""Which job of evaluate.py a command line asks for, where it does not name one."""

import re
from collections.abc import Sequence

from latenthash.options.jobs import ANYTHING, EVALUATE_JOBS


def with_job(line: Sequence[str]) -> list[str]:
    """Name the job in a command line of evaluate.py; nothing is named where nothing asks for one.

    Args:
        line: arguments of a command.
    """
    given: dict[str, tuple[int, str]] = {}  # option -> its index in the line, and its value
    for i, argument in enumerate(line):
        if found := re.fullmatch(r"\+{0,2}([\w.]+)=(.*)", argument, re.DOTALL):
            given[found[1]] = i, found[2]
    if "job" in given:
        return list(line)
    values = {name: value for name, (_, value) in given.items() if value not in ("", "null")}
    for target, job in EVALUATE_JOBS.items():
        if job.asked_by and all(
            name in values and (wanted == ANYTHING or values[name] in wanted)
            for name, wanted in job.asked_by.items()
        ):
            # Beside the option that asks: Hydra takes no second row of overrides behind a flag.
            end = given[next(iter(job.asked_by))][0] + 1
            return [*line[:end], f"job={target.split('.')[-2]}", *line[end:]]
    return list(line)
