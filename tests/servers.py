"""A PostgreSQL server of its own, for the time of a test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest


def _programs() -> Path | None:
    """Find the folder of the server's programs, which Debian leaves out of the path."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server that listens on a socket alone; give its URI, without a database's name."""
    programs = _programs()
    if programs is None or find_spec("psycopg") is None:
        pytest.skip("needs the programs of a PostgreSQL server, and psycopg")
    user = "postgres" if os.getuid() == 0 else None  # the server refuses to be run by root
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)

        def run(program: str, *words: str) -> None:
            subprocess.run(
                [str(programs / program), "-D", str(folder / "data"), *words],
                user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120,
            )  # fmt: skip

        run("initdb", "-A", "trust", "-U", "tester", "-N")
        run("pg_ctl", "-w", "-o", f"-k {folder} -c listen_addresses= -c fsync=off", "start")
        try:
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
