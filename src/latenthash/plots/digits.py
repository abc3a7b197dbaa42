"""Scatter plot of a latent space of digits."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.plane import Plane
from latenthash.plots.style import Points, drawn


def digit_scatter(z: Points, labels: NDArray[np.int64], plane: Plane, title: str) -> Figure:
    """Draw latents z (N, k) coloured by digit.

    Args:
        z: (N, k).
        labels: (N,) digits.
        plane: where to draw.
        title: of the figure.
    """
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.add_subplot()
    for digit in np.unique(labels):
        x, y = plane.project(z[labels == digit]).T
        axes.scatter(
            x, y, s=8, color=colormaps["tab10"](int(digit)), alpha=0.5, lw=0, label=str(digit)
        )
        # The digit itself stands in the middle of its cloud: ten colours are hard to tell apart.
        axes.annotate(
            str(digit), (np.median(x), np.median(y)), ha="center", va="center", weight="bold",
            bbox={"boxstyle": "circle", "fc": "white", "alpha": 0.8, "lw": 0.5},
        )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    x_label, y_label = plane.axes_labels()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.set_title(drawn(title), parse_math=False)  # a dollar in a file's name is no formula
    axes.grid(alpha=0.3)
    legend = figure.legend(loc="outside right upper", title="digit", markerscale=2)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    return figure
