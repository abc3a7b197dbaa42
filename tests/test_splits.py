"""Who may see what: splits never share a view, and no split sees the unseen but the test."""

from itertools import combinations
from pathlib import Path

import albumentations as A
import numpy as np
import pytest

from app import sources
from latenthash import InputError
from latenthash.data.reading import Reader
from latenthash.data.splits import Splits

COUNTS = {"train": 8, "validation": 4, "calibration": 5, "test": 7, "edits": 3}


def make(**changes: object) -> Splits:
    values: dict[str, object] = {
        "reader": Reader(64, 10_000, (255, 255, 255)),
        "views": COUNTS,
        "train_sets": ("signal", "noise_edited", "noise_similar"),
        "workers": 0,
        "augment": {"affine": A.Affine(rotate=(-30, 30), p=1), "noise": A.GaussNoise(p=1)},
        "edits": {"flip": A.HorizontalFlip(p=1), "grey": A.ToGray(p=1)},
        "size": 16,
        "seed": 0,
    }
    return Splits(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    pairs = (item.removeprefix("data.").split("=") for item in sources(tmp_path))
    return {role: str(tmp_path / path) for role, path in pairs}


def test_each_split_holds_its_sets_in_its_counts(paths: dict[str, str]) -> None:
    splits = make(**paths)
    trio = {"signal": 8, "noise_edited": 8, "noise_similar": 8}
    assert {role: len(s.views) for role, s in splits.train().items()} == trio
    assert {role: len(s.views) for role, s in splits.validation().items()} == {
        "signal": 4, "noise_edited": 4, "noise_similar": 6  # six pictures, none left out
    }  # fmt: skip
    assert splits.calibration().views.shape == (5, 16, 16, 3)
    assert {role: len(s.views) for role, s in splits.test().items()} == {
        "signal": 7, "noise_edited": 7, "noise_similar": 7, "unseen": 7
    }  # fmt: skip
    assert {name: len(s.views) for name, s in splits.edited().items()} == {"flip": 3, "grey": 3}


def test_view_knows_its_picture(paths: dict[str, str]) -> None:
    unseen = make(**paths).test()["unseen"]
    np.testing.assert_array_equal(unseen.picture, [0, 1, 2, 0, 1, 2, 0])
    assert [Path(name).name for name in unseen.names] == ["0.png", "1.png", "2.png"]


def test_splits_share_no_view(paths: dict[str, str]) -> None:
    splits = make(**paths)
    seen = {
        "train": splits.train()["signal"],
        "validation": splits.validation()["signal"],
        "calibration": splits.calibration(),
        "test": splits.test()["signal"],
        **splits.edited(),
    }
    bytes_of = {name: {view.numpy().tobytes() for view in s.views} for name, s in seen.items()}
    for one, other in combinations(bytes_of, 2):
        assert not bytes_of[one] & bytes_of[other]


def test_unseen_edit_is_put_on_top_of_the_pipeline(paths: dict[str, str]) -> None:
    grey = make(**paths).edited()["grey"].views.numpy().astype(int)
    assert np.ptp(grey, axis=-1).max() <= 1
    assert len({view.tobytes() for view in grey}) == 3, "the pipeline still varies the views"


def test_workers_change_nothing(paths: dict[str, str]) -> None:
    alone, helped = make(**paths).train(), make(**paths, workers=2).train()
    for role, one in alone.items():
        np.testing.assert_array_equal(one.views, helped[role].views)


def test_outliers_are_drawn_when_training_asks_for_them(paths: dict[str, str]) -> None:
    train = make(**paths, train_sets=("signal", "outliers")).train()
    assert list(train) == ["signal", "outliers"]


@pytest.mark.parametrize("sets", [("signal", "unseen"), ("noise_edited",), ("signal", "dogs")])
def test_train_sets_that_break_the_protocol_are_refused(
    paths: dict[str, str], sets: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match="unseen pictures are for the test alone"):
        make(**paths, train_sets=sets)


def test_everything_missing_is_named_at_once(paths: dict[str, str]) -> None:
    paths |= {"signal": None, "unseen": None}  # type: ignore[dict-item]
    with pytest.raises(InputError) as caught:
        make(**paths, views=COUNTS | {"test": 0})
    assert [sentence.split(" ")[0] for sentence in caught.value.problems] == [
        "data.signal", "data.unseen", "data.views.test=0"
    ]  # fmt: skip
