"""A code as one ONNX file, from reduced views to bits, for programs that do without Python."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latenthash import __version__
from latenthash.codes.code import behind_bits, printed_code, width
from latenthash.codes.latent import Latent
from latenthash.data.reading import Reader
from latenthash.errors import JobError
from latenthash.features.onnx_runtime import exported, session_of
from latenthash.hashing.printable_code import BITS
from latenthash.models.interface import Coder, Portable

VIEWS, CODE, NUMBERS = "views", "code", "z"  # what goes in, and what comes out
MOST = 2  # of 256 bits that may differ: numbers near 0 change their sign by rounding
BATCH = 7  # views at once where the file is tried, which was exported with another count
REASON = 300  # letters of what an exporter says, which may be pages


class Graph(nn.Module):
    """What is exported: maps views (N, side, side, 3) uint8 to the code and the latent.

    Args:
        latent: of the code; its network is on the CPU.
    """

    def __init__(self, latent: Latent) -> None:
        super().__init__()
        model = latent.hasher.model
        self.features = latent.hasher.features
        self.model = model
        self.network = model.network() if isinstance(model, Portable) else None
        self.width = width(latent)
        self.numbers, rotation = behind_bits(latent, BITS)
        self.rotation = None if rotation is None else torch.from_numpy(rotation)
        self.values = 2 ** torch.arange(7, -1, -1, dtype=torch.int32)  # of a byte's bits

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Map views to the packed bits (N, 32) uint8, and to the latent (N, k) float32."""
        described = self._described(self.features(views))
        x = described[:, self.numbers]
        x = x if self.rotation is None else x @ self.rotation
        bits = (x > 0).reshape(-1, BITS // 8, 8).to(torch.int32)
        packed = (bits * self.values).sum(2, dtype=torch.int32).to(torch.uint8)
        return packed, described[:, : self.width]

    def _described(self, x: Tensor) -> Tensor:
        if self.network is not None:
            made: Tensor = self.network(x)
            return made
        return self.model.outputs(x) if isinstance(self.model, Coder) else self.model.encode(x)


def export_code(latent: Latent, reader: Reader, views: NDArray[np.uint8]) -> bytes:
    """Write a code in the ONNX format, and try it.

    Args:
        latent: of the code.
        reader: how pictures are decoded for it, which the file names.
        views: (N, side, side, 3), by which the file is tried: its codes must be ours.

    Raises:
        ImportError: unless `features.onnx_runtime.is_installed`.
        JobError: if the network cannot be exported, or the file gives other codes.
    """
    import onnx  # an extra

    expected = printed_code(latent).bits(latent.describe(list(views)))
    latent.hasher.to("cpu").eval()
    try:
        model = exported(Graph(latent).eval(), torch.from_numpy(views[:2]), VIEWS, (CODE, NUMBERS))
        onnx.helper.set_model_props(model, described(latent, reader))
        data: bytes = model.SerializeToString()
        found, _ = run_exported(data, views)
    except Exception as error:  # exporter and runtime have no class of errors in common
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:REASON]
        raise JobError(
            f"This code cannot be exported, and nothing was written: {reason}"
        ) from error
    most = int(np.bitwise_count(found ^ expected).sum(1, dtype=np.int64).max())
    if most > MOST:
        raise JobError(
            f"Nothing was written: of a picture, {most} of {BITS} bits are others in ONNX Runtime, "
            f"where at most {MOST} may be. Try other versions of torch and onnxruntime."
        )
    return data


def run_exported(
    data: bytes, views: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Put views (N, side, side, 3) through an exported code, to (N, 32) and (N, k)."""
    session = session_of(data)
    parts = [
        session.run([CODE, NUMBERS], {VIEWS: views[i : i + BATCH]})
        for i in range(0, len(views), BATCH)
    ]
    return np.concatenate([code for code, _ in parts]), np.concatenate([z for _, z in parts])


def described(latent: Latent, reader: Reader) -> dict[str, str]:
    """Say what an exported code is, and what it is given: the metadata of its file."""
    side, trim = latent.hasher.features.size, str(latent.trim).lower()
    return {
        "latenthash_version": __version__,
        "latenthash_tag": latent.tag.hex(),
        "latenthash_code": latent.key,
        "bits": str(BITS),
        "side": str(side),
        "trim": trim,
        "working_size": str(reader.working_size),
        "background": ",".join(map(str, reader.background)),
        VIEWS: f"uint8 (N, {side}, {side}, 3): RGB, rows from the top",
        CODE: f"uint8 (N, {BITS // 8}): the bits, the first of each eight is the byte's highest",
        NUMBERS: f"float32 (N, {width(latent)}): the latent",
    }
