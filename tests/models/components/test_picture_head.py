"""The picture head: what it learns of views, and what it leaves alone."""

import numpy as np
import torch
from torch import Tensor

from fitting import MARKS, differing, weights
from latenthash.models.components.picture_head import (
    BATCH,
    PictureHead,
)

pytestmark = MARKS


def head(k: int = 2, side: int = 8, channels: tuple[int, ...] = (8,)) -> PictureHead:
    torch.manual_seed(0)
    return PictureHead(k, side, channels)


def two_views() -> Tensor:
    """Red over blue, and green beside grey: channels, rows and columns all differ."""
    views = np.zeros((2, 24, 24, 3), np.uint8)
    views[0, :12], views[0, 12:] = (230, 25, 50), (25, 75, 205)
    views[1, :, :12], views[1, :, 12:] = (40, 200, 60), (128, 128, 128)
    return torch.from_numpy(views)


def test_head_learns_which_view_lies_where() -> None:
    drawer, views = head(), two_views()
    # Far from 0 and unevenly spread, as the latents of vectors are, and more than one batch.
    places = torch.tensor([[30.0, 5.0], [32.0, -5.0]])
    z = (places.repeat(50, 1) + 0.1 * torch.randn(100, 2)).requires_grad_()
    drawer.fit(z, views.repeat(50, 1, 1, 1), epochs=150, learning_rate=1e-2)
    assert z.grad is None
    assert len(z) > BATCH
    blocks = views.numpy().reshape(2, 8, 3, 8, 3, 3).mean((2, 4)) / 255
    drawn = drawer(places).detach().permute(0, 2, 3, 1).numpy()
    assert np.abs(drawn - blocks).mean() < 0.05
    assert np.abs(drawn - blocks[::-1]).mean() > 0.2, "the views must differ for this to count"


def test_head_sees_views_at_its_own_size() -> None:
    drawer = head(1)
    # Stripes finer than the head can draw are seen as the grey that they average to.
    stripes = torch.tensor([0, 255], dtype=torch.uint8).repeat(16)[:, None].expand(6, 32, 32, 3)
    drawer.fit(torch.randn(6, 1), stripes, epochs=80, learning_rate=1e-2)
    grey = torch.full((1, 3, 8, 8), 0.5)
    torch.testing.assert_close(drawer(torch.zeros(1, 1)), grey, rtol=0, atol=0.06)


def test_latents_are_scaled_by_one_number_for_all_dimensions() -> None:
    drawer = head()
    z = torch.tensor([[7.0, 1.0], [1.0, 1.0], [4.0, 3.0], [4.0, -1.0]])
    views = torch.zeros(4, 8, 8, 3, dtype=torch.uint8)
    drawer.fit(z, views, epochs=1, learning_rate=1e-3)
    assert drawer.mean.tolist() == [4.0, 1.0]
    # Squares of the deviations: 9, 9, 0, 0 and 0, 0, 4, 4.
    assert drawer.scale.item() == np.float32(np.sqrt(26 / 8))
    torch.testing.assert_close(drawer(z), drawer.decoder((z - drawer.mean) / drawer.scale))


def test_head_copes_with_latents_that_are_all_the_same() -> None:
    drawer = head()
    drawer.fit(torch.ones(2, 2), two_views(), epochs=1, learning_rate=1e-3)
    assert drawer(torch.ones(2, 2)).isfinite().all()


def test_drawn_pictures_are_colours_between_0_and_1() -> None:
    drawn = head(5, 16, (8, 16))(100 * torch.randn(4, 5))
    assert drawn.shape == (4, 3, 16, 16)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_fit_changes_neither_views_nor_latents_and_repeats_with_a_seed() -> None:
    z, views = torch.randn(6, 2), two_views().repeat(3, 1, 1, 1)
    kept = z.clone(), views.clone()
    states = []
    for _ in range(2):
        drawer = head()
        drawer.fit(z, views, epochs=2, learning_rate=1e-2)
        states.append(weights(drawer))
        assert not any(module.training for module in drawer.modules())
    assert not differing(*states)
    assert differing(states[0], weights(head())) == {"decoder", "mean", "scale"}
    assert torch.equal(z, kept[0])
    assert torch.equal(views, kept[1])
