"""Whitening: the linear map from features to a latent, fitted without the Signal.

Plain whitening is PCA with every axis scaled to unit variance. Learned whitening (Mikolajczyk
and Matas 2007; Radenovic, Tolias and Chum 2018) makes the differences between views of the same
picture equally large in every direction, then keeps the directions in which everything together
varies most.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.decomposition import PCA
from torch import Tensor, nn

from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet

# Of the features' root mean square: in directions narrower than this, the rounding of float32
# would be a visible part of z.
NARROWEST = 1e-5


class Whitening(nn.Module):
    """An affine map z = P (x - m).

    Args:
        dimensions: D of the input.
        latent_dim: k.
        kind: plain or learned.
        ridge: a, added to the covariance of differences, in units of its mean variance; of
            the learned kind alone.

    Raises:
        InputError: if k is more than D.
    """

    mean: Tensor
    projection: Tensor

    def __init__(self, dimensions: int, latent_dim: int, kind: str, ridge: float) -> None:
        super().__init__()
        if latent_dim > dimensions:
            raise InputError(
                f"model.latent_dim={latent_dim} must be at most {dimensions}, the number of values "
                "that are whitened."
            )
        self.kind = kind
        self.ridge = ridge
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("projection", torch.zeros(latent_dim, dimensions))

    def fit(self, data: FeatureSet) -> None:
        """Fit m and P on features x (N, D).

        Raises:
            InputError: if the features vary in fewer than k directions, or, for the learned
                kind, no two views of the same picture differ.
        """
        x = data.x.double().cpu().numpy()
        with np.errstate(invalid="ignore"):  # equal features: their share of no variance is 0 / 0
            pca = PCA(svd_solver="full").fit(x)
        rank = int((pca.singular_values_ > NARROWEST * np.linalg.norm(x)).sum())
        k = len(self.projection)
        if k > rank:
            raise InputError(
                f"model.latent_dim={k} is more than the data can carry: {len(x)} training views "
                f"without the Signal vary in {rank} directions, the largest k possible. Lower "
                "model.latent_dim, or raise data.views.train."
            )
        # Where nothing varies nothing can be learned, so what follows may stay within the
        # directions that PCA found; it makes D x D matrices r x r.
        axes, variance = pca.components_[:rank], pca.explained_variance_[:rank]
        if self.kind == "plain":
            projection = axes[:k] / np.sqrt(variance[:k, None])
        else:
            differences = pair_covariance((x - pca.mean_) @ axes.T, data.picture)
            a = self.ridge * np.trace(differences) / x.shape[1]
            # The paper's P = inv(chol(S + aI)) followed by PCA of Px is this generalised
            # eigenproblem, which scipy solves by the same two steps.
            directions = eigh(np.diag(variance), differences + a * np.eye(rank))[1]
            projection = directions[:, : -k - 1 : -1].T @ axes
        # An axis and its negative are equally good; the largest weight decides.
        largest = np.abs(projection).argmax(1)
        projection *= np.sign(projection[np.arange(k), largest])[:, None]
        self.mean.copy_(torch.from_numpy(pca.mean_))
        self.projection.copy_(torch.from_numpy(projection))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (N, D) to z (N, k)."""
        return nn.functional.linear(x - self.mean, self.projection)


def without_signal(train: Mapping[str, FeatureSet]) -> FeatureSet:
    """Pool all sets but the Signal, and number their pictures throughout.

    A latent space that never saw the Signal is the same for every picture that is hashed.

    Raises:
        InputError: if there is no other set.
    """
    sets = [features for role, features in train.items() if role != "signal"]
    if not sets:
        raise InputError(
            "data.train_sets holds the Signal alone, which this model is never fitted on: add "
            "noise_edited, noise_similar or outliers."
        )
    first = np.cumsum([0, *(int(features.picture.max()) + 1 for features in sets[:-1])])
    picture = [features.picture + start for features, start in zip(sets, first, strict=True)]
    return FeatureSet(torch.cat([features.x for features in sets]), np.concatenate(picture))


def pair_covariance(x: NDArray[np.float64], picture: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the covariance of f - f' over pairs of views f, f' of the same picture.

    No pair has to be formed: over all pairs of one picture's n views, the mean of
    (f - f')(f - f')^T is 2 / (n - 1) times the scatter of the views about their own mean.
    Pictures are pooled by n - 1, the number of independent differences each has; a picture
    with a single view has none.

    Args:
        x: (N, D).
        picture: (N,) which picture each row is a view of.

    Returns:
        (D, D).

    Raises:
        InputError: if no two views of the same picture differ.
    """
    _, group, count = np.unique(picture, return_inverse=True, return_counts=True)
    means = np.zeros((len(count), x.shape[1]))
    np.add.at(means, group, x)
    deviations = x - (means / count[:, None])[group]
    if not np.linalg.norm(deviations) > NARROWEST * np.linalg.norm(x):
        raise InputError(
            "Learned whitening needs two views of a picture that differ, and there are none "
            "outside the Signal: raise data.views.train above the number of pictures in "
            "noise_edited, noise_similar or outliers, or set model.whitening=plain."
        )
    covariance: NDArray[np.float64] = 2 * deviations.T @ deviations / (count - 1).sum()
    return covariance
