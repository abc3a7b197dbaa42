"""Codes: what turns any picture into a fixed number of bits or floats, with no enrolment.

A source describes a picture; one or more codes are made of a description. The description is
what takes time and what is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Protocol

import imagehash
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from latenthash.features.vgg16 import VGG16
from latenthash.hasher import Hasher
from latenthash.projections import CANDIDATES, directions, unit

Pixels = NDArray[np.uint8]  # (H, W, 3)
Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]

BITS = (64, 128, 256)  # of codes made from a latent
LATENTS = ("latent-float", *(f"latent-{bits}" for bits in BITS), f"latent-reliable-{BITS[-1]}")
THUMBNAIL = 32  # px, side of what random projections see
CONTROL_SIDE = 64  # px, of the views that the random trunk sees


class Source(Protocol):
    """What describes pictures.

    Attributes:
        identity: all that decides a description; kept descriptions are found by it.
        side: px, of the square views that are described; None for whole pictures.
        trim: whether views are cut free of uniform borders.
    """

    identity: str
    side: int | None
    trim: bool

    def describe(self, views: Sequence[Pixels]) -> Floats:
        """Describe views or pictures by (N, D)."""


@dataclass(frozen=True)
class Code:
    """A code made of a source's description.

    Attributes:
        name: as in tables and in MLflow.
        source: what describes pictures.
        size: bytes of one code as it would be stored.
        queries: descriptions (N, D) -> vectors (N, E).
        references: the same for what queries are compared with; the inner product is the
            similarity.
        span: similarity of a picture to itself; bits are -1 and 1, whose inner products are
            whole numbers, so that ties are ties.
    """

    name: str
    source: Source
    size: int
    queries: Callable[[Floats], Floats]
    references: Callable[[Floats], Floats]
    span: float


@dataclass(frozen=True)
class Absent:
    """A code that cannot be judged here, and yet has its row.

    Attributes:
        name: of the code.
        reason: what is missing, and how to get it.
    """

    name: str
    reason: str


class Peer:
    """A hash that another library computes.

    Args:
        name: of the hash.
        library: its version is part of the identity.
        compute: picture (H, W, 3) -> bits of any shape, as booleans or 0 and 1; workers get it
            by pickle, so no lambda.
    """

    side: int | None = None
    trim = False

    def __init__(self, name: str, library: str, compute: Callable[[Pixels], Bits]) -> None:
        self.identity = f"{name} {library} {version(library)}"
        self.compute = compute

    def describe(self, views: Sequence[Pixels]) -> Floats:
        """Hash pictures, to bits (N, B) as -1 and 1."""
        bits = np.stack([self.compute(picture).ravel() for picture in views])
        return np.where(bits, 1, -1).astype(np.float32)


class Latent:
    """The latent of a bundle.

    Args:
        identity: of the bundle.
        hasher: its features and model.
    """

    def __init__(self, identity: str, hasher: Hasher) -> None:
        self.identity = identity
        self.hasher = hasher
        self.side: int | None = hasher.features.size
        self.trim = hasher.features.trim
        blank = np.zeros((hasher.features.size, hasher.features.size, 3), np.uint8)
        self.dimensions = self.describe([blank]).shape[1]

    def describe(self, views: Sequence[Pixels]) -> Floats:
        """Map views (side, side, 3) to z (N, k)."""
        return self.hasher.encode(torch.from_numpy(np.stack(views))).astype(np.float32)


class RandomTrunk:
    """A control: VGG16's architecture with weights that never saw a picture."""

    side: int | None = CONTROL_SIDE
    trim = False
    identity = f"random trunk {CONTROL_SIDE}"

    def __init__(self) -> None:
        self.features = VGG16(
            weights="random", layer="conv5_3", pooling="average", size=CONTROL_SIDE,
            finetune=False, freeze_until="pool4", seed=0,
        )  # fmt: skip

    def describe(self, views: Sequence[Pixels]) -> Floats:
        """Map views (side, side, 3) to averages of conv5_3 (N, 512), of length 1."""
        x: Floats = self.features(torch.from_numpy(np.stack(views))).numpy()
        return unit(x)


class Thumbnail:
    """A control: the picture in grey, made small, without its mean."""

    side: int | None = THUMBNAIL
    trim = False
    identity = f"thumbnail {THUMBNAIL}"

    def describe(self, views: Sequence[Pixels]) -> Floats:
        """Map views (side, side, 3) to (N, side * side)."""
        grey = np.stack(views).astype(np.float32).mean(-1).reshape(len(views), -1)
        return unit(grey - grey.mean(1, keepdims=True))


def peers() -> tuple[list[Code], list[Absent]]:
    """Give the peers that are installed, and those that are not."""
    known: dict[str, tuple[int, Callable[[Pixels], Bits]]] = {
        "ahash-64": (64, partial(_imagehash, imagehash.average_hash, 8)),
        "dhash-64": (64, partial(_imagehash, imagehash.dhash, 8)),
        "phash-64": (64, partial(_imagehash, imagehash.phash, 8)),
        "phash-256": (256, partial(_imagehash, imagehash.phash, 16)),
    }
    codes = [
        _bits(name, Peer(name, "imagehash", compute), bits)
        for name, (bits, compute) in known.items()
    ]
    if find_spec("pdqhash") is None:
        return codes, [Absent("pdq-256", "not installed: pip install 'latenthash[peers]'")]
    pdq = Peer("pdq-256", "pdqhash", _pdq)
    return [*codes, _bits("pdq-256", pdq, 256)], []


def latent_codes(source: Source, dimensions: int) -> list[Code]:
    """Give the `LATENTS` of z (N, k): itself, its signs, and its most reliable signs."""
    whole, *signs, reliable = LATENTS
    codes = [Code(whole, source, 4 * dimensions, _float_queries, _float_references, 1.0)]
    codes += [
        projected(name, source, dimensions, bits) for name, bits in zip(signs, BITS, strict=True)
    ]
    kept = BITS[-1]
    many = directions(dimensions, CANDIDATES)

    def queries(z: Floats) -> Floats:
        return _signs(z @ many)

    def references(z: Floats) -> Floats:
        projected = z @ many
        surest = np.argsort(-np.abs(projected), axis=1, kind="stable")[:, :kept]
        vectors = np.zeros_like(projected)
        np.put_along_axis(vectors, surest, np.sign(np.take_along_axis(projected, surest, 1)), 1)
        return vectors

    # The bits, and which of the candidates they are.
    size = (kept + CANDIDATES) // 8
    return [*codes, Code(reliable, source, size, queries, references, kept)]


def controls() -> list[Code]:
    """Give the controls: bits of a network that learned nothing, and of no network at all."""
    return [
        projected("random-trunk-256", RandomTrunk(), 512, 256),
        projected("random-projection-256", Thumbnail(), THUMBNAIL**2, 256),
    ]


def _imagehash(compute: Callable[..., imagehash.ImageHash], size: int, picture: Pixels) -> Bits:
    bits: Bits = compute(Image.fromarray(picture), hash_size=size).hash
    return bits


def _pdq(picture: Pixels) -> Bits:
    import pdqhash  # an extra: it needs a compiler to be installed

    bits: Bits = pdqhash.compute(np.ascontiguousarray(picture))[0].astype(bool)
    return bits


def projected(name: str, source: Source, dimensions: int, bits: int) -> Code:
    """Make a code of the signs of fixed projections."""
    rotation = directions(dimensions, bits)

    def vectors(described: Floats) -> Floats:
        return _signs(described @ rotation)

    return Code(name, source, bits // 8, vectors, vectors, bits)


def _bits(name: str, source: Source, bits: int) -> Code:
    """Make a code of bits that are described as -1 and 1."""

    def vectors(described: Floats) -> Floats:
        return described

    return Code(name, source, bits // 8, vectors, vectors, bits)


def _signs(x: Floats) -> Floats:
    return np.where(x > 0, 1, -1).astype(np.float32)


def _float_queries(z: Floats) -> Floats:
    """Append what makes the inner product 1 - d^2 / 2: for unit vectors, the cosine."""
    half = (z**2).sum(1, keepdims=True) / 2
    return np.hstack([z, np.ones_like(half), -half])


def _float_references(z: Floats) -> Floats:
    half = (z**2).sum(1, keepdims=True) / 2
    return np.hstack([z, 1 - half, np.ones_like(half)])
