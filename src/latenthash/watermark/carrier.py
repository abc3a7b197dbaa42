"""What a carrier is: the part that hides bits in pixels and finds them again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from latenthash.data.reading import Pixels
from latenthash.watermark.bch import Bits

Homography: TypeAlias = NDArray[np.float64]  # (3, 3); pixel i reaches from i to i + 1
Soft: TypeAlias = NDArray[np.float64]  # (127,) above 0 where a bit is more likely 1


@dataclass(frozen=True)
class Geometry:
    """Where in a picture a mark lies.

    Attributes:
        frame: width and height in px of the frame in which the mark was read.
        homography: from the frame to the picture.
        whole: whether the frame is the whole picture, neither turned nor bent.
        shift: px right and down from the frame's corner to the pattern's.
        turned: whether the pattern lies upside down.
        sign: -1 where light and dark changed places, else 1.
    """

    frame: tuple[int, int]
    homography: Homography
    whole: bool
    shift: tuple[int, int] = (0, 0)
    turned: bool = False
    sign: int = 1


@dataclass(frozen=True)
class Attempt:
    """What was read in one place.

    Attributes:
        soft: (127,).
        pilot: how far the pilots stand out, in standard deviations of the places where they are
            not.
        geometry: the place.
        level: how it was found, in words.
    """

    soft: Soft
    pilot: float
    geometry: Geometry
    level: str


class Carrier(Protocol):
    """Hides the 127 bits of a word in a picture, and reads soft bits of it."""

    @property
    def name(self) -> str:
        """What manifests call it: whoever has the same name reads what this one embeds."""

    def embed(self, pixels: Pixels, word: Bits) -> Pixels:
        """Hide a word (127,) in a picture (H, W, 3), which stays as it is.

        Raises:
            InputError: if the picture is too small to bear a mark.
        """

    def read(self, pixels: Pixels) -> Iterator[Attempt]:
        """Read a picture in place after place, those that cost least first.

        Whoever takes the attempts stops when one of them satisfies.
        """

    def read_through(
        self, pixels: Pixels, homography: Homography, size: tuple[int, int]
    ) -> Iterator[Attempt]:
        """Read a picture whose place in the marked picture is known.

        Args:
            pixels: (H, W, 3).
            homography: from the marked picture to this one, of full size both.
            size: width and height of the marked picture in px.
        """

    def erase(self, pixels: Pixels, word: Bits, geometry: Geometry) -> Pixels:
        """Take out a mark that was read, so that another may be embedded."""
