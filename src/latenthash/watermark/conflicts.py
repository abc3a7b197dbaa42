"""Conflicts: registered pictures that show the same, of which none says that it knows the other."""

from collections.abc import Sequence

from latenthash.gallery.engines import Engine, engine_here
from latenthash.hashing.printable_code import MEASURED
from latenthash.library.hashes import Hash
from latenthash.watermark.bindings import registered
from latenthash.watermark.query import Query
from latenthash.watermark.registration import read_thumbnail
from latenthash.watermark.registry import Known, Registry
from latenthash.watermark.rows import Row

NEAR_FPR = 1e-3  # rate of the limit within which a registered picture is looked at
NEAREST = 8  # registered pictures whose pixels are looked at
MOST_ANCESTORS = 1000  # a hostile registry may name parents without end


def ancestors(registry: Registry, identity: bytes) -> set[bytes]:
    """Collect the ids that a registered picture was made of, over all generations, and its own."""
    seen: set[bytes] = set()
    waiting = [identity]
    while waiting and len(seen) < MOST_ANCESTORS:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        row = registry.get(one)
        if row is not None and row.signed is not None:
            waiting += [bytes.fromhex(parent.id) for parent in row.signed.manifest.parents]
    return seen


def unrelated(registry: Registry, row: Row, others: Sequence[Row]) -> tuple[Row, ...]:
    """Leave out the ancestors and descendants of a row, and what goes back to the same picture."""
    if not others:
        return ()
    own = ancestors(registry, row.id)
    return tuple(one for one in others if not own & ancestors(registry, one.id))


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
    found = engine.within(query.packed[None], limit).row[:NEAREST]
    rows = [registry.get(known.ids[at].tobytes()) for at in found]
    sound = [row for row in rows if row is not None and registry.fault(row) is None]
    return sorted(sound, key=lambda row: row.seq)


def earlier(registry: Registry, row: Row) -> tuple[Row, ...]:
    """Find the rows before one that show the same and are no kin of it.

    What both show is taken from their manifests: no picture is needed.

    Raises:
        InputError: if the thumbnail of the row is no picture.
    """
    if row.signed is None:
        return ()
    manifest = row.signed.manifest
    hash_ = Hash(bytes.fromhex(manifest.hash.tag), manifest.hash.packed.tobytes(), None, ())
    query = Query(read_thumbnail(manifest.jpeg), hash_)
    known = registry.codes(manifest.hash.bundle)
    limit = MEASURED.get(manifest.hash.tag, {}).get(NEAR_FPR, 0)
    others = [
        one
        for one in near(registry, known, engine_here(known), query, limit)
        if one.seq < row.seq and one.signed and registered(query, one.signed.manifest).agrees
    ]
    return unrelated(registry, row, others)
