"""What peers of the benchmark take, as options."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from latenthash.options.kinds import Kind, Name, Node, Path, whole

Length: TypeAlias = Annotated[int, whole(1, 2**20, "numbers of a hash")]
Version: TypeAlias = Annotated[str | int | float | None, Kind("a version")]
Colours: TypeAlias = Annotated[list[float], Field(min_length=3, max_length=3)]


class FunctionHash(Node):
    """`latenthash.codes.peers.FunctionHash`; its function may be of any package."""

    target: Literal["latenthash.codes.peers.FunctionHash"] = Field(alias="_target_")
    function: Annotated[
        str,
        Field(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)+$"),
        Kind("the dotted path of a function, such as mypackage.my_hash"),
    ]
    distance: Literal["hamming", "cosine", "l1"]
    length: Length | None
    library: Name | None
    version: Version


class ONNXHash(Node):
    """`latenthash.codes.onnx_files.ONNXHash`."""

    target: Literal["latenthash.codes.onnx_files.ONNXHash"] = Field(alias="_target_")
    file: Path | None
    side: Annotated[int, whole(1, 4096, "px")]
    mean: Colours
    std: Colours
    distance: Literal["hamming", "cosine"]
    length: Length
    library: Literal["onnxruntime"]
    version: Version
