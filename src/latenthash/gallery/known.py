"""Which files a gallery knows as they are, in 16 bytes each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latenthash.codes.stream import ENDS
from latenthash.gallery import shards
from latenthash.gallery.about import About

Hashes: TypeAlias = NDArray[np.uint64]

KEYS = ("latenthash files", "latenthash state", "latenthash error")  # of SipHash, 16 letters
ODD_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
REMOVED = np.uint64(0)  # in place of a state


class Known:
    """The newest state of each file of a gallery: its name, bytes and time of change, hashed.

    The reason why a file could not be read belongs to its state, too: what was in the way may not
    be any more. Only one that ends processes is known as any other, so that it ends no more.

    A name has 64 bits and its state 64 others: that one of 10 million files is taken for another
    one happens in one of 10^24 galleries.

    Args:
        files: (N,) uint64, sorted: hashes of names.
        states: (N,) uint64.
    """

    def __init__(self, files: Hashes, states: Hashes) -> None:
        self._files, self._states = files, states

    @classmethod
    def of(cls, folder: Path, about: About) -> "Known":
        """Read what a gallery knows.

        Raises:
            InputError: if a shard cannot be used.
        """
        read = shards.read_all(folder, about, _digested, ("file", "bytes", "mtime_ns", "error"))
        files, states = (
            np.concatenate([np.zeros(0, np.uint64), *(pair[i] for pair in read)]) for i in (0, 1)
        )
        return cls(*_newest(files, states))

    def __len__(self) -> int:
        return len(self._files)

    def has(
        self,
        names: Sequence[str],
        sizes: Sequence[int],
        times: Sequence[int],
        reason: str | None = None,
    ) -> NDArray[np.bool_]:
        """Say of N files whether each is known as it is.

        Args:
            names: as `names.kept` writes them.
            sizes: bytes.
            times: of the last change, in ns.
            reason: why they cannot be read; None if they were.
        """
        given = np.array(names, object)
        if not len(self._files) or not len(given):
            return np.zeros(len(given), bool)
        files = _hashed(given, KEYS[0])
        at = np.minimum(np.searchsorted(self._files, files), len(self._files) - 1)
        states = _states(given, np.array(sizes, np.int64), np.array(times, np.int64))
        states = _failed(states, np.array([reason] * len(given), object))
        same: NDArray[np.bool_] = (self._files[at] == files) & (self._states[at] == states)
        return same


def _digested(kind: shards.Kind, table: shards.Table) -> tuple[Hashes, Hashes]:
    """Hash the files of a shard and their states."""
    names = np.asarray(table["file"].to_numpy(zero_copy_only=False), object)
    sizes, times = (table[name].to_numpy() for name in ("bytes", "mtime_ns"))
    states = np.full(len(names), REMOVED)
    if kind == "rows":
        reasons = np.asarray(table["error"].to_numpy(zero_copy_only=False), object)
        states = _failed(_states(names, sizes, times), reasons)
    return _hashed(names, KEYS[0]), states


def _hashed(names: NDArray[np.object_], key: str) -> Hashes:
    hashed: Hashes = pd.util.hash_array(names, hash_key=key, categorize=False)
    return hashed


def _states(
    names: NDArray[np.object_], sizes: NDArray[np.int64], times: NDArray[np.int64]
) -> Hashes:
    """Hash names with what tells whether the file changed, (N,); never 0."""
    mixed = _hashed(names, KEYS[1])
    for number, factor in zip((sizes, times), ODD_FACTORS, strict=True):
        mixed = (mixed ^ number.astype(np.uint64)) * factor
        mixed ^= mixed >> np.uint64(32)
    return np.maximum(mixed, np.uint64(1))


def _failed(states: Hashes, reasons: NDArray[np.object_]) -> Hashes:
    """Mix the reasons why files could not be read, or None, with their states, (N,); never 0."""
    failed = np.array([reason is not None and reason != ENDS for reason in reasons], bool)
    states[failed] ^= _hashed(reasons[failed], KEYS[2])
    return np.maximum(states, np.uint64(1))


def _newest(files: Hashes, states: Hashes) -> tuple[Hashes, Hashes]:
    """Keep the last state of each file, sorted by file; those that were removed are left out."""
    order = np.argsort(files, kind="stable")
    files, states = files[order], states[order]
    last = np.append(files[1:] != files[:-1], True)[: len(files)] & (states != REMOVED)
    return files[last], states[last]
