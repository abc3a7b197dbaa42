"""A picture that a mark is sought in, and what bindings look at of it."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latenthash.data.reading import Pixels
from latenthash.library.hashes import Hash
from latenthash.watermark.points import Features, features


class Query:
    """A picture; what takes time is made of it when it is first asked for, and once.

    Args:
        pixels: (H, W, 3).
        hash_: its code.
    """

    def __init__(self, pixels: Pixels, hash_: Hash) -> None:
        self.pixels = pixels
        self.hash = hash_

    @cached_property
    def features(self) -> Features:
        """Points of interest."""
        return features(self.pixels)

    @property
    def packed(self) -> NDArray[np.uint8] | None:
        """The bits of its code, (32,); None where it shows no detail."""
        return np.frombuffer(self.hash.packed, np.uint8) if self.hash.detail else None
