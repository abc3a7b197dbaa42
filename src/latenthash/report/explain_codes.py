"""Explain whether two pictures are one by their codes: the bits that differ, and the limits."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash import plots
from latenthash.hashing.printable_code import CodeComparison

WORDS = {"yes": "the same picture", "no": "two pictures", "not measured": "no limit was measured"}


def explain_codes(
    names: tuple[str, str],
    views: Sequence[NDArray[np.uint8]],
    bits: Sequence[NDArray[np.bool_] | None],
    limits: Mapping[float, int],
) -> Figure:
    """Draw two pictures, how their codes differ, and what that means.

    Args:
        names: of the pictures.
        views: (side, side, 3) of each, as the network sees it.
        bits: (B,) of each; None where a picture has no detail.
        limits: false-positive rate -> most bits in which two codes of one picture differ.
    """
    first, second = bits
    if first is None or second is None:
        verdict = "a picture without detail has no code of its own"
        return plots.code_pair(plots.CodePair(names, views, None, limits, verdict))
    differing = first != second
    found = CodeComparison(int(differing.sum()), limits)
    verdict = f"{found.distance} of {len(differing)} bits differ: {WORDS[found.verdict]}"
    if found.fpr is not None:
        verdict += f" at a false-positive rate of {found.fpr:g}"
    return plots.code_pair(plots.CodePair(names, views, differing, limits, verdict))
