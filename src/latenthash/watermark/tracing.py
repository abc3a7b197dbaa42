"""Follow what a registry says of a picture to its roots, and to all that was made of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash.watermark.lineage import Lineage, Link, Step
from latenthash.watermark.manifest import ContentHash, Manifest
from latenthash.watermark.registry import Registry

MOST_STEPS = 1000  # of one lineage; a hostile registry may name parents without end


def trace(registry: Registry, id_: bytes, conflicts: Iterable[bytes] = ()) -> Lineage:
    """Follow the parents of a picture to the roots, and its children to the newest.

    What the registry holds is not trusted: parents that are missing end a branch, and rings and
    children that are older than their parents, which no honest registry has, are named as faults.

    Args:
        registry: where all are looked up.
        id_: of the picture.
        conflicts: ids of earlier entries that match it, as a verdict lists them.
    """
    found: dict[bytes, _Found] = {}
    # Ancestors first: they are what is asked for when there is too much of both.
    up = _follow(registry, [id_], lambda one: [link.id for link in one.links], found)
    down = _follow(registry, found[id_].children, lambda one: one.children, found)
    order, rings = _sorted(found)
    depths: dict[bytes, int] = {}
    for one in order:
        depths[one] = max((depths[p] + 1 for p in _inside(found, one) if p in depths), default=0)
    root = next((found[one].hash for one in order if found[one].hash is not None), None)
    steps = [_step(one, found, root, depths[one], one in rings) for one in order]
    ancestors = set(_ancestors(found, id_))
    undeclared = tuple(dict.fromkeys(one for one in conflicts if one not in ancestors))
    return Lineage(id_, tuple(steps), undeclared, up and down)


@dataclass(frozen=True)
class _Found:
    """What the registry says of an id."""

    id: bytes
    seq: int | None = None
    added: str = ""
    manifest: Manifest | None = None
    fault: str | None = None
    children: tuple[bytes, ...] = ()

    @property
    def hash(self) -> ContentHash | None:
        return None if self.manifest is None else self.manifest.hash

    @property
    def links(self) -> list[Link]:
        """The parents as the manifest names them, with the distance that it states."""
        parents = [] if self.manifest is None else self.manifest.parents
        return [Link(bytes.fromhex(p.id), p.relation, p.distance) for p in parents]


def _look_up(registry: Registry, id_: bytes) -> _Found:
    row, children = registry.get(id_), tuple(registry.children(id_))
    if row is None:
        return _Found(id_, children=children)
    fault = registry.fault(row)
    manifest = None if row.signed is None else row.signed.manifest
    return _Found(
        id_, row.seq, row.added, manifest, None if fault is None else f"the row {fault}", children
    )


def _follow(
    registry: Registry,
    start: Sequence[bytes],
    further: Callable[[_Found], Sequence[bytes]],
    found: dict[bytes, _Found],
) -> bool:
    """Look up all that can be reached; say whether that is all."""
    waiting = list(start)
    while waiting:
        one = waiting.pop(0)
        if one in found:
            continue
        if len(found) == MOST_STEPS:
            return False
        found[one] = _look_up(registry, one)
        waiting += further(found[one])
    return True


def _inside(found: dict[bytes, _Found], id_: bytes) -> list[bytes]:
    """List the parents that were looked up."""
    return [link.id for link in found[id_].links if link.id in found]


def _sorted(found: dict[bytes, _Found]) -> tuple[list[bytes], set[bytes]]:
    """Sort ids so that each stands after its parents, older rows first; find those in rings."""

    def age(id_: bytes) -> tuple[int, bytes]:
        seq = found[id_].seq
        return (-1 if seq is None else seq, id_)  # what is not registered is a root

    left = {one: set(_inside(found, one)) for one in found}
    rings: set[bytes] = set()
    order: list[bytes] = []
    while left:
        free = [one for one, parents in left.items() if not parents & left.keys()]
        if not free:  # only rings and what hangs on them are left: break one at its oldest
            rings = rings or {one for one in found if one in _ancestors(found, one)}
            free = [one for one in left if one in rings]
        first = min(free, key=age)
        order.append(first)
        del left[first]
    return order, rings


def _ancestors(found: dict[bytes, _Found], id_: bytes) -> set[bytes]:
    """Collect all above an id; the id itself is among them where it stands in a ring."""
    seen: set[bytes] = set()
    waiting = _inside(found, id_)
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += _inside(found, one)
    return seen


def _step(
    id_: bytes, found: dict[bytes, _Found], root: ContentHash | None, depth: int, ring: bool
) -> Step:
    one = found[id_]
    links = tuple(_measured(link, one, found.get(link.id)) for link in one.links)
    fault = one.fault
    if ring:
        fault = fault or "it is its own ancestor, which no honest registry holds"
    late = [
        link.id
        for link in links
        if one.seq is not None and link.id in found and (found[link.id].seq or 0) > one.seq
    ]
    if late:
        fault = fault or f"it was registered before its parent {late[0].hex()}"
    said = one.manifest
    return Step(
        id=id_,
        seq=one.seq,
        owner="" if said is None else f"{said.owner.name} ({said.owner.key[:8]})",
        created="" if said is None else said.created,
        added=one.added,
        edits=() if said is None else tuple(edit.name or edit.action for edit in said.edits),
        parents=links,
        root_distance=distance(root, one.hash),
        depth=depth,
        children=one.children,
        fault=fault,
    )


def _measured(link: Link, child: _Found, parent: _Found | None) -> Link:
    """Measure the distance where both codes are there; else it is what the manifest states."""
    measured = distance(child.hash, None if parent is None else parent.hash)
    return link if measured is None else Link(link.id, link.relation, measured)


def distance(first: ContentHash | None, second: ContentHash | None) -> int | None:
    """Count the bits in which two codes differ; None where they are not of one bundle."""
    if first is None or second is None or first.bundle != second.bundle:
        return None
    differing: NDArray[np.uint8] = first.packed ^ second.packed
    return int(np.bitwise_count(differing).sum())
