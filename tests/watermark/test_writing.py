"""Files are written whole or not at all, over nothing, and through no link."""

import os
from pathlib import Path

import pytest

from latenthash import InputError
from latenthash.watermark import writing
from latenthash.watermark.writing import claimed, put, refuse_long


def no_links(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("links", [True, False])
def test_file_is_written_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    put(b"first", tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png exists"):
        put(b"second", tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"first"
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("links", [True, False])
def test_full_disk_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"a\.png cannot be written \(No space left on device\)"):
        put(b"first", tmp_path / "a.png")
    assert not names(tmp_path)


def test_nothing_is_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing.secrets, "token_hex", lambda _: "0123")  # as if foreseen
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / ".a.png.0123.part").symlink_to(mine)
    with pytest.raises(InputError, match="cannot be written"):
        put(b"first", folder / "a.png")
    assert mine.read_bytes() == b"mine"


def test_claim_goes_through_no_link(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    (tmp_path / ".a.png.lock").symlink_to(mine)
    with pytest.raises(InputError, match="cannot be written"), claimed(tmp_path / "a.png"):
        pass
    assert mine.read_bytes() == b"mine"


def test_claim_leaves_nothing(tmp_path: Path) -> None:
    with claimed(tmp_path / "a.png"):
        assert names(tmp_path) == [".a.png.lock"]
    assert not names(tmp_path)


def test_claim_in_what_is_no_folder_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"a file")
    with pytest.raises(InputError, match="cannot be written"), claimed(tmp_path / "no" / "a.png"):
        pass


@pytest.mark.parametrize("letter", ["a", "é"])
def test_longest_name_is_one_that_can_be_written(tmp_path: Path, letter: str) -> None:
    size = len(letter.encode())
    path = tmp_path / (letter * ((writing.LONGEST - len("..01234567.part")) // size))
    refuse_long(path)
    put(b"a", path)
    with pytest.raises(InputError, match=r"too long a name .* 2 bytes shorter"):
        refuse_long(path.with_name(f"{path.name}aa"))
