"""Peers: the hashes that people use, by the libraries that compute them."""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latenthash.codes.code import (
    AbsentCode,
    Code,
    Described,
    Kind,
    Signs,
    Source,
    plain_bits,
    signs,
)
from latenthash.data.reading import Pixels

Bits = NDArray[np.bool_]


class Peer:
    """A hash that another library computes.

    Args:
        name: of the hash.
        library: its version is part of the key.
        bits: of the hash.
        compute: picture (H, W, 3) -> bits of any shape, as booleans or 0 and 1; workers get it
            by pickle, so no lambda.
    """

    side: int | None = None
    trim = False
    kind: Kind = np.int8

    def __init__(
        self, name: str, library: str, bits: int, compute: Callable[[Pixels], Bits]
    ) -> None:
        self.name = name
        self.key = f"{name} {library} {version(library)}"
        self.dimensions = bits
        self.compute = compute

    def describe(self, views: Sequence[Pixels]) -> Signs:
        """Hash pictures, to bits (N, B) as -1 and 1."""
        return signs(np.stack([self.compute(picture).ravel() for picture in views]))


class Peers:
    """Peers as one source, that says side by side what each of them says.

    Args:
        peers: at least one.
    """

    side: int | None = None
    trim = False
    kind: Kind = np.int8

    def __init__(self, peers: Sequence[Peer]) -> None:
        self.peers = peers
        self.key = str([peer.key for peer in peers])
        self.dimensions = sum(peer.dimensions for peer in peers)

    def describe(self, views: Sequence[Pixels]) -> Signs:
        """Hash pictures, to bits (N, B) as -1 and 1."""
        return np.hstack([peer.describe(views) for peer in self.peers])


def peers() -> tuple[list[Code], list[AbsentCode]]:
    """Return the peers that are installed, and those that are not."""
    found = [
        Peer("ahash-64", "imagehash", 64, partial(_imagehash, imagehash.average_hash, 8)),
        Peer("dhash-64", "imagehash", 64, partial(_imagehash, imagehash.dhash, 8)),
        Peer("phash-64", "imagehash", 64, partial(_imagehash, imagehash.phash, 8)),
        Peer("phash-256", "imagehash", 256, partial(_imagehash, imagehash.phash, 16)),
    ]
    absent = []
    if find_spec("pdqhash") is None:
        absent.append(AbsentCode("pdq-256", "not installed: pip install 'latenthash[peers]'"))
    else:
        found.append(Peer("pdq-256", "pdqhash", 256, _pdq))
    return [plain_bits(peer.name, peer) for peer in found], absent


def together(sources: Sequence[Source]) -> list[Source]:
    """Return sources, each once, and all peers among them as one."""
    different = {source.key: source for source in sources}.values()
    joined = [source for source in different if isinstance(source, Peer)]
    others = [source for source in different if not isinstance(source, Peer)]
    return [*others, Peers(joined)] if joined else others


def parts(source: Source, described: Described) -> dict[str, Described]:
    """Split descriptions (P, R, D) by the keys of the sources that are part of one."""
    if not isinstance(source, Peers):
        return {source.key: described}
    ends = np.cumsum([peer.dimensions for peer in source.peers])
    split = np.split(described, ends[:-1], axis=2)
    return {peer.key: part for peer, part in zip(source.peers, split, strict=True)}


def _imagehash(compute: Callable[..., imagehash.ImageHash], size: int, picture: Pixels) -> Bits:
    bits: Bits = compute(Image.fromarray(picture), hash_size=size).hash
    return bits


def _pdq(picture: Pixels) -> Bits:
    import pdqhash  # an extra: it needs a compiler to be installed

    bits: Bits = pdqhash.compute(np.ascontiguousarray(picture))[0].astype(bool)
    return bits
