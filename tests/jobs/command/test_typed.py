"""Paths on the command line: taken as they were typed, and all else left to Hydra."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from latenthash.jobs.command.typed import as_typed

TYPED = [
    "1.10", "2024_05", "1e5", "007", "true", "photos", "a b (1), neu.jpg", "it's", "a=b", "[1]",
    "{x}", "Bücher/ä", "C:\\pictures\\a", "a,b", " blank ", "-x", "a\\", '"', "a'b\"c", "null.png",
]  # fmt: skip


@pytest.mark.parametrize("path", TYPED)
@pytest.mark.parametrize("key", ["run", "+data.signal", "++features.weights"])
def test_path_is_what_was_typed(path: str, key: str) -> None:
    (line,) = as_typed([f"{key}={path}"])
    assert OverridesParser.create().parse_override(line).value() == path


@pytest.mark.parametrize("path", [path for path in TYPED if path != "[1]"])
def test_pictures_are_a_path_unless_they_are_in_brackets(path: str) -> None:
    (line,) = as_typed([f"pictures={path}"])
    assert OverridesParser.create().parse_override(line).value() == path


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("[a.jpg,b.jpg]", ["a.jpg", "b.jpg"]),
        ("[ a b (1).jpg , ü.jpg]", ["a b (1).jpg", "ü.jpg"]),
        ("[1.10,null,true,1e5]", ["1.10", "null", "true", "1e5"]),
        ("['a, b.jpg',c.jpg]", ["a, b.jpg", "c.jpg"]),
        ('["it\'s, so","x]y"]', ["it's, so", "x]y"]),
        ("[it's.jpg,a\"b.jpg,'a'b.jpg]", ["it's.jpg", 'a"b.jpg', "'a'b.jpg"]),
        ("[a[1].jpg,{x},k=v]", ["a[1].jpg", "{x}", "k=v"]),
        ("[a\\b,c\\]", ["a\\b", "c\\"]),
        ("[a.jpg]", ["a.jpg"]),
        ("[]", []),
        ("[a,,b]", ["a", "", "b"]),
    ],
)
@pytest.mark.parametrize("sweep", [[], ["-m"]])
def test_each_of_several_pictures_is_what_was_typed(
    typed: str, paths: list[str], sweep: list[str]
) -> None:
    line = as_typed([*sweep, f"pictures={typed}"])[-1]
    assert OverridesParser.create().parse_override(line).value() == paths


def test_folder_that_is_called_by_brackets_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "[a,b]").mkdir()
    (line,) = as_typed(["pictures=[a,b]"])
    assert OverridesParser.create().parse_override(line).value() == "[a,b]"


@pytest.mark.parametrize("path", [p for p in TYPED if "," not in p])
def test_path_is_what_was_typed_in_a_sweep_too(path: str) -> None:
    _, line = as_typed(["-m", f"data.signal={path}"])
    assert OverridesParser.create().parse_override(line).value() == path


@pytest.mark.parametrize("mode", ["-m", "--multirun", "hydra.mode=MULTIRUN", "+sweep=signals"])
def test_choices_among_paths_are_what_was_typed(mode: str) -> None:
    _, line = as_typed([mode, "data.signal=1.10,2024_05,a.png"])
    choices = OverridesParser.create().parse_override(line).sweep_string_iterator()
    assert list(choices) == ["'1.10'", "'2024_05'", "'a.png'"]


@pytest.mark.parametrize(
    "argument",
    [
        "seed=1.10", "pictures=null", "pictures=${run}", 'pictures="a, b"', "pictures='1'",
        "model.latent_dim=2", "--help", "pictures=", "data.signal=photos/a.png", "~pictures",
    ],
)  # fmt: skip
def test_all_else_is_left_to_hydra(argument: str) -> None:
    assert as_typed([argument]) == [argument]


def test_functions_of_a_sweep_are_left_to_hydra() -> None:
    line = ["-m", "data.signal=choice(a.png,b.png)", 'data.unseen="a","b"', "seed=range(1,3)"]
    assert as_typed(line) == line
