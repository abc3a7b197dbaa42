"""What tests of figures share: a hash, latents, and how a figure is looked at."""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from PIL import Image

from latenthash.hashing.enrolled import Hash

HASH = Hash(np.array([1.0, -2.0]), 1.5)
ROLES = {"signal": "red", "noise_edited": "green", "noise_similar": "blue", "unseen": "gray"}


def drawn(figure: Figure) -> Figure:
    """Draw a figure to PNG, as it is logged; warnings are errors in this suite."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=50)
    with Image.open(file) as image:
        assert image.format == "PNG"
        assert min(image.size) >= 50
    return figure


def latents(k: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {role: rng.normal(i, 1, (4 + i, k)) for i, role in enumerate(ROLES)}


def circles(axes: Axes) -> list[Circle]:
    return [patch for patch in axes.patches if isinstance(patch, Circle)]


def legend(figure: Figure) -> list[str]:
    (box,) = figure.legends
    return [text.get_text() for text in box.get_texts()]
