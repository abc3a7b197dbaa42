"""A database file: whole or not at all, whoever dies; what is damaged or held is named."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from tempfile import mkdtemp

import pytest

from latenthash.errors import InputError
from latenthash.tracking import database

TABLES = [
    "CREATE TABLE alembic_version (version_num)",
    "CREATE TABLE experiments (experiment_id, artifact_location, lifecycle_stage)",
    "INSERT INTO experiments VALUES (0, '', '')",
]


def make(path: Path) -> None:
    with closing(sqlite3.connect(path)) as new, new:
        for statement in TABLES:
            new.execute(statement)


def damaged(*statements: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as old, old:
            for statement in statements:
                old.execute(statement)

    return damage


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_another_program(path: Path) -> None:
    path.unlink()
    damaged("CREATE TABLE experiments (id, name)", "INSERT INTO experiments VALUES (1, 'a')")(path)


def as_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def as_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


# ---- made whole or not at all ----


def test_database_is_made_once_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "a?b%20 [x]" / "mlflow.db"
    database.prepare(path, make)
    database.prepare(path, lambda new: pytest.fail("made a second time"))
    database.check(path, writing=True)
    assert {p.name for p in path.parent.iterdir()} <= {"mlflow.db", "mlflow.db.lock"}
    assert [p.name for p in tmp_path.iterdir()] == [path.parent.name]


def untidy(prefix: str, dir: Path) -> nullcontext[str]:
    return nullcontext(mkdtemp(prefix=prefix, dir=dir))


@pytest.mark.parametrize("moment", ["before", "within", "after", "rename"])
@pytest.mark.parametrize("killed", [False, True], ids=["ctrl-c", "kill -9"])
def test_whoever_is_stopped_leaves_no_half_of_it(
    tmp_path: Path, moment: str, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mlflow.db"

    def stopped(new: Path) -> None:
        for at, statements in {"before": TABLES[:2], "within": TABLES[2:]}.items():
            if moment == at:
                raise KeyboardInterrupt
            damaged(*statements)(new)
        if moment == "after":
            raise KeyboardInterrupt

    def rename(old: Path, new: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if moment == "rename":
            patch.setattr(Path, "rename", rename)
        if killed:  # nothing is tidied up
            patch.setattr(database, "TemporaryDirectory", untidy)
        with pytest.raises(KeyboardInterrupt):
            database.prepare(path, stopped)
    assert not path.exists()
    assert any(tmp_path.glob("*.making-*")) == killed
    database.prepare(path, make)
    database.check(path, writing=True)
    assert not any(tmp_path.glob("*.making-*"))


def test_killed_processes_leave_a_database_or_none(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    code = (
        "import sqlite3, sys, time; from pathlib import Path\n"
        "from latenthash.tracking import database\n"
        "def make(path):\n"
        "    with sqlite3.connect(path, isolation_level=None) as new:\n"
        f"        for i, statement in enumerate({TABLES}):\n"
        "            new.execute(statement); time.sleep(.02)\n"
        "while True:\n"
        "    database.prepare(Path(sys.argv[1]), make); print(flush=True)\n"
        "    database.check(Path(sys.argv[1]), True); Path(sys.argv[1]).unlink()\n"
    )
    for moment in range(6):
        with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as maker:
            assert maker.stdout is not None
            maker.stdout.readline()
            time.sleep(0.01 * moment)
            maker.kill()
        assert maker.returncode == -signal.SIGKILL
        if path.exists():
            database.check(path, writing=True)
    database.prepare(path, make)
    database.check(path, writing=True)


def test_journal_of_a_database_that_is_gone_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db-journal").write_bytes(b"of another")
    database.prepare(tmp_path / "mlflow.db", make)
    assert not (tmp_path / "mlflow.db-journal").exists()
    assert (tmp_path / "mlflow.db-journal.old").read_bytes() == b"of another"


def test_database_that_another_program_made_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"

    def overtaken(new: Path) -> None:
        make(new)
        path.write_bytes(b"of another")

    database.prepare(path, overtaken)
    assert path.read_bytes() == b"of another"


# ---- what cannot be used ----


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (as_folder, "is no file; move away"),
        (as_fifo, "is no file; move away"),
        (as_link_to_nothing, "is no file; move away"),
        (lambda path: os.truncate(path, 0), "is half made"),
        (lambda path: os.truncate(path, 4096), "(database disk image is malformed): put back"),
        (lambda path: os.truncate(path, 50), "(database disk image is malformed): put back"),
        (lambda path: path.write_bytes(b"\0" * 8192), "(file is not a database): move it away"),
        (lambda path: path.write_bytes(b"garbage" * 999), "(file is not a database)"),
        (damaged("DROP TABLE experiments"), "is half made"),
        (damaged("DELETE FROM experiments"), "is half made"),
        (damaged("DROP TABLE alembic_version"), "or of another program"),
        (damaged("ALTER TABLE experiments DROP lifecycle_stage"), "or of another program"),
        (as_another_program, "or of another program"),
        (damaged("CREATE TABLE _alembic_tmp_runs (id)"), "left the table _alembic_tmp_runs."),
    ],
)
def test_damaged_database_is_named_with_the_way_out(
    tmp_path: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    path = tmp_path / "mlflow.db"
    make(path)
    damage(path)
    database.prepare(path, make)  # is no reason to make another
    with pytest.raises(InputError, match=f"^The MLflow database {path} ") as caught:
        database.check(path, writing=True)
    assert sentence in str(caught.value)


@contextmanager
def held(path: Path, how: str):  # type: ignore[no-untyped-def]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(f"BEGIN {how}")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("how", "writing", "refused"),
    [
        ("EXCLUSIVE", True, True),
        ("EXCLUSIVE", False, True),
        ("IMMEDIATE", True, True),
        ("IMMEDIATE", False, False),
        ("DEFERRED", True, False),
    ],
)
def test_database_that_another_program_holds_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, writing: bool, refused: bool
) -> None:
    monkeypatch.setattr(database, "BUSY", 0.1)
    path = tmp_path / "mlflow.db"
    make(path)
    with held(path, how):
        if refused:
            with pytest.raises(InputError, match=r"\(database is locked\): another program holds"):
                database.check(path, writing)
        else:
            database.check(path, writing)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize(("mode", "writing"), [(0o000, False), (0o400, True)])
def test_database_that_may_not_be_used_is_named(tmp_path: Path, mode: int, writing: bool) -> None:
    path = tmp_path / "mlflow.db"
    make(path)
    path.chmod(mode)
    with pytest.raises(InputError, match="give yourself the right"):
        database.check(path, writing)


def test_lock_is_not_waited_for_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCKED", 0.1)
    path = tmp_path / "mlflow.db"
    with database.lock(path), pytest.raises(TimeoutError, match="could not be acquired"):
        database.prepare(path, make)
