"""The pictures that a job is asked of: a path's, or those that standard input names."""

import io
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from latenthash.errors import InputError
from latenthash.jobs.pictures import given_folder, given_paths

LISTED = OmegaConf.create({"pictures": "-"})


def listed(names: bytes, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the files that standard input names."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(names), encoding="ascii"))
    paths, source = given_paths(LISTED)
    assert source is None
    return paths


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (b"a.jpg\nin/b c.jpg\n", ["a.jpg", "in/b c.jpg"]),
        (b"a.jpg\r\n\r\nb.jpg", ["a.jpg", "b.jpg"]),
        (b"two\nlines.jpg\0b\r.jpg\0", ["two\nlines.jpg", "b\r.jpg"]),
        ("寿司.jpg\n".encode(), ["寿司.jpg"]),
        (b"caf\xe9.jpg\n", ["caf\udce9.jpg"]),  # no UTF-8, and still the name of a file
        (b"-\n", ["-"]),
    ],
)
def test_standard_input_names_files(
    names: bytes, paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listed(names, monkeypatch) == [Path(path) for path in paths]


def test_no_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no names in standard input"):
        listed(b"\n", monkeypatch)
    monkeypatch.setattr(sys, "stdin", None)  # closed
    with pytest.raises(InputError, match="no names in standard input"):
        given_paths(LISTED)


def test_file_of_that_name_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "-").touch()
    path = tmp_path / "-"
    assert given_paths(OmegaConf.create({"pictures": str(path)})) == ([path], path)


def test_list_names_files_one_by_one() -> None:
    cfg = OmegaConf.create({"pictures": ["a, b.jpg", "in/c.jpg", "a, b.jpg"]})
    assert given_paths(cfg) == ([Path("a, b.jpg"), Path("in/c.jpg"), Path("a, b.jpg")], None)


def test_list_of_none_is_refused() -> None:
    with pytest.raises(InputError, match="names no picture"):
        given_paths(OmegaConf.create({"pictures": []}))


def test_benchmarks_take_a_folder_and_no_list() -> None:
    assert given_folder(OmegaConf.create({"pictures": "[x]"})) == "[x]"
    assert given_folder(OmegaConf.create({"pictures": None})) is None
    with pytest.raises(InputError, match="one folder of pictures, and not a list"):
        given_folder(OmegaConf.create({"pictures": ["a", "b"]}))
