"""Galleries' entries and codes at known distances, that several test files share."""

from collections.abc import Sequence

import numpy as np

from latenthash.gallery.entries import Entries

TAG = b"\x59\x21"


def entries(
    codes: np.ndarray,
    usable: np.ndarray | None = None,
    files: Sequence[str] | None = None,
    root: str = "/pictures",
) -> Entries:
    """Lay out codes (N, 32) as a gallery's entries."""
    n = len(codes)
    return Entries(
        files=[f"f{i:05d}.png" for i in range(n)] if files is None else files,
        codes=codes,
        usable=np.ones(n, np.bool_) if usable is None else usable,
        sha256=np.zeros(n, "S32"),
        errors=[""] * n,
        tag=TAG,
        bundle="bundle",
        root=root,
    )


def flipped(code: np.ndarray, at: Sequence[int] | np.ndarray) -> np.ndarray:
    """Flip the bits of a code (32,) at some places."""
    bits = np.unpackbits(code)
    bits[at] ^= 1
    return np.packbits(bits)


def chain(rng: np.random.Generator, steps: Sequence[int]) -> np.ndarray:
    """Draw codes each of which differs from the one before in so many other bits."""
    places = rng.permutation(256)
    codes = [rng.integers(0, 256, 32, dtype=np.uint8)]
    for i, step in enumerate(steps):
        begin = sum(steps[:i])
        codes.append(flipped(codes[-1], places[begin : begin + step]))
    return np.stack(codes)
