"""Histograms of distances to the centroid, and of similarities of pairs."""

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


def similarity_histogram(
    genuine: NDArray[np.float32], impostors: NDArray[np.float32], fpr: float, code: str
) -> Figure:
    """Draw the similarities of pairs of one picture and of two, with the threshold as a line.

    Args:
        genuine: (G,) similarities of views to their own pictures, in [-1, 1].
        impostors: (I,) to other pictures.
        fpr: share of the impostor pairs above the threshold.
        code: its name.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    threshold = float(np.quantile(impostors, 1 - fpr))
    bins = np.linspace(min(impostors.min(), -0.5), 1, 61).tolist()
    pairs = (
        (impostors, "tab:gray", f"two pictures: {(impostors > threshold).mean():.2%} above"),
        (genuine, "tab:red", f"one picture, edited: {(genuine > threshold).mean():.1%} above"),
    )
    for values, colour, label in pairs:
        axes.hist(
            values, bins, weights=np.full(len(values), 1 / len(values)),
            color=colour, alpha=0.5, label=label,
        )  # fmt: skip
    axes.axvline(threshold, color="black", lw=2, label=f"threshold of FPR {fpr:g}")
    axes.set(
        xlabel="similarity", ylabel="share of the pairs",
        title=f"Held-out pictures under heavy edits, by {code}",
    )  # fmt: skip
    axes.legend()
    return figure
