"""Figure of two pictures' codes: what the network saw, the bits that differ, and the limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.style import short

COLUMNS = 16  # of the map of bits
CHANCE = 0.5  # of the bits differ between two pictures that have nothing in common


@dataclass(frozen=True)
class CodePair:
    """Two pictures and what is known of their codes.

    Attributes:
        names: of the pictures.
        views: (side, side, 3) of each, as the network sees it.
        differing: (B,) whether each bit differs; None where a picture has no code of its own.
        limits: false-positive rate -> most bits in which two codes of one picture differ.
        verdict: in words.
    """

    names: tuple[str, str]
    views: Sequence[NDArray[np.uint8]]
    differing: NDArray[np.bool_] | None
    limits: Mapping[float, int]
    verdict: str


def code_pair(pair: CodePair) -> Figure:
    """Draw why two pictures are taken for one, or are not."""
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    panels = figure.subplot_mosaic(
        [["first", "second", "bits"], ["scale"] * 3], height_ratios=[3, 1]
    )
    for key, name, view in zip(("first", "second"), pair.names, pair.views, strict=True):
        panels[key].imshow(view)
        panels[key].set_axis_off()
        panels[key].set_title(
            f"{short(name)}\nas the network sees it", fontsize=9, parse_math=False
        )
    if pair.differing is None:
        panels["bits"].set_axis_off()
        panels["scale"].set_axis_off()
    else:
        _draw_bits(panels["bits"], pair.differing)
        _draw_scale(panels["scale"], int(pair.differing.sum()), len(pair.differing), pair.limits)
    figure.suptitle(pair.verdict, fontsize=13, parse_math=False)
    return figure


def _draw_bits(axes: Axes, differing: NDArray[np.bool_]) -> None:
    """Draw a square for each bit, row by row; the last row may be longer than its bits."""
    rows = -(-len(differing) // COLUMNS)
    shown = np.zeros(rows * COLUMNS)
    shown[: len(differing)] = differing
    colours = ListedColormap(["0.93", "tab:red"])
    axes.pcolormesh(
        shown.reshape(rows, COLUMNS), cmap=colours, vmin=0, vmax=1, edgecolors="white", lw=1
    )
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title("red: bits that differ", fontsize=9)


def _draw_scale(axes: Axes, distance: int, bits: int, limits: Mapping[float, int]) -> None:
    """Draw how many bits differ, among the limits of each rate and what chance gives."""
    marks = {limit: f"limit {limit}\nFPR {fpr:g}" for fpr, limit in limits.items()}
    marks[int(CHANCE * bits)] = f"{int(CHANCE * bits)}\nnothing in common"
    axes.axhline(0, color="0.7", lw=1, zorder=0)
    for at, text in marks.items():
        axes.plot([at, at], [-0.25, 0.25], color="black", lw=1.2)
        axes.annotate(text, (at, -0.3), fontsize=8, ha="center", va="top")
    axes.plot(distance, 0, "*", color="gold", mec="black", ms=17)
    axes.annotate(f"these two\n{distance}", (distance, 0.35), fontsize=9, ha="center")
    axes.set(xlim=(0, max(bits * 0.7, distance)), ylim=(-1.2, 1.1), xlabel="bits that differ")
    axes.yaxis.set_visible(False)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
