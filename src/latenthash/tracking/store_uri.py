"""Where an MLflow store is: paths made into URIs and read from them, and no password told."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from latenthash.errors import InputError
from latenthash.system.terminal import without_password

SERVERS = ("http", "https")
WAYS = (
    "a server's http://HOST:PORT, or sqlite:///PATH for a database of your own (unset "
    "MLFLOW_TRACKING_URI for the one beside the project)"
)


def hide_passwords(path: Path) -> None:
    """Take users and passwords out of the URIs in a text file."""
    text = path.read_text(encoding="utf-8")
    if (hidden := without_password(text)) != text:
        path.write_text(hidden, encoding="utf-8")


def sqlite_uri(path: str | Path) -> str:
    """Return the URI of a database file; `StoreURI.parse` gives the path back.

    Raises:
        InputError: if no URI can hold the path.
    """
    try:
        return URL.create("sqlite", database=str(path)).render_as_string()
    except UnicodeEncodeError:
        shown = str(path).encode(errors="replace").decode()
        raise InputError(f"MLflow cannot keep runs in {shown}: its name is not UTF-8.") from None


def artifact_folder(given: str) -> Path:
    """Return the folder that logger.artifact_root names.

    Raises:
        InputError: if it names another place: MLflow would make a folder s3: in the working
            directory.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", given):
        raise InputError(
            f"logger.artifact_root={without_password(given)} must be a folder; only a server keeps "
            "artifacts elsewhere: name one with logger.tracking_uri=http://HOST:PORT."
        )
    return Path(given).absolute()


def local_path(artifact_uri: str) -> Path | None:
    """Return the folder that MLflow keeps artifacts in; None when it is on no disk of this machine.

    Args:
        artifact_uri: of an experiment or a run: a file: URI or a path.
    """
    parts = urlsplit(artifact_uri)
    return Path(url2pathname(parts.path)) if parts.scheme in ("", "file") else None


@dataclass(frozen=True)
class StoreURI:
    """Where a store is; as text without its password.

    Attributes:
        text: URI that MLflow takes.
        database: absolute path of a local database; None for a server.
    """

    text: str
    database: Path | None

    @classmethod
    def parse(cls, given: object) -> "StoreURI":
        """Read what logger.tracking_uri names.

        Raises:
            InputError: if it is no server and no database file. Of other stores that MLflow knows
                the artifacts would lie in the working directory, or nowhere.
        """
        if not isinstance(given, str) or not given:
            raise InputError(f"logger.tracking_uri is empty or no text; name {WAYS}.")
        shown = f"logger.tracking_uri={without_password(given)}"
        refused = f"{shown} is no store that can be used; name {WAYS}."
        try:
            parts = urlsplit(given)
            if parts.scheme in SERVERS:
                if not parts.hostname or parts.port == 0:  # the port is read, and refused, here
                    raise ValueError
                return cls(given, None)
            url = make_url(given)
        except (ValueError, ArgumentError):
            raise InputError(refused) from None
        if url.drivername not in ("sqlite", "sqlite+pysqlite"):
            raise InputError(refused)
        if "?" in given or url.host or url.database in (None, "", ":memory:"):
            raise InputError(
                f"{shown} must be sqlite:/// and the path of a file; write %3F for a question mark "
                "in it and %25 for a per cent sign."
            )
        path = Path(str(url.database)).absolute()
        # With the driver's name in it, for MLflow would make the folders of what follows sqlite:///
        # as it is encoded.
        return cls(sqlite_uri(path).replace("sqlite", "sqlite+pysqlite", 1), path)

    def __str__(self) -> str:
        """Name the store as a user would."""
        return str(self.database or without_password(self.text))
