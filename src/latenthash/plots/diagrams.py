"""Persistence diagrams side by side."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.style import LABELS


def persistence_diagrams(
    diagrams: Mapping[str, NDArray[np.float64]], labels: tuple[str, str]
) -> Figure:
    """Draw persistence diagrams side by side, on the same axes.

    Args:
        diagrams: role -> (n, 4) of one picture: channel, dimension, birth, death.
        labels: of the axes: birth and death, with their unit.
    """
    figure = Figure(figsize=(5 * len(diagrams) + 0.7, 5.4), layout="compressed")
    panels = figure.subplots(1, len(diagrams), sharex=True, sharey=True, squeeze=False)[0]
    ends = np.concatenate([points[:, 2:].ravel() for points in diagrams.values()])
    low, high = (ends.min(), ends.max()) if ends.size else (0.0, 1.0)
    pad = 0.03 * (high - low) or 0.5
    limits = (low - pad, high + pad)
    for axes, (role, points) in zip(panels, diagrams.items(), strict=True):
        axes.plot(limits, limits, color="black", lw=1, label="diagonal: no lifetime")
        for dimension, name, colour, marker in (
            (0, "H0: separate parts", "tab:orange", "o"),
            (1, "H1: rings", "tab:purple", "^"),
        ):
            _, _, birth, death = points[points[:, 1] == dimension].T
            axes.scatter(birth, death, s=14, c=colour, marker=marker, alpha=0.5, linewidths=0,
                         label=name)  # fmt: skip
        counts = [int((points[:, 1] == dimension).sum()) for dimension in (0, 1)]
        axes.set(xlim=limits, ylim=limits, xlabel=labels[0],
                 title=f"{LABELS[role]}: {counts[0]} in H0, {counts[1]} in H1")  # fmt: skip
        axes.set_aspect("equal")
        axes.grid(alpha=0.3)
        # Nothing dies before it is born: the lower right is empty.
        axes.legend(loc="lower right")
    panels[0].set_ylabel(labels[1])
    return figure
