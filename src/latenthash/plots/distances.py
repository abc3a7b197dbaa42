"""Histogram of distances to the centroid."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.style import COLOURS, LABELS


def distance_histogram(distances: Mapping[str, NDArray[np.float64]], radius: float) -> Figure:
    """Draw the distances to the centroid, in units of R, with R as a line.

    Args:
        distances: role -> (N,) distances.
        radius: R.
    """
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.add_subplot()
    scaled = {role: d / radius for role, d in distances.items()}
    values = np.concatenate(list(scaled.values()))
    # A log axis shows what happens near R and far from it; zero has no place on it.
    low = max(values.min(), 1e-2)
    bins = np.geomspace(min(low, 0.5), max(values.max(), 2.0), 45).tolist()
    for role, d in scaled.items():
        share = float((d <= 1).mean())
        axes.hist(
            d.clip(bins[0], bins[-1]), bins,
            weights=np.full(len(d), 1 / len(d)), color=COLOURS[role], alpha=0.25,
        )  # fmt: skip
        axes.hist(
            d.clip(bins[0], bins[-1]), bins, weights=np.full(len(d), 1 / len(d)),
            color=COLOURS[role], histtype="step", lw=1.8,
            label=f"{LABELS[role]}: {share:.1%} within R",
        )  # fmt: skip
    axes.axvline(1, color="black", lw=2, label="R")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(
        xlabel="distance to the centroid / R", ylabel="share of the set's test views",
        title="Distances of test views",
    )  # fmt: skip
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
