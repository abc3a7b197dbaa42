"""Bindings: whether a picture shows the content that a manifest was signed for."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from latenthash.codes.classical import phash_64
from latenthash.data.reading import Picture, Reader
from latenthash.errors import InputError
from latenthash.library.given import read_given
from latenthash.watermark.manifest import Enrolled, Manifest
from latenthash.watermark.query import Query
from latenthash.watermark.registration import NOTHING, THUMBNAIL, Reference, Registration

if TYPE_CHECKING:  # it imports torch
    from latenthash.library.code import Code

Standing: TypeAlias = Literal["verified", "altered", "unconfirmed", "copied"]
THUMBNAILS = Reader(THUMBNAIL, THUMBNAIL**2, (255, 255, 255))  # what reads them: none is larger


@dataclass(frozen=True)
class Agreement:
    """How a picture compares with the content of a manifest.

    Attributes:
        hash: whether their hashes agree; None where the binding does not look at them.
        pixels: whether the one lies on the other; None where the binding does not look.
        distance: bits in which their codes differ; None where they are not compared.
        registration: how the picture lies on the registered one.
    """

    hash: bool | None
    pixels: bool | None
    distance: int | None = None
    registration: Registration = NOTHING

    @property
    def standing(self) -> Standing:
        """What it says of a mark whose row and signatures are sound."""
        seen = [part for part in (self.hash, self.pixels) if part is not None]
        if all(seen):
            return "verified"
        if self.pixels:
            return "altered"
        return "unconfirmed" if self.hash else "copied"


class Binding(Protocol):
    """Decides whether a picture shows the content of a manifest."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def compare(self, query: Query, manifest: Manifest) -> Agreement:
        """Compare a picture with what a manifest says of another.

        A thumbnail that is no picture agrees with none.
        """


@runtime_checkable
class Enrolling(Protocol):
    """A binding that needs more of a picture than its code, and takes it before it is marked."""

    def enrol(self, picture: Picture, code: "Code") -> Enrolled:
        """Return what the manifest is to hold.

        Raises:
            InputError: if the picture does not give it.
        """


@dataclass(frozen=True)
class CodeBinding:
    """Codes that differ in few bits.

    Args:
        limit: bits.
    """

    limit: int
    name: str = field(default="code", init=False)

    def compare(self, query: Query, manifest: Manifest) -> Agreement:
        """Compare codes; see `Binding.compare`."""
        distance = code_distance(query, manifest)
        return Agreement(distance is not None and distance <= self.limit, None, distance)


@dataclass(frozen=True)
class IdentityBinding:
    """A control: whoever carries the mark is the picture, as where no content is looked at."""

    name: str = field(default="identity", init=False)

    def compare(self, query: Query, manifest: Manifest) -> Agreement:
        """Agree; see `Binding.compare`."""
        return Agreement(True, None, code_distance(query, manifest))


@dataclass(frozen=True)
class PHashBinding:
    """pHash of 64 bits (Zauner 2010) of the picture and of the thumbnail, as others bind marks.

    Args:
        limit: bits.
    """

    limit: int
    name: str = field(default="phash", init=False)

    def compare(self, query: Query, manifest: Manifest) -> Agreement:
        """Compare with the thumbnail; see `Binding.compare`."""
        distance = code_distance(query, manifest)
        try:
            shown = read_given(manifest.jpeg, THUMBNAILS).pixels
        except InputError:
            return Agreement(False, None, distance)
        away = int((phash_64(query.pixels) != phash_64(shown)).sum())
        return Agreement(away <= self.limit, None, distance)


@dataclass(frozen=True)
class RegistrationBinding:
    """Pixels that lie on the thumbnail of the original."""

    name: str = field(default="registration", init=False)

    def compare(self, query: Query, manifest: Manifest) -> Agreement:
        """Register; see `Binding.compare`."""
        found = registered(query, manifest)
        return Agreement(None, found.agrees, code_distance(query, manifest), found)


@dataclass(frozen=True)
class CodeRegistrationBinding:
    """Both: the code, which finds a content among many, and the pixels, which confirm it.

    Args:
        limit: bits in which codes of one picture differ at most.
    """

    limit: int
    name: str = field(default="code_registration", init=False)

    def compare(self, query: Query, manifest: Manifest) -> Agreement:
        """Compare codes, and register; see `Binding.compare`."""
        distance, found = code_distance(query, manifest), registered(query, manifest)
        return Agreement(
            distance is not None and distance <= self.limit, found.agrees, distance, found
        )


def code_distance(query: Query, manifest: Manifest) -> int | None:
    """Count the bits in which the codes of a picture and of a manifest differ.

    Returns:
        None where the picture shows no detail, or the codes are of two networks.
    """
    packed = query.packed
    if packed is None or manifest.hash.tag != query.hash.tag.hex():
        return None
    return int(np.bitwise_count(packed ^ manifest.hash.packed).sum())


def registered(query: Query, manifest: Manifest) -> Registration:
    """Register a picture to the thumbnail of a manifest; to one that is no picture, not at all."""
    width, height = manifest.size
    try:
        reference = Reference(manifest.jpeg, (width, height))
    except InputError:  # whoever may append to a registry wrote it: it must stop nobody
        return NOTHING
    return reference.register(query.features)
