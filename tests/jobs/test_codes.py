"""The command that gives codes: of a folder that holds all kinds of files, and of one picture."""

import io
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from skimage.data import data_dir

import latenthash
from app import call

CODE = "code (256 bits)"
SENTENCES = {
    "damaged.png": "is truncated or damaged",
    "line.png": "is 1 x 300 px; both sides must be at least 8 px",
    "tiny.png": "is 4 x 4 px; both sides must be at least 8 px",
}


def test_every_file_of_a_folder_gets_its_code_or_its_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "given"
    (folder / "in").mkdir(parents=True)
    shutil.copy(Path(data_dir, "chelsea.png"), folder / "cat.png")
    shutil.copy(Path(data_dir, "coffee.png"), folder / "in" / "coffee.png")
    for name, colour in (("red.png", "red"), ("teal.png", "teal")):
        Image.new("RGB", (120, 90), colour).save(folder / name)
    Image.new("RGB", (1, 300)).save(folder / "line.png")
    Image.new("RGB", (4, 4)).save(folder / "tiny.png")
    (folder / "damaged.png").write_bytes((folder / "cat.png").read_bytes()[:5000])
    done = call("evaluate.py", tmp_path, "run=code", "pictures=given", "hydra.run.dir=out")
    assert done.code == 0, done.output
    table = pd.read_csv(tmp_path / "out/codes.csv", keep_default_na=False).set_index("file")
    assert table.index.tolist() == [
        "cat.png", "in/coffee.png", "red.png", "teal.png", *SENTENCES
    ]  # fmt: skip
    codes = table[CODE]
    assert codes.str.len().tolist() == [64, 64, 0, 0, 0, 0, 0]
    assert codes["cat.png"] != codes["in/coffee.png"]
    both = f"hashes=[{codes['cat.png']},{codes['in/coffee.png']}]"
    compared = call("evaluate.py", tmp_path, both, "format=csv")
    assert compared.code == 0, compared.output
    assert compared.out.splitlines()[-1].endswith(",no")
    assert table.loc[["cat.png", "in/coffee.png"], "note"].tolist() == ["", ""]
    assert table.loc[["red.png", "teal.png"], "note"].tolist() == ["no detail"] * 2
    for name, sentence in SENTENCES.items():
        assert table.loc[name, "note"].startswith(sentence)
    assert "cannot be read: 3." in " ".join(done.output.split())

    one = call("evaluate.py", tmp_path, "run=code", "pictures=given/cat.png", "format=jsonl")
    assert one.code == 0, one.output
    assert codes["cat.png"] in one.out

    names = io.BytesIO(b"given/damaged.png\0given/cat.png\0")  # as find -print0 writes them
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(names))
    piped = call("evaluate.py", tmp_path, "run=code", "pictures=-", "format=text")
    assert piped.code == 0, piped.output
    rows = [line.split("\t") for line in piped.out.splitlines()]
    bundle = latenthash.load("code").bundle.removeprefix("bundle ")[:16]
    assert rows[0] == ["given/cat.png", codes["cat.png"], "", bundle]
    assert table["bundle"].tolist() == [bundle] * 7
    assert [row[0] for row in rows[1:]] == ["given/damaged.png"]

    refused = call("evaluate.py", tmp_path, "run=code", "pictures=given", "unreadable=refuse")
    assert refused.code == 2
    said = " ".join(refused.output.split())
    for name, sentence in SENTENCES.items():
        assert f"given/{name} {sentence}" in said
    assert not refused.out, "there is no table of a part"
