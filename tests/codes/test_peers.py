"""Peers: bits as their libraries give them, kept together, and named when they fail or lack."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2
import imagehash
import numpy as np
import pytest
from field import ALWAYS, installed, peer_codes
from PIL import Image

from latenthash.cache import DiskCache
from latenthash.codes import peers as module
from latenthash.codes.code import AbsentCode, Code, HashError
from latenthash.codes.describe import Item, describe
from latenthash.codes.peers import Distance, FunctionHash, Peer, call
from latenthash.data.edits.suite import Suite
from latenthash.data.reading import Picture
from latenthash.errors import InputError, JobError
from latenthash.system import files
from photographs import READER, items, photo
from project import ROOT


def by_pdqhash(image: Image.Image) -> object:
    return pytest.importorskip("pdqhash").compute(np.asarray(image))[0]


def by_opencv(name: str, image: Image.Image) -> object:
    if not hasattr(cv2, "img_hash"):
        pytest.skip("cv2 is without contributions; a slow test installs it apart, with them")
    function = getattr(cv2.img_hash, name)
    return np.unpackbits(function(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)))


BY_OPENCV = {"block_mean": "blockMeanHash", "marr_hildreth": "marrHildrethHash"}
# Each library as its own documentation calls it.
BARE: dict[str, Callable[[Image.Image], object]] = {
    "ahash": lambda image: imagehash.average_hash(image).hash,
    "dhash": lambda image: imagehash.dhash(image).hash,
    "phash": lambda image: imagehash.phash(image).hash,
    "phash_256": lambda image: imagehash.phash(image, hash_size=16).hash,
    "whash": lambda image: imagehash.whash(image).hash,
    "colorhash": lambda image: imagehash.colorhash(image).hash,
    "pdq": by_pdqhash,
    **{peer: partial(by_opencv, name) for peer, name in BY_OPENCV.items()},
}


@pytest.mark.parametrize("name", BARE)
def test_peer_is_that_of_its_library(name: str) -> None:
    for i in range(3):
        picture = photo(i).pixels
        expected = np.ravel(BARE[name](Image.fromarray(picture))) != 0
        (code,) = peer_codes(name)
        assert isinstance(code, Code)
        described = code.source.describe([picture])
        assert set(np.unique(described)) == {-1, 1}
        np.testing.assert_array_equal(described[0] > 0, expected)
        assert code.name == f"{name.split('_256')[0]}-{expected.size}"
        assert code.size == -(-expected.size // 8)


@pytest.mark.slow
def test_peers_of_opencv_are_those_of_its_contributions(tmp_path: Path) -> None:
    # It cannot live beside the other OpenCV: into a folder, that comes first in another process.
    wanted = f"opencv-contrib-python-headless=={version('opencv-python-headless')}"
    pip = (sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(tmp_path), wanted)
    got = subprocess.run(pip, capture_output=True, text=True)
    if got.returncode:
        pytest.skip(f"pip cannot get {wanted}: {got.stderr.strip()[-300:]}")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    both = [f"{__file__}::test_peer_is_that_of_its_library[{name}]" for name in BY_OPENCV]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *both],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout, done.stdout
    assert "skipped" not in done.stdout


def test_peers_share_an_entry_of_bits_and_say_what_each_would(
    suite: Suite, cache: DiskCache
) -> None:
    found = [code.source for code in installed(*ALWAYS)]
    described = describe(items(2), suite.edits[1:], suite, found, cache, READER)
    assert len(list(cache.folder.glob("??/*"))) == 2, "one of each picture"
    assert set(described) == {source.key for source in found}
    for i, item in enumerate(items(2)):
        pixels = item.read().pixels
        for source in found:
            expected = source.describe([pixels, 255 - pixels])
            np.testing.assert_array_equal(described[source.key][i], expected)
    # An edit more: of bits, those that were not described are told from those that were.
    whole = describe(items(2), suite.edits, suite, found, cache, READER)
    for source in found:
        rows = whole[source.key]
        assert (rows.dtype, rows.shape) == (np.int8, (2, 3, source.dimensions))
        np.testing.assert_array_equal(rows[:, [0, 2]], described[source.key])
        assert set(np.unique(rows)) == {-1, 1}


def test_peer_that_is_new_changes_nothing_of_the_others(suite: Suite, cache: DiskCache) -> None:
    found = [code.source for code in installed(*ALWAYS)]
    before = describe(items(2), suite.edits, suite, found[1:], cache, READER)
    after = describe(items(2), suite.edits, suite, found, cache, READER)
    assert set(after) - set(before) == {found[0].key}
    for key, rows in before.items():
        np.testing.assert_array_equal(after[key], rows)


def test_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", none)
    assert peer_codes("pdq", "whash") == [
        AbsentCode("pdq-256", "not installed: pip install 'latenthash[peers]'"),
        AbsentCode("whash-64", "not installed: pip install imagehash"),
    ]


def test_version_of_the_library_is_part_of_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = installed("phash")
    assert before.source.key == f"phash-64 imagehash {imagehash.__version__}"
    monkeypatch.setattr(module, "version", lambda name: "99")
    (after,) = installed("phash")
    assert after.source.key == "phash-64 imagehash 99"


def own(
    function: str,
    distance: Distance = "hamming",
    length: int | None = None,
    version: str | float | None = None,
) -> Code | AbsentCode:
    (code,) = FunctionHash(function, distance, length, None, version).codes("mine", photo(1))
    return code


def made(function: str, distance: Distance = "hamming", version: str | None = None) -> Code:
    code = own(function, distance, version=version)
    assert isinstance(code, Code)
    return code


def test_hash_of_ones_own_is_kept_by_its_version_or_its_file(
    monkeypatch: pytest.MonkeyPatch, suite: Suite, cache: DiskCache
) -> None:
    assert made("own_hashes.phash", version="7").source.key == "mine-64 own_hashes.phash 7"
    key = made("own_hashes.phash").source.key
    monkeypatch.setattr(files, "digest", lambda path: f"changed {path.name}")
    assert made("own_hashes.phash").source.key == "mine-64 own_hashes.phash changed own_hashes.py"
    assert key != made("own_hashes.phash").source.key
    # Slow or not, it is not hashed again when hashes of the field are added.
    source = made("own_hashes.phash", version="7").source
    describe(items(2), (), suite, [source], cache, READER)
    describe(items(2), (), suite, [source, *(c.source for c in installed("ahash"))], cache, READER)
    assert len(list(cache.folder.glob("??/*"))) == 4


def test_function_that_is_in_no_file_needs_a_version() -> None:
    with pytest.raises(InputError, match=r"builtins.len is in no file .*version=1"):
        own("builtins.len")
    assert made("builtins.len", "l1", version="1").source.key == "mine-float 1 builtins.len 1"


def test_picture_that_a_hash_changes_is_whole_for_the_next() -> None:
    picture = photo(1).pixels
    source = made("own_hashes.phash").source
    first = source.describe([picture])
    np.testing.assert_array_equal(source.describe([picture]), first)
    np.testing.assert_array_equal(picture, photo(1).pixels)


def test_floats_are_compared_as_their_distance_says() -> None:
    views = [photo(i).pixels for i in range(3)]
    x = np.stack([view.mean((0, 1)) for view in views])
    cosine, l1 = made("own_hashes.means", "cosine"), made("own_hashes.means", "l1")
    assert (cosine.name, cosine.size, cosine.span) == ("mine-float", 12, 1.0)
    described = cosine.source.describe(views)
    assert described.dtype == np.float32
    norms = np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(
        cosine.similarity(described, described), x @ x.T / np.outer(norms, norms), rtol=1e-5
    )
    np.testing.assert_allclose(
        l1.similarity(described, described), -np.abs(x[:, None] - x[None]).sum(-1), rtol=1e-4
    )
    assert (l1.span, l1.shown(-3.5)) == (0, -3.5)
    assert made("own_hashes.phash").shown(32) == 0.5


@pytest.mark.parametrize(
    ("function", "length", "reason"),
    [
        ("own_hashes.raises", 64, "raised ValueError: it was turned"),
        ("own_hashes.leaves", 64, "raised SystemExit: it had enough"),
        ("own_hashes.OtherLength", 64, "gave 65 numbers in place of 64"),
        ("own_hashes.threes", 64, "gave other numbers than 0 and 1, the bits of distance=hamming"),
        ("own_hashes.text", 4, "gave str in place of numbers"),
    ],
)
def test_what_is_no_hash_is_said(function: str, length: int, reason: str) -> None:
    black = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(HashError) as caught:
        Peer("key", function, True, length).describe([black])
    assert caught.value.faults == {"key": reason}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_nan_is_no_hash() -> None:
    with pytest.raises(HashError, match="gave NaN or an infinite number"):
        Peer("key", "own_hashes.gives_nan", False, 3).describe([np.zeros((8, 8, 3), np.uint8)])


def test_hash_that_fails_at_once_has_a_row_that_says_so() -> None:
    code = own("own_hashes.text")
    assert code == AbsentCode("mine", "gave str in place of numbers, of p1")


@pytest.mark.parametrize("function", ["own_hashes.nothing", "nowhere.f", "own_hashes.np"])
def test_function_that_cannot_be_had_is_refused(function: str) -> None:
    with pytest.raises(InputError, match=rf"peers\.mine\.function={function} "):
        own(function)


def with_corner(i: int) -> Picture:
    """Return a photograph that has a black corner in front when it is inverted, and only then."""
    pixels = photo(i).pixels.copy()
    pixels[0, 0], pixels[0, -1] = 255, 128
    return Picture(f"p{i}", pixels, f"corner{i}")


def test_hash_that_fails_under_an_edit_is_named_when_all_others_are_kept(
    suite: Suite, cache: DiskCache
) -> None:
    pictures = [Item(f"p{i}", f"corner{i}", partial(with_corner, i)) for i in range(2)]
    failing = Peer("mine", "own_hashes.raises", True, 64)
    others = [code.source for code in installed("phash", "ahash")]
    with pytest.raises(HashError) as caught:
        describe(pictures, suite.edits, suite, [failing, *others], cache, READER)
    assert caught.value.faults == {"mine": "raised ValueError: it was turned, of p0 under invert"}
    assert len(list(cache.folder.glob("??/*"))) == 2, "of the others, one of each picture"
    described = describe(pictures, suite.edits[:1], suite, [failing, *others], cache, READER)
    assert described["mine"].shape == (2, 2, 64)


def test_hash_that_kills_its_process_is_named(suite: Suite, cache: DiskCache) -> None:
    killing = Peer("mine", "own_hashes.dies", True, 64)
    others = [code.source for code in installed("phash", "ahash")]
    with pytest.raises(JobError, match=r"died: own_hashes.dies crashed or ended it, or memory"):
        describe(items(2), suite.edits, suite, [killing, *others], cache, READER)
    assert len(describe(items(2), suite.edits, suite, others, cache, READER)) == 2


def test_object_that_holds_its_bits_is_taken_for_them() -> None:
    picture = photo(1).pixels
    bits = imagehash.phash(Image.fromarray(picture)).hash.ravel()
    np.testing.assert_array_equal(call("mine", "own_hashes.phash_object", picture), bits)
