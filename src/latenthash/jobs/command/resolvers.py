"""What the config may ask for with `${...}`, beside OmegaConf's own.

Registered before the config is composed; heavy imports wait, so that --help answers at once.
"""

import os
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import OmegaConf

from latenthash.errors import InputError
from latenthash.system.paths import find_files, path_text


def register_resolvers() -> None:
    """Let the config use `${pictures:FOLDER}`, `${within:PATH,FOLDER}` and `${store:PATH}`."""
    OmegaConf.register_new_resolver("pictures", picture_choice, replace=True)
    OmegaConf.register_new_resolver("within", within, replace=True)
    OmegaConf.register_new_resolver("store", store, replace=True)


def picture_choice(folder: object) -> str:
    """List the files of a folder and of all below it as a choice that a sweep can take.

    Args:
        folder: its path; None when the user gave none.

    Raises:
        InputError: if it is no folder, is empty, or holds a name that no config can.
    """
    if folder is None:
        raise InputError("signals is not set; give a folder of pictures: signals=PATH.")
    path = Path(str(folder))  # a folder may be called 2024
    if not path.is_dir():
        raise InputError(f"signals={path} is not a folder (looked in {path.absolute().parent}).")
    files = find_files(path)
    if not files:
        raise InputError(f"signals={path} is an empty folder; put pictures into it.")
    problems = [
        f"signals: {path_text(file)} cannot be named in a config, for it {reason}; rename it."
        for file in files
        if (reason := _unnameable(str(file)))
    ]
    if problems:
        raise InputError(problems)
    return ",".join(QuotedString(str(file), Quote.double).with_quotes() for file in files)


def _unnameable(name: str) -> str:
    """Say why a config cannot hold a name; nothing when it can."""
    if "${" in name:
        return "holds ${, which stands for another value"
    return "" if name == os.fsencode(name).decode(errors="replace") else "is not UTF-8"


def within(path: object, folder: object) -> str:
    """Return a path as seen from a folder; as it is when it does not lie there."""
    return str(path).removeprefix(f"{Path(str(folder))}{os.sep}")


def store(path: object) -> str:
    """Return the URI of the store: what MLFLOW_TRACKING_URI names, or else a database file."""
    from latenthash.tracking.store_uri import sqlite_uri

    # An empty variable is as good as none: shells and containers cannot always take one away.
    return os.environ.get("MLFLOW_TRACKING_URI") or sqlite_uri(str(path))
