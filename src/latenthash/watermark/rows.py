"""A row of a registry: what its digest and seal cover, and whether they hold."""

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from latenthash.errors import InputError
from latenthash.system.files import Unusable, read_bounded
from latenthash.watermark.canonical import parse
from latenthash.watermark.keys import PUBLIC, SIGNATURE, Signer, is_signed, message
from latenthash.watermark.signed import Signed

FIRST, ROW, SEAL = b"registry 1", b"row 1", b"seal 1"  # what is digested, and what is signed
DIGEST = 32  # bytes
LARGEST_HEAD = 2**12  # bytes of the file
HEAD = "head 1"
UNTOUCHED = "Use an untouched copy of what was given away."
SIZES = {"registry": PUBLIC, "digest": DIGEST, "seal": SIGNATURE}


@dataclass(frozen=True)
class Row:
    """A row as it stands in a registry, which may have been tampered with.

    Attributes:
        seq: its number; the first is 1.
        id: of the mark.
        bundle: of the code, as searches look for it.
        bits: of the code, as searches look for it.
        added: when, by the registry's clock; UTC.
        previous: digest of the row before.
        digest: of all that stands here but the seal.
        seal: the registry's signature of the digest.
        signature: of the owner.
        manifest: in canonical JSON.
    """

    seq: int
    id: bytes
    bundle: str
    bits: bytes
    added: str
    previous: bytes
    digest: bytes
    seal: bytes
    signature: bytes
    manifest: bytes

    @classmethod
    def following(cls, head: "Head", signed: Signed, added: str, signer: Signer) -> "Row":
        """Make the row after a head."""
        hash_ = signed.manifest.hash
        seq, bits = head.seq + 1, hash_.packed.tobytes()
        covered = (seq.to_bytes(8), head.digest, signed.id, signed.text, signed.signature)
        digest = sha256(message(ROW, *covered, added.encode())).digest()
        return cls(
            seq, signed.id, hash_.bundle, bits, added, head.digest, digest,
            signer.sign(SEAL, digest), signed.signature, signed.text,
        )  # fmt: skip

    @cached_property
    def signed(self) -> Signed | None:
        """The manifest with its signature; None where it cannot be read any more."""
        try:
            return Signed.of(f"Row {self.seq}", self.manifest, self.signature)
        except InputError:
            return None

    def fault(self, public: bytes) -> str | None:
        """Say what is wrong with the row in itself; None where nothing is.

        Args:
            public: key of the registry.
        """
        covered = (self.previous, self.id, self.manifest, self.signature, self.added.encode())
        number = self.seq.to_bytes(8) if 0 < self.seq < 2**63 else b""
        if sha256(message(ROW, number, *covered)).digest() != self.digest:
            return "was altered, or stands in another's place"
        if not is_signed(public, self.seal, SEAL, self.digest):
            return "was not written by this registry: its seal does not hold"
        signed = self.signed
        if signed is None or not signed.is_sound:
            return "holds a manifest that its owner did not sign"
        if signed.id != self.id:
            return "has another id than its manifest"
        hash_ = signed.manifest.hash
        if (hash_.bundle, hash_.packed.tobytes()) != (self.bundle, self.bits):
            return "is searched by another code than its manifest's"
        return None


@dataclass(frozen=True)
class Head:
    """The newest row of a registry at some time: to be kept where the registry is not.

    All rows up to it can be checked against it, so that those who hold the registry and its key
    can take nothing back that a head was given away of.

    Attributes:
        registry: its public key, 32 bytes.
        seq: of the row; 0 where there was none.
        digest: of the row.
        seal: of the row.
    """

    registry: bytes
    seq: int
    digest: bytes
    seal: bytes

    @classmethod
    def first(cls, signer: Signer) -> "Head":
        """Make the head of a registry without rows."""
        digest = empty_digest(signer.public)
        return cls(signer.public, 0, digest, signer.sign(SEAL, digest))

    @property
    def is_sound(self) -> bool:
        """Whether the registry sealed it."""
        return is_signed(self.registry, self.seal, SEAL, self.digest)

    def to_json(self) -> str:
        """Write the head as JSON."""
        values: dict[str, Any] = {"latenthash": HEAD, "seq": self.seq}
        values |= {name: getattr(self, name).hex() for name in SIZES}
        return json.dumps(values, indent=1)


def empty_digest(public: bytes) -> bytes:
    """Return what the first row of a registry follows."""
    return sha256(message(FIRST, public)).digest()


def read_head(path: Path) -> Head:
    """Read a head from the file that holds its JSON.

    Raises:
        InputError: if it is none, or no registry sealed it.
    """
    what = f"The head {path}"
    try:
        values = parse(read_bounded(path, LARGEST_HEAD))
    except (Unusable, ValueError) as error:
        raise InputError(f"{what} {error}. {UNTOUCHED}") from error
    try:
        if set(values) != {"latenthash", "seq", *SIZES} or values["latenthash"] != HEAD:
            raise ValueError
        parts = {name: bytes.fromhex(values[name]) for name in SIZES}
        if any(len(parts[name]) != size for name, size in SIZES.items()):
            raise ValueError
        head = Head(seq=values["seq"], **parts)
        if type(head.seq) is not int or not 0 <= head.seq < 2**63 or not head.is_sound:
            raise ValueError
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} is none of a registry, or was altered. {UNTOUCHED}") from error
    return head
