"""The splits: which sets each holds, that none shares a view, and what is refused."""

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image

from app import composed
from latenthash.data.reading import Reader
from latenthash.data.splits import Splits, ViewSet
from latenthash.data.views import view_seed
from latenthash.errors import InputError
from project import CONF

COUNTS = {"train": 7, "validation": 4, "calibration": 5, "test": 6, "edits": 3, "each": 1}
MEMBERS = {"signal": 1, "noise_edited": 1, "noise_similar": 5, "outliers": 2, "unseen": 9}
SIZE = 16


def edits(name: str) -> Any:
    return instantiate(OmegaConf.load(CONF / "augment" / f"{name}.yaml"), _convert_="all")


def drawn(role: str, index: int) -> NDArray[np.uint8]:
    """Draw a picture of its own for every role and index."""
    rng = np.random.default_rng([sorted(MEMBERS).index(role), index])
    noise = rng.integers(0, 256, (36, 48, 3), dtype=np.uint8)
    soft = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.asarray(cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX), np.uint8)


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, str]:
    for role, count in MEMBERS.items():
        (tmp_path / role).mkdir()
        for index in range(count):
            Image.fromarray(drawn(role, index)).save(tmp_path / role / f"{index}.png")
    single = ("signal", "noise_edited")
    return {
        role: str(tmp_path / role / ("0.png" if role in single else "")).rstrip("/")
        for role in MEMBERS
    }


def splits(sources: dict[str, Any], **changes: Any) -> Splits:
    arguments: dict[str, Any] = {
        "reader": Reader(512, 10**6, (255, 255, 255)),
        "views": COUNTS,
        "train_sets": ("signal", "noise_edited", "noise_similar"),
        "workers": 0,
        "augment": edits("rotate_shift_scale"),
        "edits": edits("unseen_edits"),
        "size": SIZE,
        "seed": 0,
    }
    return Splits(**sources, **(arguments | changes))


def every(s: Splits) -> dict[str, dict[str, ViewSet]]:
    return {
        "train": s.train(),
        "validation": s.validation(),
        "calibration": {"signal": s.calibration()},
        "test": s.test(),
        **{f"edits/{name}": {"signal": views} for name, views in s.edited().items()},
    }


def rows(views: ViewSet) -> list[bytes]:
    return [view.numpy().tobytes() for view in views.views]


def test_every_split_holds_its_roles(sources: dict[str, str]) -> None:
    s = splits(sources)
    trained = {"signal", "noise_edited", "noise_similar"}
    assert set(s.train()) == set(s.validation()) == trained
    assert set(s.test()) == trained | {"unseen"}
    # These two are of the Signal alone.
    assert s.calibration().names == ("0.png",)
    edited = s.edited()
    assert list(edited) == list(edits("unseen_edits"))
    assert {views.names for views in edited.values()} == {("0.png",)}


def test_outliers_are_trained_on_when_asked_for(sources: dict[str, str]) -> None:
    s = splits(sources, train_sets=("signal", "outliers"))
    assert set(s.train()) == set(s.validation()) == {"signal", "outliers"}
    assert "outliers" not in s.test()


def test_every_set_has_as_many_views_as_asked_and_one_of_each_picture(
    sources: dict[str, str],
) -> None:
    for name, sets in every(splits(sources)).items():
        for role, views in sets.items():
            count = max(COUNTS[name.split("/")[0]], MEMBERS[role])
            assert views.views.shape == (count, SIZE, SIZE, 3), (name, role)
            assert views.views.dtype == torch.uint8
            assert views.picture.shape == (count,)
            assert set(views.picture) == set(range(MEMBERS[role]))
            assert len(views.names) == MEMBERS[role]


def test_folder_with_more_pictures_than_views_gives_one_view_of_each(
    sources: dict[str, str],
) -> None:
    unseen = splits(sources).test()["unseen"]
    assert COUNTS["test"] < MEMBERS["unseen"]
    assert unseen.picture.tolist() == list(range(9))
    assert unseen.names == tuple(f"{i}.png" for i in range(9))


def test_picture_indices_name_what_the_views_show(sources: dict[str, str]) -> None:
    for sets in every(splits(sources, augment={}, edits={})).values():
        for role, views in sets.items():
            for view, picture in zip(views.views, views.picture, strict=True):
                assert views.names[picture] == f"{picture}.png"
                pixels = drawn(role, picture)
                expected = cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
                np.testing.assert_array_equal(view.numpy(), expected)


def test_views_take_turns_at_the_pictures(sources: dict[str, str]) -> None:
    similar = splits(sources).train()["noise_similar"]
    assert similar.picture.tolist() == [0, 1, 2, 3, 4, 0, 1]


def test_no_view_is_in_two_splits_or_twice_in_one(sources: dict[str, str]) -> None:
    seen: dict[str, Counter[bytes]] = {role: Counter() for role in MEMBERS}
    for sets in every(splits(sources)).values():
        for role, views in sets.items():
            seen[role].update(rows(views))
    assert seen["signal"].total() == 7 + 4 + 5 + 6 + 3 * len(edits("unseen_edits"))
    assert seen["noise_similar"].total() == 7 + 5 + 6
    for role, counts in seen.items():
        assert not [row for row, count in counts.items() if count > 1], role


def test_no_seed_is_in_two_splits_of_the_shipped_counts() -> None:
    counts = OmegaConf.load(CONF / "data" / "folders.yaml").views
    names = {name: n for name, n in counts.items() if name not in ("edits", "each")}
    names |= {f"edits/{name}": counts.edits for name in edits("unseen_edits")}
    for seed in range(5):
        seeds = [view_seed(seed, name, i) for name, n in names.items() for i in range(n)]
        assert len(seeds) == 300 + 50 * len(edits("unseen_edits"))
        assert len(set(seeds)) == len(seeds)


def test_splits_are_the_same_again_and_with_workers_and_differ_by_seed(
    sources: dict[str, str],
) -> None:
    first = splits(sources).train()
    for same in (splits(sources).train(), splits(sources, workers=1).train()):
        for role, views in first.items():
            assert torch.equal(views.views, same[role].views)
    other = splits(sources, seed=1).train()
    for role, views in first.items():
        assert not set(rows(views)) & set(rows(other[role]))


def test_drawing_one_split_does_not_change_another(sources: dict[str, str]) -> None:
    alone = splits(sources).test()
    s = splits(sources)
    s.edited()
    s.train()
    s.test()
    for role, views in s.test().items():
        assert torch.equal(views.views, alone[role].views)


def test_unseen_edits_come_on_top_of_the_pipeline(sources: dict[str, str]) -> None:
    shipped = edits("unseen_edits")
    plain = splits(sources, augment={}, edits={"grey": shipped["grey"]}).edited()["grey"]
    unedited = cv2.resize(drawn("signal", 0), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    luma = (unedited @ [0.299, 0.587, 0.114])[..., None].repeat(3, 2)
    for view in plain.views.numpy().astype(int):
        np.testing.assert_allclose(view, luma, atol=2)
    # With the pipeline they are grey as well, but moved, each differently.
    moved = splits(sources, edits={"grey": shipped["grey"]}).edited()["grey"]
    assert (moved.views[..., 0] == moved.views[..., 1]).all()
    assert (moved.views[..., 0] == moved.views[..., 2]).all()
    assert len(set(rows(moved))) == COUNTS["edits"]
    for view in moved.views.numpy().astype(int):
        assert np.abs(view - luma).mean() > 5


def test_view_of_the_pictures_own_size_is_drawn(sources: dict[str, str], tmp_path: Path) -> None:
    square = drawn("signal", 0)[:SIZE, :SIZE].copy()
    Image.fromarray(square).save(tmp_path / "square.png")
    s = splits(sources | {"signal": str(tmp_path / "square.png")}, augment={})
    views = s.calibration().views
    views += 1
    np.testing.assert_array_equal(s.pictures["signal"][0].pixels, square)


def test_shipped_config_builds_splits(sources: dict[str, str]) -> None:
    given = [f"data.{role}={path}" for role, path in sources.items()]
    s = instantiate(
        composed("data=folders", *given).data,
        augment=edits("rotate_shift_scale"),
        edits={},
        size=SIZE,
        seed=0,
        _convert_="all",
    )
    assert {role: len(v.views) for role, v in s.train().items()} == {
        "signal": 100, "noise_edited": 100, "noise_similar": 100,
    }  # fmt: skip
    assert len(s.calibration().views) == 50
    assert s.edited() == {}


# Refused


def refused(sources: dict[str, Any], **changes: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        splits(sources, **changes)
    return caught.value.problems


def test_sources_that_are_not_set_are_named_all_at_once(sources: dict[str, str]) -> None:
    missing = ("signal", "noise_similar", "unseen")
    assert refused(sources | dict.fromkeys(missing)) == [
        f"data.{role} is not set; give a path: data.{role}=PATH." for role in missing
    ]


def test_bad_pictures_are_refused_when_the_splits_are_made(sources: dict[str, str]) -> None:
    for role in ("outliers", "unseen"):
        Path(sources[role], "bad.jpg").write_text("no picture")
    found = refused(sources)
    assert len(found) == 4
    # The second of each says what could be done.
    for role, problem in zip(("outliers", "unseen"), found[::2], strict=True):
        assert problem.startswith(f"data.{role}: {sources[role]}/bad.jpg is not a picture")


def test_every_picture_of_a_training_set_has_its_least_number_of_views(
    sources: dict[str, str],
) -> None:
    made = splits(sources, views=COUNTS | {"each": 3})
    counts = {role: len(s.views) for role, s in made.train().items()}
    assert counts == {"signal": 7, "noise_edited": 7, "noise_similar": 15}
    assert len(made.validation()["noise_similar"].views) == 5


def test_views_behind_the_printable_hash_know_no_seed(sources: dict[str, str]) -> None:
    first, second = (splits(sources, seed=seed) for seed in (0, 1))
    assert torch.equal(first.printable_views().views, second.printable_views().views)
    assert set(first.printable_views().picture) == {0}
    known = {
        row for sets in every(first).values() for views in sets.values() for row in rows(views)
    }
    assert not known & set(rows(first.printable_views())), "a view of a split of the run"


def test_views_behind_the_printable_hash_leave_the_training_as_it_was(
    sources: dict[str, str],
) -> None:
    before = torch.get_rng_state()
    splits(sources).printable_views()
    assert torch.equal(before, torch.get_rng_state())
