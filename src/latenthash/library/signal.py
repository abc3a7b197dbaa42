"""The hash of one picture that was loaded: which pictures match it, and how well."""

from dataclasses import dataclass

import numpy as np
import torch

from latenthash.data.detail import has_detail
from latenthash.data.reading import Reader
from latenthash.data.reduction import reduced
from latenthash.data.splits import ViewSet
from latenthash.hashing.enrolled import Hash
from latenthash.hashing.hasher import Hasher
from latenthash.library.code import Again
from latenthash.library.given import GivenPicture, read_given


@dataclass(frozen=True)
class Match:
    """How a picture compares with the hash of another.

    Attributes:
        inside: whether it matches: it is within the radius, and passes the gate.
        distance: of its latent to the centroid.
        radius: R, the largest distance of a match.
        error: how badly the model rebuilds it; None where the hash has no gate.
        gate: E, the largest error of a match; None where the hash has no gate.
        detail: whether the picture shows more than one colour with some noise.
    """

    inside: bool
    distance: float
    radius: float
    error: float | None
    gate: float | None
    detail: bool


class Signal:
    """The hash of one picture, the Signal: centroid and radius in a model's latent space.

    Args:
        hash_: of the Signal.
        hasher: features and model that it was made with.
        reader: how files are decoded.
        again: what loads the same hash in another process, and its arguments.
    """

    def __init__(self, hash_: Hash, hasher: Hasher, reader: Reader, again: Again) -> None:
        self._hash = hash_
        self._hasher = hasher
        self._reader = reader
        self._again = again

    def match(self, picture: GivenPicture) -> Match:
        """Say whether a picture is the Signal, and how near it is.

        Args:
            picture: a path, the bytes of a file, a PIL image, or (H, W, 3) uint8 RGB.

        Raises:
            InputError: if the picture cannot be read.
        """
        pixels = read_given(picture, self._reader).pixels
        features = self._hasher.features
        view = torch.from_numpy(np.array(reduced(pixels, features.size, features.trim)))
        views = ViewSet(view[None], np.zeros(1, np.int64), ("",))
        (match,) = matches(self._hash, self._hasher, views, [has_detail(pixels)])
        return match

    def __reduce__(self) -> Again:
        return self._again


def matches(hash_: Hash, hasher: Hasher, views: ViewSet, detail: list[bool]) -> list[Match]:
    """Compare pictures with a hash.

    Args:
        hash_: of the Signal.
        hasher: that made it.
        views: N, of a picture each.
        detail: whether each picture has any.
    """
    rows = hasher.encode_sets({"pictures": views})["pictures"]
    errors = [None] * len(rows.z) if rows.error is None else rows.error.tolist()
    found = zip(hash_.matches(rows), hash_.distances(rows.z), errors, detail, strict=True)
    return [
        Match(bool(inside), float(distance), hash_.radius, error, hash_.gate, plain)
        for inside, distance, error, plain in found
    ]
