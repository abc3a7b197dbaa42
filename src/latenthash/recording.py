"""A run as it is kept: first in its output folder, then in MLflow.

The output folder alone is enough: what MLflow cannot be told now it can be told later.
"""

import json
import logging
import shlex
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hydra.core.override_parser.types import Quote, QuotedString
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from latenthash import InputError, JobError, report
from latenthash.store_uri import without_password
from latenthash.tracking import (
    BUNDLE,
    HAS_BUNDLE,
    STORE_ERRORS,
    Store,
    brief,
)

log = logging.getLogger(__name__)

RECORD = "run.jsonl"  # in the output folder: the run, then what was logged, a line each


class Recorder:
    """Keeps a run in its output folder, and in MLflow for as long as that can be written.

    Args:
        store: where the run is made.
        folder: the output folder.
        tags: of the run.
    """

    def __init__(self, store: Store, folder: Path, tags: Mapping[str, str]) -> None:
        self.store = store
        self.folder = folder
        self.tags = dict(tags)
        self.id = ""  # MLflow's; empty until there is one
        self.lost: str | None = None  # why MLflow does not have everything
        self._live = False
        self._begun = False

    def begin(self, live: bool = True) -> None:
        """Begin the run.

        Args:
            live: whether MLflow is told at once, or only when the run is finished.

        Raises:
            InputError: if MLflow takes no run.
        """
        if live:
            try:
                self.id = self.store.create_run(self.tags)
            except STORE_ERRORS as error:
                self.lost = brief(error)
                raise InputError(
                    f"The MLflow store takes no run: {brief(error)} Set logger.tracking_uri or "
                    "MLFLOW_TRACKING_URI to one that does."
                ) from error
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / RECORD).unlink(missing_ok=True)
        _add(self.folder, {"run": self.id, "tags": self.tags})
        self._live, self._begun = live, True

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self._keep({"tags": {name: str(value) for name, value in tags.items()}})

    def log_params(self, params: Mapping[str, str]) -> None:
        """Keep parameters."""
        self._keep({"params": dict(params)})

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Keep metrics of a step."""
        values = {name: float(value) for name, value in metrics.items()}
        self._keep({"metrics": values, "step": step or 0, "time": int(1000 * time.time())})

    def log_text(self, text: str, name: str) -> None:
        """Keep a text under a file name, without passwords."""
        report.write_text(without_password(text), self.folder / name)
        self._keep({"file": name})

    def log_figure(self, figure: Figure, name: str) -> None:
        """Keep a figure as figures/<name>.png."""
        file = f"figures/{name}.png"
        report.write_figure(figure, self.folder / file)
        self._keep({"file": file})

    def log_image(self, pixels: NDArray[np.uint8], key: str, step: int) -> None:
        """Keep an image (H, W, 3) as one of a series, which the UI shows with a slider of steps."""
        file = f"images/{key}/{step}.png"
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        self._keep({"image": file, "key": key, "step": step})

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Keep a table as <name>.csv, and as <name>.json, which the UI shows."""
        report.write_table(table, self.folder, name)
        self._keep({"table": name})

    def log_folder(self, name: str) -> None:
        """Keep a folder of the output folder."""
        self._keep({"folder": name})
        if name == BUNDLE:
            self.set_tags({HAS_BUNDLE: "true"})

    def finish(self) -> None:
        """End the run as FINISHED; MLflow is told what it could not be told before.

        Raises:
            JobError: if it still cannot be told everything.
        """
        self._keep({"status": "FINISHED"})
        if not self._live:
            try:
                self.id = _replay(self.store, self.folder, restore=False)
                self.lost = None
            except STORE_ERRORS as error:
                self.lost = self.lost or brief(error)
        if self.lost:
            raise JobError(self._how_to_log())

    def fail(self, error: BaseException) -> None:
        """End the run as FAILED, or KILLED when it was interrupted, and keep the traceback."""
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        text = "".join(traceback.format_exception(error))
        if not self._begun:  # and what lies in the folder is not ours
            if not self.lost:
                self.store.add_ended(self.tags, status, text)
            return
        # MLflow first: where the disk is full, the run is not left open.
        self._send({"status": status})
        try:
            _add(self.folder, {"status": status})
            self.log_text(text, "traceback.txt")
        except OSError as problem:
            log.warning("The traceback is not kept: %s", problem)
        if self.lost:
            log.error(self._how_to_log())

    def _keep(self, entry: Mapping[str, Any]) -> None:
        _add(self.folder, entry)
        self._send(entry)

    def _send(self, entry: Mapping[str, Any]) -> None:
        """Tell MLflow; when it does not answer, it is not asked again until the end."""
        if not self._live:
            return
        try:
            self.store.log_entry(self.id, self.folder, entry)
        except STORE_ERRORS as error:
            self._live, self.lost = False, brief(error)
            log.warning(
                "MLflow cannot be written any more: %s The run goes on; all it makes is kept in %s",
                self.lost, self.folder,
            )  # fmt: skip
            _add(self.folder, {"known": self.id})
            _add(self.folder, entry)

    def _how_to_log(self) -> str:
        quoted = QuotedString(str(self.folder), Quote.double).with_quotes()
        return (
            f"MLflow does not have all of this run: {self.lost} It is kept in {self.folder}; to "
            f"log it later: python evaluate.py {shlex.quote(f'log={quoted}')}"
        )


def log_later(store: Store, folder: Path) -> None:
    """Log a run that its output folder alone has in full.

    Args:
        store: where it is logged: into the run as it was begun there, or into a new one.
        folder: its output folder.

    Raises:
        InputError: if the folder holds no run, or what it names is not there.
        JobError: if the store still cannot be written.
    """
    try:
        run_id = _replay(store, folder, restore=True)
    except STORE_ERRORS as error:
        raise JobError(f"The run in {folder} cannot be logged: {brief(error)}") from error
    log.info("Run %s has everything that %s holds", run_id, folder)


def _replay(store: Store, folder: Path, restore: bool) -> str:
    """Tell MLflow what it does not know of a run, and give the run's id.

    Args:
        store: where it is logged.
        folder: its output folder.
        restore: whether a run that was deleted is taken back.
    """
    entries = _read(folder)
    run_id = str(next(entry["run"] for entry in reversed(entries) if "run" in entry))
    new = 0
    if run_id and store.open_again(run_id, restore):
        new = max((i for i, entry in enumerate(entries) if entry.get("known") == run_id), default=0)
    else:
        run_id = store.create_run(entries[0]["tags"])
        _add(folder, {"run": run_id})
    for entry in entries[new:]:
        store.log_entry(run_id, folder, entry)
    if not any("status" in entry for entry in entries):  # its process was killed
        store.log_entry(run_id, folder, {"status": "KILLED"})
    _add(folder, {"known": run_id})
    return run_id


def _add(folder: Path, entry: Mapping[str, Any]) -> None:
    """Add an entry to the record of a run: what was logged, or which run knows all so far."""
    with (folder / RECORD).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def _read(folder: Path) -> list[dict[str, Any]]:
    """Read the record of a run."""
    path = folder / RECORD
    try:
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert entries and all(isinstance(entry, dict) for entry in entries)
        assert isinstance(entries[0]["run"], str) and isinstance(entries[0]["tags"], dict)
    except (OSError, ValueError, KeyError, AssertionError) as error:
        raise InputError(
            f"log={folder} must be the output folder of a run that could not be logged, with its "
            f"{RECORD}."
        ) from error
    for name in (name for entry in entries for name in _files(entry)):
        # A folder may come from anywhere: nothing that lies outside of it is sent.
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.exists():
            raise InputError(f"log={folder}: {name}, which its {RECORD} names, is not there.")
    return entries


def _files(entry: Mapping[str, Any]) -> list[str]:
    """Name the files and folders that an entry is about."""
    names = [str(entry[kind]) for kind in ("file", "folder", "image") if kind in entry]
    if "table" in entry:
        names += [f"{entry['table']}.csv", f"{entry['table']}.json"]
    return names
