"""Attacks on marks that need no network: what a thief with this program, or with none, can do.

An attack that copies a mark makes another picture carry it; one that removes it leaves the picture
as it was to look at. Each is a function of what the thief has, so that it can be repeated.
"""

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import wiener

from latenthash.data.reading import Pixels
from latenthash.watermark.carrier import Carrier
from latenthash.watermark.codec import decode, to_word
from latenthash.watermark.embedding import added, mask
from latenthash.watermark.frames import canonical, luma, resized
from latenthash.watermark.pattern import PERIOD, repeated
from latenthash.watermark.tiled import Tiled
from latenthash.watermark.whitening import folded, whiten

if TYPE_CHECKING:  # it imports torch
    from latenthash.library.code import Code

Shows: TypeAlias = Literal["other", "own"]  # the thief's picture, or the one whose mark it is
WINDOW = 5  # px, side of the filter that takes a mark away


@dataclass(frozen=True)
class Scene:
    """What an attack is made of.

    Attributes:
        original: (H, W, 3) before it was marked, which no thief has: results are compared with it.
        marked: the same with its mark.
        other: (H', W', 3) the thief's own picture.
        identity: 8 bytes of the mark.
        thief: 8 bytes that the thief registered.
        carrier: of the mark: the program is public, and so is its usual key.
        code: by which pictures are compared, which is as public.
    """

    original: Pixels
    marked: Pixels
    other: Pixels
    identity: bytes
    thief: bytes
    carrier: Carrier
    code: "Code"


class Attack(Protocol):
    """One attack."""

    @property
    def shows(self) -> Shows:
        """Which picture the result looks like."""

    def apply(self, scene: Scene) -> Pixels:
        """Attack, and return the picture that the thief shows."""


@dataclass(frozen=True)
class Recode:
    """Read the id, and embed it anew in another picture, by the program itself.

    The mark is as good as a true one; Craver et al. (1998, IEEE JSAC 16) call for what tells.
    """

    shows: Shows = field(default="other", init=False)

    def apply(self, scene: Scene) -> Pixels:
        """Embed the id in the other picture; see `Attack.apply`."""
        return scene.carrier.embed(scene.other, to_word(scene.identity))


@dataclass(frozen=True)
class ResidualPaste:
    """Add what marking changed to another picture; the thief has the original, too."""

    shows: Shows = field(default="other", init=False)

    def apply(self, scene: Scene) -> Pixels:
        """Paste the exact residual; see `Attack.apply`."""
        residual = luma(scene.marked) - luma(scene.original)
        return _pasted(scene.other, residual)


@dataclass(frozen=True)
class TileEstimate:
    """Add up all periods of the whitened picture, and add that to another.

    Averaging, as of many pictures with one mark (Cox et al. 2008, Digital Watermarking and
    Steganography, section 10.3); here the mark itself repeats.

    Args:
        psnr: dB, at which the estimate is added.
    """

    psnr: float
    shows: Shows = field(default="other", init=False)

    def apply(self, scene: Scene) -> Pixels:
        """Add the estimate; see `Attack.apply`."""
        tile = folded(whiten(canonical(luma(scene.marked))), PERIOD)
        tile -= tile.mean()
        height, width = scene.other.shape[:2]
        frame = canonical(luma(scene.other))
        estimate = repeated(tile, frame.shape[::-1]) * mask(frame)
        residual = resized(estimate.astype(np.float32), (width, height))
        wanted = 255 / 10 ** (self.psnr / 20)
        return added(scene.other, residual * np.float32(wanted / sqrt(float((residual**2).mean()))))


@dataclass(frozen=True)
class CopyAttack:
    """Estimate the mark by taking noise away, and add it to another picture.

    The copy attack (Kutter, Voloshynovskiy and Herrigel 2000, SPIE 3971): nothing need be known
    of the program. Noise is taken away by Wiener's filter, as in the paper.

    Args:
        strength: factor of the estimate.
        noise: power of the mark as the thief guesses it, grey levels squared.
    """

    strength: float
    noise: float
    shows: Shows = field(default="other", init=False)

    def apply(self, scene: Scene) -> Pixels:
        """Add the denoised picture's residual; see `Attack.apply`."""
        plane = luma(scene.marked)
        # The filter takes what lies outside for black.
        clean = wiener(np.pad(plane, WINDOW, mode="reflect"), WINDOW, self.noise)
        residual = self.strength * (plane - clean[WINDOW:-WINDOW, WINDOW:-WINDOW])
        return _pasted(scene.other, residual.astype(np.float32))


@dataclass(frozen=True)
class Overwrite:
    """Mark the marked picture again, as the thief's own, by the same key.

    Who was first is then to be told (Craver et al. 1998, IEEE JSAC 16, on ambiguity).
    """

    shows: Shows = field(default="own", init=False)

    def apply(self, scene: Scene) -> Pixels:
        """Embed the thief's id; see `Attack.apply`."""
        return scene.carrier.embed(scene.marked, to_word(scene.thief))


@dataclass(frozen=True)
class Erase:
    """Read the mark, and take it out, by the program itself."""

    shows: Shows = field(default="own", init=False)

    def apply(self, scene: Scene) -> Pixels:
        """Erase what is read; see `Attack.apply`."""
        geometry = decode(scene.carrier.read(scene.marked)).attempt.geometry
        return scene.carrier.erase(scene.marked, to_word(scene.identity), geometry)


@dataclass(frozen=True)
class SecondKey:
    """Mark the marked picture again by another key, as whoever else uses the program.

    Args:
        key: of the second mark.
        psnr: dB, of the second mark.
        ssim: the least of it.
    """

    key: str
    psnr: float
    ssim: float
    shows: Shows = field(default="own", init=False)

    def apply(self, scene: Scene) -> Pixels:
        """Embed the thief's id beside the other; see `Attack.apply`."""
        return Tiled(self.key, self.psnr, self.ssim).embed(scene.marked, to_word(scene.thief))


def _pasted(pixels: Pixels, residual: NDArray[np.float32]) -> Pixels:
    """Add a residual of another picture, brought to this one's size."""
    height, width = pixels.shape[:2]
    return added(pixels, resized(residual, (width, height)))
