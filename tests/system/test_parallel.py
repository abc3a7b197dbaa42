"""The same function of many numbers: results in order, with workers and without."""

import pytest

from latenthash.system import parallel


def square(number: int) -> int:
    return number**2


@pytest.mark.parametrize("few", [0, 100])
@pytest.mark.parametrize("count", [0, 1, 30])
def test_results_come_in_order(few: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "FEW", few)
    assert list(parallel.parallel_map(square, count, "Squares")) == [n**2 for n in range(count)]
