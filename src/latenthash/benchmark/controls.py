"""Controls: bits of a network that learned nothing, and of no network at all."""

from collections.abc import Sequence

import numpy as np
import torch

from latenthash.codes.code import Code, Kind, Signs, Vectors, plain_bits, signs
from latenthash.data.reading import Pixels
from latenthash.features.vgg16 import VGG16
from latenthash.hashing.projections import directions, unit

CONTROL_BITS = 256
THUMBNAIL = 32  # px, side of what random projections see
CONTROL_SIDE = 64  # px, of the views that the random trunk sees


class RandomTrunk:
    """A control: signs of VGG16's architecture with weights that never saw a picture."""

    side: int | None = CONTROL_SIDE
    trim = False
    dimensions = CONTROL_BITS
    kind: Kind = np.int8
    key = f"signs of random trunk {CONTROL_SIDE}"

    def __init__(self) -> None:
        self.features = VGG16(
            weights="random", layer="conv5_3", pooling="average", size=CONTROL_SIDE,
            finetune=False, freeze_until="pool4", seed=0,
        )  # fmt: skip
        self.directions = directions(self.features.shape[0], CONTROL_BITS)

    def describe(self, views: Sequence[Pixels]) -> Signs:
        """Map views (side, side, 3) to signs (N, 256) of projected averages of conv5_3."""
        x: Vectors = self.features(torch.from_numpy(np.stack(views))).numpy()
        return signs(unit(x) @ self.directions)


class Thumbnail:
    """A control: signs of projections of the picture in grey, made small, without its mean."""

    side: int | None = THUMBNAIL
    trim = False
    dimensions = CONTROL_BITS
    kind: Kind = np.int8
    key = f"signs of thumbnail {THUMBNAIL}"

    def __init__(self) -> None:
        self.directions = directions(THUMBNAIL**2, CONTROL_BITS)

    def describe(self, views: Sequence[Pixels]) -> Signs:
        """Map views (side, side, 3) to signs (N, 256)."""
        grey = np.stack(views).astype(np.float32).mean(-1).reshape(len(views), -1)
        return signs(unit(grey - grey.mean(1, keepdims=True)) @ self.directions)


def controls() -> list[Code]:
    """Return the controls: bits of a network that learned nothing, and of no network at all."""
    return [
        plain_bits("random-trunk-256", RandomTrunk()),
        plain_bits("random-projection-256", Thumbnail()),
    ]
