"""Names of files: any name survives, and none leads out of the root."""

import os
from pathlib import Path

import pyarrow as pa
import pytest

from latenthash.errors import InputError
from latenthash.gallery.names import Names, Root, kept, restored, root_of

ODD = [
    "a.jpg",
    "b c/é.jpg",
    "back\\slash.png",
    "\\xe9.png",  # as an escaped byte is written
    os.fsdecode(b"caf\xe9.jpg"),
    os.fsdecode(b"\\\xff\\x41"),
    "line\nbreak.png",
    "雪\u202e.png",
]


@pytest.mark.parametrize("name", ODD)
def test_any_name_survives_as_text(name: str) -> None:
    text = kept(name)
    text.encode()  # UTF-8, which Parquet's texts are
    assert restored(text) == name


def test_texts_of_two_names_are_never_one() -> None:
    assert len(set(map(kept, ODD))) == len(ODD)
    assert kept("\\xe9.png") == r"\\xe9.png"
    assert kept(os.fsdecode(b"caf\xe9.jpg")) == r"caf\xe9.jpg"


def test_names_are_made_when_they_are_asked_for() -> None:
    names = Names(pa.array([kept(name) for name in ODD]))
    assert list(names) == ODD
    assert names[4] == ODD[4] and names[-1] == ODD[-1]
    assert names[1:3] == ODD[1:3]
    with pytest.raises(IndexError):
        names[len(ODD)]


def test_files_are_named_within_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Root(str(tmp_path / "photos"))
    monkeypatch.chdir(tmp_path)
    for path in ("photos/a/b.jpg", tmp_path / "photos/a/b.jpg", "photos/x/../a/b.jpg"):
        assert root.name(path) == "a/b.jpg"
    assert root.path("a/b.jpg") == tmp_path / "photos/a/b.jpg"
    for path in ("b.jpg", "photos/../b.jpg", "photos", "photos2/b.jpg"):
        with pytest.raises(InputError, match=r"lies outside of .*begin one with root=FOLDER"):
            root.name(path)


def test_root_of_a_new_gallery_is_what_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").touch()
    monkeypatch.chdir(tmp_path)
    assert root_of("photos") == root_of("photos/a.jpg") == str(tmp_path / "photos")
    assert root_of(["photos/a.jpg"]) == str(tmp_path)
