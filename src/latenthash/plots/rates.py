"""Pictures of rates with their intervals: one run's edits, several runs side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from latenthash.metrics.bootstrap import Measure


def edit_bars(edits: Sequence[Measure], tpr: Measure) -> Figure:
    """Draw the TPR under each unseen edit, with 95 % intervals, beside that of the known edits.

    Args:
        edits: figures named edits/<edit>.
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
