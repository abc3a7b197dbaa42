"""Resolvers of configs: a picture of every file of a folder, whatever it is called."""

from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from latenthash.errors import InputError
from latenthash.jobs.command.resolvers import picture_choice, within

ODD = [
    "a b  c.png", "Mädchen ß 寿司.png", "a=b.png", "a,b;c.png", 'it\'s "x".png', "[x] {y} $z.png",
    "(p).png", "choice(a,b)", "100%.png", "--x.png", "a\nb.png", "tab\t.png", "back\\slash\\.png",
    "tail\\", 'x\\"', "\\'", '"q"', "null", "1e3", "true ", " lead", "~", "#h", "!bang", ":",
    "*glob?",
]  # fmt: skip


def test_choice_gives_back_every_file_name_whatever_it_holds(tmp_path: Path) -> None:
    for name in ODD:
        (tmp_path / name).touch()
    parser = OverridesParser.create()
    override = f"data.signal={picture_choice(tmp_path)}"
    (jobs,) = BasicSweeper.split_arguments(parser.parse_overrides([override]), None)
    found = []
    for (job,) in jobs:
        cfg = OmegaConf.create({"data": {"signal": None}})
        OmegaConf.update(cfg, "data.signal", parser.parse_overrides([job])[0].value())
        found.append(cfg.data.signal)
    assert found == sorted(str(tmp_path / name) for name in ODD)


@pytest.mark.parametrize(
    ("name", "reason"), [("a${b}.png", "holds ${"), ("caf\udce9.png", "is not UTF-8")]
)
def test_names_that_no_config_can_hold_are_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match="rename it") as caught:
        picture_choice(tmp_path)
    assert reason in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("set/a.png", "set", "a.png"),
        ("set/sub/a.png", "set/", "sub/a.png"),
        ("settle/a.png", "set", "settle/a.png"),
        ("a.png", ".", "a.png"),
        ("2024/a.png", 2024, "a.png"),
        ("embedded:girl", None, "embedded:girl"),
    ],
)
def test_path_is_seen_from_its_folder(path: str, folder: object, expected: str) -> None:
    assert within(path, folder) == expected
