"""Tables: how figures and latents are laid out, shown, and written."""

import io
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from latenthash import plots
from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.metrics.bootstrap import Measure
from latenthash.metrics.enrolled import current_name
from latenthash.system.terminal import escaped

log = logging.getLogger(__name__)

# Columns whose text says in words what they say; files keep them, the terminal has no room.
DETAILS = ["value", "low", "high", "trials"]
CENTROID_ROW = "centroid"  # its row in a table of latents
WORDS = "value [95 % interval]"  # what people see in place of the column `text`
# Its rows there: where the unit vectors of the latent space lie, by which all else is drawn.
AXES = "axes"


def figures_table(figures: Sequence[Measure]) -> pd.DataFrame:
    """Lay out figures with their 95 % intervals, a row each."""
    return pd.DataFrame(
        {
            "metric": [figure.name for figure in figures],
            "value": [figure.value for figure in figures],
            "low": [figure.low for figure in figures],
            "high": [figure.high for figure in figures],
            "trials": pd.array([figure.trials for figure in figures], dtype="Int64"),
            "text": [figure.text for figure in figures],
        }
    )


def read_figures(table: pd.DataFrame) -> dict[str, Measure]:
    """Read what `figures_table` laid out, by name."""
    figures = [
        Measure(
            current_name(row["metric"]),
            row["value"],
            row["low"],
            row["high"],
            None if pd.isna(row["trials"]) else int(row["trials"]),
        )
        for row in table.to_dict("records")
    ]
    return {figure.name: figure for figure in figures}


def centroid_table(hash_: Hash) -> pd.DataFrame:
    """Lay out the centroid, a row for each dimension."""
    return pd.DataFrame({"dimension": range(len(hash_.centroid)), "value": hash_.centroid})


def latents_table(sets: Mapping[str, LatentSet], hash_: Hash, plane: plots.Plane) -> pd.DataFrame:
    """Lay out where latents and centroid lie in the plane in which they are drawn, a row each."""
    k = len(hash_.centroid)
    sets = {
        **sets,
        CENTROID_ROW: LatentSet(hash_.centroid[None], np.zeros(1, dtype=np.int64)),
        AXES: LatentSet(np.eye(k), np.arange(k)),
    }
    return pd.concat(
        pd.DataFrame(plane.project(rows.z), columns=["x", "y"]).assign(
            set=role, picture=rows.picture, radius=hash_.radius
        )
        for role, rows in sets.items()
    )


def show(table: pd.DataFrame, title: str, form: str = "table") -> None:
    """Write a table to standard output; names cannot steer the terminal.

    Args:
        table: what is shown.
        title: of it, for people.
        form: `table` for people; `csv`, `jsonl` or `text` for programs: all columns at full
            precision, in UTF-8, and nothing else. `text` has no head, and tabs between cells.
    """
    if form == "text":
        rows = _one_line(table).astype(object).itertuples(index=False)
        _print("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    elif form == "csv":
        _print(_one_line(table).to_csv(index=False), encoding="utf-8")
    elif form == "jsonl":
        _print(_json_lines(_one_line(table)), encoding="utf-8")
    else:
        shown = table.drop(columns=DETAILS, errors="ignore").rename(columns={"text": WORDS})
        _print(_for_people(shown, escaped(title)))


def _for_people(table: pd.DataFrame, title: str) -> str:
    """Draw a table on a terminal where it fits; elsewhere a row is a line, never folded."""
    head = [escaped(str(column)) for column in table.columns]
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    console = Console(markup=False, emoji=False)  # brackets in names and intervals are no markup
    if console.file.isatty():
        view = Table(title=title)
        for name, *cells in zip(head, *rows, strict=True):
            # Columns of words give way to those of codes.
            view.add_column(name, no_wrap=not any(" " in cell for cell in cells))
        for row in rows:
            view.add_row(*row)
        with console.capture() as captured:
            console.print(view)
        # Between words a cell may be wrapped; a code that was folded could not be copied.
        words = set(Text.from_ansi(captured.get()).plain.split())
        if all(
            word in words for row in [[title], head, *rows] for cell in row for word in cell.split()
        ):
            return captured.get()
    lengths = [max(map(cell_len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(set_cell_size(cell, n) for cell, n in zip(row, lengths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join([title, *lines, ""])


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else escaped(str(value))


def _json_lines(table: pd.DataFrame) -> str:
    """Write a table as JSON lines; what is no number is null."""
    records = table.astype(object).to_dict("records")
    return "".join(
        json.dumps(
            {str(key): _json_value(value) for key, value in record.items()}, ensure_ascii=False
        )
        + "\n"
        for record in records
    )


def _json_value(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value


def _print(text: str, encoding: str | None = None) -> None:
    """Write a text to standard output, which may be of any encoding, closed or full.

    The run goes on whatever becomes of it: all that is shown is also written to files.
    """
    if sys.stdout is None:  # closed by the caller
        return
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # a reader such as head has had enough
            log.error("Standard output cannot be written to: %s", error.strerror)
        # What is left would be written, and fail, once more when Python ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _one_line(table: pd.DataFrame) -> pd.DataFrame:
    """Escape the texts of a table and its heads, so that a row is a line."""
    table = table.rename(columns=lambda name: escaped(str(name)))
    for i, (_, column) in enumerate(table.items()):
        if not pd.api.types.is_numeric_dtype(column):
            texts = [escaped(v) if isinstance(v, str) else v for v in column]
            table.isetitem(i, np.array(texts, dtype=object))
    return table


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all; a row is a line, whatever the names in it."""
    write_text(_one_line(table).to_csv(index=False), path)


def write_table(table: pd.DataFrame, folder: Path, name: str) -> None:
    """Write a table as <name>.csv, and as <name>.json, which MLflow's UI shows."""
    write_csv(table, folder / f"{name}.csv")
    write_text(table.to_json(orient="split", index=False), folder / f"{name}.json")


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder, path.name)
        figure.savefig(whole, dpi=110)
        whole.replace(path)


def write_text(text: str, path: Path) -> None:
    """Write a text whole or not at all; what is not UTF-8 is escaped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder, path.name)
        whole.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
        whole.replace(path)
