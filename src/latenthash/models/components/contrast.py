"""What a contrastive code learns from: pairs of views that are alike, and a batch of others."""

import torch
from torch import Tensor
from torch.nn import functional as F

STEEPNESS = 1.5  # of the tanh that stands for a sign when gradients are taken
NEAREST = 1e-4  # distance below which KoLeo pushes no harder


def info_nce(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding each picture's other view among all views of the batch, in nats.

    InfoNCE (van den Oord, Li and Vinyals 2018, eq. 4) in both directions; negatives are both views
    of all other pictures, as in SimCLR (Chen et al. 2020, eq. 1).

    Args:
        first: (N, D) unit vectors of one view of each picture.
        second: (N, D) of the other.
        temperature: by which cosines are divided.
    """
    own = torch.eye(len(first), dtype=torch.bool, device=first.device)
    target = torch.arange(len(first), device=first.device)

    def one_way(a: Tensor, b: Tensor) -> Tensor:
        among = (a @ a.T).masked_fill(own, -torch.inf)
        return F.cross_entropy(torch.cat([a @ b.T, among], 1) / temperature, target)

    return (one_way(first, second) + one_way(second, first)) / 2


def signs(z: Tensor) -> Tensor:
    """Take the signs of z as -1 and 1; 0 has -1."""
    return torch.where(z > 0, 1.0, -1.0)


def straight_signs(z: Tensor) -> Tensor:
    """Take the signs of z (N, D), scaled to unit vectors, with the gradient of a tanh.

    A sign has no gradient; the straight-through estimator (Bengio, Leonard and Courville 2013)
    takes that of a smooth function near it.
    """
    smooth = torch.tanh(STEEPNESS * z)
    return F.normalize(smooth + (signs(z) - smooth).detach())


def koleo(x: Tensor) -> Tensor:
    """Mean -log distance of each unit vector (N, D) to its nearest: spreads them over the sphere.

    The differential entropy of Kozachenko and Leonenko, as Sablayrolles et al. (2019, eq. 2) and
    SSCD (Pizzi et al. 2022, eq. 5) use it.
    """
    apart = torch.cdist(x, x) + torch.diag(torch.full((len(x),), torch.inf, device=x.device))
    return -(apart.min(1).values + NEAREST).log().mean()


def tpr_at_fpr(similarity: Tensor, fpr: float) -> float:
    """Share of genuine pairs that are more similar than all but a share fpr of impostor pairs.

    Args:
        similarity: (V, N, N) of V views of N pictures (rows) to the pictures (columns).
        fpr: the share.
    """
    own = torch.eye(similarity.shape[1], dtype=torch.bool, device=similarity.device)
    impostors = similarity[:, ~own].flatten()
    passing = int(fpr * len(impostors))
    limit = impostors.kthvalue(len(impostors) - passing).values  # the first that may not pass
    return (similarity[:, own] > limit).float().mean().item()
