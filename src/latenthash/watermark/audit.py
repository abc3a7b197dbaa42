"""Walk a registry row by row, and name all that was altered, swapped, removed or cut off."""

from collections.abc import Iterator
from dataclasses import dataclass

from latenthash.errors import InputError
from latenthash.watermark.registry import Registry
from latenthash.watermark.rows import Head, Row, empty_digest

BEFORE_ALL = -(2**63)


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place of a registry.

    Attributes:
        first: number of the row; 0 where the database itself is damaged.
        last: number of the last of several rows that are missing; else that of the row.
        what: goes on after "row 5" or "rows 5 to 7".
    """

    first: int
    last: int
    what: str

    def __str__(self) -> str:
        """Say it in a sentence."""
        if self.last == 0:
            return f"The database {self.what}."
        rows = (
            f"Row {self.first}" if self.first == self.last else f"Rows {self.first} to {self.last}"
        )
        return f"{rows} {self.what}."


def check(registry: Registry, head: Head | None = None) -> list[Fault]:
    """Check every row of a registry.

    Args:
        registry: to which others may append meanwhile.
        head: that was given away before. Without one, rows that were cut off from the end, or
            rewritten by who holds the registry's key, are not seen.

    Returns:
        what is wrong, in the order of rows; nothing where all is sound.

    Raises:
        InputError: if the head is of another registry.
    """
    if head is not None:
        _refuse_key(registry, head)
    damage = registry.damage()
    found = (
        [] if damage is None else [Fault(0, 0, f"is damaged ({damage}): searches may miss rows")]
    )
    return [*found, *_walk(registry, head)]


def refuse_other(registry: Registry, head: Head) -> None:
    """Refuse a registry that a head is not of; quick, for its rows are not walked.

    Raises:
        InputError: if its key is another one, or the row of the head is missing or another one.
    """
    _refuse_key(registry, head)
    rows, _ = registry.page(head.seq - 1)
    if head.seq and not any((row.seq, row.digest) == (head.seq, head.digest) for row in rows[:1]):
        raise InputError(
            f"Row {head.seq} of the registry is not the one that the head is of, or was cut off: "
            "check=true says more. Use an untouched copy."
        )


def _refuse_key(registry: Registry, head: Head) -> None:
    if head.registry != registry.public or not head.is_sound:
        raise InputError(
            "The head is of another registry, or was altered: its key is "
            f"{head.registry.hex()[:16]}..., and the registry's is {registry.public.hex()[:16]}..."
        )


def _walk(registry: Registry, head: Head | None) -> Iterator[Fault]:
    expected, before = 1, empty_digest(registry.public)
    # None: what stands before cannot be trusted, so that nothing is said of what follows it.
    linked: bytes | None = before
    for row, parents in _rows(registry):
        if row.seq < expected:  # only numbers below 1: they rise
            yield Fault(row.seq, row.seq, "has no number of a row")
            continue
        if row.seq > expected:
            last = row.seq - 1
            yield Fault(expected, last, "is missing" if last == expected else "are missing")
            linked = None
        own = registry.fault(row)
        fault = own or _kin(row, parents)
        if fault is None and linked is not None and row.previous != linked:
            fault = f"does not follow row {row.seq - 1}: one of both was written anew"
        if fault is None and head is not None and row.seq == head.seq and row.digest != head.digest:
            fault = "is not the one that the head is of: rows up to it were written anew"
        if fault is not None:
            yield Fault(row.seq, row.seq, fault)
        linked = row.digest if own is None else None
        expected = row.seq + 1
    if head is not None and expected <= head.seq:
        one = expected == head.seq
        yield Fault(expected, head.seq, f"{'is' if one else 'are'} missing: the end was cut off")


def _rows(registry: Registry) -> Iterator[tuple[Row, list[bytes]]]:
    after = BEFORE_ALL
    while True:
        rows, parents = registry.page(after)
        if not rows:
            return
        yield from ((row, parents[row.seq]) for row in rows)
        after = rows[-1].seq


def _kin(row: Row, parents: list[bytes]) -> str | None:
    """Say whether searches find a row by other parents than those that its manifest names."""
    signed = row.signed
    named = [] if signed is None else [bytes.fromhex(one.id) for one in signed.manifest.parents]
    return None if named == parents else "is found by other parents than its manifest's"
