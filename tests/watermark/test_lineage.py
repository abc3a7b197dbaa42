"""Lineage: order, forks and merges, distances, and what no honest registry holds."""

import json
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from latenthash.watermark import tracing
from latenthash.watermark.lineage import Lineage
from latenthash.watermark.manifest import Parent
from latenthash.watermark.registry import Registry
from latenthash.watermark.rows import Head, Row
from latenthash.watermark.signed import Signed, sign
from latenthash.watermark.tracing import trace
from marks import WHEN, Book, content, manifest, owner, signed

REGISTRY = owner("registry")


def ids(found: Lineage) -> list[bytes]:
    return [step.id for step in found.steps]


def registered(book: Book, *members: Signed) -> Registry:
    registry = book.open()
    for one in members:
        registry.append(one)
    return registry


def test_chain_is_told_from_its_root(book: Book) -> None:
    # Bits: 0, then 1, then 3, then 7: each one bit from its parent.
    a = signed(0)
    b = signed(1, (a.id,), "Bob")
    c = signed(3, (b.id,), "Cy")
    d = signed(7, (c.id,), "Dee")
    found = trace(registered(book, a, b, c, d), d.id)
    assert ids(found) == [a.id, b.id, c.id, d.id]
    assert [step.depth for step in found.steps] == [0, 1, 2, 3]
    assert [step.root_distance for step in found.steps] == [0, 1, 2, 3]
    assert [[link.distance for link in step.parents] for step in found.steps] == [[], [1], [1], [1]]
    assert [step.owner.split()[0] for step in found.steps] == ["Ann", "Bob", "Cy", "Dee"]
    assert found.roots == found.steps[:1]
    assert not any(step.fault or step.is_fork or step.is_merge for step in found.steps)
    assert found.is_whole
    lines = found.text().splitlines()
    assert lines[0].startswith(f"- {a.id.hex()}  row 1, Ann ({owner('Ann').public.hex()[:8]})")
    assert lines[1] == f"  - {b.id.hex()}  " + lines[1].split("  ")[-1]
    assert lines[2:4] == [f"      of {a.id.hex()} (1 bit)", "      by c2pa.cropped"]
    assert any(line.strip().startswith(f"* {d.id.hex()}") for line in lines)


def test_what_was_made_of_it_is_told_too(book: Book) -> None:
    a = signed(0)
    b, c = signed(1, (a.id,)), signed(2, (a.id,))
    d = signed(3, (b.id,))
    registry = registered(book, a, b, c, d)
    found = trace(registry, a.id)
    assert ids(found) == [a.id, b.id, c.id, d.id]
    assert found.steps[0].is_fork
    # From a child, its brother is named and not followed.
    below = trace(registry, b.id)
    assert ids(below) == [a.id, b.id, d.id]
    assert below.steps[0].children == (b.id, c.id)
    assert f"also led to {c.id.hex()}" in below.text()


def test_merge_stands_after_all_its_parents(book: Book) -> None:
    a, b = signed(0), signed(255)
    c = signed(1, (a.id,))
    d = signed(3, (c.id, b.id))
    found = trace(registered(book, a, c, b, d), d.id)
    assert ids(found) == [a.id, c.id, b.id, d.id]
    assert found.steps[-1].is_merge
    assert [link.distance for link in found.steps[-1].parents] == [1, 6]
    assert [step.id for step in found.roots] == [a.id, b.id]
    assert found.steps[-1].depth == 2


def test_diamond_is_told_once(book: Book) -> None:
    a = signed(0)
    b, c = signed(1, (a.id,)), signed(2, (a.id,))
    d = signed(3, (b.id, c.id))
    assert ids(trace(registered(book, a, b, c, d), d.id)) == [a.id, b.id, c.id, d.id]


def test_parent_that_is_not_registered_ends_a_branch(book: Book) -> None:
    stranger = bytes(range(8))
    one = signed(1, (stranger,))
    found = trace(registered(book, one), one.id)
    assert ids(found) == [stranger, one.id]
    assert (found.steps[0].seq, found.steps[0].owner) == (None, "")
    assert found.steps[1].parents[0].distance == 1  # as its manifest states
    assert f"- {stranger.hex()}  not in this registry" in found.text()


def test_id_that_is_not_registered_has_no_lineage(book: Book) -> None:
    found = trace(registered(book), bytes(8))
    assert [step.seq for step in found.steps] == [None]


def test_codes_of_two_bundles_have_no_distance(book: Book) -> None:
    ann = owner("Ann")
    a = signed(0)
    parent = Parent(id=a.id.hex(), relation="componentOf")
    b = sign(manifest(ann, hash=content(bytes(32), "cd" * 32), parents=[parent]), ann)
    found = trace(registered(book, a, b), b.id)
    assert found.steps[1].parents[0].distance is None
    assert found.steps[1].root_distance is None
    assert f"with a part of {a.id.hex()}\n" in found.text() + "\n"


def test_undeclared_reuse_is_a_conflict(book: Book) -> None:
    a, other = signed(0), signed(9)
    b = signed(1, (a.id,))
    found = trace(registered(book, a, other, b), b.id, [other.id, a.id, other.id])
    assert found.conflicts == (other.id,)  # a is declared
    assert f"conflict: {other.id.hex()} was registered earlier" in found.text()


def test_json_holds_all_that_is_known(book: Book) -> None:
    a = signed(0)
    b = signed(1, (a.id,))
    found = trace(registered(book, a, b), b.id, [bytes(8)])
    values = json.loads(found.to_json())
    assert values["asked"] == b.id.hex()
    assert values["conflicts"] == ["00" * 8]
    step = values["steps"][1]
    assert step["parents"] == [{"id": a.id.hex(), "relation": "parentOf", "distance": 1}]
    assert (step["seq"], step["created"], step["edits"]) == (2, WHEN, ["c2pa.cropped"])
    assert values["steps"][0]["children"] == [b.id.hex()]


@dataclass
class Forged:
    """A registry as its key's holder could write it, with parents that no digest can name."""

    parents: dict[bytes, tuple[bytes, ...]]
    rows: dict[bytes, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        head = Head.first(REGISTRY)
        for id_, parents in self.parents.items():
            row = Row.following(head, signed(len(self.rows), parents), WHEN, REGISTRY)
            self.rows[id_] = row
            head = Head(REGISTRY.public, row.seq, row.digest, row.seal)

    def get(self, id_: bytes) -> Row | None:  # noqa: D102
        return self.rows.get(id_)

    def children(self, id_: bytes) -> list[bytes]:  # noqa: D102
        return [one for one, parents in self.parents.items() if id_ in parents]

    def fault(self, row: Row) -> None:  # noqa: D102
        return None


A, B, C, D = (bytes([i] * 8) for i in range(1, 5))


def faults(forged: Forged, id_: bytes) -> dict[bytes, str | None]:
    found = trace(forged, id_)  # type: ignore[arg-type]
    assert found.text()
    return {step.id: step.fault for step in found.steps}


def test_ring_is_named_and_ends() -> None:
    found = faults(Forged({A: (C,), B: (A,), C: (B,), D: (C,)}), D)
    assert list(found) == [A, B, C, D]
    assert all("its own ancestor" in str(found[one]) for one in (A, B, C))
    assert found[D] is None


def test_own_parent_is_a_ring() -> None:
    found = faults(Forged({A: (A,), B: (A,)}), B)
    assert list(found) == [A, B]
    assert "its own ancestor" in str(found[A])


def test_child_that_is_older_than_its_parent_is_named() -> None:
    found = faults(Forged({A: (B,), B: ()}), A)
    assert list(found) == [B, A]
    assert found[A] == f"it was registered before its parent {B.hex()}"


def test_lineage_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_STEPS", 3)
    chain = [bytes([i] * 8) for i in range(9)]
    forged = Forged({one: (after,) for one, after in pairwise(chain)})
    found = trace(forged, chain[0])  # type: ignore[arg-type]
    assert ids(found) == [chain[2], chain[1], chain[0]]
    assert not found.is_whole
    assert "the rest is left out" in found.text()


def test_altered_row_is_told_as_such(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    a = signed(0)
    registry = registered(book, a)
    monkeypatch.setattr(registry, "public", bytes(32))
    (step,) = trace(registry, a.id).steps
    assert step.fault == "the row was not written by this registry: its seal does not hold"
