"""What peers of the benchmark take, as options."""

from typing import Annotated, Literal

from pydantic import Field

from latenthash.options.kinds import Kind, Name, Node, Path, whole


class FunctionHash(Node):
    """`latenthash.codes.peers.FunctionHash`; its function may be of any package."""

    target: Literal["latenthash.codes.peers.FunctionHash"] = Field(alias="_target_")
    function: Annotated[
        str,
        Field(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)+$"),
        Kind("the dotted path of a function, such as mypackage.my_hash"),
    ]
    distance: Literal["hamming", "cosine", "l1"]
    length: Annotated[int, whole(1, 2**20, "numbers of a hash")] | None
    library: Name | None
    version: Annotated[str | int | float | None, Kind("a version")]


class SSCD(Node):
    """`latenthash.codes.onnx_files.SSCD`."""

    target: Literal["latenthash.codes.onnx_files.SSCD"] = Field(alias="_target_")
    file: Path | None


class DINOHash(Node):
    """`latenthash.codes.onnx_files.DINOHash`."""

    target: Literal["latenthash.codes.onnx_files.DINOHash"] = Field(alias="_target_")
    file: Path | None
