"""Fixed random directions, whose signs are the bits of codes and of printable hashes."""

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 1024  # projections, of which the most reliable are kept


def directions(dimensions: int, bits: int) -> NDArray[np.float32]:
    """Give fixed directions (dimensions, bits), orthogonal as far as they can be.

    A rotation before the signs makes every bit know about as much (Gong et al. 2013, where it is
    the beginning of ITQ); more bits than dimensions have the directions of a tight frame.
    """
    rng = np.random.default_rng(0)  # fixed for ever: another seed is another code
    basis, triangle = np.linalg.qr(
        rng.standard_normal((max(dimensions, bits), min(dimensions, bits)))
    )
    basis = basis * np.sign(np.diag(triangle))  # libraries differ in the signs they choose
    return (basis if dimensions >= bits else basis.T).astype(np.float32)
