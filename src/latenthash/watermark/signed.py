"""A signed manifest: what the id of a mark commits to, and the file that holds it.

The id that a mark carries is the beginning of the digest of a manifest and its signature. Whoever
copies a mark copies a commitment to a manifest that describes another picture.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from latenthash.errors import InputError
from latenthash.system.files import Unusable, read_bounded
from latenthash.watermark.canonical import canonical, parse
from latenthash.watermark.keys import SIGNATURE, Signer, is_signed, message
from latenthash.watermark.manifest import ID, UNTOUCHED, Manifest, checked, from_hex
from latenthash.watermark.writing import put

ENDING = ".latenthash.json"  # of the file beside a marked picture
MOST_BYTES = 2**20  # of a manifest; ours have a thirtieth of it, of which most is the thumbnail
SIGNED, NAMED = b"manifest 1", b"id 1"  # what is signed, and what is digested


@dataclass(frozen=True)
class Signed:
    """A manifest with its owner's signature.

    Attributes:
        manifest: as it was read.
        text: the manifest in canonical JSON, which is what was signed.
        signature: 64 bytes.
    """

    manifest: Manifest
    text: bytes
    signature: bytes

    @property
    def id(self) -> bytes:
        """The 8 bytes that a mark carries.

        To find a second manifest for an id takes 2**64 tries, whoever signs it.
        """
        return sha256(message(NAMED, self.text, self.signature)).digest()[:ID]

    @property
    def is_sound(self) -> bool:
        """Whether the owner that the manifest names signed it."""
        public = bytes.fromhex(self.manifest.owner.key)
        return is_signed(public, self.signature, SIGNED, self.text)

    @classmethod
    def of(cls, what: str, text: bytes, signature: bytes) -> "Signed":
        """Read a manifest that was kept in canonical JSON; who signed it is not looked at.

        Args:
            what: begins the sentences on what is wrong with it.
            text: of the manifest.
            signature: 64 bytes.

        Raises:
            InputError: if it is no manifest, or of a version that is not known here.
        """
        values = _parsed(what, text)
        manifest = checked(what, values)
        if canonical(values) != text:
            raise InputError(f"{what} is not written in canonical JSON. {UNTOUCHED}")
        return cls(manifest, text, signature)


def sign(manifest: Manifest, signer: Signer) -> Signed:
    """Sign a manifest by its owner's key.

    Raises:
        InputError: if it holds what canonical JSON cannot, such as endless numbers in edits, is
            too large, or names another owner.
    """
    if manifest.owner.key != signer.public.hex():
        raise InputError(f"The manifest names another owner's key than that of {signer.name}.")
    try:
        text = canonical(manifest.model_dump())
        parse(text)  # nothing is signed that cannot be read
    except ValueError as error:
        raise InputError(f"The manifest {error}: leave that out of the edits.") from error
    if len(text) > MOST_BYTES:
        raise InputError(
            f"The manifest has {len(text):,} bytes, over the limit of {MOST_BYTES:,}: tell less of "
            "the edits."
        )
    return Signed(manifest, text, signer.sign(SIGNED, text))


def sidecar(picture: Path) -> Path:
    """Return where the manifest of a marked picture stands: beside it, under its whole name."""
    return picture.with_name(picture.name + ENDING)


def write_sidecar(signed: Signed, path: Path) -> None:
    """Write a signed manifest as JSON, whole or not at all, and never over another.

    Raises:
        InputError: if something is there, or it cannot be written.
    """
    values = {
        "id": signed.id.hex(),
        "signature": signed.signature.hex(),
        "manifest": json.loads(signed.text),
    }
    put(json.dumps(values, indent=1, ensure_ascii=False).encode(), path)


def read_sidecar(path: Path) -> Signed:
    """Read a signed manifest.

    Raises:
        InputError: if it is none, of a newer version, was altered, or its owner did not sign it.
    """
    what = f"The manifest {path}"
    try:
        data = read_bounded(path, 2 * MOST_BYTES)  # indented
    except Unusable as error:
        raise InputError(f"{what} {error}. {UNTOUCHED}") from error
    values = _parsed(what, data)
    if not isinstance(values, dict) or set(values) != {"id", "signature", "manifest"}:
        raise InputError(f"{what} must hold id, signature and manifest, and no more. {UNTOUCHED}")
    manifest = checked(what, values["manifest"])
    signature = from_hex(values["signature"], SIGNATURE)
    if signature is None:
        raise InputError(f"{what}: signature must be {2 * SIGNATURE} hexadecimal digits.")
    try:
        signed = Signed(manifest, canonical(values["manifest"]), signature)
    except ValueError as error:
        raise InputError(f"{what} {error}. {UNTOUCHED}") from error
    if len(signed.text) > MOST_BYTES:
        raise InputError(f"{what} has more than {MOST_BYTES:,} bytes. {UNTOUCHED}")
    if not signed.is_sound or values["id"] != signed.id.hex():
        raise InputError(
            f"{what} was altered, or its owner did not sign it: text, signature and id do not go "
            f"together. {UNTOUCHED}"
        )
    return signed


def _parsed(what: str, data: bytes) -> Any:
    try:
        return parse(data)
    except ValueError as error:
        raise InputError(f"{what} {error}. {UNTOUCHED}") from error
