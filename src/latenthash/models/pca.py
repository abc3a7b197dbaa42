"""PCA hash: principal components of the features, as thesis and image retrieval use them."""

from collections.abc import Mapping
from math import prod

import pytorch_lightning as pl
from torch import Tensor, nn

from latenthash.features.interface import FeatureSet
from latenthash.models.components.inputs import signed_root
from latenthash.models.components.whitening import Whitening, without_signal


class PCA(nn.Module):
    """Optional signed root and L2, whitening, optional L2.

    Jegou and Chum 2012 for plain whitening, Radenovic, Tolias and Chum 2018 for the learned
    kind; the signed root is that of Perronnin, Sanchez and Mensink 2010.

    Args:
        shape: of one picture's features, (D,) or (C, H, W); maps are flattened.
        latent_dim: k.
        signed_root: whether every value becomes sign(x) sqrt(|x|).
        unit_features: whether features are scaled to length 1 before whitening.
        unit_latent: whether latents are scaled to length 1 after it.
        whitening: plain or learned.
        ridge: of learned whitening, in units of the mean variance of differences.

    Raises:
        InputError: if an argument cannot be used.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        latent_dim: int,
        signed_root: bool,
        unit_features: bool,
        unit_latent: bool,
        whitening: str,
        ridge: float,
    ) -> None:
        super().__init__()
        self.signed_root = signed_root
        self.unit_features = unit_features
        self.unit_latent = unit_latent
        self.whitening = Whitening(prod(shape), latent_dim, whitening, ridge)

    def fit(
        self,
        train: Mapping[str, FeatureSet],
        validation: Mapping[str, FeatureSet],
        trainer: pl.Trainer,
    ) -> None:
        """Fit the whitening on all training sets but the Signal, in closed form.

        Raises:
            InputError: if the data cannot carry k dimensions, or has nothing to learn from.
        """
        data = without_signal(train)
        self.whitening.fit(FeatureSet(self._prepared(data.x), data.picture))

    def encode(self, x: Tensor) -> Tensor:
        """Map features x (N, D) or (N, C, H, W) to z (N, k)."""
        z: Tensor = self.whitening(self._prepared(x))
        return nn.functional.normalize(z) if self.unit_latent else z

    def _prepared(self, x: Tensor) -> Tensor:
        x = x.flatten(1)  # (N, D)
        if self.signed_root:
            x = signed_root(x)
        return nn.functional.normalize(x) if self.unit_features else x
