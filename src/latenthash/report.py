"""Tables: of one run's figures, of a sweep's runs, and of the verdicts on pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from latenthash import plots
from latenthash.bootstrap import Measure

# Columns whose text says in words what they say; files keep them, the terminal has no room.
DETAILS = ["value", "low", "high", "trials"]
HEADLINES = ("test/tpr", "test/fpr_noise_edited", "test/fpr_noise_similar", "test/fpr_unseen")


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


@dataclass(frozen=True)
class Row:
    """A run of a sweep, as a row of its comparison.

    Attributes:
        name: of the run.
        status: of the run, as MLflow has it.
        params: parameter -> value.
        figures: name -> held-out figure; empty when the run has none.
    """

    name: str
    status: str
    params: Mapping[str, str]
    figures: Mapping[str, Measure]


def comparison_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Lay out the runs of a sweep: status, the parameters that differ, and all figures."""
    names = dict.fromkeys([*HEADLINES, *(name for row in rows for name in row.figures)])
    differing = _differing(rows)
    return pd.DataFrame(
        [
            {"run": row.name, "status": row.status}
            | {key: row.params.get(key, "") for key in differing}
            | {name: row.figures[name].text if name in row.figures else "" for name in names}
            for row in rows
        ],
        columns=["run", "status", *differing, *names],
    )


def comparison_figure(rows: Sequence[Row]) -> Figure:
    """Draw the headline figures of the runs of a sweep side by side."""
    labels = [row.name for row in rows]
    if len(set(labels)) < len(labels):  # the name does not tell these runs apart
        differing = _differing(rows)
        labels = [
            " ".join([row.name, *(f"{key}={row.params.get(key, '')}" for key in differing)])
            for row in rows
        ]
    labels = [
        label if row.figures else f"{label} ({row.status})"
        for label, row in zip(labels, rows, strict=True)
    ]
    figures = [row.figures for row in rows]
    return plots.comparison(list(zip(labels, figures, strict=True)), HEADLINES)


def _differing(rows: Sequence[Row]) -> list[str]:
    """Name the parameters that are not the same in all runs."""
    keys = dict.fromkeys(key for row in rows for key in row.params)
    return [key for key in keys if len({row.params.get(key) for row in rows}) > 1]


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
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder, path.name)
        table.to_csv(whole, index=False, encoding="utf-8", errors="backslashreplace")
        whole.replace(path)
