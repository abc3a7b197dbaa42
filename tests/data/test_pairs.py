"""Views of many pictures: which is of which, how they are drawn, what is refused."""

from pathlib import Path
from typing import Any

import albumentations as A
import numpy as np
import pytest
from PIL import Image

from latenthash.data.pairs import Pairs
from latenthash.data.reading import Reader
from latenthash.errors import InputError


def folder(tmp_path: Path, n: int) -> str:
    place = tmp_path / "pictures"
    place.mkdir()
    rng = np.random.default_rng(0)
    for i in range(n):
        blocks = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(np.kron(blocks, np.ones((8, 8, 1), np.uint8))).save(place / f"{i}.png")
    return str(place)


def pairs(source: str | None, reader: Reader, **settings: Any) -> Pairs:
    given: dict[str, Any] = {
        "views": 3, "quarters": 0, "augment": {"invert": A.InvertImg(p=1.0)}, "size": 32,
        "trim": False, "seed": 0, "cache": None,
    }  # fmt: skip
    return Pairs(outliers=source, reader=reader, **(given | settings))


def test_first_views_are_the_pictures_and_the_rest_are_edited(
    tmp_path: Path, reader: Reader
) -> None:
    made = pairs(folder(tmp_path, 4), reader)
    (views,) = made.train().values()
    assert views.views.shape == (12, 32, 32, 3)
    assert views.picture.tolist() == [0, 1, 2, 3] * 3
    for row, number in enumerate(views.picture):
        pixels = made.pictures[number].pixels
        np.testing.assert_array_equal(views.views[row], pixels if row < 4 else 255 - pixels)


def test_quarters_are_pictures_of_their_own(tmp_path: Path, reader: Reader) -> None:
    source = folder(tmp_path, 2)
    made = pairs(source, reader, quarters=2, size=16)
    views = made.train()["quarters"]
    assert views.views.shape == (16, 16, 16, 3)
    assert views.picture.tolist() == [*range(8)] * 2
    for picture, parts in zip(made.pictures, (views.views[:4], views.views[4:8]), strict=True):
        top, bottom = (np.hstack(list(parts[row : row + 2])) for row in (0, 2))
        np.testing.assert_array_equal(np.vstack([top, bottom]), picture.pixels)
    assert views.views[8:].equal(255 - views.views[:8])
    alone = pairs(source, reader, quarters=1, size=16).train()["quarters"]
    assert alone.views.equal(views.views[:8])  # as they are


def test_same_seed_same_views(tmp_path: Path, reader: Reader) -> None:
    source = folder(tmp_path, 2)
    noisy = {"noise": A.GaussNoise(p=1.0)}
    first, again, other = (
        pairs(source, reader, augment=noisy, seed=seed).train()["outliers"].views
        for seed in (0, 0, 1)
    )
    assert first.equal(again)
    assert not first.equal(other)


def test_missing_source_is_refused(reader: Reader) -> None:
    with pytest.raises(InputError) as error:
        pairs(None, reader)
    assert "data.outliers=PATH" in error.value.problems[0]


def test_one_picture_is_refused(tmp_path: Path, reader: Reader) -> None:
    with pytest.raises(InputError, match="holds one picture"):
        pairs(folder(tmp_path, 1), reader)
