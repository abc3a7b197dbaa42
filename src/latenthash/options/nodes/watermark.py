"""What carriers and bindings of the watermark take, as options."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from latenthash.options.kinds import Kind, Node, number, whole

Limit: TypeAlias = Annotated[int, whole(0, 256, "bits")]


class Tiled(Node):
    """`latenthash.watermark.tiled.Tiled`."""

    target: Literal["latenthash.watermark.tiled.Tiled"] = Field(alias="_target_")
    key: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_.+-]{1,80}$"), Kind("a word of 1 to 80 letters")
    ]
    psnr: Annotated[float, number(least=25, most=60, unit="dB")]
    ssim: Annotated[float, number(least=0, below=1)]


class CodeBinding(Node):
    """`latenthash.watermark.bindings.CodeBinding`."""

    target: Literal["latenthash.watermark.bindings.CodeBinding"] = Field(alias="_target_")
    limit: Limit


class RegistrationBinding(Node):
    """`latenthash.watermark.bindings.RegistrationBinding`."""

    target: Literal["latenthash.watermark.bindings.RegistrationBinding"] = Field(alias="_target_")


class CodeRegistrationBinding(Node):
    """`latenthash.watermark.bindings.CodeRegistrationBinding`."""

    target: Literal["latenthash.watermark.bindings.CodeRegistrationBinding"] = Field(
        alias="_target_"
    )
    limit: Limit
