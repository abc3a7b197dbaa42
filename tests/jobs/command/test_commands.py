"""The script that pip installs: its words lead to the commands, and shells complete its lines."""

import sys

import pytest

from latenthash.jobs.command import commands
from latenthash.jobs.command.commands import CONF, main
from project import CONF as TOP


def called(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the script with a command line; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["/bin/latenthash", *line.split()])
    try:
        main()
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return stop.code
    return 0


def test_checkout_has_its_configs_at_the_top() -> None:
    assert str(TOP) == CONF


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_word_leads_to_its_command(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setitem(commands.COMMANDS, verb, lambda: seen.append(sys.argv[:]))
    assert called(f"{verb} a=1 --cfg job", monkeypatch) == 0
    assert seen == [["/bin/latenthash", "a=1", "--cfg", "job"]]


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("", 2, "Name a command, train or evaluate; latenthash --help shows how."),
        ("evalute run=code", 2, "evalute is not one of train, evaluate; did you mean evaluate?"),
        ("run=code", 2, "run=code is not one of train, evaluate."),
        ("--help", 0, "latenthash evaluate run=code pictures=PATH"),
        ("evaluate picture=x", 2, "picture is no option; did you mean pictures?"),
    ],
)
def test_word_that_is_none_is_said_in_a_sentence(
    line: str,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert called(line, monkeypatch) == code
    out, err = capsys.readouterr()
    assert sentence in (err if code else out)
    assert not (out if code else err)


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ("latenthash ", {"train", "evaluate"}),
        ("latenthash ev", {"train", "evaluate"}),  # the shell takes those that begin so
        ("latenthash train model=va", {"model=vae", "model=vaegan"}),
        (
            "latenthash evaluate benchmark=",
            {"benchmark=edits_v1", "benchmark=disc21", "benchmark=copydays"},
        ),
    ],
)
def test_shell_completes_a_line(
    before: str,
    offered: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COMP_LINE", before)
    assert called("-sc query=bash", monkeypatch) == 0
    assert set(capsys.readouterr().out.split()) == offered


def test_completion_is_installed_for_the_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COMP_LINE", raising=False)
    assert called("-sc install=bash", monkeypatch) == 0
    assert capsys.readouterr().out.endswith(" -F hydra_bash_completion latenthash\n")
