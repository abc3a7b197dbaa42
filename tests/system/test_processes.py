"""Which processes are alive, and which job is whose: locks of real processes, killed ones too."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from latenthash.errors import InputError
from latenthash.system import processes
from latenthash.system.processes import Processes

ALIVE = """
import sys, time
from pathlib import Path
from latenthash.system.processes import Processes
ours = Processes(Path(sys.argv[1]), sys.argv[2])
print(ours.own, flush=True)
with ours.claim("job", "job", False):
    print("claimed", flush=True)
    time.sleep(60)
"""


@contextmanager
def other(folder: Path, work: str = "work") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start another process, which claims `job`; gives its name and itself."""
    command = [sys.executable, "-c", ALIVE, str(folder), work]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert process.stdout.readline() == "claimed\n"
        try:
            yield name, process
        finally:
            process.kill()


def test_process_is_dead_once_it_was_killed_and_then_forgotten(tmp_path: Path) -> None:
    ours = Processes(tmp_path, "work")
    assert ours.own == Processes(tmp_path, "work").own
    assert ours.is_alive(ours.own)
    with other(tmp_path) as (name, process), other(tmp_path, "other work") as (stranger, _):
        assert ours.is_alive(name)
        assert not list(ours.dead())
        process.kill()
        process.wait()
        assert not ours.is_alive(name)
        with pytest.raises(OSError, match="store is gone"):
            for _ in ours.dead():
                raise OSError("store is gone")
        assert list(ours.dead()) == [name], "a name is forgotten only when its runs have ended"
        assert not list(ours.dead())
        assert {path.name for path in tmp_path.glob("*-*")} == {ours.own, stranger}


def test_processes_of_other_machines_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.node", lambda: "an other/ma*chine")
    away = Processes(tmp_path, "work")
    (tmp_path / f"{away.prefix}0").touch()
    monkeypatch.undo()
    assert not list(Processes(tmp_path, "work").dead())
    assert list(away.dead()) == [f"{away.prefix}0"]
    assert not Processes(tmp_path / "new", "work").is_alive("")


def test_claim_is_waited_for_and_is_free_when_its_process_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(processes, "POLL", 0.05)
    caplog.set_level("INFO")
    ours = Processes(tmp_path, "work")
    with other(tmp_path) as (_, process):
        with ours.claim("job", "vae", False), ours.claim("second", "vae", True):
            pass  # does not wait
        assert not caplog.records
        killing = Thread(target=lambda: (time.sleep(0.3), process.kill()))
        killing.start()
        started = time.monotonic()
        with ours.claim("job", "vae", True):
            assert time.monotonic() - started > 0.2
            assert not Processes(tmp_path, "work").is_alive("job")
        killing.join()
    assert caplog.messages == ["Waiting for another process, which runs vae"]
    assert not list(tmp_path.glob("*.claim"))


def test_claim_is_of_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "POLL", 0.001)
    inside: list[int] = []

    def work() -> None:
        for _ in range(10):
            with Processes(tmp_path, "work").claim("job", "vae", True):
                inside.append(1)
                assert len(inside) == 1
                inside.pop()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside
    assert not list(tmp_path.glob("*.claim"))


def test_claims_of_killed_processes_are_forgotten(tmp_path: Path) -> None:
    ours = Processes(tmp_path, "work")
    (tmp_path / "left.claim").touch()
    with ours.claim("held", "vae", False):
        assert not list(ours.dead())
        assert [path.name for path in tmp_path.glob("*.claim")] == ["held.claim"]


@pytest.mark.parametrize("name", ["", ".", "..", "../secret", "/secret", "a\0b", "x" * 300])
def test_name_that_is_none_of_ours_is_of_nobody_alive(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "processes"
    folder.mkdir()
    (tmp_path / "secret").touch()
    ours = Processes(folder, "work")
    for beginning in ("", ours.prefix, f"{ours.prefix}../"):
        assert not ours.is_alive(beginning + name)
    assert not list(folder.iterdir())


def as_file(path: Path) -> None:
    path.touch()


def as_forbidden(path: Path) -> None:
    path.mkdir(mode=0o500)


@pytest.mark.parametrize(
    "make",
    [
        as_file,
        pytest.param(
            as_forbidden,
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root"),
        ),
    ],
)
def test_folder_that_cannot_be_written_is_named(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    place = tmp_path / "processes"
    make(place)
    for folder in (place, place / "below"):
        ours = Processes(folder, "work")
        assert not list(ours.dead())
        for use in (ours.prepare, lambda o=ours: o.own, ours.claim("a", "vae", True).__enter__):
            with pytest.raises(InputError, match="says which processes are at work cannot be used"):
                use()
