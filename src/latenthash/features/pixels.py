"""The pixels themselves as features."""

from collections.abc import Mapping

from torch import Tensor, nn


class Pixels(nn.Module):
    """RGB pixels, scaled to [0, 1].

    Args:
        size: px, side of the square view.
    """

    identity: Mapping[str, str] = {}  # nothing learned has a part in them

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.shape = (3, size, size)

    def forward(self, views: Tensor) -> Tensor:
        """Turn views (N, size, size, 3) uint8 into (N, 3, size, size) float32."""
        return views.permute(0, 3, 1, 2).float() / 255
