"""Codes of networks that are not ours to ship, from ONNX files that the user gives.

Such a file is data from anywhere. It is read once, as bytes, in the ONNX format alone; one that
refers to other files is refused, and no library of operators is loaded for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version as installed
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latenthash.codes.code import BITS, AbsentCode, Code, Kind, Vectors, projected
from latenthash.data.reading import Picture, Pixels
from latenthash.errors import InputError
from latenthash.hashing.projections import unit
from latenthash.system.files import Unusable, read_bounded

Version: TypeAlias = str | int | float | None

LIBRARY = "onnxruntime"
EXTRA = ("onnx", LIBRARY)
MOST_BYTES = 2**31  # no ONNX file of one part can have more


@dataclass(frozen=True)
class Seen:
    """What a network sees of a picture.

    Attributes:
        side: px, of a square, whatever the picture's proportions.
        mean: of each colour in [0, 1], that is taken off.
        std: of each colour, by which it is divided then.
    """

    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def input(self, picture: Pixels) -> NDArray[np.float32]:
        """Reduce a picture (H, W, 3) to (1, 3, side, side), as torchvision's Resize of PIL does."""
        square = Image.fromarray(picture).resize((self.side,) * 2, Image.Resampling.BILINEAR)
        mean, std = np.array([self.mean, self.std], np.float32)
        x = (np.asarray(square, np.float32) / 255 - mean) / std
        return np.ascontiguousarray(x.transpose(2, 0, 1)[None])


class OnnxNetwork:
    """A network of an ONNX file, asked for one picture at a time.

    It describes whole pictures, in many processes at once, because it reduces them in its own
    way; each process opens the file for itself.

    Args:
        option: of the command line, by which errors name the file.
        path: of the file.
        seen: what it sees of a picture.
        outputs: numbers it gives for a picture.
        version: by which descriptions are kept, beside what it sees and onnxruntime's; None is the
            file's digest.

    Raises:
        InputError: if the extra is missing, or the file is no such network.
    """

    side: int | None = None
    trim = False
    kind: Kind = np.float32

    def __init__(
        self, option: str, path: Path, seen: Seen, outputs: int, version: Version = None
    ) -> None:
        if any(find_spec(name) is None for name in EXTRA):
            raise InputError(f"{option}={path} needs: pip install 'latenthash[onnx]'.")
        try:
            self.digest = sha256(read_bounded(path, MOST_BYTES)).hexdigest()
        except Unusable as error:
            raise InputError(f"{option}={path} {error}.") from error
        self.name = f"{option}={path}"
        self.path = path.absolute()  # processes may have begun elsewhere
        self.seen = seen
        self.dimensions = outputs
        state = self.digest if version is None else version
        self.key = f"{option} {state} {seen} {LIBRARY} {installed(LIBRARY)}"
        self._check()

    def describe(self, views: Sequence[Pixels]) -> Vectors:
        """Return what the network says of pictures (H, W, 3): (N, outputs)."""
        session = _session(self.name, self.path, self.digest)
        name = session.get_inputs()[0].name
        rows = [session.run(None, {name: self.seen.input(picture)})[0][0] for picture in views]
        return np.stack(rows).astype(np.float32)

    def _check(self) -> None:
        """Refuse a network of another shape: by trying it, for a file need not say its shape."""
        side, outputs = self.seen.side, self.dimensions
        inputs = _session(self.name, self.path, self.digest).get_inputs()
        wanted = (1, 3, side, side)
        fits = len(inputs) == 1 and inputs[0].type == "tensor(float)" and len(inputs[0].shape) == 4
        if not fits or any(
            isinstance(given, int) and given != size
            for given, size in zip(inputs[0].shape, wanted, strict=True)
        ):
            raise InputError(
                f"{self.name} takes {_shapes(inputs)}; one input of floats {list(wanted)} is "
                "needed. Export it anew, with such an example."
            )
        try:
            described = self.describe([np.zeros((side, side, 3), np.uint8)])
        except Exception as error:  # onnxruntime's own have no common class
            raise InputError(f"{self.name} cannot be run: {error}") from error
        if described.shape != (1, outputs) or not np.isfinite(described).all():
            raise InputError(
                f"{self.name} gives {list(described.shape)} for one picture; finite numbers "
                f"[1, {outputs}] are needed. Is it the file of another network?"
            )


class ONNXHash:
    """What conf/peer says of a hash that is a network in an ONNX file.

    Args:
        file: ONNX; None where the user has none.
        side: px, of the square that the network sees.
        mean: of RGB in [0, 1], that is taken off.
        std: by which it is divided then.
        distance: hamming for the signs of the network's numbers, with a bit set from 0 on. cosine
            for the numbers, of which 256 signs after a rotation are a second code.
        length: numbers that the network gives.
        library: what runs it, onnxruntime; its version counts.
        version: stated by whoever changes what the file gives; None is the file's digest.
    """

    def __init__(
        self,
        file: str | None,
        side: int,
        mean: Sequence[float],
        std: Sequence[float],
        distance: Literal["hamming", "cosine"],
        length: int,
        library: Literal["onnxruntime"],
        version: Version,
    ) -> None:
        self.file = file
        self.seen = Seen(side, tuple(mean), tuple(std))
        self.distance = distance
        self.length = length
        self.version = version

    def codes(self, name: str, example: Picture) -> Sequence[Code | AbsentCode]:
        """Return its codes; none without a file.

        Args:
            name: of the peer in the config.
            example: not looked at.

        Raises:
            InputError: see `OnnxNetwork`.
        """
        if self.file is None:
            return []
        source = OnnxNetwork(name, Path(self.file), self.seen, self.length, self.version)
        if self.distance == "hamming":
            size = -(-self.length // 8)
            return [Code(f"{name}-{self.length}", source, size, _signs, _signs, self.length)]
        whole = Code(f"{name}-float", source, 4 * self.length, unit, unit, 1.0)
        return [whole, projected(f"{name}-{BITS[-1]}", source, BITS[-1])]


def _signs(described: Vectors) -> Vectors:
    return np.where(described >= 0, 1, -1).astype(np.float32)


@cache  # one a process
def _session(name: str, path: Path, digest: str) -> Any:
    """Open a network for the CPU, from the very bytes that were checked."""
    import onnx  # an extra, as is the next
    import onnxruntime

    try:
        data = read_bounded(path, MOST_BYTES)
    except Unusable as error:
        raise InputError(f"{name} {error}.") from error
    if sha256(data).hexdigest() != digest:
        raise InputError(f"{name} changed while it was used; begin again.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the cores are taken by other pictures
    options.log_severity_level = 4  # what goes wrong is said below
    # Nor onnxruntime's own format, of which nothing here was checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        model = onnx.load_from_string(data)
        if any(t.data_location == onnx.TensorProto.EXTERNAL for t in _tensors(model)):
            raise InputError(f"{name} keeps weights in other files; save it as a single file.")
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except InputError:
        raise
    except Exception as error:  # of protobuf, and onnxruntime's own, which have no common class
        raise InputError(f"{name} is not an ONNX file that can be run: {error}") from error


def _tensors(message: Any) -> Iterator[Any]:
    """Find every tensor of a protobuf message, wherever it is: weights, constants, subgraphs."""
    if message.DESCRIPTOR.full_name == "onnx.TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in [value] if hasattr(value, "ListFields") else value:
                yield from _tensors(part)


def _shapes(inputs: Sequence[Any]) -> str:
    return " and ".join(f"{i.type} {i.shape}" for i in inputs) or "nothing"
