"""Iterative quantization: fewer bits of many numbers (Gong, Lazebnik, Gordo and Perronnin 2013)."""

import torch
from torch import Tensor

ROUNDS = 50  # as its authors do; the loss changes little after 20


def itq(z: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Find directions whose signs keep as much of numbers as signs can.

    The first principal components, turned so that they are near the corners of a cube (section
    3.2: signs B and rotation R are found in turns, each the best for the other).

    Args:
        z: (N, k), more than `bits` of them.
        bits: B, at most k.

    Returns:
        directions (B, k) and offsets (B,): the bits are the signs of z @ directions.T + offsets.
    """
    z = z.double()  # the eigenvectors of the smallest values are within rounding of floats
    mean = z.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(z.T))
    axes = vectors[:, values.argsort(descending=True)[:bits]]  # (k, B)
    centred = (z - mean) @ axes
    generator = torch.Generator().manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(bits, bits, generator=generator).double())[0]
    rotation = rotation.to(z.device)
    for _ in range(ROUNDS):
        signs = torch.where(centred @ rotation > 0, 1.0, -1.0).double()
        u, _, v = torch.linalg.svd(signs.T @ centred)
        rotation = (u @ v).T
    directions = (axes @ rotation).T
    return directions.float(), -(directions @ mean).float()
