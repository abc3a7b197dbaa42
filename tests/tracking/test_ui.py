"""How `make ui` begins: the address that it prints, and what it shows nothing of."""

import os
import socket
import sys
from pathlib import Path

import pytest

from app import database
from latenthash.errors import InputError
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.store import Store
from latenthash.tracking.ui import runs_page, serve


@pytest.mark.parametrize("name", ["latenthash", "another"])
def test_address_is_that_of_the_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(Experiment(database(tmp_path), name, str(tmp_path / "mlartifacts")))
    started: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execv", lambda _, line: started.append(line))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    serve(port)  # which is free now
    page = f"/{store.experiment.id}/runs?workflowType=machine_learning"
    expected = f"http://127.0.0.1:{port}/#/experiments{page if name == 'latenthash' else ''} "
    assert expected in capsys.readouterr().out
    (line,) = started
    assert line[:4] == [sys.executable, "-m", "mlflow", "ui"]
    assert line[-1] == store.experiment.address.text


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("", "There are no runs to show: .*/mlflow.db is not there. `make run` makes one"),
        ("http://me:s3cret@host", "has pages of its own"),
        ("postgresql://me:s3cret@host/db", "is no store that can be used"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_made_no_store_of(
    uri: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.delattr(os, "execv")
    with pytest.raises(InputError, match=sentence) as caught:
        serve("5000")
    assert "s3cret" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_query_of_an_address_holds_any_letter() -> None:
    assert runs_page("1", searchFilter="tags.a = 'b&c'") == (
        "#/experiments/1/runs?workflowType=machine_learning&searchFilter=tags.a+%3D+%27b%26c%27"
    )


@pytest.mark.parametrize("port", ["taken", "abc", "70000", "-1"])
def test_port_that_cannot_be_used_is_refused(
    port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(Experiment(database(tmp_path), "latenthash", str(tmp_path / "mlartifacts")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(os, "execv")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if port == "taken":
            port = str(listener.getsockname()[1])
        with pytest.raises(InputError, match=f"Port {port} cannot be used .*make ui PORT="):
            serve(port)
