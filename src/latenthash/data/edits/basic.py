"""Edits that albumentations lacks or draws differently: compression, crops by area, vignette."""

import io
from typing import Annotated, Literal

import albumentations as A
import numpy as np
from PIL import Image
from pydantic import Field

from latenthash.data.reading import Pixels
from latenthash.data.views import Arguments, Share


class Compression(A.ImageOnlyTransform):  # type: ignore[misc] # albumentations has no types
    """Save a picture in a lossy format and open it again.

    Pillow's encoders take RGB; albumentations' ImageCompression hands them BGR, which puts the
    loss on the wrong colours.

    Args:
        kind: the format.
        quality: 0 to 100, as the format's encoder counts it.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        kind: Literal["JPEG", "WEBP"]
        quality: Annotated[int, Field(ge=0, le=100)]

    def __init__(self, kind: Literal["JPEG", "WEBP"], quality: int, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.kind = kind
        self.quality = quality

    def apply(self, img: Pixels, **params: object) -> Pixels:  # (H, W, 3)
        """Compress img, (H, W, 3) uint8."""
        # Half the colour resolution, as nearly every JPEG on the web; WebP has no other way.
        options = {"subsampling": "4:2:0"} if self.kind == "JPEG" else {"method": 4}
        file = io.BytesIO()
        Image.fromarray(img).save(file, self.kind, quality=self.quality, **options)
        return np.asarray(Image.open(file).convert("RGB"))


class Crop(A.ImageOnlyTransform):  # type: ignore[misc]
    """Keep a part of a picture that has the picture's proportions.

    Args:
        area: share of the area that is kept, in (0, 1].
        place: `centre`, or `random` for anywhere.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        area: Annotated[float, Field(gt=0, le=1)]
        place: Literal["centre", "random"]

    def __init__(self, area: float, place: Literal["centre", "random"], p: float = 1.0) -> None:
        super().__init__(p=p)
        self.area = area
        self.place = place

    def get_params(self) -> dict[str, float]:
        """Draw where the part lies: shares of the room to the left of it and above it."""
        if self.place == "centre":
            return {"across": 0.5, "down": 0.5}
        return {"across": self.py_random.random(), "down": self.py_random.random()}

    def apply(self, img: Pixels, across: float, down: float, **params: object) -> Pixels:
        """Cut the part out of img, (H, W, 3) uint8; each side is rounded to whole px."""
        height, width = (max(1, round(side * self.area**0.5)) for side in img.shape[:2])
        top, left = round(down * (img.shape[0] - height)), round(across * (img.shape[1] - width))
        return img[top : top + height, left : left + width]


class Vignette(A.ImageOnlyTransform):  # type: ignore[misc]
    """Darken a picture towards its corners, with the square of the distance from the centre.

    Args:
        strength: share of the light that the corners lose, 0 to 1.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        strength: Share

    def __init__(self, strength: float, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.strength = strength

    def apply(self, img: Pixels, **params: object) -> Pixels:  # (H, W, 3)
        """Darken img, (H, W, 3) uint8."""
        height, width = img.shape[:2]
        down = (np.arange(height) + 0.5) / height * 2 - 1  # (H,), -1 to 1
        across = (np.arange(width) + 0.5) / width * 2 - 1  # (W,)
        loss = self.strength * (down[:, None] ** 2 + across**2) / 2  # (H, W)
        darkened: Pixels = (img * (1 - loss[..., None])).round().astype(np.uint8)
        return darkened
