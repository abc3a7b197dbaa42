"""Lineage: what a picture was made of, by whom and in which order, and what was made of it."""

import json
from dataclasses import dataclass
from typing import Any

from latenthash.system.terminal import escaped


@dataclass(frozen=True)
class Link:
    """One parent of a picture.

    Attributes:
        id: of the parent.
        relation: parentOf, or componentOf where it is a part of the picture alone.
        distance: bits in which both codes differ; None where they are not of one bundle.
    """

    id: bytes
    relation: str
    distance: int | None


@dataclass(frozen=True)
class Step:
    """One picture of a lineage.

    Attributes:
        id: of its mark.
        seq: row of the registry; None where it is not registered there.
        owner: name and the beginning of the public key; empty where nothing is known.
        created: when its owner says that it was made; UTC.
        added: when it was registered; UTC.
        edits: what led to it from its parents, in words.
        parents: in the order of its manifest.
        root_distance: bits in which its code differs from that of the first root; None where they
            cannot be compared.
        depth: links to the farthest root; 0 of a root.
        children: ids of all that name it as parent, whether or not they are in this lineage.
        fault: what is wrong with its row, or with its place in the lineage; None where nothing is.
    """

    id: bytes
    seq: int | None
    owner: str
    created: str
    added: str
    edits: tuple[str, ...]
    parents: tuple[Link, ...]
    root_distance: int | None
    depth: int
    children: tuple[bytes, ...]
    fault: str | None

    @property
    def is_fork(self) -> bool:
        """Whether several pictures were made of it."""
        return len(self.children) > 1

    @property
    def is_merge(self) -> bool:
        """Whether it was made of several pictures."""
        return len(self.parents) > 1


@dataclass(frozen=True)
class Lineage:
    """The ancestors and descendants of a picture.

    Attributes:
        asked: id of the picture.
        steps: roots first; each after all its parents.
        conflicts: ids of earlier registered pictures that show the same and are no ancestors:
            re-use that nobody declared.
        is_whole: False where there were too many steps to follow.
    """

    asked: bytes
    steps: tuple[Step, ...]
    conflicts: tuple[bytes, ...]
    is_whole: bool

    @property
    def roots(self) -> tuple[Step, ...]:
        """The steps without parents."""
        return tuple(step for step in self.steps if not step.parents)

    def text(self) -> str:
        """Write the lineage as lines for people, a step each."""
        lines = [line for step in self.steps for line in self._lines(step)]
        lines += [
            f"conflict: {id_.hex()} was registered earlier, shows the same, and is not declared "
            "as a parent"
            for id_ in self.conflicts
        ]
        if not self.is_whole:
            lines.append(f"more than {len(self.steps):,} pictures: the rest is left out")
        return "\n".join(lines)

    def to_json(self) -> str:
        """Write the lineage as one line of JSON."""
        values = {
            "asked": self.asked.hex(),
            "whole": self.is_whole,
            "steps": [_plain(vars(step)) for step in self.steps],
            "conflicts": [id_.hex() for id_ in self.conflicts],
        }
        return json.dumps(values, ensure_ascii=False)

    def _lines(self, step: Step) -> list[str]:
        mark = "*" if step.id == self.asked else "-"
        if step.seq is None:
            return [f"{'  ' * step.depth}{mark} {step.id.hex()}  not in this registry"]
        words = [
            f"row {step.seq}",
            step.owner,
            f"made {step.created}",
            f"registered {escaped(step.added)}",
        ]
        if step.root_distance is not None and step.depth:
            words.append(f"{bits(step.root_distance)} from the root")
        lines = [f"{mark} {step.id.hex()}  {', '.join(words)}"]
        for link in step.parents:
            by = "of" if link.relation == "parentOf" else "with a part of"
            far = "" if link.distance is None else f" ({bits(link.distance)})"
            lines.append(f"    {by} {link.id.hex()}{far}")
        if step.edits:
            lines.append(f"    by {', '.join(step.edits)}")
        inside = {other.id for other in self.steps}
        if others := [id_ for id_ in step.children if id_ not in inside]:
            lines.append(f"    also led to {', '.join(id_.hex() for id_ in others)}")
        if step.fault is not None:
            lines.append(f"    fault: {step.fault}")
        return ["  " * step.depth + line for line in lines]


def bits(count: int) -> str:
    """Write a distance in words."""
    return f"{count} bit{'' if count == 1 else 's'}"


def _plain(value: Any) -> Any:
    """Return what JSON can hold: ids in hexadecimal, objects as mappings."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Link):
        return _plain(vars(value))
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
