"""Commands are named as their user types them."""

import pytest

from latenthash.system.calling import typed


@pytest.mark.parametrize(
    ("called", "command"),
    [
        ("train.py", "python evaluate.py"),
        ("/home/me/project/evaluate.py", "python evaluate.py"),
        ("/home/me/.venv/bin/latenthash", "latenthash evaluate"),
        ("C:/venv/Scripts/latenthash.exe", "latenthash evaluate"),
        ("/home/me/latenthash/train.py", "python evaluate.py"),
        ("", "python evaluate.py"),
    ],
)
def test_next_command_begins_as_this_one_did(
    called: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", [called, "run=code"])
    assert typed("evaluate") == command
