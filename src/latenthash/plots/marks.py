"""Pictures of a watermark's benchmark: what marking changes, and what verdicts come to."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.style import short

GREY = 127  # of no difference


def marked_pictures(
    rows: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]], times: int, title: str
) -> Figure:
    """Draw originals, the same with their marks, and the difference, many times as strong.

    Args:
        rows: name, original and marked picture, (H, W, 3) each.
        times: by which differences are multiplied.
        title: of the figure.
    """
    figure = Figure(figsize=(9.5, 2.6 * len(rows) + 0.7), layout="constrained")
    grid = figure.subplots(len(rows), 3, squeeze=False)
    heads = ("original", "marked", f"difference x {times}")
    for axes, (name, original, marked) in zip(grid, rows, strict=True):
        change = GREY + times * (marked.astype(np.int32) - original)
        shown = (original, marked, np.clip(change, 0, 255).astype(np.uint8))
        for one, pixels, head in zip(axes, shown, heads, strict=True):
            one.imshow(pixels)
            one.set_axis_off()
            one.set_title(head if head != "original" else short(name), fontsize=8, parse_math=False)
    figure.suptitle(title)
    return figure


def verdict_matrix(
    done: Sequence[str], statuses: Sequence[str], counts: NDArray[np.int64], title: str
) -> Figure:
    """Draw how often each status was given after what was done to pictures.

    Args:
        done: R families of edits, attacks and the like.
        statuses: S.
        counts: (R, S).
        title: of the figure.
    """
    figure = Figure(
        figsize=(0.85 * len(statuses) + 3.5, 0.26 * len(done) + 1.8), layout="constrained"
    )
    axes = figure.add_subplot(title=title)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = share[row, column] > 0.5
            colour = "white" if dark else "black"
            axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(statuses)), statuses, rotation=40, ha="right")
    axes.set_yticks(range(len(done)), done)
    axes.tick_params(labelsize=8)
    return figure
