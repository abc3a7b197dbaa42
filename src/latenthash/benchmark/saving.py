"""Keeping what a benchmark found: CSV files, the offline page, and MLflow."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from latenthash.benchmark.judging import Judgement
from latenthash.benchmark.leaderboard import named_rates
from latenthash.benchmark.page import Part, page
from latenthash.report.markdown import literal, markdown
from latenthash.tracking.names import BENCHMARK, KIND, RUN_NAME
from latenthash.tracking.recording import Recorder
from latenthash.tracking.store import Store

log = logging.getLogger(__name__)

NOTES = {
    "Leaderboard": (
        "Thresholds are set on one half of the pictures and every figure is of the other half. "
        "Brackets are 95 % bootstrap intervals over pictures. Those of a TPR and of differences "
        "draw both halves, and each draw sets its threshold anew; others are of the threshold in "
        "use. A TPR with * is at a rate too small for the number of pairs of pictures that set its "
        "threshold, and its interval says too little. Codes are ranked, and compared with the best "
        "draw by draw, at the rate named in the last column. Milliseconds are "
        "from a decoded picture to its code, one picture at a time on one core. A code with no "
        "figures says why."
    ),
    "How far codes hold": (
        "The strength at which fewer than half of the views match; 'all': never, '-': at once."
    ),
    "Hard negatives": (
        "Pairs of different pictures that are called the same at the threshold for random pairs, "
        "which the intervals hold fixed. "
        "Groups of your own may hold pictures of both halves; their pairs are not among the "
        "random ones."
    ),
}


@dataclass(frozen=True)
class Report:
    """What is kept of a benchmark.

    Attributes:
        title: of page and run.
        parts: heading -> table, figure, or why there is neither.
        notes: heading of a part -> how to read it.
        figures: every rate, for other programs.
        metrics: of the run.
        params: of the run: what was judged, and how.
        config: resolved, YAML.
    """

    title: str
    parts: Mapping[str, Part]
    notes: Mapping[str, str]
    figures: pd.DataFrame
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    config: str


def keep(report: Report, folder: Path, store: Store) -> Recorder:
    """Write a report to a folder, and return the run that logs it when it is finished.

    Args:
        report: what is kept.
        folder: for the page and a CSV file of each table.
        store: where the run is made.
    """
    run = Recorder(store, folder, {KIND: BENCHMARK, RUN_NAME: f"benchmark {report.title}"})
    run.begin(live=False)
    parts = report.parts
    tables = {_slug(name): part for name, part in parts.items() if isinstance(part, pd.DataFrame)}
    for name, table in (tables | {"figures": report.figures}).items():
        run.log_table(table, name)
    run.log_text(page(report.title, report.notes, parts), "benchmark.html")
    run.log_params(report.params)
    board = parts["Leaderboard"]
    if isinstance(board, pd.DataFrame):
        run.add_note(markdown(board[list(board.columns[:4])]))
        run.add_note(f"{literal(report.title)}. The page benchmark.html is among the artifacts.")
    run.log_text(report.config, "config.yaml")
    for name, part in parts.items():
        if isinstance(part, Figure):
            run.log_figure(part, _slug(name))
    run.log_metrics(report.metrics)
    log.info("Tables and the page benchmark.html are in %s", folder)
    return run


def metrics(judgements: Sequence[Judgement]) -> dict[str, float]:
    """Name the figures of each code as the protocol does."""
    values: dict[str, float] = {}
    for judgement in judgements:
        prefix = f"benchmark/{judgement.code.name}"
        values |= {f"{prefix}/{name}": rate.value for name, rate in named_rates(judgement)}
        values[f"{prefix}/bytes"] = float(judgement.code.size)
        if judgement.milliseconds is not None:
            values[f"{prefix}/ms_per_picture"] = judgement.milliseconds
    return values


def _slug(name: str) -> str:
    return name.lower().replace(" ", "_")
