"""Maps of whole batches: where each pixel of a frame comes from."""

import math

import pytest
import torch
from torch import Tensor

from latenthash.data.batched_frames import crops, frames, warped

CPU = torch.device("cpu")
CORNERS = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [-1, 1, 1], [1, 1, 1]])


def numbered(side: int) -> Tensor:
    """A picture whose pixels count from 1, in rows."""
    return torch.arange(1.0, side * side + 1).view(1, 1, side, side)


def test_map_that_changes_nothing_gives_the_picture() -> None:
    x = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(warped(x, torch.eye(3).repeat(2, 1, 1), 6), x)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([[0, -1, 0], [1, 0, 0], [0, 0, 1]], [[3, 6, 9], [2, 5, 8], [1, 4, 7]]),  # a quarter turn
        ([[-1, 0, 0], [0, -1, 0], [0, 0, 1]], [[9, 8, 7], [6, 5, 4], [3, 2, 1]]),
        ([[-1, 0, 0], [0, 1, 0], [0, 0, 1]], [[3, 2, 1], [6, 5, 4], [9, 8, 7]]),
        # A pixel is 2 / 3 wide: the frame lies a pixel to the right, and what it holds moves left.
        ([[1, 0, 2 / 3], [0, 1, 0], [0, 0, 1]], [[2, 3, 0], [5, 6, 0], [8, 9, 0]]),
        # Three times the picture is in the frame.
        ([[3, 0, 0], [0, 3, 0], [0, 0, 1]], [[0, 0, 0], [0, 5, 0], [0, 0, 0]]),
        # Maps are homogeneous.
        ([[2, 0, 0], [0, 2, 0], [0, 0, 2]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
    ],
)
def test_frame_is_filled_from_where_the_map_leads(
    rows: list[list[float]], wanted: list[list[int]]
) -> None:
    found = warped(numbered(3), torch.tensor([rows], dtype=torch.float32), 3)
    torch.testing.assert_close(found[0, 0], torch.tensor(wanted).float(), atol=1e-4, rtol=0)


def test_what_lies_behind_the_camera_stays_finite() -> None:
    maps = torch.tensor([[[1.0, 0, 0], [0, 1, 0], [2, 0, 1]]])
    found = warped(torch.ones(1, 1, 4, 4), maps, 4)
    assert torch.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-6


@pytest.mark.parametrize("least", [0.25, 0.8])
def test_crops_keep_enough_and_stay_inside(least: float) -> None:
    torch.manual_seed(1)
    maps = crops(2000, CPU, p=1.0, least=least)
    corners = CORNERS @ maps.transpose(1, 2)
    assert corners[..., :2].abs().max() <= 1 + 1e-5
    area = maps[:, 0, 0] * maps[:, 1, 1]
    aspect = maps[:, 0, 0] / maps[:, 1, 1]
    # A side that would be longer than the picture is cut.
    assert area.min() >= least * math.exp(-0.3) - 1e-6
    assert least - 0.02 < area.quantile(0.02) < least + 0.1
    assert aspect.min() >= math.exp(-0.6) - 1e-5
    assert aspect.max() <= math.exp(0.6) + 1e-5
    assert (maps[:, :2, 2].abs().amax(0) > (1 - math.sqrt(least)) / 2).all(), "they lie anywhere"


def test_share_of_the_pictures_is_cropped() -> None:
    torch.manual_seed(2)
    maps = crops(4000, CPU, p=0.3, least=0.5)
    whole = (maps == torch.eye(3)).all((1, 2)).float().mean().item()
    assert whole == pytest.approx(0.7, abs=0.03)


def test_maps_of_heavy_views_are_those_of_the_recipe() -> None:
    torch.manual_seed(3)
    maps = frames(20_000, CPU)
    assert maps.shape == (20_000, 3, 3)
    assert torch.isfinite(maps).all()
    tilted = (maps[:, 2, :2] != 0).any(1).float().mean().item()
    assert tilted == pytest.approx(0.25, abs=0.02)
    flat = maps[(maps[:, 2, :2] == 0).all(1)]
    determinant = torch.linalg.det(flat)
    # Mirrored once of two, .3 and .1: .3 * .9 + .7 * .1.
    assert (determinant < 0).float().mean().item() == pytest.approx(0.34, abs=0.02)
    upright = (flat[:, 0, 1] == 0) & (flat[:, 1, 0] == 0)
    # Neither at any angle, .75, nor by up to 35 degrees, .7, nor by quarters, .75 + .25 / 4; nor
    # by a half turn, whose sine is not quite 0.
    assert upright.float().mean().item() == pytest.approx(0.75 * 0.7 * 0.8125, abs=0.02)


def test_maps_are_drawn_from_torchs_random_numbers() -> None:
    torch.manual_seed(4)
    first, other = frames(5, CPU), frames(5, CPU)
    torch.manual_seed(4)
    assert frames(5, CPU).equal(first)
    assert not first.equal(other)
    assert len({tuple(m.flatten().tolist()) for m in first}) > 1, "pictures differ"
