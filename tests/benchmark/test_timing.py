"""The time that describing a picture takes."""

import time

import numpy as np
import pytest
import torch

from latenthash.benchmark.timing import milliseconds
from latenthash.codes.code import Vectors
from latenthash.data.reading import Pixels


class Sleeper:
    """A source that takes its time, and notes what it is given."""

    key = "sleeper"
    trim = False
    dimensions = 1
    kind = np.float32

    def __init__(self, side: int | None) -> None:
        self.side = side
        self.given: list[tuple[int, ...]] = []

    def describe(self, views: "list[Pixels]") -> Vectors:  # noqa: D102
        assert torch.get_num_threads() == 1
        self.given.append(np.shape(views))
        time.sleep(0.2 if len(self.given) == 1 else 0.02)
        return np.zeros((len(views), 1), np.float32)


@pytest.mark.parametrize(("side", "shape"), [(None, (1, 60, 70, 3)), (16, (1, 16, 16, 3))])
def test_time_is_of_one_picture_after_the_first(side: int | None, shape: tuple[int, ...]) -> None:
    source = Sleeper(side)
    pictures = [np.zeros((60, 70, 3), np.uint8)] * 5
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        taken = milliseconds([source, source], pictures)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert 20 <= taken["sleeper"] < 150
    assert source.given == [shape] * 6


def test_reducing_a_picture_is_part_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def __call__(self, image: Pixels) -> dict[str, Pixels]:
            time.sleep(0.1)
            return {"image": image}

    monkeypatch.setattr("latenthash.benchmark.timing.pipeline", lambda *_: Slow())
    assert milliseconds([Sleeper(16)], [np.zeros((9, 9, 3), np.uint8)] * 3)["sleeper"] >= 120
