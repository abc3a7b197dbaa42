"""What of a source's work is done where pictures are decoded, and what where its network is.

Processes of workers import this, so it does without torch.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from latenthash.codes.code import Described, Source
from latenthash.data.reading import Pixels
from latenthash.data.reduction import reduced

Work: TypeAlias = Callable[[Sequence[Pixels]], NDArray[Any]]  # pictures -> N of anything


def work_of(source: Source) -> Work:
    """Return what workers do for a source: all, or the views that networks describe here."""
    if source.side is None:
        return source.describe
    return partial(_views, source.side, source.trim)


def complete(source: Source, made: NDArray[Any]) -> Described:
    """Describe (N, D) what `work_of` made of N pictures."""
    return made if source.side is None else source.describe(list(made))


def _views(side: int, trim: bool, pictures: Sequence[Pixels]) -> NDArray[np.uint8]:
    return np.stack([reduced(pixels, side, trim) for pixels in pictures])
