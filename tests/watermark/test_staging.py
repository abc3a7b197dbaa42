"""The stage of the benchmark: which pictures look alike, and the limit that they set."""

import numpy as np
import pytest

from latenthash.watermark.staging import calibrated, nearest

# Codes of 0, 3, 10 and 100 ones: the distances are the differences.
CODES = np.packbits(np.arange(256) < np.array([[0], [3], [10], [100]]), axis=1)


def test_most_alike_come_first_and_none_is_like_itself() -> None:
    assert nearest(CODES, 2).tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]
    assert nearest(CODES, 9).shape == (4, 3)


@pytest.mark.parametrize(
    ("count", "fpr", "limit"),
    [
        (1, 0.0, 2),  # pairs 3, 3, 7, 90: none within
        (1, 0.5, 6),  # two of four within
        (2, 0.25, 6),  # pairs 3, 3, 7, 7, 10, 10, 90, 97: two of eight within
        (2, 0.2, 2),  # two would be too many
    ],
)
def test_limit_is_set_by_the_most_alike(count: int, fpr: float, limit: int) -> None:
    assert calibrated(CODES, count, fpr) == limit
