"""A PostgreSQL server of this machine's programs, for tests; none where there are no such."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

SUPERUSER = "latenthash"
PASSWORD = "open/sesame"  # as people have them: a letter that ends a host's name


class NoServer(Exception):
    """Why no server can be started."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server on a socket of its own, and give the URI of a database.

    Raises:
        NoServer: if there is none, or it does not start.
    """
    programs = _programs()
    # PostgreSQL refuses to run as root, and needs a folder that another user may enter.
    user = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    folder = Path(mkdtemp(prefix="latenthash-postgres-"))
    try:
        if user:
            try:
                shutil.chown(folder, user)
            except LookupError:
                raise NoServer("root cannot run one, and there is no user postgres") from None
        data, secret = folder / "data", folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)

        def run(program: str, *arguments: str) -> None:
            done = subprocess.run(
                [str(programs / program), *arguments],
                user=user,
                cwd=folder,
                stdout=subprocess.DEVNULL,  # a pipe would be held by the server
                stderr=subprocess.DEVNULL,
                timeout=120,
            )
            if done.returncode:
                raise NoServer(f"{program} ended with {done.returncode}")

        given = ("-D", str(data))
        run(
            "initdb", *given, "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "-N",
            "-A", "scram-sha-256", "--pwfile", str(secret),
        )  # fmt: skip
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", *given, "-w", "-o", options, "-l", str(folder / "log"), "start")
        try:
            word = quote(PASSWORD, safe="")
            yield f"postgresql://{SUPERUSER}:{word}@/postgres?host={quote(str(folder), safe='')}"
        finally:
            run("pg_ctl", *given, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = shutil.which("initdb")
    places = [Path(found).resolve()] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    for place in places:
        if (place.parent / "pg_ctl").exists():
            return place.parent
    raise NoServer("there are no programs of PostgreSQL here (Debian's package postgresql)")
