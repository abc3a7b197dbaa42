"""Paths on the command line, taken as they were typed."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, Quote, QuotedString
from hydra.errors import HydraException

from latenthash.options.places import PATHS
from latenthash.system.paths import exists

AS_TYPED = {*PATHS, "lineage"}  # an id such as 1234567890123e45 is no number either
LISTS = ("pictures",)  # of the paths, what may be several in brackets
# One of several: in quotes, or all up to the next comma.
ONE_OF = re.compile(r"""\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|([^,]*?))\s*,""", re.DOTALL)
MULTIRUN = ("-m", "--multirun", "hydra.mode=MULTIRUN", "+sweep=")  # what makes a command a sweep


def as_typed(line: Sequence[str], paths: Collection[str] = AS_TYPED) -> list[str]:
    """Quote the paths of a command line where Hydra would read something else than was typed.

    It reads 1.10 as the number 1.1, 2024_05 as 202405, and refuses brackets and blanks. Quotes,
    interpolations and null are left to it, and so are a sweep's functions and its commas. Of paths
    in brackets, each is taken so, unless there is a file or folder that is called so with them.

    Args:
        line: arguments of a command.
        paths: names of the options that are paths, or ids.
    """
    sweep = any(argument.startswith(MULTIRUN) for argument in line)
    return [_quoted(argument, paths, sweep) for argument in line]


def _quoted(argument: str, paths: Collection[str], sweep: bool) -> str:
    found = re.fullmatch(r"(\+{0,2}([\w.]+)=)(.+)", argument, re.DOTALL)
    if not found or found[2] not in paths:
        return argument
    key, value = found[1], found[3]
    if found[2] in LISTS and re.fullmatch(r"\[.*\]", value, re.DOTALL) and not exists(Path(value)):
        return key + _list(value[1:-1])
    override = parsed(argument)
    if sweep and override and override.is_sweep_override():
        choices = override.value()
        plain = isinstance(choices, ChoiceSweep) and not re.search(r"""["'\[({]""", value)
        # A choice among files, written as `a,b`; each is a path of its own.
        return (
            key + ",".join(_quote(one.strip()) for one in value.split(",")) if plain else argument
        )
    if value == "null" or "${" in value or re.fullmatch(r"""(["']).*\1""", value, re.DOTALL):
        return argument
    if override and not override.is_sweep_override() and override.value() == value:
        return argument
    return argument if sweep and "," in value else key + _quote(value)


def _list(inside: str) -> str:
    """Write a list of paths, as it was typed between brackets, so that Hydra reads each of them."""
    if not inside.strip() or "${" in inside:
        return f"[{inside}]"
    found = ONE_OF.finditer(f"{inside},")
    return f"[{','.join(one[1] or _quote(one[2]) for one in found)}]"


def parsed(argument: str) -> Override | None:
    """Read an override as Hydra does; None where it cannot."""
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException:
        return None


def _quote(text: str) -> str:
    return QuotedString(text, Quote.single).with_quotes()
