"""Fixed random directions."""

import numpy as np
import pytest
from numpy.typing import NDArray

from latenthash.hashing.projections import directions


@pytest.mark.parametrize(("dimensions", "bits"), [(8, 4), (8, 8), (2, 16)])
def test_directions_are_orthogonal_as_far_as_they_can_be(dimensions: int, bits: int) -> None:
    d: NDArray[np.float64] = directions(dimensions, bits).astype(np.float64)
    assert d.shape == (dimensions, bits)
    product = d.T @ d if dimensions >= bits else d @ d.T
    np.testing.assert_allclose(product, np.eye(min(dimensions, bits)), atol=1e-6)
