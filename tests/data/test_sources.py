"""Where pictures come from: embedded sets, files and folders, and all that can be wrong."""

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latenthash.cache import DiskCache
from latenthash.data.reading import Reader
from latenthash.data.sources import SKIP, Unread, load_pictures, named, read_files, source_digest
from latenthash.errors import InputError
from latenthash.system.paths import find_files

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
    return [problem for problem in caught.value.problems if not problem.endswith(SKIP)]


# Embedded sets


def test_unknown_embedded_set_is_named_with_those_there_are(reader: Reader) -> None:
    (problem,) = problems({"outliers": "embedded:photos"}, reader)
    assert problem.startswith("data.outliers=embedded:photos is not one of ")
    for name in ("girl", "earth", "sushi", "photos_a", "photos_b"):
        assert f"embedded:{name}" in problem


def test_stereo_pair_shows_two_pictures_and_its_left_does_not_go_with_photos_b(
    reader: Reader,
) -> None:
    pair = {"signal": "embedded:stereo_left", "unseen": "embedded:stereo_right"}
    left, right = (picture.pixels for (picture,) in load_pictures(pair, reader).values())
    assert left.shape == right.shape
    assert (left != right).any()
    (problem,) = problems({**pair, "unseen": "embedded:photos_b"}, reader)
    assert "embedded:photos_b/motorcycle_left is also a picture of data.signal" in problem


# Files and folders


def test_users_files_are_not_kept_in_the_cache(
    sources: dict[str, str], reader: Reader, tmp_path: Path
) -> None:
    load_pictures(sources, reader, DiskCache(folder=str(tmp_path / "cache"), max_bytes=10**9))
    assert not (tmp_path / "cache").exists()


def test_pictures_of_all_roles_are_read(sources: dict[str, str], reader: Reader) -> None:
    loaded = load_pictures(sources, reader)
    assert {role: len(members) for role, members in loaded.items()} == {
        "signal": 1, "noise_edited": 1, "noise_similar": 3, "outliers": 2, "unseen": 2,
    }  # fmt: skip
    assert [p.name for p in loaded["signal"]] == ["signal.png"]
    assert [p.name for p in loaded["noise_similar"]] == ["a.png", "b.png", "c.png"]
    expected = np.random.default_rng(4).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(loaded["noise_similar"][1].pixels, expected)


def test_single_file_may_stand_for_a_set(sources: dict[str, str], reader: Reader) -> None:
    sources["unseen"] += "/a.png"
    assert [p.name for p in load_pictures(sources, reader)["unseen"]] == ["a.png"]


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
    assert loaded["signal"][0].name == loaded["outliers"][0].name == name.replace("\n", r"\n")


def test_names_that_are_not_utf8_work_and_can_be_written_down(
    sources: dict[str, str], reader: Reader
) -> None:
    folder = os.fsencode(sources["outliers"])
    draw(Path(os.fsdecode(folder + b"/\xff\xfe.png")), 20)
    names = [p.name for p in load_pictures(sources, reader)["outliers"]]
    assert sorted(names)[0] == r"\xff\xfe.png"
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
    pictures, unread = read_files([bad, good], reader, "Reading", tmp_path)
    assert [p.name for p in pictures] == ["good.png"]
    assert unread == [Unread(bad.name, bad, "is empty (0 bytes)")]
    assert str(unread[0]) == f"{bad} is empty (0 bytes)."


def test_remarks_are_logged_once_with_the_name_of_their_file(
    reader: Reader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (20, 20)).save(path, icc_profile=b"none", exif=b"Exif\0\0none")
    read_files([path], reader, "Reading", tmp_path)
    profile, exif = sorted(caplog.messages)
    assert profile.startswith("a.png: EXIF data that are damaged were left out")
    assert exif.startswith("a.png: a colour profile that is damaged")


@pytest.fixture
def mixed(sources: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put what is no picture among the unseen ones; give the end of the name of each."""
    folder = Path(sources["unseen"])
    (folder / "a.json").write_text("{}")
    (folder / "b.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(12))
    (folder / "c.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(12))
    os.truncate(folder / "c.mp4", 5 * 2**30)
    os.mkfifo(folder / "d.png")
    (folder / "e.png").symlink_to("e.png")
    (folder / "loop").symlink_to(folder)
    monkeypatch.chdir(folder)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("f.sock")
    return ["a.json", "b.heic", "c.mp4", "d.png", "e.png", "f.sock"]


def test_what_is_no_picture_is_refused_or_left_out_as_asked(
    sources: dict[str, str], mixed: list[str], reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    found = problems(sources, reader)
    assert [f"data.unseen: {sources['unseen']}/{name}" for name in mixed] == [
        " ".join(problem.split()[:2]) for problem in found
    ]
    with pytest.raises(InputError, match=f"data.unseen: {SKIP}$"):
        load_pictures(sources, reader)
    loaded = load_pictures(sources, replace(reader, unreadable="skip"))
    assert [Path(p.name).name for p in loaded["unseen"]] == ["a.png", "b.png"]
    (message,) = caplog.messages
    assert message.startswith("Files left out because they cannot be read: 6. ")
    for name in mixed:
        assert f"/{name} " in message


def test_pictures_without_which_nothing_is_left_are_never_left_out(
    sources: dict[str, str], mixed: list[str], reader: Reader
) -> None:
    for name in ("a.png", "b.png"):
        Path(sources["unseen"], name).unlink()
    Path(sources["signal"]).write_bytes(b"")
    found = problems(sources, replace(reader, unreadable="skip"))
    assert found[0] == f"data.signal: {sources['signal']} is empty (0 bytes)."
    assert len(found) == 1 + len(mixed)


def test_signal_without_detail_is_refused_and_other_pictures_are_not(
    sources: dict[str, str], reader: Reader
) -> None:
    for role in ("noise_edited", "signal"):
        Image.new("RGB", (200, 100), "teal").save(sources[role], "JPEG", quality=len(role))
        if role == "noise_edited":
            load_pictures(sources, reader)
    (problem,) = problems(sources, reader)
    assert problem.startswith(f"data.signal: {Path(sources['signal']).name} has no detail")


# What may be shared


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("photos/a.png", "photos", "a.png"),
        ("/home/me/photos/b/a.png", "/home/me/photos", "b/a.png"),
        ("/home/me/a.png", "/home/me/a.png", "a.png"),
        ("a.png", ".", "a.png"),
        ("../a.png", "..", "a.png"),
        ("/x/a.png", "/", "x/a.png"),
        ("p\x1b/two\nlines.png", "p\x1b", r"two\nlines.png"),
    ],
)
def test_pictures_are_named_within_what_was_given(path: str, source: str, expected: str) -> None:
    assert named(Path(path), Path(source)) == expected


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
    expected = (
        f"data.{role}: copy.png is also a picture of data.{other}; the sets must be disjoint."
    )
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
