"""Pictures of a benchmark: heat map of edits, curves over strength, nearest impostors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.style import drawn

COLUMNS = 4  # panels of curves a row
CODES_FROM = 4  # first column of codes in a table of edits


def edit_heatmap(table: pd.DataFrame, title: str, label: str = "TPR") -> Figure:
    """Draw the TPR of every code under every edit, or other shares.

    Args:
        table: edit, family, strength, unit, and a column of shares for each code.
        title: of the figure.
        label: what the shares are.
    """
    codes = list(table.columns[CODES_FROM:])
    values = table[codes].to_numpy(float)
    figure = Figure(
        figsize=(0.75 * len(codes) + 3.5, 0.24 * len(table) + 2.2), layout="constrained"
    )
    axes = figure.add_subplot(title=title)
    image = axes.imshow(values, cmap="RdYlGn", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7)
    axes.set_xticks(range(len(codes)), codes, rotation=40, ha="right")
    axes.set_yticks(range(len(table)), table["edit"])
    axes.tick_params(labelsize=8)
    # A line wherever a family ends.
    ends = np.flatnonzero(table["family"].to_numpy()[1:] != table["family"].to_numpy()[:-1])
    for end in ends:
        axes.axhline(end + 0.5, color="black", lw=0.6)
    figure.colorbar(image, ax=axes, label=label, shrink=0.5)
    return figure


def strength_curves(table: pd.DataFrame, title: str) -> Figure:
    """Draw TPR over strength, a panel for each family that has several strengths.

    Args:
        table: edit, family, strength, unit, and a column of TPR for each code; with such a family.
        title: of the figure.
    """
    scaled = table[table["strength"].notna()]
    families = [(f, part) for f, part in scaled.groupby("family", sort=False) if len(part) > 1]
    rows = -(-len(families) // COLUMNS)
    figure = Figure(figsize=(4 * COLUMNS, 3.1 * rows + 1), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True).ravel()
    for axes, (family, part) in zip(grid, families, strict=False):
        for number, code in enumerate(table.columns[CODES_FROM:]):
            axes.plot(
                part["strength"].to_numpy(float), part[code].to_numpy(float),
                marker="o", ms=4, lw=1.2, color=f"C{number % 10}",
                ls="-" if number < 10 else "--", label=code,
            )  # fmt: skip
        axes.axhline(0.5, color="grey", lw=0.8, ls=":")
        unit = part["unit"].iloc[0] or "strength"
        axes.set(title=str(family), ylim=(-0.03, 1.03), xlabel=unit)
    for axes in grid[len(families) :]:
        axes.set_axis_off()
    grid[0].set_ylabel("TPR")
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.suptitle(title)
    return figure


def picture_pairs(
    pairs: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]], title: str
) -> Figure:
    """Draw the pairs of different pictures that a code holds to be most alike.

    Args:
        pairs: what to say of a pair, the query and the reference, (H, W, 3) each.
        title: of the figure.
    """
    figure = Figure(figsize=(2.3 * len(pairs) + 0.5, 5.4), layout="constrained")
    grid = figure.subplots(2, len(pairs), squeeze=False)
    for column, (label, query, reference) in enumerate(pairs):
        for axes, pixels in zip(grid[:, column], (query, reference), strict=True):
            axes.imshow(pixels)
            axes.set_axis_off()
        grid[0, column].set_title(drawn(label), fontsize=7, parse_math=False)
    figure.suptitle(title)
    return figure
