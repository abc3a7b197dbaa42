"""The manifest: what an owner states of a picture before it is marked."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latenthash import __version__
from latenthash.errors import InputError
from latenthash.options.checking import find_problems
from latenthash.options.kinds import Kind, Node, number, whole
from latenthash.watermark.keys import LONGEST_NAME, PUBLIC, is_name

VERSION = 1  # raised whenever older readers would misread a manifest
ID = 8  # bytes that a carrier hides
TIME = "%Y-%m-%dT%H:%M:%SZ"
UNTOUCHED = "Use an untouched copy of what mark=PATH wrote."


@dataclass(frozen=True)
class Hexadecimal(Kind):
    """Bytes as digits, written in one way alone: in small letters."""

    size: int = 0

    def fits(self, value: str) -> bool:
        """Say whether a text is so many bytes."""
        return from_hex(value, self.size) is not None


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


def from_hex(value: object, size: int) -> bytes | None:
    """Return the bytes that small hexadecimal digits stand for; None when none do."""
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return None
    return found if len(found) == size and found.hex() == value else None
