"""The hash of any picture as a value, and why a file has none."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latenthash.errors import InputError
from latenthash.hashing.printable_code import BITS, TAG, PrintableCode, compare_codes
from latenthash.system.paths import path_text

SIZE = BITS // 8  # bytes


@dataclass(frozen=True, repr=False)
class Hash:
    """The hash of a picture: 256 bits, most of which it shares with its copies.

    A picture with no more than one colour and some noise has no detail, and no hash of its own:
    its bits are all False, and it is as far from every picture, itself included, as can be.

    Attributes:
        tag: 2 bytes that name the network; only hashes of one network can be compared.
        packed: the bits, 32 bytes; none of a picture without detail.
        floats: (256,) float32, the numbers whose signs the network learned; None unless they were
            asked for. They do not count where two hashes are asked whether they are equal.
        remarks: what of the picture's file was left out or looked odd.

    Raises:
        InputError: if tag or packed are no bytes, or of another length.
    """

    tag: bytes
    packed: bytes
    floats: NDArray[np.float32] | None = field(default=None, compare=False)
    remarks: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for name, sizes in {"tag": (TAG,), "packed": (0, SIZE)}.items():
            given = getattr(self, name)
            if not isinstance(given, bytes) or len(given) not in sizes:
                shown = f"{len(given)} of them" if isinstance(given, bytes) else f"{given!r:.60}"
                raise InputError(
                    f"A Hash takes {name} of {' or '.join(map(str, sizes))} bytes, and not "
                    f"{shown}. Hash.parse reads a hash from its text or its bytes."
                )

    @classmethod
    def parse(cls, given: str | bytes) -> "Hash":
        """Read a hash from its text, `LH2-...`, or from its bytes.

        Raises:
            InputError: if it is no such text, not as it was printed, or of another length.
        """
        if isinstance(given, str) and not given.strip():
            raise InputError(
                "The text is empty, as that of a picture without detail, and does not say of which "
                "network: keep such hashes by bytes(hash), which Hash.parse reads."
            )
        if isinstance(given, str):
            read = PrintableCode.parse(given)
            return cls(read.tag, read.bits)
        if not isinstance(given, bytes):
            raise InputError(
                f"A hash is read from text or bytes, and not from {type(given).__name__}."
            )
        if len(given) not in (TAG, TAG + SIZE):
            raise InputError(
                f"A hash as bytes has {TAG + SIZE} of them, {TAG} that name its network and "
                f"{SIZE} of bits, and here are {len(given)}."
            )
        return cls(given[:TAG], given[TAG:])

    @property
    def detail(self) -> bool:
        """Whether the picture shows enough to have a hash of its own."""
        return bool(self.packed)

    @property
    def bits(self) -> NDArray[np.bool_]:
        """The bits, (256,)."""
        return np.unpackbits(np.frombuffer(self._printable.bits, np.uint8)).astype(bool)

    def __sub__(self, other: "Hash") -> int:
        """Count the bits in which two hashes differ: 256, all of them, where one has no detail.

        Raises:
            InputError: if they are of two networks, which it names.
        """
        if not isinstance(other, Hash):
            return NotImplemented
        found = compare_codes(self._printable, other._printable)
        return found.distance if self.detail and other.detail else BITS

    def __bytes__(self) -> bytes:
        return self.tag + self.packed

    def __str__(self) -> str:
        """Print the hash as one word that `parse` reads; nothing where there is no detail."""
        return str(self._printable) if self.detail else ""

    def __repr__(self) -> str:
        return f"Hash({str(self) or 'no detail'})"

    @property
    def _printable(self) -> PrintableCode:
        return PrintableCode(self.tag, self.packed or bytes(SIZE))


@dataclass(frozen=True)
class Refusal:
    """Why a file has no hash.

    Attributes:
        file: as it was given.
        reason: the end of a sentence that begins with the file.
    """

    file: str | os.PathLike[str]
    reason: str

    def __str__(self) -> str:
        return f"{path_text(Path(self.file))} {self.reason}."
