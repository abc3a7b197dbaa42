"""Sheets of pictures: training views, and reconstructions below their originals."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.plots.style import LABELS, FloatImages


def contact_sheet(sets: Mapping[str, NDArray[np.uint8]], columns: int = 12) -> Figure:
    """Draw views of each set as thumbnails.

    Args:
        sets: role -> views (N, H, W, 3).
        columns: thumbnails a row; two rows for each set.
    """
    strips = [
        (label, views[start : start + columns] / 255)
        for role, views in sets.items()
        for label, start in ((f"{LABELS[role]}\n({len(views)})", 0), ("", columns))
    ]
    return _sheet(strips, "Training views: the first of each set")


def reconstructions(rows: Mapping[str, tuple[FloatImages, FloatImages]]) -> Figure:
    """Draw originals above their reconstructions.

    Args:
        rows: role -> (originals, reconstructions), each (N, side, side, 3); sides may differ.
    """
    strips = [
        (f"{LABELS[role]}\n{kind}", pictures)
        for role, pairs in rows.items()
        for kind, pictures in zip(("view", "decoded"), pairs, strict=True)
    ]
    return _sheet(strips, "Test views and what the decoder makes of their latents")


def prior_samples(pictures: FloatImages, columns: int = 9) -> Figure:
    """Draw what the decoder makes of samples from the prior.

    Args:
        pictures: (N, H, W, 3).
        columns: pictures a row.
    """
    rows = [("", pictures[i : i + columns]) for i in range(0, len(pictures), columns)]
    return _sheet(rows, "What the decoder makes of samples from the prior")


def view_pairs(light: FloatImages, heavy: FloatImages, columns: int = 8) -> Figure:
    """Draw what a code learns from: light views above heavy views of the same pictures.

    Args:
        light: (N, side, side, 3).
        heavy: (N, side, side, 3).
        columns: pictures a row.
    """
    strips = [
        (kind, views[start : start + columns])
        for start in range(0, len(light), columns)
        for kind, views in (("light", light), ("heavy", heavy))
    ]
    return _sheet(strips, "Training views: heavy ones below the light ones of the same pictures")


def _sheet(strips: Sequence[tuple[str, FloatImages]], title: str) -> Figure:
    """Draw labelled rows of pictures on one canvas, all as large as the first.

    An axes for each picture would take seconds.
    """
    side = strips[0][1].shape[1]
    pitch = round(side * 1.06)  # pictures stand a little apart
    columns = max(len(pictures) for _, pictures in strips)
    canvas = np.ones((len(strips) * pitch, columns * pitch, 3))
    for i, (_, pictures) in enumerate(strips):
        nearest = np.arange(side) * pictures.shape[1] // side  # pictures of another size
        for j, picture in enumerate(pictures[:, nearest][:, :, nearest]):
            canvas[i * pitch :, j * pitch :][:side, :side] = picture.clip(0, 1)
    figure = Figure(figsize=(columns + 2.0, len(strips) + 0.5), layout="constrained")
    axes = figure.add_subplot(title=title)
    axes.imshow(canvas)
    axes.set_yticks(
        [i * pitch + side / 2 for i in range(len(strips))], [label for label, _ in strips]
    )
    axes.tick_params(left=False, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    return figure
