"""Two codes explained: the verdict that the distance has at each limit."""

import numpy as np
import pytest

from latenthash.report.explain_codes import explain_codes

VIEWS = [np.zeros((16, 16, 3), np.uint8)] * 2
LIMITS = {1e-3: 3, 1e-4: 1}


@pytest.mark.parametrize(
    ("distance", "verdict"),
    [
        (1, "1 of 32 bits differ: the same picture at a false-positive rate of 0.0001"),
        (3, "3 of 32 bits differ: the same picture at a false-positive rate of 0.001"),
        (4, "4 of 32 bits differ: two pictures at a false-positive rate of 0.001"),
    ],
)
def test_verdict_is_that_of_the_smallest_rate(distance: int, verdict: str) -> None:
    first = np.arange(32) < distance
    figure = explain_codes(("a", "b"), VIEWS, [first, np.zeros(32, bool)], LIMITS)
    assert figure.get_suptitle() == verdict


def test_code_that_was_not_measured_has_no_verdict() -> None:
    bits = np.zeros(32, bool)
    figure = explain_codes(("a", "b"), VIEWS, [bits, bits], {})
    assert figure.get_suptitle() == "0 of 32 bits differ: no limit was measured"
