"""The bank of drawings: the same ones every time, each of them mostly see-through."""

import numpy as np
import pytest
from PIL import Image

from latenthash.data.edits import overlay_bank
from latenthash.data.edits.overlay_bank import draw_bank


def test_bank_is_the_same_every_time_and_at_its_start_whatever_its_length() -> None:
    first, again = draw_bank(6, 48), draw_bank(9, 48)
    assert first.shape == (6, 48, 48, 4)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again[:6])
    assert len({overlay.tobytes() for overlay in again}) == 9, "no drawing comes twice"


def test_drawings_hide_something_and_not_everything() -> None:
    covered = (draw_bank(60, 64)[..., 3] > 0).mean((1, 2))
    assert covered.min() > 0
    assert np.quantile(covered, 0.9) < 0.9
    assert 0.1 < covered.mean() < 0.6


@pytest.mark.parametrize("kind", ["_writing", "_bars", "_watermark", "_stickers", "_screen"])
def test_each_kind_draws_at_every_size(kind: str) -> None:
    for side in (16, 64):
        alphas = []
        for seed in range(8):
            image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
            drawn = np.asarray(getattr(overlay_bank, kind)(overlay_bank.Random(seed), image))
            assert drawn.shape == (side, side, 4)
            alphas.append(drawn[..., 3])
        assert max(alpha.max() for alpha in alphas) > 0


def test_watermarks_are_seen_through() -> None:
    for seed in range(8):
        image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
        alpha = np.asarray(overlay_bank._watermark(overlay_bank.Random(seed), image))[..., 3]
        assert 0 < alpha.max() <= 190
