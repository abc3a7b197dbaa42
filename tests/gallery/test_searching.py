"""What a program finds in a gallery."""

from pathlib import Path

import numpy as np
import pytest

from galleries import TAG, chain, entries
from latenthash.errors import InputError
from latenthash.gallery.searching import Copies, Near, Search, find_copies, find_near
from latenthash.library.hashes import Hash

CODES = np.concatenate([chain(np.random.default_rng(0), [2, 5]), np.zeros((1, 32), np.uint8)])
AMONG = entries(CODES, np.array([True, True, True, False]))
WITHIN = Search(distance=5, engine="numpy")


def test_near_pictures_are_found_the_nearest_first(tmp_path: Path) -> None:
    near = find_near(AMONG, tmp_path, Hash(TAG, CODES[1].tobytes()), WITHIN)
    assert [(one.file, one.distance) for one in near] == [
        ("f00001.png", 0),
        ("f00000.png", 2),
        ("f00002.png", 5),
    ]
    assert all(isinstance(one, Near) and one.meaning for one in near)


def test_copies_are_grouped(tmp_path: Path) -> None:
    assert find_copies(AMONG, tmp_path, WITHIN) == [
        Copies(("f00000.png", "f00001.png", "f00002.png"), (0, 2, 7), chain=True)
    ]


def test_what_cannot_be_found_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"5921.*0102"):
        find_near(AMONG, tmp_path, Hash(b"\x01\x02", bytes(32)), WITHIN)
    with pytest.raises(InputError, match="no detail"):
        find_near(AMONG, tmp_path, Hash(TAG, b""), WITHIN)
    with pytest.raises(InputError, match="in memory"):
        find_copies(AMONG, tmp_path, Search(engine="postgres"))
