"""Registering a code for a server, on the command line, and how `make serve` begins."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest
from mlflow.entities import Run

import latenthash
from app import call, database
from latenthash.errors import InputError
from latenthash.jobs import serve as serving
from latenthash.jobs.at_hand import shipped_bundle
from latenthash.jobs.register import register_bundle
from latenthash.jobs.serve import MAX_PIXELS, serve
from latenthash.tracking import serving as registry
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.serving import served
from latenthash.tracking.store import Store
from photographs import save_photos


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def version(folder: Path, name: str) -> str | None:
    experiment = Experiment(database(folder), "latenthash", str(folder / "mlartifacts"))
    return served(experiment.client, name)


def test_code_is_registered_once_and_served_as_it_was_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for known in ("is registered", "was registered before"):
        done = call("evaluate.py", tmp_path, "run=code", "serve_as=mine")
        assert done.code == 0, done.output
        assert f"Version 1 of the model mine {known}" in done.output
        assert "Next: make serve MODEL=mine" in done.output
    assert version(tmp_path, "mine") == "1"
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setenv("UVICORN_LIMIT_CONCURRENCY", "7")
    monkeypatch.setattr(os, "execve", lambda _, line, env: started.append((line, env)))
    port = free_port()
    serve("mine", port)
    assert f"http://127.0.0.1:{port}/invocations " in capsys.readouterr().out
    ((line, environment),) = started
    assert line[:5] == [sys.executable, "-m", "mlflow", "models", "serve"]
    assert line[-1] == "models:/mine@serving"
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["UVICORN_LIMIT_CONCURRENCY"] == "7", "what the user set stays"
    assert environment["MLFLOW_TRACKING_URI"].endswith("mlflow.db")


def test_code_that_ships_needs_no_registration_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setattr(os, "execve", lambda *_: None)
    serve("code", free_port())
    # That of the command is the same.
    done = call("evaluate.py", tmp_path, "run=code", "serve_as=code")
    assert "Version 1 of the model code was registered before" in done.output
    monkeypatch.delattr(os, "execve")
    with pytest.raises(InputError, match=r"No code is registered as other .* serve_as=other"):
        serve("other", free_port())


def test_code_that_ships_follows_an_update_and_one_of_the_user_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setattr(os, "execve", lambda *_: None)
    for release, number in (("1.0", "1"), ("1.0", "1"), ("2.0", "2")):
        monkeypatch.setattr(registry, "version", lambda _, release=release: release)
        serve("code", free_port())
        assert version(tmp_path, "code") == number
    store = Store(Experiment(database(tmp_path), "latenthash", str(tmp_path / "mlartifacts")))
    register_bundle(store, shipped_bundle("code"), "code", MAX_PIXELS // 2)  # the user's
    monkeypatch.setattr(registry, "version", lambda _: "3.0")
    serve("code", free_port())
    assert version(tmp_path, "code") == "3"


def test_port_that_is_taken_and_server_that_is_missing_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        with pytest.raises(InputError, match=f"Port {port} cannot be used .*make serve PORT="):
            serve("code", port)
    monkeypatch.setattr(serving, "SERVER", "no-such-server")
    with pytest.raises(InputError, match="no-such-server is not installed"):
        serve("code", port)
    assert not list(tmp_path.iterdir())


def test_hash_of_one_picture_is_not_registered(trained: tuple[Path, Run]) -> None:
    folder, _ = trained
    done = call("evaluate.py", folder, "run=latest", "serve_as=mine")
    assert done.code == 2
    assert "run=latest left the hash of one picture, and no code" in done.output
    assert version(folder, "mine") is None


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("serve_as=a/b", "serve_as=a/b must be a name of letters"),
        ("job=register", "serve_as is not set"),
    ],
)
def test_odd_name_is_refused(asked: str, sentence: str, tmp_path: Path) -> None:
    done = call("evaluate.py", tmp_path, "run=code", asked)
    assert done.code == 2
    assert sentence in done.output
    assert not (tmp_path / "mlflow.db").exists()


def test_limit_of_pixels_is_that_of_the_command() -> None:
    text = (Path(serving.__file__).parents[3] / "conf" / "job" / "register.yaml").read_text()
    assert f"max_pixels: {MAX_PIXELS:_}" in text


@pytest.mark.slow
def test_server_answers(tmp_path: Path) -> None:
    save_photos(tmp_path, 2)
    files = sorted((tmp_path / "photos").iterdir())
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "latenthash.jobs.serve", "code", port],
        cwd=tmp_path, env={**os.environ, "MLFLOW_TRACKING_URI": ""}, start_new_session=True,
    )  # fmt: skip
    try:
        address, until = f"http://127.0.0.1:{port}", time.monotonic() + 300
        while time.monotonic() < until and process.poll() is None:
            try:
                urllib.request.urlopen(f"{address}/ping").close()
                break
            except OSError:
                time.sleep(0.5)
        pictures = [*(file.read_bytes() for file in files), b"nothing"]
        rows = [{"picture": b64encode(picture).decode()} for picture in pictures]
        request = urllib.request.Request(
            f"{address}/invocations",
            json.dumps({"dataframe_records": rows}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)["predictions"]
        request.data = b'{"dataframe_records": [{"picture": 5}]}'
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        with refused.value as error:
            assert error.code == 400
            assert b"Traceback" not in error.read()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    code = latenthash.load("code")
    good = [{"code": str(code.hash(file)), "detail": True, "error": None} for file in files]
    bad = "The picture is not a picture that can be read."
    assert found == [*good, {"code": None, "detail": False, "error": bad}]
