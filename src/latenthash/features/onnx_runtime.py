"""A network put through ONNX Runtime: on a CPU it takes half of torch's time, or less."""

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from latenthash.cache import DiskCache, cache_key

log = logging.getLogger(__name__)

NEEDED = ("onnx", "onnxruntime", "onnxscript")
TALKING = ("onnx_ir", "onnxscript", "torch.onnx")  # loggers that tell of every step

Mapped: TypeAlias = Callable[[Tensor], Tensor]


def is_installed() -> bool:
    """Say whether networks can be exported and run here."""
    return all(find_spec(name) is not None for name in NEEDED)


def through_onnx(network: nn.Module, shape: tuple[int, ...], cache: DiskCache) -> Mapped:
    """Return what does the same as a network, through ONNX Runtime and in one thread.

    Args:
        network: maps (N, *shape) float32 to one tensor (N, ...), on the CPU; for use alone, so
            that no layer is in training.
        shape: of one item.
        cache: where the exported network is kept: to export it takes seconds.

    Raises:
        ImportError: unless it `is_installed`.
    """
    key = cache_key(*_made_by(network, shape))
    data = cache.read(key)
    if data is None:
        log.info("Exporting the network for ONNX Runtime, once")
        data = exported(network, torch.zeros(2, *shape)).SerializeToString()
        cache.write(key, data)
    session = session_of(data)
    (entry,) = session.get_inputs()

    def mapped(x: Tensor) -> Tensor:
        (y,) = session.run(None, {entry.name: x.contiguous().numpy()})
        return torch.from_numpy(y)

    return mapped


def _made_by(network: nn.Module, shape: tuple[int, ...]) -> Iterator[str | bytes]:
    """List all that decides an exported network: its code, its weights, and what exports it."""
    yield from ("onnx", repr(shape), str(network))
    yield Path(inspect.getfile(type(network))).read_bytes()
    yield from (torch.__version__, *(version(name) for name in NEEDED))
    for name, weights in network.state_dict().items():
        yield from (name, weights.contiguous().numpy().tobytes())


def session_of(data: bytes) -> Any:
    """Return ONNX Runtime's session of a network that was `exported`, which computes in one thread.

    Raises:
        ImportError: unless it `is_installed`.
    """
    import onnxruntime  # an extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as many batches are under way as there are cores
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def exported(
    network: nn.Module, example: Tensor, entry: str | None = None, exits: Sequence[str] = ()
) -> Any:
    """Write a network in the ONNX format, for any number of items at once.

    Args:
        network: maps (N, ...) to one tensor or several, each (N, ...), on the CPU; for use alone.
        example: two items or more: of one, torch would take the number as fixed.
        entry: name of what goes in; None leaves it to torch.
        exits: names of what comes out, in its order; none leaves them to torch.

    Returns:
        onnx's ModelProto.

    Raises:
        ImportError: unless it `is_installed`.
    """
    with _quiet():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("items")},),
            input_names=None if entry is None else [entry],
            output_names=list(exits) or None,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing but warnings through."""
    before = {name: logging.getLogger(name).level for name in TALKING}
    for name in TALKING:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
