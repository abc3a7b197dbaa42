"""A folder of pictures: which are held out, and how they are handed over."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from latenthash.data.collection import FEWEST, Collection
from latenthash.data.reading import Reader
from latenthash.data.samples.graphics import render_graphic
from latenthash.errors import InputError

HELD_OUT = 6


def save(folder: Path, names: list[str], shape: tuple[int, int] = (20, 30)) -> None:
    """Save pictures, no two alike; the i-th is the same whatever its name."""
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        pixels = np.random.default_rng(i).integers(0, 256, (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")


def collection(folder: Path | None, reader: Reader, held_out: int = HELD_OUT, seed: int = 0,
               size: int = 24, graphics: int = 0) -> Collection:  # fmt: skip
    return Collection(
        outliers=None if folder is None else str(folder),
        reader=reader, held_out=held_out, graphics=graphics, size=size, seed=seed, cache=None,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "pictures", [f"{i:03}" for i in range(FEWEST + HELD_OUT)])
    return tmp_path / "pictures"


def digests(pictures: object) -> set[str]:
    return {picture.digest for picture in pictures}  # type: ignore[attr-defined]


def test_no_picture_is_learned_from_and_held_out(folder: Path, reader: Reader) -> None:
    made = collection(folder, reader)
    learned, held_out = digests(made.learned), digests(made.validated)
    assert len(held_out) == HELD_OUT
    assert len(learned) == FEWEST
    assert not learned & held_out


def test_content_and_seed_decide_which_are_held_out(
    folder: Path, tmp_path: Path, reader: Reader
) -> None:
    held_out = digests(collection(folder, reader).validated)
    count = FEWEST + HELD_OUT
    save(tmp_path / "renamed", [f"{(3 * i) % count:03}" for i in range(count)])
    assert digests(collection(tmp_path / "renamed", reader).validated) == held_out
    assert digests(collection(folder, reader, seed=1).validated) != held_out


def test_picture_that_is_there_twice_counts_once(folder: Path, reader: Reader) -> None:
    for i in range(10):
        (folder / f"again{i}.png").write_bytes((folder / f"{i:03}.png").read_bytes())
    made = collection(folder, reader)
    assert len(made.pictures) == FEWEST + HELD_OUT
    assert not digests(made.learned) & digests(made.validated)


def test_too_few_pictures_are_refused(folder: Path, reader: Reader) -> None:
    (folder / "000.png").unlink()
    # Doubles do not help.
    (folder / "again.png").write_bytes((folder / "001.png").read_bytes())
    with pytest.raises(InputError, match=r"holds 69 different pictures, and data\.held_out=6 .*64"):
        collection(folder, reader)
    collection(folder, reader, held_out=5)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [(None, "data.outliers is not set"), ("nowhere", "nowhere does not exist")],
)
def test_source_that_is_not_there_is_named(
    name: str | None, sentence: str, tmp_path: Path, reader: Reader
) -> None:
    with pytest.raises(InputError, match=sentence):
        collection(None if name is None else tmp_path / name, reader)


@pytest.mark.parametrize(("size", "interpolation"), [(12, cv2.INTER_AREA), (48, cv2.INTER_CUBIC)])
def test_pictures_are_squares_a_third_larger_than_views(
    folder: Path, reader: Reader, size: int, interpolation: int
) -> None:
    made = collection(folder, reader, size=size)
    for sets, pictures in ((made.train(), made.learned), (made.validation(), made.validated)):
        (squares,) = sets.values()
        assert squares.shape == (len(pictures), 3, size * 4 // 3, size * 4 // 3)
        side = (size * 4 // 3,) * 2
        wanted = cv2.resize(pictures[2].pixels, side, interpolation=interpolation)
        np.testing.assert_array_equal(squares[2].permute(1, 2, 0).numpy(), wanted)


def test_graphics_are_learned_from_and_never_held_out(folder: Path, reader: Reader) -> None:
    made = collection(folder, reader, graphics=2)
    (plain,) = collection(folder, reader).train().values()
    (squares,) = made.train().values()
    assert squares[:-2].equal(plain)
    for number, square in enumerate(squares[-2:]):
        wanted = cv2.resize(render_graphic(number), (32, 32), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(square.permute(1, 2, 0).numpy(), wanted)
    (judging,) = made.validation().values()
    assert len(judging) == HELD_OUT
