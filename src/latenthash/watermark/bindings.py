"""Bindings: whether a picture shows the content that a manifest was signed for."""

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np

from latenthash.watermark.manifest import Manifest
from latenthash.watermark.query import Query
from latenthash.watermark.registration import NOTHING, Reference, Registration

Standing: TypeAlias = Literal["verified", "altered", "unconfirmed", "copied"]


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

        Raises:
            InputError: if the manifest's thumbnail is no picture.
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
    """Register a picture to the thumbnail of a manifest."""
    width, height = manifest.size
    return Reference(manifest.jpeg, (width, height)).register(query.features)
