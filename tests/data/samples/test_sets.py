"""The embedded sets: which pictures they hold, and how paintings are cached."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latenthash.cache import DiskCache
from latenthash.data.reading import Picture, Pixels, Reader
from latenthash.data.samples import sets as module
from latenthash.data.samples.sets import SETS
from latenthash.data.sources import load_pictures


def test_embedded_sets_have_their_pictures(reader: Reader) -> None:
    expected = {
        "girl": ["astronaut"],
        "earth": ["earth"],
        "photos_a": ["chelsea", "china", "hubble_deep_field", "retina"],
        "photos_b": ["coffee", "flower", "ihc", "motorcycle_left", "rocket"],
    }
    loaded = load_pictures({name: f"embedded:{name}" for name in expected}, reader)
    for name, members in expected.items():
        assert [p.name for p in loaded[name]] == [f"embedded:{name}/{m}" for m in members]
    every = [picture for members in loaded.values() for picture in members]
    for picture in every:
        assert picture.pixels.dtype == np.uint8
        assert picture.pixels.ndim == 3
        assert picture.pixels.shape[2] == 3
        assert min(picture.pixels.shape[:2]) >= 256
        assert max(picture.pixels.shape[:2]) <= 512
        assert picture.pixels.std() > 20  # shows something
    assert len({picture.digest for picture in every}) == 11
    assert likeness(every) < 0.9


def likeness(pictures: list[Picture]) -> float:
    """Return the largest correlation of two pictures that are reduced to 16 x 16."""
    small = [np.asarray(Image.fromarray(p.pixels).resize((16, 16))).ravel() for p in pictures]
    return float((np.corrcoef(np.array(small, float)) - np.eye(len(small))).max())


def test_embedded_outliers_are_photographs_and_their_quarters(reader: Reader) -> None:
    sources = {"signal": "girl", "outliers": "outliers", "unseen": "photos_b"}
    loaded = load_pictures({role: f"embedded:{name}" for role, name in sources.items()}, reader)
    whole, parts = loaded["outliers"][:14], loaded["outliers"][14:]
    names = [picture.name.removeprefix("embedded:outliers/") for picture in whole]
    assert names[:4] == ["chelsea", "china", "hubble_deep_field", "retina"]
    assert names[-1] == "grace_hopper"
    assert [p.name for p in parts] == [
        f"embedded:outliers/{n}_{i}" for n in names for i in range(4)
    ]
    for i, picture in enumerate(whole):
        a, b, c, d = (part.pixels for part in parts[4 * i : 4 * i + 4])
        np.testing.assert_array_equal(
            np.vstack([np.hstack([a, b]), np.hstack([c, d])]), picture.pixels
        )
    assert len({picture.digest for picture in loaded["outliers"]}) == 70
    assert likeness([*loaded["signal"], *whole, *loaded["unseen"]]) < 0.9


def test_embedded_sushi_has_100_plates(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    members = SETS["sushi"]
    assert [name for name, _ in members] == [f"plate_{i:02d}" for i in range(100)]
    picked = [members[i] for i in (0, 41, 99)]  # rendering all takes long
    monkeypatch.setitem(SETS, "sushi", picked)
    plates = load_pictures({"noise_similar": "embedded:sushi"}, reader)["noise_similar"]
    names = [plate.name.removeprefix("embedded:sushi/plate_") for plate in plates]
    assert names == ["00", "41", "99"]
    assert {plate.pixels.shape for plate in plates} == {(512, 512, 3)}
    assert len({plate.digest for plate in plates}) == 3
    for name, render in picked[:1]:
        np.testing.assert_array_equal(render(), plates[0].pixels, name)


@pytest.mark.parametrize("side", ["left", "right"])
def test_stereo_pair_is_two_sets_of_one(reader: Reader, side: str) -> None:
    (picture,) = load_pictures({"signal": f"embedded:stereo_{side}"}, reader)["signal"]
    assert picture.name == f"embedded:stereo_{side}/motorcycle_{side}"


def test_plates_are_those_of_sushi_in_three_sets() -> None:
    names = {name: [n for n, _ in SETS[name]] for name in ("plate", "plates_a", "plates_b")}
    assert {name: len(members) for name, members in names.items()} == {
        "plate": 1, "plates_a": 50, "plates_b": 49,
    }  # fmt: skip
    together = [member for members in names.values() for member in members]
    assert sorted(together) == [name for name, _ in SETS["sushi"]]
    for name in names:
        assert all(member in SETS["sushi"] for member in SETS[name])


# Painted pictures in the cache


def cache(folder: Path) -> DiskCache:
    return DiskCache(folder=str(folder), max_bytes=10**9)


def painted(names: str, asked: list[str]) -> list[tuple[str, Callable[[], Pixels]]]:
    """A set of small pictures that notes whenever one of them is painted."""

    def paint(name: str) -> Pixels:
        asked.append(name)
        rng = np.random.default_rng(ord(name))
        return rng.integers(0, 256, (20 + ord(name) % 5, 30, 3), dtype=np.uint8)

    return [(name, partial(paint, name)) for name in names]


def test_painted_pictures_come_from_the_cache_the_second_time(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setitem(SETS, "sushi", painted("abc", asked))
    source = {"noise_similar": "embedded:sushi"}
    plain = load_pictures(source, reader)["noise_similar"]
    first = load_pictures(source, reader, cache(tmp_path))["noise_similar"]
    assert asked == list("abcabc")
    second = load_pictures(source, reader, cache(tmp_path))["noise_similar"]
    assert asked == list("abcabc"), "it was painted again"
    for before, *after in zip(plain, first, second, strict=True):
        for picture in after:
            assert (picture.name, picture.digest) == (before.name, before.digest)
            assert picture.pixels.dtype == np.uint8
            np.testing.assert_array_equal(picture.pixels, before.pixels)


def test_plate_is_painted_once_for_all_sets_that_hold_it(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    sushi = painted("abc", asked)
    monkeypatch.setitem(SETS, "sushi", sushi)
    monkeypatch.setitem(SETS, "plates_a", sushi[1:])
    load_pictures({"noise_similar": "embedded:sushi"}, reader, cache(tmp_path))
    plates = load_pictures({"noise_similar": "embedded:plates_a"}, reader, cache(tmp_path))
    assert [p.name for p in plates["noise_similar"]] == [f"embedded:plates_a/{n}" for n in "bc"]
    assert asked == list("abc")


def test_picture_from_the_cache_may_be_written_to(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(SETS, "earth", painted("e", []))
    ((_, paint),) = SETS["earth"]
    for _ in range(2):
        (picture,) = load_pictures({"noise_edited": "embedded:earth"}, reader, cache(tmp_path))[
            "noise_edited"
        ]
        np.testing.assert_array_equal(picture.pixels, paint())
        picture.pixels[:] = 0


def test_damaged_or_deleted_painting_is_painted_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setitem(SETS, "sushi", painted("abc", asked))
    source = {"noise_similar": "embedded:sushi"}
    before = [p.digest for p in load_pictures(source, reader, cache(tmp_path))["noise_similar"]]
    first, second, _ = (path for path in tmp_path.rglob("*") if path.is_file())
    first.write_bytes(first.read_bytes()[:-1])
    second.unlink()
    after = [p.digest for p in load_pictures(source, reader, cache(tmp_path))["noise_similar"]]
    assert after == before
    assert len(asked) == 3 + 2


def test_no_painting_outlives_a_change_of_the_code_that_paints(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setitem(SETS, "sushi", painted("a", asked))
    for code in (b"old", b"new", b"old"):
        monkeypatch.setattr(module, "_painters", lambda code=code: code)
        load_pictures({"noise_similar": "embedded:sushi"}, reader, cache(tmp_path))
    assert asked == ["a", "a"]


def test_no_photograph_outlives_a_change_of_how_files_are_read(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setitem(SETS, "sushi", painted("a", asked))
    for reading in ("reading 1", "reading 2", "reading 1"):
        monkeypatch.setattr(module, "READING", reading)
        load_pictures({"noise_similar": "embedded:sushi"}, reader, cache(tmp_path))
    assert asked == ["a", "a"]
