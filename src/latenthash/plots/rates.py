"""Bars of the rates under edits, with their intervals."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from latenthash.plots.style import Interval


def edit_bars(rates: Mapping[str, Interval], known: float) -> Figure:
    """Draw the TPR under each unseen edit, with 95 % intervals, beside that of the known edits.

    Args:
        rates: edit -> TPR with its interval.
        known: TPR under the known edits.
    """
    figure = Figure(figsize=(9, 0.42 * len(rates) + 1.8), layout="constrained")
    axes = figure.add_subplot()
    names = sorted(rates, key=lambda name: rates[name][0])
    values, low, high = np.array([rates[name] for name in names]).reshape(-1, 3).T
    error = np.clip([values - low, high - values], 0, None)
    axes.barh(names, values, xerr=error, color="tab:red", alpha=0.7)
    for y, value in enumerate(values):
        axes.text(1.03, y, f"{value:.2f}", va="center")
    axes.axvline(known, color="black", ls="--", label=f"known edits: {known:.2f}")
    axes.set(
        xlim=(0, 1.12), xlabel="share of the Signal's views within R (TPR)",
        title="Edits that training did not see, each on top of the known ones",
    )  # fmt: skip
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower right")
    return figure
