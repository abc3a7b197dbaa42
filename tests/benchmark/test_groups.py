"""Pictures that are nearly the same: read from a user's table, and found by their looks."""

import csv
from pathlib import Path

import numpy as np
import pytest

from latenthash.benchmark.groups import name_copies, read_groups
from latenthash.codes.code import Code, Vectors
from latenthash.codes.describe import Item
from latenthash.data.reading import Picture
from latenthash.errors import InputError


def photo() -> Picture:
    raise AssertionError("no picture is read here")


def write(
    folder: Path, *rows: tuple[str, ...], header: tuple[str, str] = ("file", "group")
) -> Path:
    path = folder / "groups.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def known(folder: Path) -> list[Item]:
    return [Item(name, name, photo, folder / name) for name in ("a.png", "b.png", "c.png", "d.png")]


def test_groups_are_read_from_a_table(tmp_path: Path) -> None:
    path = write(tmp_path, ("a.png", "x"), ("b.png", "y"), ("c.png", "x"))
    a, b, c, d = read_groups(path, known(tmp_path))
    assert a == c
    assert len({a, b, d}) == 3, "a picture that is not named is alone"


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_bytes("\ufefffile, group,note\r\na.png, x ,\r\nb.png,x,two words\r\n".encode())
    a, b, c, _ = read_groups(path, known(tmp_path))
    assert a == b != c


def test_groups_that_cannot_be_used_are_refused_by_line(tmp_path: Path) -> None:
    pictures = known(tmp_path)
    with pytest.raises(InputError, match=r"line 3: z\.png is not one of pictures="):
        read_groups(write(tmp_path, ("a.png", "x"), ("z.png", "x")), pictures)
    with pytest.raises(InputError, match="no group has two pictures"):
        read_groups(write(tmp_path, ("a.png", "x"), ("b.png", "y")), pictures)
    with pytest.raises(InputError, match=r"line 3: a\.png is there twice"):
        read_groups(write(tmp_path, ("a.png", "x"), ("a.png", "x")), pictures)
    with pytest.raises(InputError, match="columns file and group"):
        read_groups(write(tmp_path, ("a.png", "x"), header=("picture", "group")), pictures)
    with pytest.raises(InputError, match="cannot be opened"):
        read_groups(Path("a\0b.csv"), pictures)
    (tmp_path / "latin.csv").write_bytes(b"file,group\nb\xe4r.png,x\n")
    with pytest.raises(InputError, match="cannot be read: 'utf-8' codec can't decode"):
        read_groups(tmp_path / "latin.csv", pictures)
    with pytest.raises(InputError) as caught:
        read_groups(write(tmp_path, ("a.png", ""), ("", "x"), ("b\0.png", "x")), pictures)
    assert [problem.split(": ")[0][-6:] for problem in caught.value.problems] == [
        "line 2", "line 3", "line 4"
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"line 5: z\.png"):  # as an editor counts
        read_groups(write(tmp_path, ("a.png", "x"), (), (), ("z.png", "x")), pictures)
    path = tmp_path / "semicolons.csv"
    path.write_text("file;group\na.png;x\n", encoding="utf-8")
    with pytest.raises(InputError, match="separated by commas; its first line is 'file;group'"):
        read_groups(path, pictures)
    with pytest.raises(InputError, match="names no picture"):
        read_groups(write(tmp_path), pictures)
    short = tmp_path / "short.csv"
    short.write_text("group,file\nx,a.png\nx\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 3: a file and its group are needed"):
        read_groups(short, pictures)


def same(described: Vectors) -> Vectors:
    return described


def test_copies_are_named_unless_they_are_known() -> None:
    bits = np.sign(np.random.default_rng(0).normal(size=(4, 1, 256))).astype(np.float32)
    bits[2] = bits[0]
    bits[2, 0, :16] *= -1  # as much as may differ
    bits[3] = bits[1]
    bits[3, 0, :17] *= -1
    code = Code("bits", None, 32, same, same, 256)  # type: ignore[arg-type] # describes nothing here
    items = [Item(f"p{i}", f"digest{i}", photo) for i in range(5)]
    assert name_copies(code, bits, items, np.array([0, 1, 0, 3])) == ""
    found = name_copies(code, bits, items, np.arange(4))
    assert "different ones: p0 and p2. Leave one" in found
    equal = np.ones((5, 1, 256), np.float32)
    assert "; p2 and p3. Leave" in name_copies(code, equal[:4], items, np.arange(4)), "all six"
    assert "; and 4 pairs more. Leave" in name_copies(code, equal, items, np.arange(5))
