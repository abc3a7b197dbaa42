"""The pixels themselves as features."""

from collections.abc import Mapping

from torch import Tensor, nn


class Pixels(nn.Module):
    """Pixels, scaled to [0, 1].

    Args:
        size: px, side of the square view.
        channels: 3 for RGB, 1 for grey.
        trim: whether views are cut free of uniform borders first; see `data.views.pipeline`.
    """

    provenance: Mapping[str, str] = {}  # nothing learned has a part in them
    indifferent: tuple[str, ...] = ()

    def __init__(self, *, size: int, channels: int, trim: bool = False) -> None:
        super().__init__()
        self.size = size
        self.trim = trim
        self.shape = (channels, size, size)
        self.common = f"pixels-{channels}"

    def forward(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, C) uint8 into (N, C, size, size) float32."""
        return views.permute(0, 3, 1, 2).float() / 255
