"""Figure of a verdict on a marked picture: what was compared, and what was read."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.style import drawn, short

BITS = 256  # of a code
MOST_LINES, WIDTH = 12, 62  # of a text panel, and letters of a line
GOOD, BAD = "tab:green", "tab:red"


@dataclass(frozen=True)
class Case:
    """What is known of one picture.

    Attributes:
        name: of the picture.
        status: the verdict in one word.
        sentence: and in a sentence.
        picture: (H, W, 3).
        original: (H, W, 3) the registered original, laid on the picture, white where it shows
            nothing; as it is where it cannot be laid on it; None where there is none.
        difference: (H, W) of both, in grey levels, 0 where only one of them shows anything; None
            where the one cannot be laid on the other.
        reliability: (127,) of the bits of the mark, above 0 where one agrees with the id; None
            where no id is known.
        distance: bits in which the codes of both differ; None where they are not compared.
        limits: false-positive rate -> most bits in which codes of one picture differ.
        conflicts: a line each.
        lineage: a line each.
    """

    name: str
    status: str
    sentence: str
    picture: NDArray[np.uint8]
    original: NDArray[np.uint8] | None
    difference: NDArray[np.float64] | None
    reliability: NDArray[np.float64] | None
    distance: int | None
    limits: Mapping[float, int]
    conflicts: Sequence[str]
    lineage: Sequence[str]


def verdict(case: Case) -> Figure:
    """Draw why a marked picture has its verdict."""
    figure = Figure(figsize=(16, 9.5), layout="constrained")
    panels = figure.subplot_mosaic(
        [["picture", "original", "difference"], ["bits", "distance", "words"]],
        height_ratios=[1.35, 1],
    )
    _image(panels["picture"], case.picture, "the picture")
    laid = ", laid on it" if case.difference is not None else ": it could not be laid on it"
    what = "no registered original" if case.original is None else f"the registered original{laid}"
    _image(panels["original"], case.original, what)
    _difference(figure, panels["difference"], case.difference)
    _bits(panels["bits"], case.reliability)
    _distance(panels["distance"], case.distance, case.limits)
    _words(panels["words"], case)
    title = f"{short(case.name)}: {case.status}" if case.name else case.status
    figure.suptitle(f"{title}\n{_wrapped(case.sentence, 150, 3)}", fontsize=13, parse_math=False)
    return figure


def _image(axes: Axes, pixels: NDArray[np.uint8] | None, title: str) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_axis_off()
    if pixels is None:
        _nothing(axes, "nothing to show")
    else:
        axes.imshow(pixels)


def _difference(figure: Figure, axes: Axes, difference: NDArray[np.float64] | None) -> None:
    axes.set_title("where they differ", fontsize=11)
    axes.set_axis_off()
    if difference is None:
        _nothing(axes, "nothing to compare")
        return
    image = axes.imshow(difference, cmap="magma", vmin=0, vmax=max(40.0, float(difference.max())))
    figure.colorbar(image, ax=axes, label="grey levels", shrink=0.75)


def _bits(axes: Axes, reliability: NDArray[np.float64] | None) -> None:
    axes.set_title("the mark's bits", fontsize=11)
    if reliability is None:
        axes.set_axis_off()
        _nothing(axes, "no mark was read")
        return
    right = int((reliability > 0).sum())
    colours = [GOOD if value > 0 else BAD for value in reliability]
    axes.bar(np.arange(len(reliability)), reliability, width=1.0, color=colours)
    axes.axhline(0, color="black", lw=0.8)
    axes.set(
        xlabel=f"bit: {right} of {len(reliability)} agree with the id, above the line",
        ylabel="how surely it was read",
    )


def _distance(axes: Axes, distance: int | None, limits: Mapping[float, int]) -> None:
    axes.set_title("the codes of picture and original", fontsize=11)
    axes.set(xlim=(0, BITS), ylim=(0, 1), xlabel=f"differing bits of {BITS}")
    axes.set_yticks([])
    for i, (rate, limit) in enumerate(sorted(limits.items())):
        axes.axvline(limit, color="0.4", ls="--", lw=1)
        height = 0.95 - 0.1 * i
        axes.text(limit + 2, height, f"{limit}: one stranger in {1 / rate:,.0f}", fontsize=9)
    chance = BITS / 2
    axes.axvline(chance, color="0.7", lw=6, alpha=0.4)
    axes.text(chance + 5, 0.45, "strangers", fontsize=9, color="0.4")
    if distance is None:
        axes.text(chance, 0.2, "not compared", ha="center", fontsize=11)
        return
    axes.plot(distance, 0.2, "*", color="gold", mec="black", ms=17)
    axes.text(distance, 0.27, f"{distance}", ha="center", fontsize=11)


def _words(axes: Axes, case: Case) -> None:
    axes.set_axis_off()
    conflicts = case.conflicts or ["none"]
    lines = ["conflicts:", *conflicts, "", "lineage:", *(case.lineage or ["none is known"])]
    wrapped = "\n".join(_wrapped(line, WIDTH, 3) for line in lines).split("\n")
    if len(wrapped) > 2 * MOST_LINES:
        wrapped = [*wrapped[: 2 * MOST_LINES], "..."]
    axes.text(
        0, 1, drawn("\n".join(wrapped)), va="top", fontsize=9, family="monospace", parse_math=False
    )


def _nothing(axes: Axes, words: str) -> None:
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, color="0.4")


def _wrapped(text: str, width: int, most: int) -> str:
    """Break a text into lines of at most so many letters, at spaces where there are any."""
    lines = textwrap.wrap(drawn(text), width, subsequent_indent="  ", max_lines=most)
    return "\n".join(lines)
