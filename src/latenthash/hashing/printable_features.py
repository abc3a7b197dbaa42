"""Make the printable hash from features that no training has touched.

The views have a fixed seed: two runs on one picture with the same edits print the same text.
(Other hardware rounds otherwise and may keep a few other bits; that is what `printable.compare` is
for.)
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional as F

from latenthash.features.interface import Features, Surveyed, is_staged
from latenthash.hashing.printable import VERSION, PrintableHash
from latenthash.hashing.projections import unit
from latenthash.options.kinds import CONVERT, TARGET, is_ours

SIDE = 16  # cells along a side, to which pixels are averaged
AXES = 16  # directions that are removed
LEARNED = "weights_sha256"  # in the provenance of features: by which weights they are made


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
        x: (N, *shape), what they make of the picture's views.
    """
    vectors, common = to_vectors(features, x), common_file(features)
    if common.mean is not None and len(common.mean) != vectors.shape[1]:
        common = Common()  # features that only began as those that were surveyed
    return PrintableHash.of(_model_name(features, config, common), common.remove(vectors))


def to_vectors(features: Features, x: Tensor) -> NDArray[np.float64]:
    """Turn features x (N, *shape) into vectors (N, E).

    A trunk's maps are averaged over places; in pixels the places are the content.
    """
    if x.ndim == 4:
        x = F.adaptive_avg_pool2d(x, 1 if is_staged(features) else SIDE)
    return x.flatten(1).double().numpy()


def common_file(features: Features) -> Common:
    """Read what pictures have in common under these features, if it is known."""
    if not isinstance(features, Surveyed) or not features.common:
        return Common()
    path = files("latenthash") / "shipped" / "printable" / f"{features.common}.safetensors"
    if not path.is_file():
        return Common()
    tensors = load(path.read_bytes())
    return Common(*(tensors[name].double().numpy() for name in ("mean", "axes")))


def signed_roots(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the signed square roots of vectors x (N, D), to length 1.

    So no channel outweighs the others.
    """
    return unit(np.sign(x) * np.sqrt(np.abs(x)))


def _model_name(features: Features, config: Mapping[str, Any], common: Common) -> str:
    """Name all that decides the bits of a view: a word, and 8 digits of a digest."""
    name = str(config[TARGET])
    indifferent = {CONVERT, *(features.indifferent if isinstance(features, Surveyed) else ())}
    if is_ours(name):  # where a class of this package stands may change
        indifferent.add(TARGET)
    deciding = {key: value for key, value in config.items() if key not in indifferent}
    if not deciding.get("trim"):  # views as they are need no mention
        deciding.pop("trim", None)
    parts = [VERSION, deciding, features.provenance.get(LEARNED), common.digest]
    # Where weights are from is for people.
    given = {k: v for k, v in features.provenance.items() if k not in (LEARNED, "weights")}
    text = json.dumps([*parts, given] if given else parts, sort_keys=True)
    word = re.sub("[^a-z0-9]", "", name.rpartition(".")[2].lower())
    return f"{word}{hashlib.sha256(text.encode()).hexdigest()[:8]}"
