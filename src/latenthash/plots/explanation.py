"""Figure of one verdict: what the hash saw, where it landed, and what moved it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.plane import Plane
from latenthash.plots.style import COLOURS, LABELS, Points, disc, short


@dataclass(frozen=True)
class Explanation:
    """What is known of one verdict.

    Attributes:
        name: of the picture.
        verdict: in words.
        view: (size, size, 3), as the hash sees it.
        z: (k,) its latent.
        change: (size, size), of the score when a part is covered.
        decoded: (side, side, 3) in [0, 1], what the model makes of the latent; None for models
            that cannot.
        nearest: of what -> name and view (size, size, 3) of the nearest; may be empty.
    """

    name: str
    verdict: str
    view: NDArray[np.uint8]
    z: NDArray[np.float64]
    change: NDArray[np.float64]
    decoded: NDArray[np.float64] | None
    nearest: Mapping[str, tuple[str, NDArray[np.uint8]]]


def explanation(
    case: Explanation, behind: Mapping[str, Points], plane: Plane, radius: float
) -> Figure:
    """Draw why a picture matches, or does not.

    Args:
        case: the verdict.
        behind: role -> latents (N, k) that lie behind on the map; may be empty.
        plane: where the map is drawn, through the hash's centroid.
        radius: R.
    """
    small: dict[str, tuple[str, NDArray[np.uint8] | NDArray[np.float64]]] = {
        "seen": ("as the hash sees it", case.view)
    }
    if case.decoded is not None:
        small["decoded"] = ("reconstruction", case.decoded.clip(0, 1))
    for what, (whose, pixels) in case.nearest.items():
        small[what] = (f"nearest {what} view\n{short(whose)}", pixels)
    # Two columns of small panels, then the two that are looked at longest.
    keys = [*small, *["."] * (4 - len(small))]
    figure = Figure(figsize=(17, 6.2), layout="constrained")
    panels = figure.subplot_mosaic(
        [[*keys[:2], "change", "map"], [*keys[2:], "change", "map"]],
        width_ratios=[1, 1, 2.3, 2.3],
    )
    for key, (title, shown) in small.items():
        panels[key].imshow(shown)
        panels[key].set_axis_off()
        panels[key].set_title(title, fontsize=9, parse_math=False)
    _draw_change(figure, panels["change"], case.view, case.change)
    _draw_map(panels["map"], case.z, behind, plane, radius)
    figure.suptitle(f"{short(case.name)}: {case.verdict}", fontsize=14, parse_math=False)
    return figure


def _draw_change(
    figure: Figure, axes: Axes, view: NDArray[np.uint8], change: NDArray[np.float64]
) -> None:
    # Pale, for on black no colour is seen.
    axes.imshow(view.mean(-1), cmap="gray", vmin=-200, vmax=255)
    # The same scale to both sides, so that white is no change; a flat map has a scale too.
    most = float(np.abs(change).max()) or 1.0
    image = axes.imshow(change, cmap="RdBu_r", vmin=-most, vmax=most, alpha=0.6)
    figure.colorbar(image, ax=axes, label="change of score", shrink=0.75)
    axes.set_axis_off()
    axes.set_title(
        "what moved it: a patch of the mean colour over the red\n"
        "raises the score, over the blue it lowers it",
        fontsize=10,
    )


def _draw_map(
    axes: Axes,
    z: NDArray[np.float64],
    behind: Mapping[str, Points],
    plane: Plane,
    radius: float,
) -> None:
    for role in sorted(behind, key=list(COLOURS).index, reverse=True):
        x, y = plane.project(behind[role]).T
        axes.scatter(x, y, s=9, c=COLOURS[role], alpha=0.45, linewidths=0, label=LABELS[role])
    centre = plane.project(plane.centroid[None])[0]
    axes.add_patch(disc(centre, radius, 1.2))
    axes.plot(*centre, "k+", ms=9, mew=1.5, ls="", label="centroid, R around it")
    point = plane.project(z[None])[0]
    axes.plot(*point, "*", color="gold", mec="black", ms=17, label="this picture", ls="")
    axes.set_aspect("equal", adjustable="datalim")
    axes.autoscale_view()
    x_label, y_label = plane.axes_labels()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.set_title("where it landed" + ", projected" * plane.projected, fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
