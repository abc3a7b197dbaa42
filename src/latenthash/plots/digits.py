"""Pictures of a latent space of digits: scatter by digit, and map of the prior."""

from collections.abc import Callable

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from latenthash.hashing.enrolled import Latents
from latenthash.plots.latents import GRID, Plane, grid_canvas
from latenthash.plots.style import FloatImages, drawn

SPAN = (0.02, 0.98)  # share of the prior, along each axis, that the map shows


def digit_scatter(z: Latents, labels: NDArray[np.int64], plane: Plane, title: str) -> Figure:
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


def prior_map(decode: Callable[[Latents], FloatImages]) -> Figure:
    """Draw what the decoder makes of equal shares of the prior N(0, I) in 2 dimensions.

    Args:
        decode: z (N, 2) -> pictures (N, H, W, 3).
    """
    shares = np.linspace(*SPAN, GRID)
    x, y = np.meshgrid(norm.ppf(shares), norm.ppf(shares))
    canvas = grid_canvas(decode(np.column_stack([x.ravel(), y.ravel()])))
    figure = Figure(figsize=(8, 8.4), layout="constrained")
    axes = figure.add_subplot(title="Decoded map: what the decoder draws where")
    axes.imshow(canvas, extent=(0, GRID, 0, GRID))
    at = np.arange(0, GRID, 2)
    labels = [f"{norm.ppf(share):.2f}" for share in shares[at]]
    axes.set_xticks(at + 0.5, labels)
    axes.set_yticks(at + 0.5, labels)
    axes.set(xlabel="$z_0$ (quantiles of the prior)", ylabel="$z_1$ (quantiles of the prior)")
    return figure
