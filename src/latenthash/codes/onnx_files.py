"""Codes of networks that are not ours to ship, from ONNX files that the user gives.

Such a file is data from anywhere. It is read once, as bytes, in the ONNX format alone; one that
refers to other files is refused, and no library of operators is loaded for it.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latenthash.codes.code import AbsentCode, Code, Kind, Vectors, projected
from latenthash.data.reading import Picture, Pixels
from latenthash.errors import InputError
from latenthash.hashing.projections import unit
from latenthash.system.files import Unusable, read_bounded

# ImageNet's, of RGB in [0, 1], as both networks expect.
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
EXTRA = ("onnx", "onnxruntime")
MOST_BYTES = 2**31  # no ONNX file of one part can have more
SSCD_SIDE, SSCD_OUTPUTS = 320, 512
DINOHASH_SIDE, DINOHASH_OUTPUTS = 224, 96


class OnnxNetwork:
    """A network of an ONNX file, asked for one picture at a time.

    It describes whole pictures, in many processes at once, because it reduces them in its own
    way; each process opens the file for itself.

    Args:
        option: of the command line, by which errors name the file.
        path: of the file.
        side: px, of the square it sees.
        outputs: numbers it gives for a picture.

    Raises:
        InputError: if the extra is missing, or the file is no such network.
    """

    side: int | None = None
    trim = False
    kind: Kind = np.float32

    def __init__(self, option: str, path: Path, side: int, outputs: int) -> None:
        if any(find_spec(name) is None for name in EXTRA):
            raise InputError(f"{option}={path} needs: pip install 'latenthash[onnx]'.")
        try:
            self.digest = sha256(read_bounded(path, MOST_BYTES)).hexdigest()
        except Unusable as error:
            raise InputError(f"{option}={path} {error}.") from error
        self.name = f"{option}={path}"
        self.path = path.absolute()  # processes may have begun elsewhere
        self.input_side = side
        self.dimensions = outputs
        self.key = f"{option} {self.digest} onnxruntime {version('onnxruntime')}"
        self._check()

    def describe(self, views: Sequence[Pixels]) -> Vectors:
        """Return what the network says of pictures (H, W, 3): (N, outputs)."""
        session = _session(self.name, self.path, self.digest)
        name = session.get_inputs()[0].name
        rows = [session.run(None, {name: self._input(picture)})[0][0] for picture in views]
        return np.stack(rows).astype(np.float32)

    def _input(self, picture: Pixels) -> NDArray[np.float32]:
        """Reduce a picture (H, W, 3) to a square, as torchvision's Resize of a PIL image does."""
        size = (self.input_side, self.input_side)
        square = Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)
        x = (np.asarray(square, np.float32) / 255 - MEAN) / STD
        return np.ascontiguousarray(x.transpose(2, 0, 1)[None])

    def _check(self) -> None:
        """Refuse a network of another shape: by trying it, for a file need not say its shape."""
        side, outputs = self.input_side, self.dimensions
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


def sscd_codes(path: Path) -> list[Code]:
    """Return the codes of SSCD: its 512 floats by their cosine, and 256 signs after a rotation.

    For sscd_disc_mixup, as in the README of github.com/facebookresearch/sscd-copy-detection
    (Pizzi et al. 2022, A Self-Supervised Descriptor for Image Copy Detection): pictures are
    resized to 320 x 320 whatever their proportions, ImageNet mean and deviation, L2 norm.

    Raises:
        InputError: see `OnnxNetwork`.
    """
    source = OnnxNetwork("sscd", path, SSCD_SIDE, SSCD_OUTPUTS)
    return [
        Code("sscd-float", source, 4 * SSCD_OUTPUTS, unit, unit, 1.0),
        projected("sscd-256", source, 256),
    ]


def dinohash_codes(path: Path) -> list[Code]:
    """Return the code of DINOHash: the signs of 96 principal components of a tuned DINOv2 ViT-S/14.

    As in hashes/dinohash.py of github.com/proteus-photos/dinohash-perceptual-hash
    (arXiv:2503.11195): pictures are resized to 224 x 224, ImageNet mean and deviation, a bit is
    set from 0 on. The published ONNX file has the components as its last layer.

    Raises:
        InputError: see `OnnxNetwork`.
    """
    source = OnnxNetwork("dinohash", path, DINOHASH_SIDE, DINOHASH_OUTPUTS)

    def signs(described: Vectors) -> Vectors:
        return np.where(described >= 0, 1, -1).astype(np.float32)

    return [Code("dinohash-96", source, DINOHASH_OUTPUTS // 8, signs, signs, DINOHASH_OUTPUTS)]


class SSCD:
    """SSCD as conf/peer has it.

    Args:
        file: ONNX; None where the user has none.
    """

    def __init__(self, file: str | None) -> None:
        self.file = file

    def codes(self, name: str, example: Picture) -> Sequence[Code | AbsentCode]:
        """Return its codes; none without a file.

        Raises:
            InputError: see `OnnxNetwork`.
        """
        return [] if self.file is None else sscd_codes(Path(self.file))


class DINOHash:
    """DINOHash as conf/peer has it.

    Args:
        file: ONNX; None where the user has none.
    """

    def __init__(self, file: str | None) -> None:
        self.file = file

    def codes(self, name: str, example: Picture) -> Sequence[Code | AbsentCode]:
        """Return its code; none without a file.

        Raises:
            InputError: see `OnnxNetwork`.
        """
        return [] if self.file is None else dinohash_codes(Path(self.file))


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
