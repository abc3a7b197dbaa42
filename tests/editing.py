"""What tests of edits share: a picture, how it is edited, and what edits must be given."""

from typing import Any

import albumentations as A
import cv2
import numpy as np

from latenthash.data.reading import Pixels

ARGUMENTS: dict[str, dict[str, Any]] = {  # of edits that cannot do without
    "CropAndPad": {"percent": 0.1},
    "RandomResizedCrop": {"size": [64, 64]},
    "Resize": {"height": 64, "width": 64},
    "RandomSizedCrop": {"min_max_height": [32, 64], "size": [64, 64]},
    "CenterCrop": {"height": 64, "width": 64},
    "RandomCrop": {"height": 64, "width": 64},
    **{name: {"transforms": [{"_target_": "albumentations.HorizontalFlip"}]}
       for name in ("Sequential", "OneOf", "SomeOf", "RandomOrder")},
    "Captions": {"top": "a", "bottom": "b", "bar": 0.1},
    "Lines": {"lines": ["a"], "height": 0.1},
    "Screenshot": {"margin": 0.1},
    "Stickers": {"count": 1, "size": 0.1},
    "Watermark": {"text": "a", "height": 0.1, "opacity": 0.5},
    "Compression": {"kind": "JPEG", "quality": 50},
    "Vignette": {"strength": 0.5},
    "Writing": {"lines": [1, 2], "height": [0.1, 0.2]},
    "Text": {"text": "a", "height": 0.1},
}  # fmt: skip


def config_of(name: str) -> dict[str, Any]:
    """Return a config of an edit, with the arguments that it cannot do without."""
    if name == "latenthash.data.edits.basic.Crop":  # albumentations has one of this name, too
        return {"_target_": name, "area": 0.5, "place": "centre"}
    return {"_target_": name, **ARGUMENTS.get(name.rpartition(".")[2], {})}


def textured(seed: int, height: int = 40, width: int = 56) -> Pixels:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), np.uint8)


def applied(edit: A.BasicTransform, pixels: Pixels) -> Pixels:
    edit.set_random_seed(0)
    return np.asarray(edit(image=pixels)["image"])
