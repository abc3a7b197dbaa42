"""Printable hashes and codes that belong to no picture."""

import numpy as np

from latenthash.hashing.printable import BITS, PrintableHash
from latenthash.hashing.printable_code import PrintableCode
from latenthash.hashing.projections import CANDIDATES

TAG = bytes.fromhex("0a1b")


def example(seed: int = 0, model: str = "pixels0a1b2c3d") -> PrintableHash:
    """Make a printable hash, LH1."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(CANDIDATES, dtype=bool)
    mask[rng.choice(CANDIDATES, BITS, replace=False)] = True
    return PrintableHash(model, rng.random(BITS) < 0.5, mask, int(rng.integers(256)))


def example_code(seed: int = 0, tag: bytes = TAG) -> PrintableCode:
    """Make a printable code, LH2."""
    return PrintableCode(tag, np.random.default_rng(seed).bytes(32))
