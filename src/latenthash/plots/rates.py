"""Pictures of rates with their intervals: one run's edits, several runs side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latenthash.bootstrap import Measure


def edit_bars(edits: Sequence[Measure], tpr: Measure) -> Figure:
    """Draw the TPR under each unseen edit, with 95 % intervals, beside that of the known edits.

    Args:
        edits: figures named edits/<edit>/tpr.
        tpr: the figure test/tpr.
    """
    figure = Figure(figsize=(9, 0.42 * len(edits) + 1.8), layout="constrained")
    axes = figure.add_subplot()
    ordered = sorted(edits, key=lambda measure: measure.value)
    names = [measure.name.split("/")[1] for measure in ordered]
    values = np.array([measure.value for measure in ordered])
    low = values - [measure.low for measure in ordered]
    high = [measure.high for measure in ordered] - values
    axes.barh(names, values, xerr=np.clip([low, high], 0, None), color="tab:red", alpha=0.7)
    for y, value in enumerate(values):
        axes.text(1.03, y, f"{value:.2f}", va="center")
    axes.axvline(tpr.value, color="black", ls="--", label=f"known edits: {tpr.value:.2f}")
    axes.set(
        xlim=(0, 1.12), xlabel="share of the Signal's views within R (TPR)",
        title="Edits that training did not see, each on top of the known ones",
    )  # fmt: skip
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower right")
    return figure


def comparison(rows: Sequence[tuple[str, Mapping[str, Measure]]], names: Sequence[str]) -> Figure:
    """Draw figures of several runs side by side, with 95 % intervals.

    Args:
        rows: label of the run, and its figures by name.
        names: the figures to draw, a panel each.
    """
    figure = Figure(figsize=(3.2 * len(names) + 2, 0.4 * len(rows) + 1.8), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        for y, (_, figures) in enumerate(rows):
            if name in figures:
                _interval(axes, y, figures[name])
        axes.set(xlim=(-0.05, 1.05), title=name)
        axes.grid(axis="x", alpha=0.3)
    # A dollar in a run's name is no formula.
    panels[0].set_yticks(range(len(rows)), [label for label, _ in rows], parse_math=False)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    return figure


def _interval(axes: Axes, y: int, measure: Measure) -> None:
    error = np.clip([[measure.value - measure.low], [measure.high - measure.value]], 0, None)
    axes.errorbar(measure.value, y, xerr=error, fmt="o", color="tab:red", capsize=3)
