"""The pictures of a benchmark: found in a folder, cut into quarters, and a stereo pair."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latenthash.codes.pictures import list_pictures, quarters, stereo
from latenthash.data.reading import Reader
from latenthash.errors import InputError
from photographs import READER, items, photo, save_photos


def test_files_that_cannot_be_read_are_left_out_when_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_photos(tmp_path, 4)
    (tmp_path / "photos/notes.txt").write_text("nothing")
    Image.new("RGB", (20, 20)).save(tmp_path / "photos/odd.png", icc_profile=b"none")
    reader = replace(READER, unreadable="skip")
    assert len(list_pictures(str(tmp_path / "photos"), reader)) == 5
    remark, skipped = caplog.messages
    assert remark.startswith("odd.png: a colour profile")
    assert "notes.txt is not a picture" in skipped
    for path in (tmp_path / "photos").glob("*.png"):
        path.unlink()
    with pytest.raises(InputError, match=r"notes\.txt is not a picture"):
        list_pictures(str(tmp_path / "photos"), reader)


def test_quarters_share_no_pixel_and_make_up_the_picture() -> None:
    parts = quarters(items(2))
    assert [number for _, number in parts] == [0] * 4 + [1] * 4
    assert len({item.digest for item, _ in parts}) == 8
    a, b, c, d = (item.read().pixels for item, _ in parts[:4])
    whole = np.vstack([np.hstack([a, b]), np.hstack([c, d])])
    np.testing.assert_array_equal(whole, photo(0).pixels)


def test_stereo_pair_is_there_and_differs() -> None:
    reader = Reader(512, 100, (255, 255, 255))  # a user's limit is not for it
    (left, first), (right, second) = stereo(reader)
    assert first == second
    assert not np.array_equal(left.read().pixels, right.read().pixels)
