"""Views of whole batches: their shapes, their range, and what decides them."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

pytest.importorskip("kornia")

from latenthash.data import batched_views
from latenthash.data.batched_views import BatchedViews

pytestmark = pytest.mark.usefixtures("one_thread")
SIZE = 32
KINDS = ["light", "heavy", "plain"]


def pictures(n: int, side: int = 43, seed: int = 0) -> Tensor:
    """Smooth pictures of strong colours, no two alike."""
    coarse = torch.rand(n, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear").contiguous()


def overlay(alpha: int) -> Tensor:
    """A red drawing on all of the picture."""
    drawn = torch.zeros(1, 4, SIZE, SIZE, dtype=torch.uint8)
    drawn[:, 0], drawn[:, 3] = 255, alpha
    return drawn


@pytest.fixture
def views() -> BatchedViews:
    return BatchedViews(SIZE, overlay(128))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [SIZE, 43])
def test_views_are_pictures_of_the_size(views: BatchedViews, kind: str, side: int) -> None:
    torch.manual_seed(0)
    x = pictures(24, side)
    before = x.clone()
    for _ in range(4):  # rare edits come as well
        made = getattr(views, kind)(x)
        assert made.shape == (24, 3, SIZE, SIZE)
        assert made.dtype == torch.float32
        assert torch.isfinite(made).all()
        assert made.min() >= 0
        assert made.max() <= 1
    assert x.equal(before), "pictures are not edited in place"


@pytest.mark.parametrize("kind", ["light", "heavy"])
def test_torchs_seed_decides_and_nothing_else(views: BatchedViews, kind: str) -> None:
    draw: Callable[[Tensor], Tensor] = getattr(views, kind)
    torch.manual_seed(7)
    first, second = draw(pictures(12)), draw(pictures(12))
    torch.manual_seed(7)
    assert draw(pictures(12)).equal(first)
    assert not second.equal(first)


def test_equal_pictures_of_a_batch_get_views_of_their_own(views: BatchedViews) -> None:
    torch.manual_seed(0)
    made = views.heavy(pictures(1).expand(16, -1, -1, -1))
    apart = torch.cdist(made.flatten(1), made.flatten(1)) + 10 * torch.eye(16)
    # Now and then a view is not edited at all.
    assert (apart.min(1).values > 0.1).sum() >= 13


def test_light_views_are_nearer_than_heavy_ones(views: BatchedViews) -> None:
    torch.manual_seed(0)
    x = pictures(32)
    light, heavy = (
        (draw(x) - views.plain(x)).abs().mean((1, 2, 3)) for draw in (views.light, views.heavy)
    )
    assert light.median() < 0.05
    assert heavy.median() > 3 * light.median()


def test_plain_view_of_a_uniform_picture_is_itself(views: BatchedViews) -> None:
    x = torch.full((1, 3, 43, 43), 0.25)
    torch.testing.assert_close(views.plain(x), torch.full((1, 3, SIZE, SIZE), 0.25))


@pytest.mark.parametrize(("alpha", "share"), [(0, 0.0), (255, 1.0), (51, 0.2)])
def test_overlay_lies_on_the_picture_as_thick_as_its_alpha(alpha: int, share: float) -> None:
    views = BatchedViews(SIZE, overlay(alpha))
    x = torch.full((3, 3, SIZE, SIZE), 0.5)
    wanted = torch.tensor([0.5 + 0.5 * share, 0.5 - 0.5 * share, 0.5 - 0.5 * share])
    torch.testing.assert_close(views._overlaid(x), wanted.view(1, 3, 1, 1).expand_as(x))


def test_more_than_is_edited_at_once_is_edited_in_order(
    views: BatchedViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batched_views, "AT_ONCE", 3)
    monkeypatch.setattr(views, "_edited", lambda some: some + len(some))
    x = pictures(7)
    sizes = torch.tensor([3, 3, 3, 3, 3, 3, 1]).view(7, 1, 1, 1)
    assert views.heavy(x).equal(x + sizes)


def test_coarse_pictures_have_few_pixels() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 3, 128, 128)
    for _ in range(8):
        made = batched_views._coarse(x)
        assert made.shape == x.shape
        assert made.std() < 0.95 * x.std(), "means of several pixels are nearer to each other"
