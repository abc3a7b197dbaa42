"""The views as files: the pixels that the benchmark hashes, all of them or none."""

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latenthash.codes import view_files
from latenthash.codes.describe import Item
from latenthash.codes.view_files import INDEX, ViewNames, refuse_unusable, write_views
from latenthash.data.edits.suite import Suite
from latenthash.data.reading import Picture, Reader
from latenthash.errors import InputError
from photographs import READER, items, photo


def test_views_are_the_pixels_that_are_hashed(suite: Suite, tmp_path: Path) -> None:
    folder = tmp_path / "views"
    refuse_unusable(folder)
    names = ViewNames(suite, READER)
    groups = [(items(3)[:2], suite.edits), (items(3)[2:], ())]
    assert write_views(folder, groups, names) == 2 * 3 + 1
    with (folder / INDEX).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["picture"], row["edit"]) for row in rows] == [
        *((f"p{i}", edit) for i in range(2) for edit in ("original", "flip", "invert")),
        ("p2", "original"),
    ]
    assert {row["file"] for row in rows} | {INDEX} == {path.name for path in folder.iterdir()}
    for row in rows:
        pixels = photo(int(row["picture"][1:])).pixels
        expected = {"original": pixels, "flip": pixels[:, ::-1], "invert": 255 - pixels}
        written = np.asarray(Image.open(folder / row["file"]))
        np.testing.assert_array_equal(written, expected[row["edit"]])
    assert [path.name for path in tmp_path.iterdir()] == ["views"]


def test_name_says_of_which_picture_edit_suite_and_reader_a_view_is(suite: Suite) -> None:
    one, two = items(2)
    flip, invert = suite.edits
    other = Suite("other", {"any": {"flip": {"edit": list(flip.transform)}}})
    smaller = Reader(256, 10**6, (255, 255, 255))
    names = [
        ViewNames(suite, READER).of(one, None),
        ViewNames(suite, READER).of(one, flip),
        ViewNames(suite, READER).of(one, invert),
        ViewNames(suite, READER).of(two, flip),
        ViewNames(other, READER).of(one, other.edits[0]),
        ViewNames(suite, smaller).of(one, flip),
    ]
    assert len(set(names)) == len(names)
    assert ViewNames(suite, READER).of(one, flip) == names[1]


def test_nothing_is_left_of_views_that_cannot_all_be_written(suite: Suite, tmp_path: Path) -> None:
    folder = tmp_path / "views"
    refuse_unusable(folder)
    changed = Item("p0", "of another", partial(photo, 0))
    with pytest.raises(InputError, match="p0 was changed"):
        write_views(folder, [([*items(2), changed], suite.edits)], ViewNames(suite, READER))
    assert not list(folder.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["views"]


def test_interrupted_writing_leaves_nothing(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "views"
    refuse_unusable(folder)

    def interrupted(function: object, tasks: object) -> list[list[str]]:
        raise KeyboardInterrupt

    monkeypatch.setattr(view_files, "in_workers", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_views(folder, [(items(1), ())], ViewNames(suite, READER))
    assert [path.name for path in tmp_path.rglob("*")] == ["views"]


def test_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    filled = tmp_path / "filled"
    filled.mkdir()
    (filled / "a").touch()
    with pytest.raises(InputError, match="filled is not empty"):
        refuse_unusable(filled)
    with pytest.raises(InputError, match="cannot be used"):
        refuse_unusable(filled / "a")
    with pytest.raises(InputError, match="cannot be used"):
        refuse_unusable(filled / "a" / "below")


def test_link_to_an_empty_folder_stays_a_link(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    refuse_unusable(link)
    picture = Picture("p", photo(0).pixels, "digest0")
    item = Item("p", picture.digest, lambda: picture)
    assert write_views(link, [([item], ())], ViewNames(suite, READER)) == 1
    assert link.is_symlink()
    assert len(list((tmp_path / "real").iterdir())) == 2
