"""Conflicts: registered pictures that show the same, of which neither was made of the other."""

from collections.abc import Sequence

import numpy as np

from latenthash.errors import InputError
from latenthash.gallery.engines import Engine, engine_here
from latenthash.hashing.printable_code import MEASURED
from latenthash.library.code import Code
from latenthash.library.hashes import Hash
from latenthash.watermark.bindings import registered
from latenthash.watermark.query import Query
from latenthash.watermark.registration import read_thumbnail
from latenthash.watermark.registry import Known, Registry
from latenthash.watermark.rows import Row

NEAR_FPR = 1e-3  # rate of the limit within which a registered picture is looked at
NEAREST = 8  # registered pictures whose pixels are looked at
# And so many of those added first. Whoever floods a registry with nearer rows pushes a picture out
# of the nearest, but not out of these, for he comes after it. Strangers that stand before it may:
# one of 1,000 is within the limit, so that the flood works behind some 24,000 rows. In a large
# registry each picture that is looked at costs up to so many registrations more.
EARLIEST = 24
MOST_ANCESTORS = 1000  # a hostile registry may name parents without end


def measured_limit(code: Code) -> int:
    """Return the bits within which a registered picture is looked at.

    Raises:
        InputError: if it was not measured for this code.
    """
    if NEAR_FPR not in code.limits:
        raise InputError(
            f"The code {code.tag.hex()} has no measured limits, by which registered pictures are "
            "found: use run=code."
        )
    return code.limits[NEAR_FPR]


def ancestors(registry: Registry, row: Row) -> dict[bytes, Row]:
    """Collect the registered pictures that one was made of, over all generations, and itself.

    Returns:
        id -> row, of rows that are sound.
    """
    seen: set[bytes] = set()
    found: dict[bytes, Row] = {}
    waiting = [row.id]
    while waiting and len(seen) < MOST_ANCESTORS:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        known = registry.get(one)
        if known is None or registry.fault(known) is not None or known.signed is None:
            continue
        found[one] = known
        waiting += [bytes.fromhex(parent.id) for parent in known.signed.manifest.parents]
    return found


def root(registry: Registry, row: Row) -> Row | None:
    """Return the ancestor that was registered first; None where a row names none before it."""
    before = [one for one in ancestors(registry, row).values() if one.seq < row.seq]
    return min(before, key=lambda one: one.seq, default=None)


def unrelated(registry: Registry, row: Row, others: Sequence[Row]) -> tuple[Row, ...]:
    """Leave out the ancestors and descendants of a row, and what its owner made of the same.

    What another made of the same stays: nobody takes part in a lineage by naming its root.
    """
    if not others:
        return ()
    own = ancestors(registry, row)

    def kin(one: Row) -> bool:
        theirs = ancestors(registry, one)
        shared = own.keys() & theirs.keys()
        return one.id in own or row.id in theirs or (bool(shared) and _key(one) == _key(row))

    return tuple(one for one in others if not kin(one))


def _key(row: Row) -> str | None:
    return None if row.signed is None else row.signed.manifest.owner.key


def near(registry: Registry, known: Known, engine: Engine, query: Query, limit: int) -> list[Row]:
    """Return the sound rows whose codes are near that of a picture, those added first first.

    Args:
        registry: where the rows are.
        known: its codes.
        engine: that searches them.
        query: the picture.
        limit: bits.
    """
    if query.packed is None or not len(known.seq):
        return []
    found = engine.within(query.packed[None], limit).row  # the nearest first
    looked_at = {*found[:NEAREST].tolist(), *np.sort(found)[:EARLIEST].tolist()}
    rows = [registry.get(known.ids[at].tobytes()) for at in looked_at]
    sound = [row for row in rows if row is not None and registry.fault(row) is None]
    return sorted(sound, key=lambda row: row.seq)


def earlier(registry: Registry, row: Row) -> tuple[Row, ...]:
    """Find the rows before one that show the same and are no kin of it.

    What both show is taken from their manifests: no picture is needed.

    Returns:
        none, too, where the row shows no picture.
    """
    if row.signed is None:
        return ()
    manifest = row.signed.manifest
    try:
        shown = read_thumbnail(manifest.jpeg)
    except InputError:
        return ()
    hash_ = Hash(bytes.fromhex(manifest.hash.tag), manifest.hash.packed.tobytes(), None, ())
    query = Query(shown, hash_)
    known = registry.codes(manifest.hash.bundle)
    limit = MEASURED.get(manifest.hash.tag, {}).get(NEAR_FPR, 0)
    others = [
        one
        for one in near(registry, known, engine_here(known), query, limit)
        if one.seq < row.seq and one.signed and registered(query, one.signed.manifest).agrees
    ]
    return unrelated(registry, row, others)
