"""What attacks and the bindings that are compared take, as options."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from latenthash.options.edits import Edits
from latenthash.options.kinds import Count, Kind, Node, Share, Size, number, whole
from latenthash.options.nodes.watermark import Limit

Key: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_.+-]{1,80}$"), Kind("a word of 1 to 80 letters")
]
Decibels: TypeAlias = Annotated[float, number(least=20, most=60, unit="dB")]
ATTACKS = "latenthash.watermark.attacks"


class IdentityBinding(Node):
    """`latenthash.watermark.bindings.IdentityBinding`."""

    target: Literal["latenthash.watermark.bindings.IdentityBinding"] = Field(alias="_target_")


class PHashBinding(Node):
    """`latenthash.watermark.bindings.PHashBinding`."""

    target: Literal["latenthash.watermark.bindings.PHashBinding"] = Field(alias="_target_")
    limit: Limit


class CentroidBinding(Node):
    """`latenthash.watermark.centroid.CentroidBinding`."""

    target: Literal["latenthash.watermark.centroid.CentroidBinding"] = Field(alias="_target_")
    convert: Literal["all"] = Field("all", alias="_convert_")
    augment: Edits
    views: Count
    alpha: Share


class PlainAttack(Node):
    """An attack without options."""

    target: Literal[  # type: ignore[valid-type]
        f"{ATTACKS}.Recode",
        f"{ATTACKS}.ResidualPaste",
        f"{ATTACKS}.Overwrite",
        f"{ATTACKS}.Erase",
    ] = Field(alias="_target_")


class TileEstimate(Node):
    """`latenthash.watermark.attacks.TileEstimate`."""

    target: Literal["latenthash.watermark.attacks.TileEstimate"] = Field(alias="_target_")
    psnr: Decibels


class CopyAttack(Node):
    """`latenthash.watermark.attacks.CopyAttack`."""

    target: Literal["latenthash.watermark.attacks.CopyAttack"] = Field(alias="_target_")
    strength: Size
    noise: Size


class SecondKey(Node):
    """`latenthash.watermark.attacks.SecondKey`."""

    target: Literal["latenthash.watermark.attacks.SecondKey"] = Field(alias="_target_")
    key: Key
    psnr: Decibels
    ssim: Share


class WhiteBox(Node):
    """`latenthash.watermark.white_box.WhiteBox`."""

    target: Literal["latenthash.watermark.white_box.WhiteBox"] = Field(alias="_target_")
    psnr: Decibels
    step: Size
    steps: Annotated[int, whole(1, 1000, "steps")]
    bits: Limit
