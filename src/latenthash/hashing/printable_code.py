"""The printable code: the 256 bits that a code has for any picture, as one word, `LH2-...`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash.errors import InputError
from latenthash.hashing import printed

VERSION = "LH2"  # another way to the text needs another
BITS = 256
TAG, CHECK = 2, 3  # bytes before and behind the bits
LENGTH = TAG + BITS // 8 + CHECK  # bytes, which 60 letters hold
# CRC-24 of OpenPGP (RFC 9580, section 6.1). A letter, or two neighbours, hold at most ten bits in
# a row, and a cyclic check of 24 finds every change of up to 24 in a row: none goes unseen.
START, POLYNOMIAL = 0xB704CE, 0x1864CFB
# Tag -> false-positive rate -> most bits in which two codes of one picture differ.
# `benchmarks/printable_code.py` prints them; see `CodeComparison`.
MEASURED: Mapping[str, Mapping[float, int]] = {
    "5921": {1e-3: 77, 1e-4: 57, 1e-6: 42},  # of run=code
}


@dataclass(frozen=True)
class PrintableCode:
    """The code of one picture.

    Attributes:
        tag: 2 bytes that name all that decides the bits; only codes of one tag can be compared.
        bits: 32 bytes.
    """

    tag: bytes
    bits: bytes

    def __str__(self) -> str:
        """Print the code as one word of 64 letters, that `parse` reads."""
        payload = self.tag + self.bits
        return f"{VERSION}-{printed.encode(payload + _check(payload))}"

    @classmethod
    def parse(cls, text: str) -> "PrintableCode":
        """Read a printed code, ignoring white space and case.

        Raises:
            InputError: if it is no such code, of another version, or not as it was printed.
        """
        (letters,) = printed.split(text, VERSION)
        payload = printed.decode(letters)
        if (
            payload is None
            or len(payload) != LENGTH
            or payload[-CHECK:] != _check(payload[:-CHECK])
        ):
            raise printed.mistyped(text)
        return cls(payload[:TAG], payload[TAG:-CHECK])


@dataclass(frozen=True)
class CodeComparison:
    """In how many bits two codes differ, and what that means.

    The limits are measured on photographs, and hold for these: a limit at a rate is the largest
    distance that at most this share of pairs of two photographs, one of them edited, keeps within.
    Pictures that are more alike than two photographs, such as pages of one book, keep within it
    more often. At 1e-6 few pairs decide, and it holds to one order of magnitude at best.

    Attributes:
        distance: bits that differ, of 256.
        limits: false-positive rate -> most bits in which two codes of one picture differ; empty
            for codes that were not measured.
    """

    distance: int
    limits: Mapping[float, int]

    @property
    def share(self) -> float:
        """The share of the bits that are equal."""
        return 1 - self.distance / BITS

    @property
    def fpr(self) -> float | None:
        """The rate whose limit decides; None for codes that were not measured.

        The smallest at which the codes are of one picture, or else the largest.
        """
        kept = [fpr for fpr, limit in self.limits.items() if self.distance <= limit]
        return min(kept) if kept else max(self.limits, default=None)

    @property
    def limit(self) -> int | None:
        """The most bits in which codes of one picture differ at this rate."""
        return None if self.fpr is None else self.limits[self.fpr]

    @property
    def verdict(self) -> str:
        """Whether the codes are of one picture: yes, no, or not measured for this model."""
        if self.limit is None:
            return "not measured"
        return "yes" if self.distance <= self.limit else "no"


def compare_codes(first: PrintableCode, second: PrintableCode) -> CodeComparison:
    """Count the bits in which two codes differ.

    Raises:
        InputError: if they were not made by the same model.
    """
    if first.tag != second.tag:
        raise InputError(
            f"Codes of the models {first.tag.hex()} and {second.tag.hex()} are not comparable: "
            "their bits mean different things. Make both codes with the same run=."
        )
    a, b = (int.from_bytes(one.bits) for one in (first, second))
    return CodeComparison((a ^ b).bit_count(), MEASURED.get(first.tag.hex(), {}))


def print_codes(tag: bytes, bits: NDArray[np.uint8]) -> list[str]:
    """Print packed codes.

    Args:
        tag: of the model that made them.
        bits: (N, 32), as `codes.code.Code.bits` packs them.
    """
    return [str(PrintableCode(tag, row.tobytes())) for row in bits]


def crc24(data: bytes) -> int:
    """Return the CRC-24 of OpenPGP."""
    crc = START
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc >> 24:
                crc ^= POLYNOMIAL
    return crc


def _check(payload: bytes) -> bytes:
    return crc24(VERSION.encode() + payload).to_bytes(CHECK)
