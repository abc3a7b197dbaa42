"""The manifest: what an owner signs of a picture before it is marked, and what the mark's id is of.

The id that a mark carries is the beginning of the digest of a manifest and its signature. Whoever
copies a mark copies a commitment to a manifest that describes another picture.
"""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latenthash import __version__
from latenthash.errors import InputError
from latenthash.options.checking import find_problems
from latenthash.options.kinds import Kind, Node, number, whole
from latenthash.system.files import Unusable, read_bounded
from latenthash.watermark.canonical import canonical, parse
from latenthash.watermark.keys import LONGEST_NAME, PUBLIC, SIGNATURE, Signer, is_name, is_signed
from latenthash.watermark.keys import message as joined

VERSION = 1  # raised whenever older readers would misread a manifest
ENDING = ".latenthash.json"  # of the file beside a marked picture
MOST_BYTES = 2**20  # of a manifest; ours have a thirtieth of it, of which most is the thumbnail
ID = 8  # bytes that a carrier hides
SIGNED, NAMED = b"manifest 1", b"id 1"  # what is signed, and what is digested
TIME = "%Y-%m-%dT%H:%M:%SZ"
UNTOUCHED = "Use an untouched copy of what mark=PATH wrote."


@dataclass(frozen=True)
class Hexadecimal(Kind):
    """Bytes as digits, written in one way alone: in small letters."""

    size: int = 0

    def fits(self, value: str) -> bool:
        """Say whether a text is so many bytes."""
        return _bytes(value, self.size) is not None


def hexadecimal(size: int, what: str) -> Hexadecimal:
    """Ask for so many bytes in hexadecimal."""
    return Hexadecimal(f"{what}, {2 * size} hexadecimal digits in small letters", size)


class OwnersName(Kind):
    """A name that no terminal is steered by."""

    def fits(self, value: str) -> bool:
        """Say whether a text can be an owner's name."""
        return is_name(value)


class Encoded(Kind):
    """Bytes in base64, written in the one way that they are encoded in."""

    def fits(self, value: str) -> bool:
        """Say whether a text is base64 (RFC 4648)."""
        try:
            return b64encode(b64decode(value, validate=True)).decode() == value
        except ValueError:
            return False


class Moment(Kind):
    """A second in UTC."""

    def fits(self, value: str) -> bool:
        """Say whether a text is a time, written as all are here."""
        try:
            return datetime.strptime(value, TIME).strftime(TIME) == value
        except ValueError:
            return False


Word: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_.+-]{1,80}$"), Kind("a word of 1 to 80 letters")
]
Digest: TypeAlias = Annotated[str, hexadecimal(32, "a sha256 digest")]


class Carrier(Node):
    """What hid the id."""

    name: Word
    key: Word


class Owner(Node):
    """Who signed."""

    name: Annotated[
        str, OwnersName(f"a name on one line, of 1 to {LONGEST_NAME} letters that can be seen")
    ]
    key: Annotated[str, hexadecimal(PUBLIC, "a public key")]


class Enrolled(Node):
    """The picture's own hash: a centroid, and the radius within which its views lie."""

    bundle: Digest
    centroid: Annotated[
        list[float], Field(min_length=1, max_length=4096), Kind("a list of numbers")
    ]
    radius: Annotated[float, number(above=0, below=1e300)]


class ContentHash(Node):
    """What the picture looks like, before it was marked."""

    kind: Word
    tag: Annotated[str, hexadecimal(2, "the tag of a code")]
    bundle: Digest
    bits: Annotated[str, hexadecimal(32, "a code of 256 bits")]
    enrolled: Enrolled | None = None
    printable: Annotated[str, Field(max_length=4096), Kind("a printable hash")] | None = None

    @property
    def packed(self) -> NDArray[np.uint8]:
        """The bits, (32,), as `codes.code.Code.bits` packs them."""
        return np.frombuffer(bytes.fromhex(self.bits), np.uint8)


class Parent(Node):
    """A registered picture that this one was made of."""

    id: Annotated[str, hexadecimal(ID, "an id")]
    relation: Literal["parentOf", "componentOf"]  # C2PA's words
    distance: Annotated[int, whole(0, 256, "bits")] | None = None


class EditDone(Node):
    """One edit that led from the parents to this picture."""

    action: Annotated[
        str,
        Field(pattern=r"^[a-z0-9]+(\.[A-Za-z0-9_]+){1,8}$", max_length=80),
        Kind("an action as C2PA names them, such as c2pa.cropped"),
    ]
    name: Word | None = None
    parameters: Annotated[dict[str, Any], Kind("a mapping")] = Field(default_factory=dict)


class Manifest(Node):
    """What an owner says of a picture."""

    v: Literal[1] = 1
    carrier: Carrier
    owner: Owner
    hash: ContentHash
    thumbnail: Annotated[
        str,
        Field(min_length=4, max_length=2**19),
        Encoded("a JPEG of at most 384 KiB in base64"),
    ]
    size: Annotated[
        list[Annotated[int, whole(1, 2**20, "px")]],
        Field(min_length=2, max_length=2),
        Kind("two whole numbers, [width, height] in px"),
    ]
    parents: Annotated[list[Parent], Field(max_length=64)] = Field(default_factory=list)
    edits: Annotated[list[EditDone], Field(max_length=256)] = Field(default_factory=list)
    created: Annotated[str, Moment("a time in UTC, such as 2026-01-31T12:00:00Z")] = Field(
        default_factory=lambda: now()
    )

    @cached_property
    def jpeg(self) -> bytes:
        """The thumbnail's file; whether it is a picture is for who decodes it to say."""
        return b64decode(self.thumbnail)


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
        return sha256(joined(NAMED, self.text, self.signature)).digest()[:ID]

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


def now() -> str:
    """Return the time as manifests write it, in seconds of UTC."""
    return datetime.now(UTC).strftime(TIME)


def checked(what: str, values: object) -> Manifest:
    """Return the manifest that plain values are.

    Raises:
        InputError: for all that is wrong with them.
    """
    version = values.get("v") if isinstance(values, Mapping) else None
    if isinstance(version, int) and version > VERSION:
        raise InputError(
            f"{what} is of version {version}, and latenthash {__version__} reads manifests of "
            f"version {VERSION}: read it with a newer latenthash."
        )
    if not isinstance(values, Mapping) or version is None:
        raise InputError(f"{what} is no manifest: it names no version `v`. {UNTOUCHED}")
    if problems := find_problems(Manifest, values):
        raise InputError([f"{what}: {sentence}" for sentence in problems])
    return Manifest.model_validate(values)


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
    """Write a signed manifest as JSON, whole or not at all; what was there before is replaced."""
    values = {
        "id": signed.id.hex(),
        "signature": signed.signature.hex(),
        "manifest": json.loads(signed.text),
    }
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        aside.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


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
    signature = _bytes(values["signature"], SIGNATURE)
    if signature is None:
        raise InputError(f"{what}: signature must be {2 * SIGNATURE} hexadecimal digits.")
    try:
        signed = Signed(manifest, canonical(values["manifest"]), signature)
    except ValueError as error:
        raise InputError(f"{what} {error}. {UNTOUCHED}") from error
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


def _bytes(value: object, size: int) -> bytes | None:
    """Return the bytes that small hexadecimal digits stand for; None when none do."""
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return None
    return found if len(found) == size and found.hex() == value else None
