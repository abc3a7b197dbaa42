"""Maps of what a decoder draws where: over the latents of a run, or over the prior."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from scipy.stats import norm

from latenthash.plots.plane import Plane
from latenthash.plots.style import FloatImages, Points

GRID = 15  # decoded pictures along each axis of a map
SPAN = (0.02, 0.98)  # share of the prior, along each axis, that its map shows


def decoded_map(
    decode: Callable[[Points], FloatImages], z: Points, plane: Plane, radius: float
) -> Figure:
    """Draw what the decoder makes of points over the plane, with the hash's circle.

    The grid is linear over the square that the latents occupy: a grid over quantiles of the
    standard normal prior would leave out most of them, for they spread far beyond it.

    Args:
        decode: z (N, k) -> pictures (N, H, W, 3).
        z: (N, k) latents that the map must cover.
        plane: where to draw.
        radius: R, of the circle around the plane's centroid.
    """
    centre = plane.project(plane.centroid[None])[0]
    points = np.vstack([plane.project(z), centre - radius, centre + radius])
    middle = (points.min(0) + points.max(0)) / 2
    half = np.ptp(points, axis=0).max() / 2
    cells = np.linspace(-half, half, GRID)
    x, y = np.meshgrid(middle[0] + cells, middle[1] + cells)
    pictures = decode(plane.lift(np.column_stack([x.ravel(), y.ravel()])))
    canvas = _canvas(pictures)

    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.add_subplot()
    edge = half * GRID / (GRID - 1)  # cells are drawn around their points
    left, bottom = middle - edge
    right, top = middle + edge
    axes.imshow(canvas, extent=(left, right, bottom, top))
    for colour, width in (("white", 4), ("tab:red", 2)):
        axes.add_patch(Circle(tuple(centre), radius, fill=False, color=colour, lw=width))
    axes.plot(*centre, "+", color="tab:red", ms=14, mew=3)
    x_label, y_label = plane.axes_labels()
    axes.set(
        xlim=(left, right),
        ylim=(bottom, top),
        xlabel=x_label,
        ylabel=y_label,
        title="Decoded map: what the decoder draws where, and the hash's circle",
    )
    return figure


def prior_map(decode: Callable[[Points], FloatImages]) -> Figure:
    """Draw what the decoder makes of equal shares of the prior N(0, I) in 2 dimensions.

    Args:
        decode: z (N, 2) -> pictures (N, H, W, 3).
    """
    shares = np.linspace(*SPAN, GRID)
    x, y = np.meshgrid(norm.ppf(shares), norm.ppf(shares))
    canvas = _canvas(decode(np.column_stack([x.ravel(), y.ravel()])))
    figure = Figure(figsize=(8, 8.4), layout="constrained")
    axes = figure.add_subplot(title="Decoded map: what the decoder draws where")
    axes.imshow(canvas, extent=(0, GRID, 0, GRID))
    at = np.arange(0, GRID, 2)
    labels = [f"{norm.ppf(share):.2f}" for share in shares[at]]
    axes.set_xticks(at + 0.5, labels)
    axes.set_yticks(at + 0.5, labels)
    axes.set(xlabel="$z_0$ (quantiles of the prior)", ylabel="$z_1$ (quantiles of the prior)")
    return figure


def _canvas(pictures: FloatImages) -> FloatImages:
    """Lay out pictures (GRID * GRID, side, side, 3) as one, the first row at the bottom."""
    side = pictures.shape[1]
    # Row 0 of the grid is the lowest z, so rows are stacked from the bottom up.
    rows = pictures.reshape(GRID, GRID, side, side, 3)[::-1]
    canvas: FloatImages = rows.transpose(0, 2, 1, 3, 4).reshape(GRID * side, GRID * side, 3)
    return canvas.clip(0, 1)
