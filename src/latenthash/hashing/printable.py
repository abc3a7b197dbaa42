"""The printable hash: which picture it is, as one word, and whether two are of one picture."""

import math
import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash.errors import InputError
from latenthash.hashing import printed
from latenthash.hashing.projections import CANDIDATES, directions

VERSION = "LH1"  # another way to the bits, or another text, needs another
BITS = 256  # of the candidates
TURN = 256  # steps of the angle in a full turn
ROUNDING = 1e-6  # of projections of vectors of length 1
LENGTH = (CANDIDATES + BITS + 8) // 8  # bytes of mask, bits and angle
# Model -> surplus from which two hashes are of one picture; see `Comparison`.
MEASURED = {
    "vgg161f0e52ca": 64,
    "vgg167fce147d": 64,  # unpooled: the bits are read off averages, and are the same
    "vgg16aab8aeb5": 64,  # trimmed
    "pixelse1c708e9": 144,
    "pixels4853cd44": 144,  # trimmed
    "embedding922395ec": 128,  # of the network that ships
    "embedding8550907f": 96,  # trimmed
}

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class PrintableHash:
    """The most reliable bits of one picture: on which side of fixed random directions it lies.

    Attributes:
        model: what the bits were read from, in small letters and digits; only hashes of one model
            can be compared.
        bits: (256,) signs of the projections that are kept, in their order.
        mask: (1024,) which of the projections are kept.
        angle: 0..255, of the content; where a latent space may put its centre.
    """

    model: str
    bits: Bits
    mask: Bits
    angle: int

    @classmethod
    def of(cls, model: str, x: NDArray[np.float64]) -> "PrintableHash":
        """Keep the most reliable of many fixed projections.

        Args:
            model: what x was made by.
            x: (N, D) features of views of one picture, of length 1.
        """
        projected = x @ directions(x.shape[1], CANDIDATES).astype(np.float64)
        mean = projected.mean(0)
        mask = most_reliable(projected, BITS)
        # Two of the projections span a plane; the angle in it moves little when content does.
        angle = math.atan2(mean[1], mean[0]) / (2 * math.pi)  # a share of a full turn
        return cls(model, mean[mask] > 0, mask, round(angle * TURN) % TURN)

    @property
    def theta(self) -> float:
        """The angle in radians, in [0, 2 pi)."""
        return 2 * math.pi * self.angle / TURN

    def __str__(self) -> str:
        """Print the hash as one word, that `parse` reads."""
        payload = np.packbits(np.concatenate([self.mask, self.bits])).tobytes()
        payload += bytes([self.angle])
        return "-".join(
            [VERSION, self.model, printed.encode(payload), _checksum(self.model, payload)]
        )

    @classmethod
    def parse(cls, text: str) -> "PrintableHash":
        """Read a printed hash, ignoring white space and case.

        Raises:
            InputError: if it is no such hash, of another version, or not as it was printed.
        """
        model, letters, check = printed.split(text, VERSION)
        model = model.lower()
        payload = printed.decode(letters)
        if payload is None or len(payload) != LENGTH or check != _checksum(model, payload):
            raise printed.mistyped(text)
        flags = np.unpackbits(np.frombuffer(payload[:-1], np.uint8)).astype(bool)
        mask, bits = flags[:CANDIDATES], flags[CANDIDATES:]
        if mask.sum() != BITS or not re.fullmatch("[a-z0-9]+", model):
            raise printed.not_ours(
                text,
                f"it keeps {mask.sum()} bits for the model '{model}', and must keep {BITS} for a "
                "name of letters and digits. Use one that train.py printed.",
            )
        return cls(model, bits, mask, payload[-1])


@dataclass(frozen=True)
class Comparison:
    """How much two hashes have in common.

    The bits of a picture are not independent, so counting them gives no probability of chance.
    The verdict stands on the surplus: how many more of the positions that both keep agree than do
    not. The share alone would not do: photographs of different things share 64 positions, as by
    chance, and among 4,950 pairs of them are some whose shares are .87 (vgg16) and 1 (pixels);
    copies share 170 on average. The least surplus is the first multiple of 16 that no such pair
    among one hundred photographs reached; among another hundred .12 % of the pairs reached it
    under vgg16 and none under pixels, and 96 % and 74 % of their edited copies; of views without
    uniform borders .10 % and none, and 99 % and 74 % (`benchmarks/printable.py`).

    Attributes:
        shared: positions that both masks keep, of 256.
        agreeing: those of them whose bits are equal.
        least: surplus from which they are of one picture; None for models not measured.
    """

    shared: int
    agreeing: int
    least: int | None

    @property
    def share(self) -> float:
        """The share of the shared positions that agree; NaN without any."""
        return self.agreeing / self.shared if self.shared else math.nan

    @property
    def surplus(self) -> int:
        """How many more of the shared positions agree than do not, at most 256."""
        return 2 * self.agreeing - self.shared

    @property
    def verdict(self) -> str:
        """Whether the hashes are of one picture: yes, no, or not measured for this model."""
        if self.least is None:
            return "not measured"
        return "yes" if self.surplus >= self.least else "no"


def compare(first: PrintableHash, second: PrintableHash) -> Comparison:
    """Count what two hashes have in common.

    Raises:
        InputError: if they were not read from the same model.
    """
    if first.model != second.model:
        raise InputError(
            f"Hashes of {first.model} and {second.model} are not comparable: their bits were read "
            "from different features. Enrol both pictures with the same features."
        )
    both = first.mask & second.mask
    a, b = (_spread(one)[both] for one in (first, second))
    return Comparison(int(both.sum()), int((a == b).sum()), MEASURED.get(first.model))


def most_reliable(projected: NDArray[np.float64], kept: int) -> Bits:
    """Choose the projections with the most reliable sign: the largest |mean| / spread over views.

    Args:
        projected: (N, P) of N views.
        kept: how many of the P are chosen; of equally reliable ones the first.

    Returns:
        (P,) whether each is chosen.
    """
    # Spreads below rounding do not tell which is more reliable.
    reliability = np.abs(projected.mean(0)) / np.maximum(projected.std(0), ROUNDING)
    mask = np.zeros(projected.shape[1], dtype=bool)
    mask[np.argsort(-reliability, kind="stable")[:kept]] = True
    return mask


def _spread(hash_: PrintableHash) -> Bits:
    """Put the bits where they are among the candidates, (1024,); the others are False."""
    spread = np.zeros(CANDIDATES, dtype=bool)
    spread[hash_.mask] = hash_.bits
    return spread


def _checksum(model: str, payload: bytes) -> str:
    return f"{zlib.crc32(model.encode() + payload):08X}"
