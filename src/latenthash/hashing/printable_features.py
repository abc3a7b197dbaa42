"""Make the printable hash from features that no training has touched.

The views have a fixed seed: two runs on one picture with the same edits print the same text.
(Other hardware rounds otherwise and may keep a few other bits; that is what `printable.compare` is
for.)
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional as F

from latenthash.features.interface import Features, is_staged
from latenthash.hashing.printable import VERSION, PrintableHash
from latenthash.hashing.projections import unit

SIDE = 16  # cells along a side, to which pixels are averaged
AXES = 16  # directions that are removed
# Settings of features that say how they are had, not what they are before any training.
INDIFFERENT = ("_target_", "weights", "seed", "finetune", "freeze_until")


@dataclass(frozen=True)
class Common:
    """What pictures have in common, which is removed from the features of each.

    Activations after a ReLU are all positive, and views of one pipeline share its borders: about
    the vector's own mean alone, the bits that two unrelated photographs both keep agree in .74.
    So the mean of many photographs' views is removed, and the directions in which they vary
    most ("all but the top", Mu and Viswanath 2018). A file that is fixed for ever holds them;
    `benchmarks/printable.py` makes it, and shows what it does. Features that have no such file
    make do with the vector's own mean, and their bits may be nearly the same for all pictures:
    hashes of such features are compared without a verdict.

    Attributes:
        mean: (D,) of features as `signed_roots` gives them; None where no file is.
        axes: (r, D) orthonormal directions.
    """

    mean: NDArray[np.float64] | None = None
    axes: NDArray[np.float64] | None = None

    @classmethod
    def learn(cls, x: NDArray[np.float64]) -> "Common":
        """Learn it from vectors x (N, D) of the views of many pictures."""
        x = signed_roots(x)
        mean = x.mean(0)
        axes = np.linalg.svd(x - mean, full_matrices=False)[2][:AXES]
        return cls(mean, axes)

    def remove(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Remove it from vectors x (N, D), to length 1."""
        x = signed_roots(x)
        if self.mean is None or self.axes is None:
            return unit(x - x.mean(1, keepdims=True))
        x = x - self.mean
        return unit(x - x @ self.axes.T @ self.axes)

    @property
    def digest(self) -> str:
        """Return the sha256 of its numbers."""
        parts = [part.tobytes() for part in (self.mean, self.axes) if part is not None]
        return hashlib.sha256(b"".join(parts)).hexdigest()


def printable_hash(features: Features, config: Mapping[str, Any], x: Tensor) -> PrintableHash:
    """Make the printable hash of a picture.

    Args:
        features: as they are before any training.
        config: of the features.
        x: (N, D) or (N, C, H, W), what they make of the picture's views.
    """
    common = common_file(features, config)
    vectors = common.remove(to_vectors(features, x))
    return PrintableHash.of(_model_name(features, config, common), vectors)


def to_vectors(features: Features, x: Tensor) -> NDArray[np.float64]:
    """Turn features x (N, D) or (N, C, H, W) into vectors (N, E).

    A trunk's maps are averaged over places; in pixels the places are the content.
    """
    if x.ndim == 4:
        x = F.adaptive_avg_pool2d(x, 1 if is_staged(features) else SIDE).flatten(1)
    return x.double().numpy()


def common_file(features: Features, config: Mapping[str, Any]) -> Common:
    """Read what pictures have in common under these features, if it is known."""
    path = files("latenthash") / "shipped" / "printable" / common_name(features, config)
    if not path.is_file():
        return Common()
    tensors = load(path.read_bytes())
    return Common(*(tensors[name].double().numpy() for name in ("mean", "axes")))


def common_name(features: Features, config: Mapping[str, Any]) -> str:
    """Name the file of what pictures have in common under these features."""
    digest = features.provenance.get("weights_sha256")
    if digest is None:
        return f"pixels-{config['channels']}.safetensors"
    if output := config.get("output"):
        return f"embedding-{digest[:8]}-{output}.safetensors"
    return f"vgg16-{digest[:8]}-{config.get('layer')}.safetensors"


def signed_roots(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the signed square roots of vectors x (N, D), to length 1.

    So no channel outweighs the others.
    """
    return unit(np.sign(x) * np.sqrt(np.abs(x)))


def _model_name(features: Features, config: Mapping[str, Any], common: Common) -> str:
    """Name all that decides the bits of a view: a word, and 8 digits of a digest."""
    deciding = {key: value for key, value in config.items() if key not in INDIFFERENT}
    if not deciding.get("trim"):  # views as they are need no mention
        deciding.pop("trim", None)
    learned = features.provenance.get("weights_sha256")
    text = json.dumps([VERSION, deciding, learned, common.digest], sort_keys=True)
    word = str(config["_target_"]).rpartition(".")[2].lower()
    return f"{word}{hashlib.sha256(text.encode()).hexdigest()[:8]}"
