"""The command that compares two pictures: what the library says, a figure, and sentences."""

import json
from pathlib import Path

import pytest
from PIL import Image
from skimage.data import data_dir

import latenthash
from app import call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Image.open(Path(data_dir, "chelsea.png")) as cat:
        cat.save(tmp_path / "a, [1].png")
        cat.convert("RGB").save(tmp_path / "b.jpg", quality=40)
    Image.new("RGB", (90, 90), "red").save(tmp_path / "red.png")
    return tmp_path


def test_distance_verdict_and_figure_are_those_of_the_library(folder: Path) -> None:
    asked = ["run=code", "pictures=['a, [1].png',b.jpg]", "compare=true", "hydra.run.dir=out"]
    done = call("evaluate.py", folder, *asked, "format=jsonl")
    assert done.code == 0, done.output
    row = json.loads(done.out)
    code = latenthash.load("code")
    first, second = code.hash(folder / "a, [1].png"), code.hash(folder / "b.jpg")
    assert (row["first"], row["second"]) == ("a, [1].png", "b.jpg")
    assert row["distance (of 256 bits)"] == first - second
    assert row["same picture"] == "yes"
    assert code.same(first, second, fpr=float(row["at FPR"]))
    assert row["same up to"] == code.limits[float(row["at FPR"])]
    with Image.open(folder / "out/comparison.png") as figure:
        assert min(figure.size) > 400
    assert (folder / "out/comparison.csv").exists()


def test_picture_without_detail_is_as_far_as_can_be(folder: Path) -> None:
    asked = ["run=code", "pictures=[red.png,red.png]", "compare=true", "hydra.run.dir=out"]
    done = call("evaluate.py", folder, *asked, "format=jsonl")
    assert done.code == 0, done.output
    row = json.loads(done.out)
    assert (row["distance (of 256 bits)"], row["same picture"]) == (256, "no")
    assert row["note"] == "red.png has no detail"
    assert (folder / "out/comparison.png").exists()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["pictures=[b.jpg]"], "compares two pictures, and 1 is given"),
        (["pictures=[b.jpg,b.jpg,b.jpg]"], "compares two pictures, and 3 are given"),
        (["pictures=[]"], "names no picture"),
        (["pictures=[b.jpg,]"], "must be a path, or several"),
        (["pictures=[no.jpg,nor.jpg]"], "no.jpg cannot be opened (No such file or directory). "),
        (["pictures=[b.jpg,.]"], ". is a folder; only regular files are read"),
        (["pictures=[b.jpg,red.png]", "unreadable=skip"], "unreadable=skip has no effect here"),
    ],
)
def test_what_cannot_be_compared_is_refused(folder: Path, asked: list[str], sentence: str) -> None:
    done = call("evaluate.py", folder, "run=code", "compare=true", *asked, "hydra.run.dir=out")
    assert done.code == 2, done.output
    assert sentence in " ".join(done.output.split())
    assert not (folder / "out/comparison.csv").exists()


def test_codes_and_matches_take_a_list_too(folder: Path) -> None:
    done = call("evaluate.py", folder, "run=code", "pictures=[b.jpg,red.png]", "format=text")
    assert done.code == 0, done.output
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["b.jpg", "red.png"]
    refused = call("evaluate.py", folder, "benchmark=edits_v1", "pictures=[b.jpg,red.png]")
    assert refused.code == 2
    assert "takes one folder of pictures, and not a list" in " ".join(refused.output.split())
