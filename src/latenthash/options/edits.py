"""Edits, as `_target_` and arguments name them: those of albumentations and our own."""

import inspect
import warnings
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

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
MOST = 4096  # of numbers and letters in a bundle's edit; no limit of angles or px is as high
DEEPEST = 4  # lists in lists


class Edit(Kind):
    """An edit that can be made of what the config says."""

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check by making the edit: albumentations knows best what its edits take."""
        return core_schema.with_info_plain_validator_function(self._checked)

    def _checked(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        _make(value, trusted=bool(info.context))
        return value


EDIT: TypeAlias = Annotated[Any, Edit("an edit")]
# Edits give their names to metrics and parameters, and MLflow takes these letters alone.
EditName: TypeAlias = Annotated[
    str,
    Field(pattern=r"^\w[\w. -]{0,99}$"),
    Kind("called by letters, digits, spaces and _ . - alone, at most 100 of them"),
]
Edits: TypeAlias = dict[EditName, EDIT]


def _make(node: Any, *, trusted: bool) -> Any:
    """Make an edit.

    Raises:
        PydanticCustomError: why it cannot be made.
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
    if not trusted:
        for key, value in arguments.items():
            if key in ENLARGING or (key != PART and not _plain(value)):
                raise refused(f"gives {name} a {key} that no bundle may hold")
    if PART in arguments:
        parts = arguments[PART]
        if not isinstance(parts, list) or not parts:
            raise refused(f"gives {name} no list of {PART}")
        arguments[PART] = [_make(part, trusted=trusted) for part in parts]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # albumentations warns, and takes its default instead
            return edit(**arguments)
    except Exception as error:  # each edit has errors of its own
        raise refused(f"cannot make {name}: {_reason(error)}") from error


def _plain(value: Any, deep: int = 0) -> bool:
    """Say whether a value is a number, a text or a list of them, of a size that edits have."""
    if isinstance(value, str):
        return len(value) <= MOST
    if isinstance(value, list | dict):
        parts = value if isinstance(value, list) else value.values()
        return deep < DEEPEST and len(value) <= MOST and all(_plain(x, deep + 1) for x in parts)
    return value is None or (isinstance(value, int | float) and abs(value) <= MOST)


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ValidationError):
        return "; ".join(dict.fromkeys(_lines(cause)))
    return " ".join(str(error).split()) or type(error).__name__


def _lines(error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_url=False):
        yield f"{found['loc'][0] if found['loc'] else 'it'}: {found['msg']}"
