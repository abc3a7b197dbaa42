"""What all figures share: the colour and the name of each set."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.float64]  # (N, H, W, 3) in [0, 1]

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
