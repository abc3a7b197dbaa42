"""The code that ships, as programs use it: line by line, in threads, and in other processes."""

import io
import itertools
import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import latenthash
from app import call
from figures import drawn
from latenthash import Code, Hash, InputError, Refusal
from latenthash.codes import stream
from latenthash.data.reduction import reduced
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.hasher import Hasher
from latenthash.jobs.at_hand import bundle_at_hand
from latenthash.jobs.build import build_hasher, bundle_config
from photographs import photo

PLAIN = np.full((60, 80, 3), 200, np.uint8)


@pytest.fixture(scope="session")
def hashes(code: Code, paths: list[Path]) -> list[Hash]:
    return [code.hash(path) for path in paths]


def jpeg(path: Path, quality: int) -> bytes:
    file = io.BytesIO()
    with Image.open(path) as image:
        image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def test_picture_has_one_hash_however_it_is_given(
    code: Code, paths: list[Path], hashes: list[Hash]
) -> None:
    for path, expected in zip(paths, hashes, strict=True):
        with Image.open(path) as image:
            assert code.hash(image) == expected
            pixels = np.array(image)
            assert code.hash(image) == expected, "it is loaded now"
        for given in (str(path), path.read_bytes(), pixels, Image.fromarray(pixels)):
            assert code.hash(given) == expected
    assert len(set(hashes)) == 10


def test_file_that_pillow_holds_open_is_left_as_it_was(
    code: Code, paths: list[Path], hashes: list[Hash]
) -> None:
    with Image.open(paths[0]) as image:
        assert code.hash(image) == hashes[0]
        assert np.asarray(image).shape == (160, 160, 3)


def test_copy_is_near_and_another_picture_is_far(
    code: Code, paths: list[Path], hashes: list[Hash]
) -> None:
    copy = code.hash(jpeg(paths[0], 30))
    assert copy - hashes[0] < 40
    assert code.same(copy, hashes[0])
    assert code.same(copy, hashes[0], fpr=1e-3)
    # No picture has a part in common with the one two columns further.
    assert hashes[0] - hashes[2] > max(code.limits.values())
    assert not code.same(hashes[0], hashes[2])


def test_limits_decide(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "limits", {1e-3: 2, 1e-4: 1})
    a = Hash(code.tag, bytes(32))
    b, c = (Hash(code.tag, bytes(31) + end) for end in (b"\x01", b"\x03"))
    assert code.same(a, b)
    assert not code.same(a, c)
    assert code.same(a, c, fpr=1e-3)
    plain = Hash(code.tag, b"")
    assert not code.same(plain, plain, fpr=1e-3)
    with pytest.raises(
        InputError, match=r"fpr=0\.01 is not a rate .*: give one of 0\.001, 0\.0001"
    ):
        code.same(a, b, fpr=0.01)
    with pytest.raises(InputError, match="A hash of the network 0000 is not one of this code"):
        code.same(a, Hash(bytes(2), bytes(32)))
    monkeypatch.setattr(code, "limits", {})
    with pytest.raises(InputError, match="there is none, so compare `a - b`"):
        code.same(a, b)


def test_bits_are_the_signs_of_the_floats(code: Code, paths: list[Path]) -> None:
    plain, one = code.hash(paths[0]), code.hash(paths[0], floats=True)
    assert plain.floats is None
    assert one.floats is not None
    assert one == plain
    assert one.floats.shape == (256,)
    assert one.floats.dtype == np.float32
    np.testing.assert_array_equal(one.floats > 0, one.bits)
    with pytest.raises(ValueError, match="read-only"):
        one.floats[0] = 0
    ((_, other),) = code.hash_many([paths[0]], floats=True)
    assert isinstance(other, Hash)
    assert other.floats is not None
    np.testing.assert_allclose(other.floats, one.floats, atol=1e-4)


def test_picture_without_detail_has_no_hash_of_its_own(code: Code, tmp_path: Path) -> None:
    found = code.hash(PLAIN)
    assert not found.detail
    assert found == Hash(code.tag, b"")
    Image.fromarray(PLAIN).save(tmp_path / "plain.png")
    assert [one for _, one in code.hash_many([tmp_path / "plain.png"])] == [found]


@pytest.mark.parametrize("place", ["here", "in workers"])
def test_many_files_are_answered_in_their_order_and_none_raises(
    code: Code,
    paths: list[Path],
    hashes: list[Hash],
    tmp_path: Path,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "FEW", 10**6 if place == "here" else 0)
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(paths[0].read_bytes()[:200])
    odd = "\ud800.png"  # no file can have that name
    given = [str(paths[3]), damaged, *paths, "nowhere.png", odd, str(paths[3])]
    found = list(code.hash_many(iter(given)))
    assert [file for file, _ in found] == given, "as they were given"
    refused = {file: one for file, one in found if isinstance(one, Refusal)}
    assert list(refused) == [damaged, "nowhere.png", odd]
    assert str(refused[odd]).startswith("\\ud800.png cannot be opened")
    assert str(refused[damaged]).startswith(f"{damaged} is truncated or damaged")
    assert refused["nowhere.png"].reason == "cannot be opened (No such file or directory)"
    made = [one for _, one in found if isinstance(one, Hash)]
    assert made == [hashes[3], *hashes, hashes[3]]


def test_no_more_paths_are_asked_for_than_are_under_way(
    code: Code, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FEW", 0)
    asked = itertools.count()

    def endless() -> Iterator[Path]:
        for _ in asked:
            yield paths[0]

    results = code.hash_many(endless())
    next(results)
    results.close()  # type: ignore[attr-defined] # it is a generator
    assert next(asked) < 1000


def test_codes_of_the_command_are_the_same(
    paths: list[Path], hashes: list[Hash], tmp_path: Path
) -> None:
    done = call(
        "evaluate.py", tmp_path, "run=code", f"pictures={paths[0].parent}", "hydra.run.dir=out"
    )
    assert done.code == 0, done.output
    table = pd.read_csv(tmp_path / "out/codes.csv")
    assert table["code (256 bits)"].tolist() == [str(one) for one in hashes]


def test_network_is_the_one_that_was_trained(code: Code) -> None:
    bundle = bundle_at_hand("code")
    assert isinstance(bundle, Bundle)
    trained = build_hasher(bundle_config(bundle), None)
    trained.load_state_dict(bundle.weights)
    views = torch.from_numpy(np.stack([reduced(photo(i).pixels, 192, False) for i in range(8)]))
    hasher: Hasher = code._latent.hasher
    np.testing.assert_array_equal(hasher.outputs(views), trained.outputs(views))


def test_threads_get_the_same_bits(code: Code, paths: list[Path], hashes: list[Hash]) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(code.hash, paths * 4)) == hashes * 4


def test_processes_get_the_same_bits(code: Code, paths: list[Path], hashes: list[Hash]) -> None:
    """The code is pickled with every picture."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(code.hash, paths)) == hashes


@pytest.mark.filterwarnings("ignore:.*fork")
def test_forked_process_gets_the_same_bits(
    code: Code, paths: list[Path], hashes: list[Hash]
) -> None:
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("no forks here")
    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # of which the child has one alone
    try:
        code.hash(paths[0])
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.map_async(code.hash, paths[:3]).get(timeout=60) == hashes[:3]
    finally:
        torch.set_num_threads(threads)


def test_pickled_code_is_the_same_and_small(
    code: Code, paths: list[Path], hashes: list[Hash]
) -> None:
    sent = pickle.dumps(code)
    assert len(sent) < 1000, "its weights stay where they are"
    again = pickle.loads(sent)
    assert again.tag == code.tag
    assert again.hash(paths[0]) == hashes[0]
    assert pickle.loads(sent) is again, "a process keeps what it was sent"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (7, "and not int"),
        (None, "and not NoneType"),
        (np.zeros((9, 9, 3)), r"this array is \(9, 9, 3\) of float64"),
        (np.zeros((9, 9), np.uint8), r"this array is \(9, 9\) of uint8"),
        (np.zeros((9, 9, 4), np.uint8), r"this array is \(9, 9, 4\) of uint8"),
        (np.zeros((0, 9, 3), np.uint8), "The picture has no pixels"),
        (np.zeros((2, 9, 3), np.uint8), "The picture is 9 x 2 px; both sides must be at least 8"),
        (Image.new("F", (20, 20)), "The picture holds values of unknown range"),
        (b"", r"The picture is empty \(0 bytes\)"),
        (b"no picture", "The picture is not a picture that can be read"),
        ("nowhere.png", r"nowhere\.png cannot be opened \(No such file or directory\)"),
        (".", r"\. is a folder; only regular files are read"),
    ],
)
def test_what_is_no_picture_is_refused(code: Code, given: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        code.hash(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["a.png", b"a.png", Path("a.png")])
def test_one_path_is_not_several(code: Code, given: str) -> None:
    with pytest.raises(InputError, match="takes several paths, and not one: give"):
        code.hash_many(given)


def test_what_is_no_path_is_refused(code: Code) -> None:
    with pytest.raises(InputError, match="takes paths, and not 7"):
        list(code.hash_many([7]))  # type: ignore[list-item]


def test_what_is_no_hash_is_not_compared(code: Code, hashes: list[Hash]) -> None:
    with pytest.raises(InputError, match="same takes hashes"):
        code.same(str(hashes[0]), hashes[0])  # type: ignore[arg-type]


def test_picture_whose_file_was_closed_is_refused(code: Code, paths: list[Path]) -> None:
    with paths[0].open("rb") as file:
        image = Image.open(file)
    with pytest.raises(InputError, match="cannot be read"):
        code.hash(image)


def test_large_picture_is_refused_before_it_is_decoded(paths: list[Path]) -> None:
    strict = latenthash.load("code", max_pixels=1000)
    pixels = np.zeros((99, 99, 3), np.uint8)
    for given in (paths[0], paths[0].read_bytes(), Image.fromarray(pixels), pixels):
        with pytest.raises(InputError, match="over the limit of 1,000"):
            strict.hash(given)


def test_explanation_says_what_the_hashes_say(
    code: Code, paths: list[Path], hashes: list[Hash]
) -> None:
    figure = drawn(code.explain(paths[0], paths[2]))
    assert f"{hashes[0] - hashes[2]} of 256 bits differ" in figure.get_suptitle()
    figure = drawn(code.explain(paths[0], PLAIN))
    assert figure.get_suptitle() == "a picture without detail has no code of its own"
