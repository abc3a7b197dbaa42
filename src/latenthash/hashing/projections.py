"""Fixed random directions, whose signs are the bits of codes and of printable hashes."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.float32, np.float64)

CANDIDATES = 1024  # projections, of which the most reliable are kept


def directions(dimensions: int, bits: int) -> NDArray[np.float32]:
    """Return fixed directions (dimensions, bits), orthogonal as far as they can be.

    A rotation before the signs makes every bit know about as much (Gong et al. 2013, where it is
    the beginning of ITQ); more bits than dimensions have the directions of a tight frame.
    """
    rng = np.random.default_rng(0)  # fixed for ever: another seed is another code
    basis, triangle = np.linalg.qr(
        rng.standard_normal((max(dimensions, bits), min(dimensions, bits)))
    )
    basis = basis * np.sign(np.diag(triangle))  # libraries differ in the signs they choose
    return (basis if dimensions >= bits else basis.T).astype(np.float32)


def unit(x: NDArray[Number]) -> NDArray[Number]:
    """Scale vectors (N, D) to length 1; those of length 0 stay."""
    scaled: NDArray[Number] = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    return scaled
