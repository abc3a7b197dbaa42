"""Edits, as `_target_` and arguments name them: those of albumentations and our own."""

import inspect
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from latenthash.options.kinds import (
    CONVERT,
    TARGET,
    Kind,
    find_class,
    find_trusted,
    nearest,
    refused,
)
from latenthash.options.trust import Origin

# What a bundle may name. Each takes numbers, names and lists of them alone, reads no file, and
# makes no picture much larger than the one it is given.
ALBUMENTATIONS = (
    "AdditiveNoise", "AdvancedBlur", "Affine", "AutoContrast", "Blur", "CLAHE", "CenterCrop",
    "ChannelDropout", "ChannelShuffle", "ChromaticAberration", "CoarseDropout", "ColorJitter",
    "Crop", "CropAndPad", "D4", "Defocus", "Downscale", "ElasticTransform", "Emboss", "Equalize",
    "Erasing", "FancyPCA", "GaussNoise", "GaussianBlur", "GlassBlur", "GridDistortion",
    "GridDropout", "GridElasticDeform", "HorizontalFlip", "HueSaturationValue", "ISONoise",
    "Illumination", "ImageCompression", "InvertImg", "LongestMaxSize", "MedianBlur",
    "Morphological", "MotionBlur", "MultiplicativeNoise", "NoOp", "OneOf", "OpticalDistortion",
    "Pad", "PadIfNeeded", "Perspective", "PiecewiseAffine", "PixelDropout", "PlanckianJitter",
    "PlasmaBrightnessContrast", "PlasmaShadow", "Posterize", "RGBShift",
    "RandomBrightnessContrast", "RandomCrop", "RandomCropFromBorders", "RandomFog", "RandomGamma",
    "RandomGravel", "RandomGridShuffle", "RandomOrder", "RandomRain", "RandomResizedCrop",
    "RandomRotate90", "RandomShadow", "RandomSizedCrop", "RandomSnow", "RandomSunFlare",
    "RandomToneCurve", "Resize", "RingingOvershoot", "Rotate", "SafeRotate", "SaltAndPepper",
    "Sequential", "Sharpen", "ShotNoise", "SmallestMaxSize", "Solarize", "SomeOf", "Spatter",
    "SquareSymmetry", "Superpixels", "ThinPlateSpline", "ToGray", "ToSepia", "Transpose",
    "UnsharpMask", "VerticalFlip", "ZoomBlur",
)  # fmt: skip
DRAWN = (
    "edits.basic.Compression", "edits.basic.Crop", "edits.basic.Vignette",
    "edits.fixed_overlays.Captions", "edits.fixed_overlays.Lines",
    "edits.fixed_overlays.Screenshot", "edits.fixed_overlays.Stickers",
    "edits.fixed_overlays.Watermark", "edits.random_overlays.Page",
    "edits.random_overlays.Shapes", "edits.random_overlays.Writing", "edits.text.Text",
    "views.TrimBorders",
)  # fmt: skip
BUNDLED_EDITS = {f"albumentations.{name}" for name in ALBUMENTATIONS} | {
    f"latenthash.data.{name}" for name in DRAWN
}
ENLARGING = ("fit_output", "mask", "mask_params", "keep_size")  # that a bundle may not give
METHODS = ("available_keys", "set_random_seed")  # of albumentations' edits
PARTS = "transforms"  # the argument of edits that are made of others
MOST_PARTS, DEEPEST = 64, 3  # edits in one, and edits within edits, of a bundle
MOST = 4096.0  # of numbers, and of letters and entries
# Of these arguments, less than that already takes all memory, or minutes a picture.
LARGEST = {
    "n": 8.0, "percent": 2.0, "px": 1024.0, "size": 2048.0, "scale": 16.0, "sigma": 100.0,
    "sigma_limit": 100.0, "blur_limit": 255.0, "kernel_size": 255.0, "radius": 100.0,
    "alpha": 1000.0, "tile_grid_size": 64.0, "num_steps": 256.0, "num_holes_range": 1000.0,
    "height": 2048.0, "width": 2048.0, "min_height": 2048.0, "min_width": 2048.0,
    "max_size": 2048.0, "padding": 1024.0, "n_segments": 1000.0, "iterations": 10.0,
}  # fmt: skip
SIDE = 512  # px, of the picture that edits are tried on, where the config does not say


class Edit(Kind):
    """An edit that can be made of what the config says, and edits a picture."""

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check by making the edit and using it: albumentations knows best what its edits take."""
        return core_schema.with_info_plain_validator_function(self._checked)

    def _checked(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        _make(value, info.context or Origin())
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
Edits: TypeAlias = Annotated[dict[EditName, EDIT], Field(max_length=MOST_PARTS)]


def _make(node: Any, origin: Origin, deep: int = 0) -> Any:
    """Make an edit.

    Args:
        node: what the config says.
        origin: where that is from. An edit that a bundle holds is not tried, for that may take all
            memory or for ever.
        deep: how many edits this one is a part of.

    Raises:
        PydanticCustomError: why it cannot be made or used.
    """
    if not isinstance(node, dict) or not isinstance(node.get(TARGET), str):
        raise refused("must name an edit by `_target_`, such as albumentations.HorizontalFlip")
    name, side = node[TARGET], origin.side
    arguments = {key: value for key, value in node.items() if key not in (TARGET, CONVERT)}
    if side is not None or name in BUNDLED_EDITS:
        edit = find_class(name)
    elif origin.allows(name):
        edit = find_trusted(name, origin)
    else:
        raise refused(f"names {name}, which is no edit that a bundle may hold")
    if missing := [method for method in METHODS if not hasattr(edit, method)]:
        raise refused(f"names {name}, which is no edit: it lacks {' and '.join(missing)}")
    known = inspect.signature(edit).parameters
    if side is not None and any(_is_object(value) for value in arguments.values()):
        return None  # an edit of its owner's, which Hydra builds in parts
    for key, value in arguments.items():
        if key not in known and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
            raise refused(f"gives {name} the option {key}, which it lacks{nearest(key, known)}")
        most = LARGEST.get(key, MOST)
        if side is None and key in ENLARGING:
            raise refused(f"gives {name} the option {key}, which no bundle may hold")
        if key != PARTS and not _plain(value, most, mappings=side is not None):
            raise refused(f"gives {name} a {key} beyond {most:g}, or of no kind that edits take")
    if PARTS in arguments:
        parts = arguments[PARTS]
        if not isinstance(parts, list) or not 0 < len(parts) <= MOST_PARTS or deep == DEEPEST:
            raise refused(f"gives {name} no list of {PARTS}, too many of them, or too deep")
        arguments[PARTS] = [_make(part, origin, deep + 1) for part in parts]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # albumentations warns, and takes its default instead
            made = edit(**arguments)
            if side is not None:
                made.set_random_seed(0)
                made(image=_picture(side), force_apply=True)
            return made
    except Exception as error:  # each edit has errors of its own
        raise refused(f"cannot use {name}: {_reason(error)}") from error


@cache
def _picture(side: int) -> NDArray[np.uint8]:  # (side, side, 3)
    """Make a picture of all brightnesses."""
    values = np.linspace(0, 255, side * side * 3)
    return values.astype(np.uint8).reshape(side, side, 3)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and TARGET in value


def _plain(value: Any, most: float, *, mappings: bool, deep: int = 0) -> bool:
    """Say whether a value is a number, a text, or a list of them, of a size that edits have.

    A mapping of them is the user's to give; of one in a bundle, Hydra might build an object.
    """
    if isinstance(value, str):
        return len(value) <= MOST
    if isinstance(value, list) or (isinstance(value, dict) and mappings):
        parts = value if isinstance(value, list) else value.values()
        return len(value) <= MOST and all(
            deep < 2 and _plain(part, most, mappings=mappings, deep=deep + 1) for part in parts
        )
    return value is None or (isinstance(value, int | float) and abs(value) <= most)


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ValidationError):
        return "; ".join(dict.fromkeys(_lines(cause)))
    return " ".join(str(error).split()) or type(error).__name__


def _lines(error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_url=False):
        yield f"{found['loc'][0] if found['loc'] else 'it'}: {found['msg']}"
