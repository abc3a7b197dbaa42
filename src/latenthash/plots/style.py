"""What all figures share: the colour and the name of each set, and the disc of a hash."""

from functools import cache
from typing import TypeAlias

import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Circle
from numpy.typing import NDArray

ROOM = 24  # letters of a name
FloatImages: TypeAlias = NDArray[np.float64]  # (N, H, W, 3) in [0, 1]
Points: TypeAlias = NDArray[np.float64]  # (N, k) latents, or (N, 2) where they are drawn
Interval: TypeAlias = tuple[float, float, float]  # a value, and both ends of its interval

COLOURS = {
    "signal": "tab:red",
    "noise_edited": "tab:green",
    "noise_similar": "tab:blue",
    "unseen": "tab:gray",
}
LABELS = {
    "signal": "Signal",
    "noise_edited": "Noise edited",
    "noise_similar": "Noise similar",
    "outliers": "Outliers",
    "unseen": "Unseen",
    "digits": "Digits",
}


def disc(centre: NDArray[np.float64], radius: float, width: float) -> Circle:
    """Make the disc around a centroid (2,) in which latents match, lightly filled.

    Args:
        centre: (2,) of the disc.
        radius: R.
        width: of its edge, in points.
    """
    return Circle(
        (float(centre[0]), float(centre[1])),
        radius, facecolor=(0, 0, 0, 0.07), edgecolor="black", lw=width, zorder=0.5,
    )  # fmt: skip


def drawn(text: str) -> str:
    """Replace the letters that the figures' font lacks, of which matplotlib warns one by one."""
    known = _letters()
    return "".join(char if ord(char) in known or char == "\n" else "\ufffd" for char in text)


@cache
def _letters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def short(name: str) -> str:
    """Return the end of a picture's name, as much as there is room for, and as it can be drawn."""
    name = drawn(name.rsplit("/", 1)[-1])
    return name if len(name) <= ROOM else f"...{name[3 - ROOM :]}"
