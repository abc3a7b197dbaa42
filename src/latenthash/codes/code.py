"""Codes: what turns any picture into a fixed number of bits or floats, with no enrolment.

A source describes a picture; one or more codes are made of a description. The description is
what takes time and what is kept. Processes of workers import this, so it does without torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from latenthash.data.reading import Picture, Pixels
from latenthash.hashing.projections import CANDIDATES, directions, unit

Vectors: TypeAlias = NDArray[np.float32]  # (N, D)
Signs: TypeAlias = NDArray[np.int8]  # (N, D) of -1 and 1
Described: TypeAlias = NDArray[Any]  # (..., D) int8 or float32, as its source says
Kind: TypeAlias = type[np.int8] | type[np.float32]

BITS = (64, 128, 256)  # of codes made from a latent
LATENTS = ("latent-float", *(f"latent-{bits}" for bits in BITS), f"latent-reliable-{BITS[-1]}")


class Source(Protocol):
    """What describes pictures.

    Attributes:
        key: all that decides a description; kept descriptions are found by it.
        side: px, of the square views that are described; None for whole pictures.
        trim: whether views are cut free of uniform borders.
        dimensions: D, numbers in a description.
        kind: np.int8 for bits, as -1 and 1; np.float32 for anything else.
    """

    key: str
    side: int | None
    trim: bool
    dimensions: int
    kind: Kind

    def describe(self, views: Sequence[Pixels]) -> Described:
        """Describe views or pictures by (N, D)."""


class LatentSource(Source, Protocol):
    """What describes pictures by a latent.

    Attributes:
        lengths: bits of the codes whose signs are the description's numbers, one after the other,
            the latent's first; none where the description is a latent that learned no signs.
    """

    lengths: tuple[int, ...]


class HashError(Exception):
    """Hashes that cannot be judged, for they raised or gave something that is no hash.

    Args:
        faults: key of a source -> what it did: the end of a sentence that begins with its name.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        super().__init__(self.faults)


def inner(queries: Vectors, references: Vectors) -> Vectors:
    """Return the inner products (N, M) of vectors (N, E) and (M, E)."""
    return queries @ references.T


def minus_l1(queries: Vectors, references: Vectors) -> Vectors:
    """Return minus the sums of absolute differences, (N, M), of vectors (N, E) and (M, E)."""
    distances: Vectors = cdist(queries, references, "cityblock").astype(np.float32)
    return -distances


@dataclass(frozen=True)
class Code:
    """A code made of a source's description.

    Attributes:
        name: as in tables and in MLflow.
        source: what describes pictures.
        size: bytes of one code as it would be stored.
        queries: descriptions (N, D) -> vectors (N, E).
        references: the same for what queries are compared with.
        span: similarity of a picture to itself; bits are -1 and 1, whose inner products are
            whole numbers, so that ties are ties.
        compare: vectors of queries (N, E), those of references (M, E) -> similarities (N, M).
    """

    name: str
    source: Source
    size: int
    queries: Callable[[Described], Vectors]
    references: Callable[[Described], Vectors]
    span: float
    compare: Callable[[Vectors, Vectors], Vectors] = inner

    def similarity(self, queries: Described, references: Described) -> Vectors:
        """Compare descriptions (N, D) with others (M, D), to (N, M)."""
        return self.compare(self.queries(queries), self.references(references))

    def shown(self, similarity: float) -> float:
        """Return a similarity as people read it: 1 is equal; of L1, minus the distance."""
        return similarity / self.span if self.span else similarity

    def bits(self, described: Described) -> NDArray[np.uint8]:
        """Pack the bits that queries are compared by, (N, D) to (N, size) bytes.

        Of codes that are bits alone: neither floats, nor the most reliable of many bits.
        """
        vectors = self.queries(described)
        assert vectors.shape[1] == 8 * self.size
        return np.packbits(vectors > 0, axis=1)


@dataclass(frozen=True)
class AbsentCode:
    """A code that cannot be judged here, and yet has its row.

    Attributes:
        name: of the code.
        reason: what is missing, and how to get it; or what it did.
    """

    name: str
    reason: str


class PeerHash(Protocol):
    """What a file of conf/peer builds: a hash beside ours."""

    def codes(self, name: str, example: Picture) -> Sequence[Code | AbsentCode]:
        """Return its codes, or why they are absent.

        Args:
            name: of the peer in the config.
            example: a picture that tells how long a hash is, where nothing else does.

        Raises:
            InputError: if it cannot be had.
        """


def printed_code(source: LatentSource) -> Code:
    """Return the code that is printed for people: `latent-256`, as it is judged."""
    return _bits(f"latent-{BITS[-1]}", source, BITS[-1])


def latent_codes(source: LatentSource) -> list[Code]:
    """Return the `LATENTS`: the latent itself, codes of its signs, and its most reliable signs."""
    whole, *names, reliable = LATENTS
    k = width(source)
    # Of a model that learned signs, the direction of its numbers is what counts.
    direction = unit if source.lengths else _unchanged
    codes = [
        Code(
            whole, source, 4 * k,
            lambda z: _float_queries(direction(z[:, :k])),
            lambda z: _float_references(direction(z[:, :k])), 1.0,
        )
    ]  # fmt: skip
    codes += [_bits(name, source, bits) for name, bits in zip(names, BITS, strict=True)]
    kept = BITS[-1]
    many = directions(k, CANDIDATES)

    def queries(z: Vectors) -> Vectors:
        return signs(z[:, :k] @ many).astype(np.float32)

    def references(z: Vectors) -> Vectors:
        projected = z[:, :k] @ many
        surest = np.argsort(-np.abs(projected), axis=1, kind="stable")[:, :kept]
        vectors = np.zeros_like(projected)
        np.put_along_axis(vectors, surest, np.sign(np.take_along_axis(projected, surest, 1)), 1)
        return vectors

    # The bits, and which of the candidates they are.
    size = (kept + CANDIDATES) // 8
    return [*codes, Code(reliable, source, size, queries, references, kept)]


def width(source: LatentSource) -> int:
    """Return k, how many numbers of a description are the latent."""
    return source.lengths[0] if source.lengths else source.dimensions


def behind_bits(source: LatentSource, bits: int) -> tuple[slice, NDArray[np.float32] | None]:
    """Say which numbers of a description have the bits of a code as their signs.

    Returns:
        the numbers; and the directions (width, bits) that they are projected on before, or None
        where the model learned so many bits itself.
    """
    if bits not in source.lengths:
        return slice(width(source)), directions(width(source), bits)
    at = source.lengths.index(bits)
    return slice(sum(source.lengths[:at]), sum(source.lengths[: at + 1])), None


def _bits(name: str, source: LatentSource, bits: int) -> Code:
    """Make a code of signs: the model's own where it learned so many, or of fixed projections."""
    numbers, rotation = behind_bits(source, bits)
    return _signed(name, source, bits, numbers, rotation)


def projected(name: str, source: Source, bits: int) -> Code:
    """Make a code of the signs of fixed projections of floats.

    Args:
        name: of the code.
        source: of descriptions (N, D).
        bits: of the code.
    """
    return _signed(name, source, bits, slice(None), directions(source.dimensions, bits))


def _signed(
    name: str, source: Source, bits: int, numbers: slice, rotation: NDArray[np.float32] | None
) -> Code:
    def vectors(described: Vectors) -> Vectors:
        x = described[:, numbers]
        return signs(x if rotation is None else x @ rotation).astype(np.float32)

    return Code(name, source, bits // 8, vectors, vectors, bits)


def plain_bits(name: str, source: Source) -> Code:
    """Make a code of the bits that a source describes pictures by."""

    def vectors(described: Signs) -> Vectors:
        return described.astype(np.float32)

    size = -(-source.dimensions // 8)
    return Code(name, source, size, vectors, vectors, source.dimensions)


def signs(x: NDArray[Any]) -> Signs:
    """Return -1 and 1 for numbers or bits (N, D); 0 has -1."""
    return np.where(x > 0, np.int8(1), np.int8(-1))


def _unchanged(z: Vectors) -> Vectors:
    return z


def _float_queries(z: Vectors) -> Vectors:
    """Append what makes the inner product 1 - d^2 / 2: for unit vectors, the cosine."""
    half = (z**2).sum(1, keepdims=True) / 2
    return np.hstack([z, np.ones_like(half), -half])


def _float_references(z: Vectors) -> Vectors:
    half = (z**2).sum(1, keepdims=True) / 2
    return np.hstack([z, 1 - half, np.ones_like(half)])
