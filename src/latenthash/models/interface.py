"""Models: what turns features into a latent z, all by the same `encode`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from latenthash.cache import DiskCache
from latenthash.features.interface import FeatureSet

if TYPE_CHECKING:  # it takes seconds to import, and nobody needs it to use a model
    import pytorch_lightning as pl


class Model(Protocol):
    """What hashing, metrics and plots know of a model: all that a model must have.

    A class of models is a torch module, and `latenthash.testing.check_model` checks one:

    - It is made by `make(shape=..., **options)`: shape is that of one view's features, (D,) or
      (C, H, W), and options are plain ones of the config: numbers, texts, lists. One of them is
      `latent_dim`, k. Under `torch.device("meta")` it must be made, too, for then its weights have
      shapes alone.
    - Its parameters and buffers are all made in `__init__`, as large as they will be, and what it
      learns is in them as finite numbers: a bundle holds `state_dict()` and nothing else.
    - `encode` makes of a view what it makes of it among others; nothing is drawn at random.
    - All chance in `fit` is from torch's and numpy's generators, which train.py seeds.

    What a model can do beside is in the protocols below, none of which it needs.
    """

    def fit(
        self,
        train: Mapping[str, FeatureSet],
        validation: Mapping[str, FeatureSet],
        trainer: "pl.Trainer",
    ) -> None:
        """Fit on features of each set; validation may choose the epoch.

        Args:
            train: set, such as signal or outliers -> features of its views.
            validation: the same of views of their own.
            trainer: Lightning's, of the config, for models that are trained by gradient. Its
                callbacks hold a ModelCheckpoint that monitors val/loss.
        """

    def encode(self, x: Tensor) -> Tensor:
        """Map features x (N, C, H, W) or (N, D) to z (N, k)."""


@runtime_checkable
class Coder(Protocol):
    """A model that was trained so that the signs of its outputs are codes.

    Attributes:
        lengths: bits of its codes, the latent's first.
    """

    lengths: tuple[int, ...]

    def outputs(self, x: Tensor) -> Tensor:
        """Map features x (N, *shape) to the numbers behind all codes, (N, sum(lengths))."""


@runtime_checkable
class Hastened(Protocol):
    """A model that can be made ready for many pictures."""

    def hasten(self, cache: DiskCache) -> None:
        """Take seconds now, and less time for every picture from now on."""


@runtime_checkable
class Portable(Protocol):
    """A model whose `outputs` are not as an exporter takes them, and that has what is."""

    def network(self) -> nn.Module:
        """Return what maps features (N, *shape) to the outputs, in one batch, for use alone."""


@runtime_checkable
class Decoder(Protocol):
    """A model whose latents can be turned into pictures."""

    def decode(self, z: Tensor) -> Tensor:
        """Map z (N, k) to pictures (N, 3, side, side) in [0, 1]."""


@runtime_checkable
class Aimed(Protocol):
    """A model whose latent space has a centre of its own for every picture."""

    def aim(self, theta: float) -> None:
        """Put the centre at an angle, in radians, before the model is fitted."""


@runtime_checkable
class Rebuilder(Protocol):
    """A model that says how well it knows what it sees."""

    def errors(self, x: Tensor) -> Tensor:
        """Map features x (N, C, H, W) or (N, D) to reconstruction errors (N,)."""


@runtime_checkable
class Diagrammed(Protocol):
    """A model that sees the shape of features."""

    def diagrams(self, x: Tensor) -> list[NDArray[np.float64]]:
        """Compute each picture's persistence diagram: rows of channel, dimension, birth, death."""
