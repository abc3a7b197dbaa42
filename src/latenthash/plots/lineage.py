"""Figure of a lineage: a box for each picture, roots at the top, an arrow from parent to child."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray

from latenthash.plots.style import drawn

BOX, LEVEL = 2.6, 2.4  # inches: width of a box with its room, height of a level
PICTURE = 1.0  # inches: longer side of a picture
PIXELS = 72.0  # a inch of an OffsetImage
BELOW, ABOVE, HALF = 0.34, 0.38, 0.15  # levels: how far a box with a picture reaches, and without
MOST_LEVELS, MOST_WIDE = 40, 16  # that are drawn: a figure has an end


@dataclass(frozen=True)
class Member:
    """A picture of a lineage.

    Attributes:
        lines: what is written below it, short.
        depth: its level from the top, from 0.
        parents: places in the list of members, and what is written on the arrow from each.
        picture: (H, W, 3) uint8; None where there is none.
        colour: of its frame.
    """

    lines: Sequence[str]
    depth: int
    parents: Sequence[tuple[int, str]]
    picture: NDArray[np.uint8] | None = None
    colour: str = "0.6"


def lineage_tree(members: Sequence[Member], title: str) -> Figure:
    """Draw pictures and what they were made of.

    Args:
        members: parents before their children.
        title: of the figure.
    """
    levels = [
        [i for i, member in enumerate(members) if member.depth == depth][:MOST_WIDE]
        for depth in range(min(1 + max((m.depth for m in members), default=0), MOST_LEVELS))
    ]
    places = _places(members, levels)
    wide = max(map(len, levels))
    figure = Figure(figsize=(max(BOX * wide, 5.0), LEVEL * len(levels) + 0.6), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, wide), ylim=(len(levels), 0))
    axes.set_axis_off()
    for i, place in places.items():
        _box(axes, members[i], place)
        for parent, words in members[i].parents:
            if parent in places:
                (x, y), (to_x, to_y) = places[parent], place
                below = BELOW if members[parent].picture is not None else HALF
                above = ABOVE if members[i].picture is not None else HALF
                _arrow(axes, (x, y + below), (to_x, to_y - above), words)
    left_out = len(members) - len(places)
    more = f"\n{left_out:,} more are left out" if left_out else ""
    figure.suptitle(drawn(title) + more, fontsize=12, parse_math=False)
    return figure


def _places(
    members: Sequence[Member], levels: Sequence[Sequence[int]]
) -> dict[int, tuple[float, float]]:
    """Put each level in a row; children stand below their parents, so that few arrows cross."""
    wide = max(map(len, levels))
    places: dict[int, tuple[float, float]] = {}
    for depth, level in enumerate(levels):
        above = {
            i: [places[parent][0] for parent, _ in members[i].parents if parent in places]
            for i in level
        }
        ordered = sorted(level, key=lambda i: float(np.mean(above[i] or [wide])))
        gap = wide / max(len(level), 1)
        places |= {i: (gap * (k + 0.5), depth + 0.5) for k, i in enumerate(ordered)}
    return places


def _box(axes: Axes, member: Member, place: tuple[float, float]) -> None:
    x, y = place
    if member.picture is not None:
        zoom = PICTURE * PIXELS / max(member.picture.shape[:2])
        image = AnnotationBbox(
            OffsetImage(member.picture, zoom=zoom), (x, y - 0.12), pad=0.15,
            bboxprops={"edgecolor": member.colour, "linewidth": 2},
        )  # fmt: skip
        axes.add_artist(image)
    frame = {"boxstyle": "round", "facecolor": "white", "edgecolor": member.colour}
    axes.text(
        x, y + (0.2 if member.picture is not None else 0.0), drawn("\n".join(member.lines)),
        ha="center", va="center", fontsize=7.5, bbox=frame, parse_math=False, zorder=3,
    )  # fmt: skip


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], words: str) -> None:
    way = {"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=way)
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    axes.annotate(
        drawn(words), middle, fontsize=7, ha="left", va="center", color="0.3", xytext=(4, 0),
        textcoords="offset points", parse_math=False,
    )  # fmt: skip
