"""A sweep's runs side by side: tables and a figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash import plots
from latenthash.metrics.bootstrap import Measure
from latenthash.metrics.enrolled import EDITS
from latenthash.options.places import PATHS
from latenthash.report.markdown import markdown
from latenthash.report.tables import AXES, CENTROID_ROW, show
from latenthash.system.paths import shareable

COSTS = ("time/finetune_seconds", "time/fit_seconds", "time/ms_per_picture", "hash/bytes")
HEADLINES = ("test/tpr", "test/fpr_noise_edited", "test/fpr_noise_similar", "test/fpr_unseen")
SHORT = dict(zip(HEADLINES, ("TPR", "FPR edited", "FPR similar", "FPR unseen"), strict=True))
FEW = 4  # parameters that have room in a note
SUMMARISED = (*HEADLINES, "test/auroc_unseen")


@dataclass(frozen=True)
class Row:
    """A run of a sweep, as a row of its comparison.

    Attributes:
        name: of the run.
        status: of the run, as MLflow has it.
        params: parameter -> value.
        figures: name -> held-out figure; empty when the run has none.
        costs: name -> value of `COSTS`; empty when the run did not come so far.
        latents: what `latents_table` laid out; None when the run has none.
        centroid: (k,) of the hash; None when the run has none.
    """

    name: str
    status: str
    params: Mapping[str, str]
    figures: Mapping[str, Measure]
    costs: Mapping[str, float]
    latents: pd.DataFrame | None
    centroid: NDArray[np.float64] | None

    def shown(self, key: str) -> str:
        """Return a parameter as tables show it: a path without folders of the machine."""
        value = self.params.get(key, "")
        return str(shareable(Path(value))) if key in PATHS and value else value


def comparison_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Lay out the runs of a sweep: status, the parameters that differ, all figures, and costs."""
    names = dict.fromkeys([*HEADLINES, *(name for row in rows for name in row.figures)])
    differing = _differing(rows)
    return pd.DataFrame(
        [
            {"run": row.name, "status": row.status}
            | {key: row.shown(key) for key in differing}
            | {name: row.figures[name].text if name in row.figures else "" for name in names}
            | {name: f"{row.costs[name]:.4g}" if name in row.costs else "" for name in COSTS}
            for row in rows
        ],
        columns=["run", "status", *differing, *names, *COSTS],
    )


def summary_table(rows: Sequence[Row], pooled: str | None = None) -> pd.DataFrame:
    """Lay out what runs that differ in their seed alone have in common, a row for each group.

    Args:
        rows: the runs of a sweep.
        pooled: a parameter that makes no group of its own either: the Signal, where the sweep
            asks whether a hash can be had of any.

    Returns:
        Which runs, the parameters by which groups differ, how many runs, mean and worst of the
        figures, and the drift: the largest distance between the centroids of two runs of one
        Signal. Empty where no run has come so far.
    """
    labels = {id(row): label for row, label in zip(rows, _labels(rows), strict=True)}
    keys = [key for key in _differing(rows) if not _is_seed(key) and key != pooled]
    table = []
    for group in _grouped(rows, keys):
        first, last = labels[id(group[0])], labels[id(group[-1])]
        judged = [row.figures for row in group if row.figures]
        count = str(len(group))
        cells: dict[str, object] = {
            "group": first if len(group) == 1 else f"{first} ... {last}",
            **{key: group[0].shown(key) for key in keys},
            "runs": count if len(judged) == len(group) else f"{len(judged)} of {count}",
        }
        for name in SUMMARISED:
            values = [figures[name].value for figures in judged if name in figures]
            worst = max if "/fpr" in name else min
            cells[f"{name} mean"] = np.mean(values) if values else np.nan
            cells[f"{name} worst"] = worst(values, default=np.nan)
        edits = [
            figure.value
            for figures in judged
            for name, figure in figures.items()
            if name.startswith(EDITS)
        ]
        cells["edits mean"] = np.mean(edits) if edits else np.nan
        cells["edits worst"] = min(edits, default=np.nan)
        drifts = [_drift(same) for same in _grouped(group, [pooled] if pooled else [])]
        cells["drift"] = max((d for d in drifts if d is not None), default=np.nan)
        table.append(cells)
    figures = [f"{name} {what}" for name in (*SUMMARISED, "edits") for what in ("mean", "worst")]
    return pd.DataFrame(table, columns=["group", *keys, "runs", *figures, "drift"])


def sweep_note(rows: Sequence[Row], summary: pd.DataFrame) -> str:
    """Write the headline figures of a sweep as Markdown: of each run, and of each group of runs.

    Args:
        rows: the runs.
        summary: what `summary_table` laid out.
    """
    keys = _differing(rows)
    runs = pd.DataFrame(
        [
            {"run": label}
            | ({key: row.shown(key) for key in keys} if len(keys) <= FEW else {})
            | {
                short: f"{row.figures[name].value:.3g}" if name in row.figures else ""
                for name, short in SHORT.items()
            }
            for row, label in zip(rows, _labels(rows), strict=True)
        ]
    )
    if len(summary) == len(rows):
        return markdown(runs)
    groups = pd.DataFrame({"group": summary["group"], "runs": summary["runs"]})
    for name, short in SHORT.items():
        means, worst = summary[f"{name} mean"], summary[f"{name} worst"]
        groups[short] = [
            "" if np.isnan(m) else f"{m:.3g} ({w:.3g})" for m, w in zip(means, worst, strict=True)
        ]
    groups["drift"] = ["" if np.isnan(d) else f"{d:.3g}" for d in summary["drift"]]
    parts = [
        "Mean (and worst) of runs that belong together:",
        markdown(groups),
        "Each run:",
        markdown(runs),
    ]
    return "\n\n".join(parts)


def show_summary(table: pd.DataFrame) -> None:
    """Write what `summary_table` laid out to the terminal, a column for each group.

    The parameters stay in the file: there can be dozens.
    """
    columns = list(table.columns)
    turned = table.set_index("group")[columns[columns.index("runs") :]].T.astype(object)
    turned = turned.where(turned.notna(), "").rename_axis("figure").reset_index()
    show(turned, "Summary of the sweep")


def comparison_figure(rows: Sequence[Row]) -> Figure:
    """Draw the runs of a sweep side by side: scatter plots, and the headline figures below.

    Runs that differ in their seed alone share a scatter plot: that of the first, with the
    centroids of the others.
    """
    keys = [key for key in _differing(rows) if not _is_seed(key)]
    drawn = [row for row in rows if row.latents is not None]
    scatters = [_scatter(group) for group in _grouped(drawn, keys)]
    labels = _labels(rows)
    intervals = [{name: figure.interval for name, figure in row.figures.items()} for row in rows]
    return plots.comparison(scatters, list(zip(labels, intervals, strict=True)), HEADLINES)


def _scatter(group: Sequence[Row]) -> plots.Scatter:
    """Read the latents of the first run of a group, and where the others' centroids lie there."""
    latents = group[0].latents
    assert latents is not None
    points = {
        str(role): part[["x", "y"]].to_numpy(np.float64)
        for role, part in latents.groupby("set", sort=False)
    }
    axes = points.pop(AXES, None)  # None: a run of an older version
    others = [row.centroid for row in group[1:] if row.centroid is not None]
    return plots.Scatter(
        group[0].name,
        points,
        points.pop(CENTROID_ROW)[0],
        float(latents["radius"].iloc[0]),
        np.empty((0, 2)) if axes is None or not others else np.stack(others) @ axes,
        _drift(group),
    )


def _drift(rows: Sequence[Row]) -> float | None:
    """Return the largest distance between the centroids of two runs; None for fewer than two."""
    centroids = [row.centroid for row in rows if row.centroid is not None]
    if len(centroids) < 2:
        return None
    z = np.stack(centroids)
    return float(np.linalg.norm(z[:, None] - z, axis=2).max())


def _grouped(rows: Sequence[Row], keys: Sequence[str]) -> list[list[Row]]:
    """Put runs together whose parameters of these names are the same; the order is kept."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.params.get(key, "") for key in keys), []).append(row)
    return list(groups.values())


def _is_seed(key: str) -> bool:
    return key.split(".")[-1] == "seed"


def _labels(rows: Sequence[Row]) -> list[str]:
    """Name the runs so that they can be told apart, and say which did not finish."""
    labels = [row.name for row in rows]
    if len(set(labels)) < len(labels):  # the name does not tell these runs apart
        differing = _differing(rows)
        labels = [
            " ".join([row.name, *(f"{key}={row.shown(key)}" for key in differing)]) for row in rows
        ]
    return [
        label if row.figures else f"{label} ({row.status})"
        for label, row in zip(labels, rows, strict=True)
    ]


def _differing(rows: Sequence[Row]) -> list[str]:
    """Name the parameters that are not the same in all runs."""
    keys = dict.fromkeys(key for row in rows for key in row.params)
    return [key for key in keys if len({row.params.get(key) for row in rows}) > 1]
