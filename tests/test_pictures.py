"""Where pictures come from: embedded sets, files and folders, and all that can be wrong."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latenthash import InputError
from latenthash.cache import DiskCache
from latenthash.data import pictures as module
from latenthash.data.pictures import find_files, load_pictures, read_files, source_digest
from latenthash.data.reading import Picture, Reader

ROLES = ("signal", "noise_edited", "noise_similar", "outliers", "unseen")


def draw(path: Path, seed: int = 0) -> Path:
    """Write a small random picture as PNG, whatever the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "PNG")
    return path


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, str]:
    """Write pictures for all roles: two single ones, and folders of 3, 2 and 2."""
    draw(tmp_path / "signal.png", 1)
    draw(tmp_path / "noise_edited.png", 2)
    for seed, name in enumerate(
        ["noise_similar/a", "noise_similar/b", "noise_similar/c", "outliers/a", "outliers/b",
         "unseen/a", "unseen/b"],
        start=3,
    ):  # fmt: skip
        draw(tmp_path / f"{name}.png", seed)
    names = ("signal.png", "noise_edited.png", *ROLES[2:])
    return {role: str(tmp_path / name) for role, name in zip(ROLES, names, strict=True)}


def problems(sources: dict[str, str], reader: Reader) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_pictures(sources, reader)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


# Embedded sets


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
    """Give the largest correlation of two pictures that are reduced to 16 x 16."""
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
    members = module._SETS["sushi"]
    assert [name for name, _ in members] == [f"plate_{i:02d}" for i in range(100)]
    picked = [members[i] for i in (0, 41, 99)]  # rendering all takes long
    monkeypatch.setitem(module._SETS, "sushi", picked)
    plates = load_pictures({"noise_similar": "embedded:sushi"}, reader)["noise_similar"]
    names = [plate.name.removeprefix("embedded:sushi/plate_") for plate in plates]
    assert names == ["00", "41", "99"]
    assert {plate.pixels.shape for plate in plates} == {(512, 512, 3)}
    assert len({plate.digest for plate in plates}) == 3
    for name, render in picked[:1]:
        np.testing.assert_array_equal(render(), plates[0].pixels, name)


def test_unknown_embedded_set_is_named_with_those_there_are(reader: Reader) -> None:
    (problem,) = problems({"outliers": "embedded:photos"}, reader)
    assert problem.startswith("data.outliers=embedded:photos is not one of ")
    for name in ("girl", "earth", "sushi", "photos_a", "photos_b"):
        assert f"embedded:{name}" in problem


@pytest.mark.parametrize("side", ["left", "right"])
def test_stereo_pair_is_two_sets_of_one(reader: Reader, side: str) -> None:
    (picture,) = load_pictures({"signal": f"embedded:stereo_{side}"}, reader)["signal"]
    assert picture.name == f"embedded:stereo_{side}/motorcycle_{side}"


def test_stereo_pair_shows_two_pictures_and_its_left_does_not_go_with_photos_b(
    reader: Reader,
) -> None:
    pair = {"signal": "embedded:stereo_left", "unseen": "embedded:stereo_right"}
    left, right = (picture.pixels for (picture,) in load_pictures(pair, reader).values())
    assert left.shape == right.shape
    assert (left != right).any()
    (problem,) = problems({**pair, "unseen": "embedded:photos_b"}, reader)
    assert "embedded:photos_b/motorcycle_left is also a picture of data.signal" in problem


def test_plates_are_those_of_sushi_in_three_sets() -> None:
    names = {name: [n for n, _ in module._SETS[name]] for name in ("plate", "plates_a", "plates_b")}
    assert {name: len(members) for name, members in names.items()} == {
        "plate": 1, "plates_a": 50, "plates_b": 49,
    }  # fmt: skip
    together = [member for members in names.values() for member in members]
    assert sorted(together) == [name for name, _ in module._SETS["sushi"]]
    for name in names:
        assert all(member in module._SETS["sushi"] for member in module._SETS[name])


# Painted pictures in the cache


def cache(folder: Path) -> DiskCache:
    return DiskCache(folder=str(folder), max_bytes=10**9)


def painted(names: str, asked: list[str]) -> list[tuple[str, Callable[[], module.Pixels]]]:
    """A set of small pictures that notes whenever one of them is painted."""

    def paint(name: str) -> module.Pixels:
        asked.append(name)
        rng = np.random.default_rng(ord(name))
        return rng.integers(0, 256, (20 + ord(name) % 5, 30, 3), dtype=np.uint8)

    return [(name, partial(paint, name)) for name in names]


def test_painted_pictures_come_from_the_cache_the_second_time(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setitem(module._SETS, "sushi", painted("abc", asked))
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
    monkeypatch.setitem(module._SETS, "sushi", sushi)
    monkeypatch.setitem(module._SETS, "plates_a", sushi[1:])
    load_pictures({"noise_similar": "embedded:sushi"}, reader, cache(tmp_path))
    plates = load_pictures({"noise_similar": "embedded:plates_a"}, reader, cache(tmp_path))
    assert [p.name for p in plates["noise_similar"]] == [f"embedded:plates_a/{n}" for n in "bc"]
    assert asked == list("abc")


def test_picture_from_the_cache_may_be_written_to(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(module._SETS, "earth", painted("e", []))
    for _ in range(2):
        (picture,) = load_pictures({"noise_edited": "embedded:earth"}, reader, cache(tmp_path))[
            "noise_edited"
        ]
        picture.pixels[:] = 0


def test_damaged_or_deleted_painting_is_painted_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setitem(module._SETS, "sushi", painted("abc", asked))
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
    monkeypatch.setitem(module._SETS, "sushi", painted("a", asked))
    for code in (b"old", b"new", b"old"):
        monkeypatch.setattr(module, "_painters", lambda code=code: code)
        load_pictures({"noise_similar": "embedded:sushi"}, reader, cache(tmp_path))
    assert asked == ["a", "a"]


def test_users_files_are_not_kept_in_the_cache(
    sources: dict[str, str], reader: Reader, tmp_path: Path
) -> None:
    load_pictures(sources, reader, cache(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()


# Files and folders


def test_pictures_of_all_roles_are_read(sources: dict[str, str], reader: Reader) -> None:
    loaded = load_pictures(sources, reader)
    assert {role: len(members) for role, members in loaded.items()} == {
        "signal": 1, "noise_edited": 1, "noise_similar": 3, "outliers": 2, "unseen": 2,
    }  # fmt: skip
    assert [p.name for p in loaded["signal"]] == [sources["signal"]]
    names = [p.name for p in loaded["noise_similar"]]
    assert names == [f"{sources['noise_similar']}/{name}.png" for name in "abc"]
    expected = np.random.default_rng(4).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(loaded["noise_similar"][1].pixels, expected)


def test_single_file_may_stand_for_a_set(sources: dict[str, str], reader: Reader) -> None:
    sources["unseen"] += "/a.png"
    assert [p.name for p in load_pictures(sources, reader)["unseen"]] == [sources["unseen"]]


def test_folders_are_searched_to_any_depth_and_sorted(tmp_path: Path) -> None:
    names = ["z.png", "a/b/c/deep.png", "a/x.JPG", "b.png", "a/B/y.tif", "a.png"]
    for name in names:
        draw(tmp_path / name)
    found = find_files(tmp_path)
    assert found == sorted(tmp_path / name for name in names)


def test_hidden_files_and_droppings_are_left_out(tmp_path: Path) -> None:
    kept = draw(tmp_path / "sub" / "a.png")
    for name in (
        ".DS_Store", "._a.png", ".git/a.png", "sub/.hidden/deep/a.png", "Thumbs.db",
        "sub/thumbs.db", "sub/THUMBS.DB", "desktop.ini", "Desktop.ini",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert find_files(tmp_path) == [kept]


def test_folder_below_a_hidden_folder_is_searched(tmp_path: Path) -> None:
    kept = draw(tmp_path / ".cache" / "pictures" / "a.png")
    assert find_files(tmp_path / ".cache" / "pictures") == [kept]


@pytest.mark.parametrize(
    "name",
    [
        "a b  c.png",
        "Mädchen ß 寿司.png",
        "a=b.png",
        "a,b;c.png",
        'it\'s "x".png',
        "[x] {y} ${z}.png",
        "100%.png",
        "--x.png",
        "a\nb.png",
        "no_extension",
    ],
)
def test_odd_names_work(name: str, sources: dict[str, str], reader: Reader) -> None:
    for role in ("signal", "outliers"):
        path = draw(Path(sources[role]).parent / "odd" / role / name, 40 + len(role))
        sources[role] = str(path if role == "signal" else path.parent)
    loaded = load_pictures(sources, reader)
    assert Path(loaded["signal"][0].name) == Path(sources["signal"])
    assert Path(loaded["outliers"][0].name) == Path(sources["outliers"], name)


def test_names_that_are_not_utf8_work_and_can_be_written_down(
    sources: dict[str, str], reader: Reader
) -> None:
    folder = os.fsencode(sources["outliers"])
    draw(Path(os.fsdecode(folder + b"/\xff\xfe.png")), 20)
    names = [p.name for p in load_pictures(sources, reader)["outliers"]]
    assert sorted(names)[0] == f"{sources['outliers']}/\\xff\\xfe.png"
    Path(os.fsdecode(folder + b"/b\xe4d.png")).write_bytes(b"")
    (problem,) = problems(sources, reader)
    assert problem == f"data.outliers: {sources['outliers']}/b\\xe4d.png is empty (0 bytes)."
    problem.encode("utf-8")


def test_link_to_a_file_is_read_and_a_broken_one_named(
    sources: dict[str, str], reader: Reader, tmp_path: Path
) -> None:
    outliers = Path(sources["outliers"])
    (outliers / "c.png").symlink_to(draw(tmp_path / "elsewhere.png", 20))
    assert len(load_pictures(sources, reader)["outliers"]) == 3
    (outliers / "d.png").symlink_to(tmp_path / "gone.png")
    (problem,) = problems(sources, reader)
    assert f"{outliers / 'd.png'} cannot be opened (No such file or directory)." in problem


def test_read_files_returns_good_and_bad(reader: Reader, tmp_path: Path) -> None:
    good, bad = draw(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.touch()
    pictures, sentences = read_files([bad, good], reader, "Reading")
    assert [p.name for p in pictures] == [str(good)]
    assert sentences == [f"{bad} is empty (0 bytes)."]


# What is wrong


def test_all_problems_of_all_sources_are_told_at_once(
    sources: dict[str, str], reader: Reader, tmp_path: Path
) -> None:
    similar, outliers = Path(sources["noise_similar"]), Path(sources["outliers"])
    whole = draw(tmp_path / "whole.png", 30).read_bytes()
    (similar / "empty.jpg").touch()
    (similar / "sub").mkdir()
    (similar / "sub" / "text.jpg").write_text("hello " * 50)
    (outliers / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (2000, 1000)).save(outliers / "large.png")
    Image.new("RGB", (5, 100)).save(outliers / "thin.png")
    sources["signal"] = str(tmp_path / "nowhere" / "signal.png")
    sources["noise_edited"] = str(similar)
    sources["unseen"] = "embedded:nothing"
    found = problems(sources, reader)
    expected = {
        f"data.signal={sources['signal']}": f"does not exist (looked in {tmp_path / 'nowhere'})",
        f"data.noise_edited={similar}": "is a folder; give the path of one picture",
        f"data.noise_similar: {similar / 'empty.jpg'}": "is empty (0 bytes)",
        f"data.noise_similar: {similar / 'sub' / 'text.jpg'}": "is not a picture",
        f"data.outliers: {outliers / 'cut.png'}": "is truncated or damaged",
        f"data.outliers: {outliers / 'large.png'}": "over the limit of 1,000,000",
        f"data.outliers: {outliers / 'thin.png'}": "is 5 x 100 px",
        "data.unseen=embedded:nothing": "is not one of",
    }
    assert len(found) == len(expected)
    for start, reason in expected.items():
        (sentence,) = [problem for problem in found if problem.startswith(start)]
        assert reason in sentence
        assert sentence.endswith(".")


@pytest.mark.parametrize("role", ROLES[:2])
def test_folder_where_one_picture_is_wanted_is_refused(
    role: str, sources: dict[str, str], reader: Reader, tmp_path: Path
) -> None:
    sources[role] = str(tmp_path)
    (problem,) = problems(sources, reader)
    assert problem == f"data.{role}={tmp_path} is a folder; give the path of one picture."


@pytest.mark.parametrize("role", ROLES[2:])
@pytest.mark.parametrize("content", [[], ["Thumbs.db", ".hidden.png", "sub/.keep"]])
def test_folder_without_pictures_is_refused(
    role: str, content: list[str], sources: dict[str, str], reader: Reader, tmp_path: Path
) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    for name in content:
        draw(folder / name)
    sources[role] = str(folder)
    (problem,) = problems(sources, reader)
    assert problem == f"data.{role}={folder} is an empty folder; put pictures into it."


@pytest.mark.parametrize("role", ["outliers", "unseen"])
@pytest.mark.parametrize("other", ROLES)
def test_picture_of_another_role_is_refused_among_foreign_ones(
    role: str, other: str, sources: dict[str, str], reader: Reader
) -> None:
    if role == other:
        return
    source = Path(sources[other])
    original = source if source.is_file() else source / "b.png"
    copy = Path(sources[role]) / "copy.png"
    copy.write_bytes(original.read_bytes())
    found = problems(sources, reader)
    expected = f"data.{role}: {copy} is also a picture of data.{other}; the sets must be disjoint."
    assert expected in found
    # Between outliers and unseen, each is told of the other.
    assert len(found) == (2 if {role, other} == {"outliers", "unseen"} else 1)


@pytest.mark.parametrize("role", ["outliers", "unseen"])
def test_embedded_picture_of_another_role_is_refused(role: str, reader: Reader) -> None:
    (problem,) = problems({"signal": "embedded:girl", role: "embedded:girl"}, reader)
    assert problem.startswith(f"data.{role}: embedded:girl/astronaut is also a picture of data.s")


def test_copies_within_a_role_are_allowed(sources: dict[str, str], reader: Reader) -> None:
    outliers = Path(sources["outliers"])
    (outliers / "copy.png").write_bytes((outliers / "a.png").read_bytes())
    assert len(load_pictures(sources, reader)["outliers"]) == 3


# The digest of a source


def add(folder: Path) -> None:
    draw(folder / "new.png", 9)


def remove(folder: Path) -> None:
    (folder / "sub" / "b.png").unlink()


def alter(folder: Path) -> None:
    data = bytearray((folder / "sub" / "b.png").read_bytes())
    data[-1] ^= 1
    (folder / "sub" / "b.png").write_bytes(data)


@pytest.mark.parametrize("change", [add, remove, alter])
def test_digest_of_a_folder_follows_its_content(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = tmp_path / "x"
    draw(folder / "a.png", 1)
    draw(folder / "sub" / "b.png", 2)
    before = source_digest(str(folder))
    assert source_digest(str(folder)) == before
    change(folder)
    assert source_digest(str(folder)) != before


def test_digest_does_not_follow_place_hidden_files_or_time(tmp_path: Path) -> None:
    for name in "xy":
        draw(tmp_path / name / "a.png", 1)
    os.utime(tmp_path / "y" / "a.png", (0, 0))
    (tmp_path / "y" / ".DS_Store").write_text("x")
    assert source_digest(str(tmp_path / "x")) == source_digest(str(tmp_path / "y"))


def test_digest_of_a_file_follows_its_bytes(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.png", 1)
    before = source_digest(str(path))
    draw(path, 2)
    after = source_digest(str(path))
    assert before != after
    draw(path, 1)
    assert source_digest(str(path)) == before


def test_source_without_files_is_its_own_digest(tmp_path: Path) -> None:
    assert source_digest("embedded:girl") == "embedded:girl"
    assert source_digest(str(tmp_path / "none.png")) == str(tmp_path / "none.png")


@pytest.mark.parametrize("role", ["noise_edited", "noise_similar"])
def test_signal_is_nobodys_noise(tmp_path: Path, reader: Reader, role: str) -> None:
    picture = tmp_path / "signal.png"
    Image.effect_noise((20, 20), 50).save(picture)
    with pytest.raises(InputError, match=rf"data\.{role}: .* is also a picture of data\.signal"):
        load_pictures({"signal": str(picture), role: str(picture)}, reader)


def test_linked_folders_are_searched_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.png").touch()
    (tmp_path / "set").mkdir()
    (tmp_path / "set/link").symlink_to(tmp_path / "real")
    (tmp_path / "real/back").symlink_to(tmp_path / "set")
    assert find_files(tmp_path / "set") == [tmp_path / "set/link/a.png"]


def test_name_too_long_for_the_system_does_not_exist(tmp_path: Path, reader: Reader) -> None:
    source = str(tmp_path / ("x" * 300))
    assert source_digest(source) == source
    with pytest.raises(InputError, match="does not exist"):
        load_pictures({"unseen": source}, reader)
