"""Paths that a user gives: files of a folder, and what may be shared."""

import os
from itertools import islice
from pathlib import Path

import pytest

from latenthash.system.paths import find_files, shareable, walk_files


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_folders_are_searched_to_any_depth_and_sorted(tmp_path: Path) -> None:
    names = ["z.png", "a/b/c/deep.png", "a/x.JPG", "b.png", "a/B/y.tif", "a.png"]
    for name in names:
        touch(tmp_path / name)
    found = find_files(tmp_path)
    assert found == sorted(tmp_path / name for name in names)


def test_files_that_are_hidden_or_of_the_system_are_left_out(tmp_path: Path) -> None:
    kept = touch(tmp_path / "sub" / "a.png")
    for name in (
        ".DS_Store", "._a.png", ".git/a.png", "sub/.hidden/deep/a.png", "Thumbs.db",
        "sub/thumbs.db", "sub/THUMBS.DB", "desktop.ini", "Desktop.ini",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert find_files(tmp_path) == [kept]


def test_files_are_found_as_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in "abc":
        for name in "yxz":
            touch(tmp_path / folder / f"{name}.png")
    opened: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(Path(path).name) or scan(path))
    found = walk_files(tmp_path)
    first = list(islice(found, 2))
    assert first == [tmp_path / "a/x.png", tmp_path / "a/y.png"]
    assert opened == [tmp_path.name, "a"], "no more is looked at"
    assert [*first, *found] == find_files(tmp_path)


def test_folder_below_a_hidden_folder_is_searched(tmp_path: Path) -> None:
    kept = touch(tmp_path / ".cache" / "pictures" / "a.png")
    assert find_files(tmp_path / ".cache" / "pictures") == [kept]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("photos/new", "photos/new"),
        ("./photos/", "photos"),
        ("{here}/photos/new", "photos/new"),
        ("{here}", "."),
        ("../{name}/photos", "photos"),
        ("/elsewhere/photos", "photos"),
        ("../photos", "photos"),
        ("{here}er/photos", "photos"),  # begins with the same letters
    ],
)
def test_path_that_is_shared_tells_nothing_of_the_machine(
    path: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = Path(path.format(here=tmp_path, name=tmp_path.name))
    assert str(shareable(given)) == expected
