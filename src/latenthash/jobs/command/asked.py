"""Which job of evaluate.py a command line asks for, where it does not name one."""

import re
from collections.abc import Sequence

SHIPPED = "code"  # run=code: the fitted code that comes with the project
# Option -> the job that it asks for, unless it is null; the first that is given counts.
ASKED = {"log": "log", "hashes": "hashes", "benchmark": "benchmark", "pictures": "matches"}


def with_job(line: Sequence[str]) -> list[str]:
    """Name the job in a command line of evaluate.py; held-out figures are the config's own.

    Args:
        line: arguments of a command.
    """
    given: dict[str, tuple[int, str]] = {}  # option -> where it stands, and its value
    for place, argument in enumerate(line):
        if found := re.fullmatch(r"\+{0,2}([\w.]+)=(.*)", argument, re.DOTALL):
            given[found[1]] = place, found[2]
    asking = [name for name in ASKED if name in given and given[name][1] not in ("", "null")]
    if not asking or "job" in given:
        return list(line)
    job = ASKED[asking[0]]
    if job == "matches" and given.get("run", (0, ""))[1] == SHIPPED:
        job = "codes"
    # Beside the option that asks: Hydra takes no second row of overrides behind a flag.
    place = given[asking[0]][0]
    return [*line[: place + 1], f"job={job}", *line[place + 1 :]]
