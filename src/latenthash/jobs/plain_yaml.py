"""YAML of unknown origin, read as plain values; what is more than that is refused."""

from collections.abc import Iterator
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from latenthash.errors import InputError

MOST_LETTERS, MOST_NODES, DEEPEST = 2**18, 20_000, 24  # ours have a hundredth of it
# What reading raises; the last is of OmegaConf, where there is no mapping.
ERRORS = (yaml.YAMLError, OmegaConfBaseException, ValueError, RecursionError, AssertionError)
REFUSED = "The bundle's config cannot be used: it {}. Use a bundle that train.py wrote."


def read_yaml(text: str) -> Any:
    """Read YAML that holds mappings, lists, numbers and texts alone.

    Its events are looked through first: parsing them takes memory in proportion to the text,
    while building from them may not.

    Raises:
        InputError: if it is no YAML, too large or too deep, or holds anchors, tags or `${...}`.
    """
    if len(text) > MOST_LETTERS:
        raise InputError(REFUSED.format(f"has more than {MOST_LETTERS:,} letters"))
    depth = nodes = 0
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            nodes += isinstance(event, yaml.NodeEvent)
            if nodes > MOST_NODES or depth > DEEPEST:
                raise InputError(REFUSED.format("holds too many values, or too deep in each other"))
            if getattr(event, "anchor", None) or getattr(event, "tag", None):
                raise InputError(REFUSED.format("holds an anchor or a tag of YAML"))
            if "${" in (scalar := getattr(event, "value", "")) or scalar == "???":
                raise InputError(REFUSED.format("refers to other values by ${...}, or lacks one"))
        # OmegaConf reads numbers such as 1e-3, which YAML 1.1 takes for text.
        values = OmegaConf.to_container(OmegaConf.create(text))
    except InputError:
        raise
    except ERRORS as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(REFUSED.format(f"cannot be read: {reason}")) from error
    if not isinstance(values, dict) or not all(map(_is_plain, _parts(values))):
        raise InputError(REFUSED.format("is no mapping of names to plain values"))
    return values


def _parts(value: Any) -> Iterator[Any]:
    """Return a value, and all values within it."""
    yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _parts(part)


def _is_plain(value: Any) -> bool:
    """Say whether a value is one of JSON's kinds, its names text and its whole numbers short."""
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value)
    if isinstance(value, int):
        return abs(value) < 2**63  # longer ones take for ever to be written
    return value is None or isinstance(value, str | float | list)
