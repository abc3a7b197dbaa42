"""What a command line of evaluate.py asks for and leaves unsaid: its job, and groups of files."""

import re
from collections.abc import Sequence

from latenthash.options.jobs import ANYTHING, EVALUATE_JOBS

PEERS = re.compile(r"peers=(?:\[([\w,\s-]*)\]|(?!null$)([\w-]+))")
ADDED = re.compile(r"\+peer@peers\.([\w-]+)=")


def completed(line: Sequence[str]) -> list[str]:
    """Return a command line as Hydra needs it.

    Args:
        line: arguments of a command.
    """
    return with_job(with_peers(line))


def with_peers(line: Sequence[str]) -> list[str]:
    """Let `peers=[phash,mine]` choose files of conf/peer, beside what `+peer@peers.mine=` names.

    Hydra chooses the files of a group by its name, and a node that files are put into cannot be a
    list itself.

    Args:
        line: arguments of a command.
    """
    added = [found[1] for one in line if (found := ADDED.match(one))]
    return [_chosen(found, added) if (found := PEERS.fullmatch(one)) else one for one in line]


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


def _chosen(found: re.Match[str], added: Sequence[str]) -> str:
    """Write a choice of peers as one of files."""
    names = (name.strip() for name in (found[1] or found[2] or "").split(","))
    return f"peer=[{','.join(name for name in names if name and name not in added)}]"
