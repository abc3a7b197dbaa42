"""Tables: how figures and latents are laid out, shown, and written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from latenthash import plots
from latenthash.bootstrap import Measure
from latenthash.hashing import Hash, LatentSet

# Columns whose text says in words what they say; files keep them, the terminal has no room.
DETAILS = ["value", "low", "high", "trials"]
CENTROID = "centroid"  # its row in a table of latents
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
    return {
        row["metric"]: Measure(
            row["metric"],
            row["value"],
            row["low"],
            row["high"],
            None if pd.isna(row["trials"]) else int(row["trials"]),
        )
        for row in table.to_dict("records")
    }


def latents_table(sets: Mapping[str, LatentSet], hash_: Hash, plane: plots.Plane) -> pd.DataFrame:
    """Lay out where latents and centroid lie in the plane in which they are drawn, a row each."""
    k = len(hash_.centroid)
    sets = {
        **sets,
        CENTROID: LatentSet(hash_.centroid[None], np.zeros(1, dtype=np.int64)),
        AXES: LatentSet(np.eye(k), np.arange(k)),
    }
    return pd.concat(
        pd.DataFrame(plane.project(rows.z), columns=["x", "y"]).assign(
            set=role, picture=rows.picture, radius=hash_.radius
        )
        for role, rows in sets.items()
    )


def show(table: pd.DataFrame, title: str) -> None:
    """Write a table to the terminal; names that are not UTF-8 are escaped."""
    table = table.drop(columns=DETAILS, errors="ignore")
    view = Table(title=title)
    for column in table.columns:
        view.add_column(str(column), overflow="fold")
    for row in table.itertuples(index=False):
        view.add_row(*(_cell(value) for value in row))
    # Brackets in names and intervals are no markup, in the title neither.
    Console(markup=False, emoji=False).print(view)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).encode(errors="backslashreplace").decode()


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all; names that are not UTF-8 are escaped."""
    write_text(table.to_csv(index=False), path)


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
