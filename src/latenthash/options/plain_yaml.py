"""Reads YAML of unknown origin as plain values; what is more than that is refused."""

from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from latenthash import InputError

MOST_LETTERS, MOST_NODES, DEEPEST = 2**18, 20_000, 24  # ours have a hundredth of it
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
        return OmegaConf.to_container(OmegaConf.create(text))
    except InputError:
        raise
    except (yaml.YAMLError, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise InputError(REFUSED.format(f"cannot be read: {error}")) from error
