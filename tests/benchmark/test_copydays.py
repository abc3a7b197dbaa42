"""Copydays: its layouts, and its figures by hand."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latenthash.benchmark.controls import Thumbnail
from latenthash.benchmark.copydays import Copydays, FoundCopydays
from latenthash.codes.code import Code, Vectors
from latenthash.errors import InputError
from photographs import READER, photo


def _unchanged(described: Vectors) -> Vectors:
    return described


def _near(queries: Vectors, references: Vectors) -> Vectors:
    return -np.abs(queries - references.T)


PLACES = Code("places", Thumbnail(), 4, _unchanged, _unchanged, 0.0, _near)
FILES = {  # in the order in which they are found, and where a code puts them
    "original/000000.jpg": 0,
    "original/000100.jpg": 10,
    "original/000200.jpg": 20,
    "crops/50/000200.jpg": 15,  # as near to one original as to its own: second
    "crops/80/000000.jpg": -1,
    "jpegqual/3/000100.jpg": 11,
    "strong/000001.jpg": 1,
    "strong/000101.jpg": 16,  # second
    "strong/000102.jpg": 30,  # second
}


def save(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(number % 8).pixels).save(folder / name)
    return folder


def found(folder: Path) -> FoundCopydays:
    return Copydays().find(folder, READER, 400, 0)


def test_figures_by_hand(tmp_path: Path) -> None:
    judged = found(save(tmp_path, *FILES))
    assert [item.name for item in judged.items] == list(FILES)
    described = np.array(list(FILES.values()), np.float32)[:, None]
    figures = judged.judge(PLACES, described)
    assert {name: figure.rate.value for name, figure in figures.items()} == pytest.approx(
        {
            "mAP strong": (1 + 1 / 4 + 1 / 4) / 3, "mAP crops": (1 / 4 + 1) / 2, "mAP jpeg": 1,
            "mAP crops/50": 1 / 4, "mAP crops/80": 1, "mAP jpegqual/3": 1,
        }
    )  # fmt: skip
    assert list(judged.columns) == ["mAP strong", "mAP crops", "mAP jpeg"]


def test_originals_are_drawn_with_all_their_copies(tmp_path: Path) -> None:
    judged = found(save(tmp_path, *FILES))
    described = np.array(list(FILES.values()), np.float32)[:, None]
    drawn = judged.judge(PLACES, described)["mAP strong"].drawn
    # Two originals have strong copies, of 1 and of 2 a quarter: both the first, both, the second.
    assert set(np.round(drawn, 6)) == {1.0, 0.5, 0.25}


def test_files_beside_each_other_are_told_by_their_names(tmp_path: Path) -> None:
    judged = found(save(tmp_path, "000000.jpg", "000001.jpg", "000002.jpg", "000100.jpg"))
    assert (judged.originals, judged.own.tolist()) == (2, [0, 0])
    figures = judged.judge(PLACES, np.array([[0.0], [10], [1], [9]], np.float32))
    assert {name: f.rate.value for name, f in figures.items()} == {"mAP copies": (1 + 1 / 4) / 2}


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["original/000000.jpg", "original/000100.jpg"], "two originals and a copy are needed"),
        (["original/000000.jpg", "strong/000001.jpg"], "two originals and a copy are needed"),
        ([*FILES, "strong/000901.jpg"], "of some copies the original is not there: 000901.jpg."),
        ([*FILES, "strong/cat.jpg"], "strong/cat.jpg must be called by six digits"),
        ([*FILES, "blurs/3/000000.jpg"], "blurs is no folder of the set"),
        ([*FILES, "original/000001.jpg"], "two originals begin with the same four digits"),
        (["a.jpg"], "a.jpg must be called by six digits"),
        ([], "two originals and a copy are needed"),
    ],
)
def test_folder_of_another_layout_is_refused(
    tmp_path: Path, names: list[str], sentence: str
) -> None:
    with pytest.raises(InputError) as refusal:
        found(save(tmp_path, *names))
    assert sentence in str(refusal.value)


def test_no_folder_is_refused_with_its_layout(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a folder with original/ and some of strong/"):
        found(tmp_path / "nowhere")
