"""Resampling of pictures: whole, with replacement, and views where there is one picture."""

from itertools import pairwise

import numpy as np
import pytest

from latenthash.metrics import bootstrap
from latenthash.metrics.bootstrap import Measure


def test_text_of_a_share_in_between() -> None:
    assert Measure("test/tpr", 0.96666, 0.9, 1.0, 30).text == "0.9667 [0.9, 1]"


def test_resample_takes_whole_pictures() -> None:
    picture = np.array([0, 1, 5, 0, 0, 1, 5, 5, 5, 2])  # of 3, 2, 4 and 1 views, mixed
    rng = np.random.default_rng(5)
    drawn = np.zeros(6, int)
    for _ in range(300):
        rows = bootstrap.resample(picture, rng)
        counts = np.bincount(rows, minlength=len(picture))
        for p in (0, 1, 2, 5):
            assert len(set(counts[picture == p])) == 1, "a picture was drawn in part"
        times = [counts[picture == p][0] for p in range(6) if p in picture]
        assert sum(times) == 4
        drawn[[0, 1, 2, 5]] += times
    assert drawn[[0, 1, 2, 5]] == pytest.approx([300] * 4, abs=75)  # five standard deviations
    assert drawn[[3, 4]].tolist() == [0, 0]


def test_resample_takes_views_when_there_is_one_picture() -> None:
    rng = np.random.default_rng(6)
    draws = [bootstrap.resample(np.full(40, 3), rng) for _ in range(50)]
    assert {len(rows) for rows in draws} == {40}
    assert set(np.concatenate(draws)) == set(range(40))
    assert all(len(set(rows)) < 40 for rows in draws), "drawn without replacement"
    assert all((a != b).any() for a, b in pairwise(draws))
