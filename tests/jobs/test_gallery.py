"""The commands of a gallery, from its first picture to a refusal."""

import io
import os
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from skimage.data import data_dir

import latenthash
from app import call
from latenthash import Gallery


def test_gallery_is_made_changed_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "given"
    (folder / "in").mkdir(parents=True)
    odd = os.fsdecode(b"caf\xe9, 1.png")
    shutil.copy(Path(data_dir, "chelsea.png"), folder / "cat.png")
    shutil.copy(Path(data_dir, "coffee.png"), folder / "in" / odd)
    (folder / "broken.png").write_bytes(b"broken")

    done = call("evaluate.py", tmp_path, "gallery=G", "add=given", "hydra.run.dir=out")
    assert done.code == 0, done.output
    row = pd.read_csv(tmp_path / "out/added.csv").iloc[0]
    assert (row["added"], row["unchanged"], row["errors"]) == (2, 0, 1)
    assert "1 files cannot be read; they have a row that says why, and the next add=" in " ".join(
        done.output.split()
    )
    entries = Gallery.open(tmp_path / "G").entries()
    assert list(entries.files) == ["broken.png", "cat.png", f"in/{odd}"]
    code = latenthash.load("code")
    assert (entries.tag, entries.bundle) == (code.tag, code.bundle)
    for i in (1, 2):
        assert entries.codes[i].tobytes() == code.hash(folder / entries.files[i]).packed

    names = io.BytesIO(b"given/cat.png\0given/in/" + os.fsencode(odd) + b"\0")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(names))
    piped = call("evaluate.py", tmp_path, "gallery=G", "add=-", "format=text")
    assert piped.code == 0, piped.output
    assert piped.out.split("\t")[:4] == ["0", "2", "0", "0"]
    told = call("evaluate.py", tmp_path, "gallery=G", "hydra.run.dir=told")
    assert told.code == 0 and "1 files cannot be read" in " ".join(told.output.split())
    listed = pd.read_csv(tmp_path / "told/errors.csv").to_numpy().tolist()
    assert listed == [["broken.png", "is not a picture that can be read"]]

    assert call("evaluate.py", tmp_path, "gallery=G", "remove=given/in").code == 0
    shown = call("evaluate.py", tmp_path, "gallery=G", "format=text")
    root, tag, *counts = shown.out.strip().split("\t")
    assert (root, tag) == (str(folder), code.tag.hex())
    assert counts[:5] == ["2", "1", "0", "1", "2"]
    compacted = call("evaluate.py", tmp_path, "gallery=G", "compact=true", "format=text")
    assert compacted.out.strip().split("\t")[2:7] == ["2", "1", "0", "1", "1"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["gallery=given", "add=given"], "is no gallery, and holds other things"),
        (["gallery=G", "add=nowhere"], "nowhere does not exist; add a picture or a folder"),
        (["gallery=G"], "G is no gallery: it holds no gallery.json"),
        (["gallery=G", "compact=true"], "Add pictures first: gallery=DIR add=PATH"),
        (["gallery=G", "explain=true"], "explain=true has no effect here"),
        (["job=gallery_remove", "gallery=G"], "remove is not set; give a file or a folder"),
        (["job=gallery_contents"], "gallery is not set; give its folder"),
    ],
)
def test_what_cannot_be_used_is_refused(options: list[str], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given/a.txt").touch()
    done = call("evaluate.py", tmp_path, *options)
    assert done.code == 2, done.output
    assert sentence in " ".join(done.output.split())
    assert not (tmp_path / "G").exists()
