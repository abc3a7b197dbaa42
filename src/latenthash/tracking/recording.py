"""A run as it is kept: first in its output folder, then in MLflow.

The output folder alone is enough: what MLflow cannot be told now it can be told later.
"""

import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from latenthash.errors import InputError, JobError
from latenthash.report.markdown import literal
from latenthash.report.tables import write_figure, write_table, write_text
from latenthash.system.terminal import without_password
from latenthash.tracking.client import STORE_ERRORS, brief
from latenthash.tracking.names import BUNDLE, HAS_BUNDLE, NOTE, RECORDED
from latenthash.tracking.record import RECORD, Record
from latenthash.tracking.replaying import logging_command, refuse_untold, replay, status_after
from latenthash.tracking.store import Store

log = logging.getLogger(__name__)


class Recorder:
    """A run that is kept in its output folder, and in MLflow for as long as that can be written.

    Args:
        store: where the run is made.
        folder: the output folder.
        tags: of the run.
    """

    def __init__(self, store: Store, folder: Path, tags: Mapping[str, str]) -> None:
        self.store = store
        self.folder = folder
        self.tags = {**tags, RECORDED: uuid4().hex}
        self.record = Record(folder)
        self.id = ""  # MLflow's; empty until there is one
        self.lost: str | None = None  # why MLflow does not have everything
        self._note: list[str] = []
        self._live = False
        self._begun = False

    def begin(self, live: bool = True) -> None:
        """Begin the run.

        Args:
            live: whether MLflow is told at once, or only when the run is finished.

        Raises:
            InputError: if MLflow takes no run, or lacks one that the folder holds.
        """
        refuse_untold(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / RECORD).unlink(missing_ok=True)
        # First: of a run that MLflow has there is a record, whatever happens.
        self.record.add({"tags": self.tags})
        if live:
            try:
                self.id = self.store.create_run(self.tags)
            except STORE_ERRORS as error:
                self.lost = brief(error)
                raise InputError(
                    f"The MLflow store takes no run: {brief(error)} Set logger.tracking_uri or "
                    "MLFLOW_TRACKING_URI to one that does."
                ) from error
            self.record.add({"run": self.id})
        self._live, self._begun = live, True

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self._keep({"tags": {name: str(value) for name, value in tags.items()}})

    def log_params(self, params: Mapping[str, str]) -> None:
        """Keep parameters."""
        self._keep({"params": dict(params)})

    def log_sources(self, sources: Sequence[Mapping[str, str]]) -> None:
        """Keep the name, digest and source of all pictures the run is made from."""
        self._keep({"sources": list(sources)})

    def add_note(self, paragraph: str) -> None:
        """Put a paragraph of Markdown at the head of the note, of which the UI shows some lines."""
        self._note = [without_password(paragraph), *self._note]
        self.set_tags({NOTE: "\n\n".join(self._note)})

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Keep metrics of a step."""
        values = {name: float(value) for name, value in metrics.items()}
        self._keep({"metrics": values, "step": step or 0, "time": int(1000 * time.time())})

    def log_text(self, text: str, name: str) -> None:
        """Keep a text under a file name, without passwords."""
        write_text(without_password(text), self.folder / name)
        self._keep({"file": name})

    def log_figure(self, figure: Figure, name: str) -> None:
        """Keep a figure as figures/<name>.png."""
        file = f"figures/{name}.png"
        write_figure(figure, self.folder / file)
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
        write_table(table, self.folder, name)
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
                self.id = replay(self.store, Record.read(self.folder), restore=False)
                self.lost = None
            except (InputError, *STORE_ERRORS) as error:
                self.lost = self.lost or brief(error)
        if self.lost:
            raise JobError(self._how_to_log())

    def fail(self, error: BaseException) -> None:
        """End the run as FAILED, or KILLED when it was interrupted, and keep the traceback."""
        status = status_after(error)
        text = "".join(traceback.format_exception(error))
        if not self._begun:  # and what lies in the folder is not ours
            if self.id:
                self.store.end(self.id, status)
            elif not self.lost:
                self.store.add_ended(self.tags, status, text)
            return
        try:
            # MLflow first: where the disk is full, the run is not left open.
            self._send({"status": status})
            if isinstance(error, InputError | JobError):
                self.add_note(literal(without_password(str(error))))
            self.record.add({"status": status})
            self.log_text(text, "traceback.txt")
        except OSError as problem:
            log.warning("The traceback is not kept: %s", problem)
        if self.lost:
            log.error(self._how_to_log())

    def _keep(self, entry: Mapping[str, Any]) -> None:
        self.record.add(entry)
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
            self.record.add({"known": self.id})
            self.record.add(entry)

    def _how_to_log(self) -> str:
        return (
            f"MLflow does not have all of this run: {self.lost} It is kept in {self.folder}; to "
            f"log it later: {logging_command(self.folder)}"
        )
