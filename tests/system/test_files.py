"""Whatever lies where a file is wanted is refused in words: it neither hangs nor fills memory."""

import hashlib
import os
import socket
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from field import network_codes

from latenthash.benchmark.groups import read_groups
from latenthash.data.digits import Digits
from latenthash.data.reading import Reader
from latenthash.data.sources import source_digest
from latenthash.errors import InputError
from latenthash.features.weights import load_trunk
from latenthash.system.files import Unusable, digest, open_regular, read_bounded

NOTHING = hashlib.sha256().hexdigest()


def video(path: Path) -> None:
    """Begin as a video does, and take 5 GB that no disk has to hold."""
    path.write_bytes(b"\0\0\0\x20ftypisom" + bytes(20))
    os.truncate(path, 5 * 2**30)


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


ODD: dict[str, tuple[Callable[[Path], object], str]] = {  # what lies there, and what is said
    "nothing": (lambda path: None, "cannot be opened (No such file or directory)"),
    "broken link": (lambda path: path.symlink_to("gone"), "cannot be opened (No such file or"),
    "link to itself": (lambda path: path.symlink_to(path.name), "cannot be opened (Too many "),
    "folder": (lambda path: path.mkdir(), "is a folder; only regular files are read"),
    "named pipe": (os.mkfifo, "is a named pipe; only regular files are read"),
    "socket": (bind, "is a socket; only regular files are read"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device; only regular files are"),
    "empty": (lambda path: path.touch(), "is empty (0 bytes)"),
    "without end": (lambda path: path.symlink_to("/proc/self/mem"), "is empty (0 bytes)"),
    "video": (video, "has 5,368,709,120 bytes, over the limit of "),
}


def digits(path: Path) -> object:
    return Digits(file=str(path), folder="", validation=0.1, test=0.1, size=8, seed=0)


READERS: dict[str, Callable[[Path], object]] = {
    "file": open_regular,
    "bytes": lambda path: read_bounded(path, 100),
    "digest": digest,
    "picture": Reader(512, 10**6, (255, 255, 255)).read,
    ".safetensors": lambda path: load_trunk(str(path), 0),
    ".pth": lambda path: load_trunk(str(path), 0),
    ".npz": digits,
    ".csv": lambda path: read_groups(path, []),
    "sscd.onnx": partial(network_codes, "sscd"),
    "dinohash.onnx": partial(network_codes, "dinohash"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", READERS)
def test_what_is_no_file_that_can_be_read_is_refused_everywhere(
    kind: str, odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    make, sentence = ODD[odd]
    path = Path(f"x{kind}")
    make(path)
    with pytest.raises((Unusable, InputError)) as caught:
        READERS[kind](path)
    assert sentence in str(caught.value)
    assert str(path) in f"{path} {caught.value}"


@pytest.mark.parametrize("odd", ODD)
def test_digest_of_a_source_leaves_out_what_cannot_be_read(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("folder/a").write_bytes(b"abc")
    whole = hashlib.sha256(hashlib.sha256(b"abc").digest()).hexdigest()
    ODD[odd][0](Path("folder/b"))
    assert source_digest("folder") == whole
    if odd not in ("nothing", "broken link", "link to itself"):
        assert source_digest("folder/b") == NOTHING


def test_pipe_that_takes_the_place_of_a_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "x")
    (tmp_path / "y").write_bytes(b"abc")
    before = (tmp_path / "y").stat()
    assert stat.S_ISREG(before.st_mode)
    monkeypatch.setattr(Path, "stat", lambda self: before)
    with pytest.raises(Unusable, match="is a named pipe"):
        open_regular(tmp_path / "x")


def test_limit_itself_is_allowed_and_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert read_bounded(tmp_path / "x", 3) == b"abc"
    with pytest.raises(Unusable, match=r"has 3 bytes, over the limit of 2$"):
        read_bounded(tmp_path / "x", 2)
    assert digest(tmp_path / "x") == hashlib.sha256(b"abc").hexdigest()


def test_name_that_is_no_path_is_refused() -> None:
    with pytest.raises(Unusable, match="cannot be opened"):
        open_regular(Path("a\0b"))
