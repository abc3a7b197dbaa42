"""The latent of a bundle as a source of codes."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from latenthash.codes.code import Kind, Vectors
from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.hasher import Hasher
from latenthash.hashing.printable_code import TAG

# Weights that decide no bit of the printed code: the head of a shorter one, and counts of batches.
BESIDE = re.compile(r"model\.short\.|.*\.num_batches_tracked$")


class Latent:
    """The latent of a bundle.

    Args:
        key: of the bundle.
        hasher: its features and model.
    """

    kind: Kind = np.float32

    def __init__(self, key: str, hasher: Hasher) -> None:
        self.key = key
        self.hasher = hasher
        self.side: int | None = hasher.features.size
        self.trim = hasher.features.trim
        blank = np.zeros((hasher.features.size, hasher.features.size, 3), np.uint8)
        self.lengths = hasher.lengths
        self.dimensions = self.describe([blank]).shape[1]

    def describe(self, views: Sequence[Pixels]) -> Vectors:
        """Map views (side, side, 3) to (N, D); see `encode`."""
        return self.encode(torch.from_numpy(np.stack(views)))

    def encode(self, views: Tensor) -> Vectors:
        """Map views (N, side, side, 3) to z, and what its model has for codes beside it, (N, D).

        Raises:
            InputError: if z is not finite.
        """
        z: Vectors = self.hasher.outputs(views).astype(np.float32)
        if not np.isfinite(z).all():
            raise InputError(
                "The run's latents are not finite numbers; choose another run, or train it again."
            )
        return z

    @property
    def tag(self) -> bytes:
        """Name all that decides the bits of the printed code, by 2 bytes.

        Weights, the views that they are given, and the digests of weights that lie elsewhere; not
        the run or its paths, so that the same network has the same tag on every machine. Weights
        that were rounded are others.
        """
        features = self.hasher.features
        elsewhere: object = features.provenance.get("weights_sha256", [])
        given = (features.size, features.trim, elsewhere)
        digest = hashlib.sha256(repr(given).encode())
        for name, weights in sorted(self.hasher.state_dict().items()):
            if not BESIDE.match(name):
                digest.update(name.encode() + weights.cpu().float().numpy().astype("<f4").tobytes())
        return digest.digest()[:TAG]


def latent_key(bundle: Bundle) -> str:
    """Name all that decides the latents of a bundle, its weights included."""
    digest = hashlib.sha256(
        repr((bundle.run_id, sorted(bundle.provenance.items()), bundle.config)).encode()
    )
    for name, weights in sorted(bundle.weights.items()):
        digest.update(name.encode() + weights.numpy().tobytes())
    return f"bundle {digest.hexdigest()}"
