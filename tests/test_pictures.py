"""Sources: the project's own pictures and users' folders; all problems are named at once."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latenthash import InputError
from latenthash.data import pictures
from latenthash.data.pictures import find_files, load_pictures, source_digest
from latenthash.data.reading import Reader

READER = Reader(working_size=64, max_pixels=10_000, background=(255, 255, 255))


def paint(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(path)
    return path


def problems(**sources: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_pictures({role: str(source) for role, source in sources.items()}, READER)
    return caught.value.problems


def test_embedded_photographs_are_disjoint_colour_photographs() -> None:
    found = load_pictures(
        {role: f"embedded:{name}" for role, name in
         (("signal", "girl"), ("outliers", "photos_a"), ("unseen", "photos_b"))},
        Reader(512, 10**7, (255, 255, 255)),
    )  # fmt: skip
    assert {role: len(members) for role, members in found.items()} == {
        "signal": 1, "outliers": 4, "unseen": 5
    }  # fmt: skip
    everything = [picture for members in found.values() for picture in members]
    assert len({picture.digest for picture in everything}) == 10
    for picture in everything:
        assert max(picture.pixels.shape) == 512 or picture.name.endswith(("chelsea", "rocket"))
        red, green, blue = picture.pixels.reshape(-1, 3).astype(int).T
        assert np.abs(red - green).mean() + np.abs(green - blue).mean() > 5


def test_embedded_sushi_has_a_hundred_plates_and_earth_one_globe() -> None:
    assert len(pictures._SETS["sushi"]) == 100
    (earth,) = load_pictures({"noise_edited": "embedded:earth"}, READER)["noise_edited"]
    assert earth.name == "embedded:earth/earth"
    assert earth.pixels.shape == (512, 512, 3)


def test_folders_are_searched_recursively_and_sorted(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.png", "a/b/c.PNG"):
        paint(tmp_path / name)
    for name in (".hidden.png", ".git/d.png", "Thumbs.db", "a/desktop.ini"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [str(path.relative_to(tmp_path)) for path in find_files(tmp_path)]
    assert found == ["a/b/c.PNG", "a/z.png", "b.png"]


@pytest.mark.parametrize(
    "name", ["a b.png", "ä=ö,ü.png", 'it\'s "q".png', "$x {y} [z].png", os.fsdecode(b"\xe9.png")]
)
def test_odd_names_are_read(tmp_path: Path, name: str) -> None:
    paint(tmp_path / "odd" / name)
    (picture,) = load_pictures({"unseen": str(tmp_path / "odd")}, READER)["unseen"]
    assert picture.pixels.shape == (20, 24, 3)
    picture.name.encode()  # what tables and MLflow are given


def test_all_problems_of_all_sources_are_named_at_once(tmp_path: Path) -> None:
    paint(tmp_path / "similar/good.png")
    (tmp_path / "similar/text.png").write_text("no")
    (tmp_path / "similar/link.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "similar/sub").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "similar/sub/tiny.png")
    (tmp_path / "hollow").mkdir()
    found = problems(
        signal=tmp_path / "missing.png",
        noise_edited=tmp_path / "similar",
        noise_similar=tmp_path / "similar",
        outliers=tmp_path / "hollow",
        unseen="embedded:pizza",
    )
    assert len(found) == 7
    for part in (
        "missing.png does not exist", "is a folder; give the path of one picture",
        "link.png cannot be opened", "tiny.png is 4 x 4 px", "text.png is not a picture",
        "hollow is an empty folder", "embedded:pizza is not one of embedded:girl",
    ):  # fmt: skip
        assert sum(part in sentence for sentence in found) == 1, part


def test_a_single_file_serves_as_a_set(tmp_path: Path) -> None:
    path = paint(tmp_path / "one.png")
    assert len(load_pictures({"unseen": str(path)}, READER)["unseen"]) == 1


@pytest.mark.parametrize("role", ["outliers", "unseen"])
def test_picture_of_another_set_is_refused_among_outliers_and_unseen(
    tmp_path: Path, role: str
) -> None:
    signal = paint(tmp_path / "signal.png")
    paint(tmp_path / "set/own.png", seed=1)
    (tmp_path / "set/copy.png").write_bytes(signal.read_bytes())
    (sentence,) = problems(**{"signal": signal, role: tmp_path / "set"})
    assert "copy.png is also a picture of data.signal" in sentence


def test_signal_may_be_one_of_the_similar_pictures(tmp_path: Path) -> None:
    signal = paint(tmp_path / "set/a.png")
    found = load_pictures({"signal": str(signal), "noise_similar": str(signal.parent)}, READER)
    assert len(found["noise_similar"]) == 1


def test_digest_of_a_source_follows_its_files(tmp_path: Path) -> None:
    path = paint(tmp_path / "set/a.png")
    before = source_digest(str(path.parent))
    assert source_digest(str(path.parent)) == before
    paint(path, seed=1)
    changed = source_digest(str(path.parent))
    paint(tmp_path / "set/b.png")
    assert len({before, changed, source_digest(str(path.parent))}) == 3
    assert source_digest("embedded:girl") == "embedded:girl"
