"""How pictures of a batch lie in their frames: crops, turns, shifts, mirrors, perspective.

All of it is one homography for each picture, so a picture is resampled once: twelve edits of
kornia, one after the other, take more than ten times as long and blur. Maps lead from the frame to
the picture, both with coordinates from -1 to 1.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

NEAREST = 0.05  # depth of a perspective: below, a pixel would lie behind the camera


def frames(n: int, device: torch.device) -> Tensor:
    """Draw maps (n, 3, 3) of heavy views: several changes at once, each with a probability."""

    def draw(low: float, high: float) -> Tensor:
        return torch.empty(n, device=device).uniform_(low, high)

    def maybe(p: float, value: Tensor, other: float) -> Tensor:
        return torch.where(torch.rand(n, device=device) < p, value, other)

    smaller = maybe(0.2, draw(1, 2.2), 1)  # on a ground
    narrower = maybe(0.7, smaller, 1)  # else flatter alone
    shift = maybe(0.25, torch.ones(n, device=device), 0)
    angle = maybe(0.25, draw(-math.pi, math.pi), 0)
    angle = torch.where(angle == 0, maybe(0.3, draw(-35, 35) * math.pi / 180, 0), angle)
    quarters = torch.randint(0, 4, (n,), device=device) * math.pi / 2
    angle = angle + maybe(0.25, quarters, 0)
    # The canvas grows with the turn, as many programs do it, or it does not.
    grown = maybe(0.35, angle.cos().abs() + angle.sin().abs(), 1)
    tilted = maybe(0.25, torch.ones(n, device=device), 0)
    bent = _identity(n, device)
    bent[:, 2, 0], bent[:, 2, 1] = tilted * draw(-0.3, 0.3), tilted * draw(-0.3, 0.3)
    bent[:, 0, 1] = tilted * draw(-0.2, 0.2)
    mirrored = (maybe(p, -torch.ones(n, device=device), 1) for p in (0.3, 0.1))
    return (
        crops(n, device, p=0.65, least=0.25)
        @ _scaling(narrower, smaller)
        @ _shift(shift * draw(-0.35, 0.35), shift * draw(-0.35, 0.35))
        @ _rotation(angle)
        @ _scaling(grown, grown)
        @ _scaling(*mirrored)
        @ bent
    )


def crops(n: int, device: torch.device, p: float, least: float) -> Tensor:
    """Draw maps (n, 3, 3) to a part of the picture.

    Args:
        n: pictures.
        device: of the maps.
        p: probability that a picture is cropped.
        least: share of the area that a crop keeps.
    """
    cropped = torch.rand(n, device=device) < p
    area = torch.where(cropped, torch.empty(n, device=device).uniform_(least, 1), 1)
    aspect = torch.where(cropped, torch.empty(n, device=device).uniform_(-0.3, 0.3).exp(), 1)
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    across, down = (
        torch.empty(n, device=device).uniform_(-1, 1) * (1 - s) for s in (width, height)
    )
    return _shift(across, down) @ _scaling(width, height)


def warped(x: Tensor, maps: Tensor, size: int) -> Tensor:
    """Resample pictures (N, C, H, W) to frames (N, C, size, size); what lies outside is 0."""
    n = len(x)
    centres = (torch.arange(size, device=x.device) + 0.5) / size * 2 - 1
    y_, x_ = torch.meshgrid(centres, centres, indexing="ij")
    points = torch.stack([x_, y_, torch.ones_like(x_)], -1).view(1, -1, 3)
    found = points @ maps.transpose(1, 2)  # (N, size^2, 3), homogeneous
    grid = (found[..., :2] / found[..., 2:].clamp(min=NEAREST)).view(n, size, size, 2)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _identity(n: int, device: torch.device) -> Tensor:
    return torch.eye(3, device=device).repeat(n, 1, 1)


def _scaling(across: Tensor, down: Tensor) -> Tensor:
    maps = _identity(len(across), across.device)
    maps[:, 0, 0], maps[:, 1, 1] = across, down
    return maps


def _shift(across: Tensor, down: Tensor) -> Tensor:
    maps = _identity(len(across), across.device)
    maps[:, 0, 2], maps[:, 1, 2] = across, down
    return maps


def _rotation(angle: Tensor) -> Tensor:
    maps = _identity(len(angle), angle.device)
    maps[:, 0, 0] = maps[:, 1, 1] = angle.cos()
    maps[:, 1, 0] = angle.sin()
    maps[:, 0, 1] = -maps[:, 1, 0]
    return maps
