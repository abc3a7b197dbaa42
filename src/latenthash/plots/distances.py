"""Histograms of distances to the centroid, and of similarities of pairs."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.style import COLOURS, LABELS

WIDTH = 0.025  # of a bin of similarities


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
    genuine: NDArray[np.float32],
    impostors: NDArray[np.float32],
    fpr: float,
    code: str,
    bits: int | None,
) -> Figure:
    """Draw the similarities of pairs of one picture and of two, with the threshold as a line.

    Args:
        genuine: (G,) similarities of views to their own pictures, in [-1, 1].
        impostors: (I,) to other pictures.
        fpr: at most this share of the impostor pairs is above the threshold.
        code: its name.
        bits: of the code, whose similarities are 1 - 2 h / bits; None for floats.
    """
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.add_subplot()
    last = len(impostors) - 1 - int(fpr * len(impostors))
    threshold = float(np.partition(impostors, last)[last])
    # A bin holds as many values as any other, or a smooth histogram would look like a comb.
    step = 2 / bits if bits else 0.0
    width = step * max(1, round(WIDTH / step)) if step else WIDTH
    least = min(float(genuine.min()), float(impostors.min()), -0.5)
    count = math.ceil((1 - least) / width) + 1
    bins = (1 + step / 2 - width * np.arange(count + 1)[::-1]).tolist()
    pairs = (
        (impostors, "tab:gray", f"two pictures: {(impostors > threshold).mean():.2%} above"),
        (genuine, "tab:red", f"one picture, edited: {(genuine > threshold).mean():.1%} above"),
    )
    for values, colour, label in pairs:
        weights = np.full(len(values), 1 / len(values))
        inside = values.clip(bins[0], bins[-1])  # of unit vectors, rounding leaves more than 1
        axes.hist(inside, bins, weights=weights, color=colour, alpha=0.25)
        axes.hist(inside, bins, weights=weights, color=colour, histtype="step", lw=1.8, label=label)
    axes.axvline(threshold, color="black", lw=2, label=f"threshold of FPR {fpr:g}")
    axes.set(
        xlabel="similarity", ylabel="share of the pairs",
        title=f"Held-out pictures under heavy edits, by {code}",
    )  # fmt: skip
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
