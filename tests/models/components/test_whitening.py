"""The covariance of differences: that of pairs one by one."""

import numpy as np

from fitting import differences
from latenthash.models.components.whitening import pair_covariance


def test_pair_covariance_against_pairs_one_by_one() -> None:
    rng = np.random.default_rng(0)
    groups = [rng.normal(size=(n, 3)) for n in (1, 2, 5, 1, 9)]
    order = rng.permutation(18)
    picture = np.repeat([7, 3, 4, 0, 11], [1, 2, 5, 1, 9])
    found = pair_covariance(np.vstack(groups)[order], picture[order])
    np.testing.assert_allclose(found, differences(groups))
