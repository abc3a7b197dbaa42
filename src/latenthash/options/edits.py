"""Edits, as `_target_` and arguments name them: those of albumentations and our own."""

import inspect
import warnings
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from latenthash.options.kinds import TARGET, Kind, find_class, nearest, refused

# What a bundle may name. Each takes numbers, names and lists of them alone, reads no file, and
# makes no picture much larger than the one it is given.
ALBUMENTATIONS = (
    "Affine", "AutoContrast", "Blur", "CLAHE", "ChannelDropout", "ChannelShuffle", "CoarseDropout",
    "ColorJitter", "CropAndPad", "D4", "Defocus", "Downscale", "ElasticTransform", "Emboss",
    "Equalize", "Erasing", "GaussNoise", "GaussianBlur", "GridDistortion", "GridDropout",
    "HorizontalFlip", "HueSaturationValue", "ISONoise", "ImageCompression", "InvertImg",
    "MedianBlur", "MotionBlur", "MultiplicativeNoise", "NoOp", "OneOf", "OpticalDistortion",
    "Perspective", "PixelDropout", "Posterize", "RGBShift", "RandomBrightnessContrast",
    "RandomCropFromBorders", "RandomGamma", "RandomOrder", "RandomResizedCrop", "RandomRotate90",
    "RandomToneCurve", "Rotate", "SafeRotate", "SaltAndPepper", "Sequential", "Sharpen",
    "ShotNoise", "Solarize", "SomeOf", "ToGray", "ToSepia", "Transpose",
    "UnsharpMask", "VerticalFlip",
)  # fmt: skip
OURS = (
    "drawing.Captions", "drawing.Lines", "drawing.Screenshot", "drawing.Stickers",
    "drawing.Watermark", "edits.Compression", "edits.Crop", "edits.Vignette", "overlays.Page",
    "overlays.Shapes", "overlays.Writing", "views.Text", "views.TrimBorders",
)  # fmt: skip
BUNDLED = {f"albumentations.{name}" for name in ALBUMENTATIONS} | {
    f"latenthash.data.{name}" for name in OURS
}
ENLARGING = ("fit_output", "mask", "mask_params")  # arguments that a bundle may not give
PART = "transforms"  # the argument of edits that are made of others
DEEPEST = 4  # lists in lists
MOST = 4096.0  # of numbers, and of letters
# Arguments of which less than that already takes all memory, or minutes a picture.
LARGEST = {"percent": 2.0, "px": 1024.0, "sigma_limit": 100.0, "blur_limit": 255.0, "scale": 16.0}
SIDE = 512  # px, of the picture that edits are tried on: as large as those of a run
TRIED = np.linspace(0, 255, SIDE * SIDE * 3).astype(np.uint8).reshape(SIDE, SIDE, 3)


class Edit(Kind):
    """An edit that can be made of what the config says, and edits a picture."""

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check by making the edit and using it: albumentations knows best what its edits take."""
        return core_schema.with_info_plain_validator_function(self._checked)

    def _checked(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        _make(value, trusted=bool(info.context))
        return value


class EditChain(Edit):
    """An edit, or a list of edits, one after the other."""

    def _checked(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        for part in value if isinstance(value, list) and value else [value]:
            super()._checked(part, info)
        return value


EDIT: TypeAlias = Annotated[Any, Edit("an edit")]
Chain: TypeAlias = Annotated[Any, EditChain("an edit or a list of edits")]
# Edits give their names to metrics and parameters, and MLflow takes these letters alone.
EditName: TypeAlias = Annotated[
    str,
    Field(pattern=r"^\w[\w. -]{0,99}$"),
    Kind("called by letters, digits, spaces and _ . - alone, at most 100 of them"),
]
Edits: TypeAlias = dict[EditName, EDIT]


def _make(node: Any, *, trusted: bool) -> Any:
    """Make an edit, and try it.

    Raises:
        PydanticCustomError: why it cannot be made or used.
    """
    if not isinstance(node, dict) or not isinstance(node.get(TARGET), str):
        raise refused("must name an edit by `_target_`, such as albumentations.HorizontalFlip")
    name = node[TARGET]
    arguments = {key: value for key, value in node.items() if key != TARGET}
    if not trusted and name not in BUNDLED:
        raise refused(f"names {name}, which is no edit that a bundle may hold")
    edit = find_class(name)
    known = inspect.signature(edit).parameters
    for key in arguments:
        if key not in known and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
            raise refused(f"gives {name} the option {key}, which it lacks{nearest(key, known)}")
    for key, value in arguments.items():
        most = LARGEST.get(key, MOST)
        if key in ENLARGING and not trusted:
            raise refused(f"gives {name} the option {key}, which no bundle may hold")
        if key != PART and not _plain(value, most):
            raise refused(f"gives {name} a {key} beyond {most:g}, or of no kind that edits take")
    if PART in arguments:
        parts = arguments[PART]
        if not isinstance(parts, list) or not parts:
            raise refused(f"gives {name} no list of {PART}")
        arguments[PART] = [_make(part, trusted=trusted) for part in parts]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # albumentations warns, and takes its default instead
            made = edit(**arguments)
            made(image=TRIED, force_apply=True)
            return made
    except Exception as error:  # each edit has errors of its own
        raise refused(f"cannot use {name}: {_reason(error)}") from error


def _plain(value: Any, most: float, deep: int = 0) -> bool:
    """Say whether a value is a number, a text or a list of them, of a size that edits have."""
    if isinstance(value, str):
        return len(value) <= MOST
    if isinstance(value, list | dict):
        parts = value if isinstance(value, list) else value.values()
        if deep == DEEPEST or len(value) > MOST:
            return False
        return all(_plain(part, most, deep + 1) for part in parts)
    return value is None or (isinstance(value, int | float) and abs(value) <= most)


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ValidationError):
        return "; ".join(dict.fromkeys(_lines(cause)))
    return " ".join(str(error).split()) or type(error).__name__


def _lines(error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_url=False):
        yield f"{found['loc'][0] if found['loc'] else 'it'}: {found['msg']}"
