"""The plane in which latents of any size are drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latenthash.plots.style import Points


@dataclass(frozen=True)
class Plane:
    """The plane in which latents are drawn: the latent space itself when k is 2.

    Attributes:
        centroid: (k,) through which the plane passes: that of the hash, where there is one.
        basis: (k, 2) orthonormal directions; the second is zero when k is 1.
    """

    centroid: NDArray[np.float64]
    basis: NDArray[np.float64]

    @classmethod
    def of(cls, z: Points, centroid: NDArray[np.float64]) -> "Plane":
        """Span the two directions in which latents z (N, k) vary most."""
        k = z.shape[1]
        if k <= 2:
            return cls(centroid, np.eye(k, 2))
        directions = np.linalg.svd(z - z.mean(0), full_matrices=False)[2]
        return cls(centroid, directions[:2].T)

    @property
    def projected(self) -> bool:
        """Whether drawing loses dimensions."""
        return len(self.centroid) > 2

    def project(self, z: Points) -> Points:
        """Map z (N, k) to coordinates in the plane (N, 2)."""
        return z @ self.basis

    def lift(self, points: Points) -> Points:
        """Map coordinates (N, 2) to the latents (N, k) that lie there in the plane."""
        return self.centroid + (points - self.project(self.centroid[None])) @ self.basis.T

    def axes_labels(self) -> tuple[str, str]:
        """Name the two axes."""
        if self.projected:
            return "first principal axis of z", "second principal axis of z"
        return "$z_0$", "$z_1$" if len(self.centroid) == 2 else ""
