"""DiffAugment (Zhao et al. 2020): differentiable edits between pictures and their discriminator.

A discriminator that sees a few hundred pictures learns them by heart; one that only ever sees
real and made pictures through random edits cannot, and the decoder still gets its gradient.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

GREY = 0.5  # what shifts and cutouts leave; 0 in the paper, where pictures lie in -1..1


@dataclass(frozen=True)
class DiffAugment:
    """One draw of edits for N pictures, to be put on real and made ones alike.

    Attributes:
        brightness: (N, 1, 1, 1) added, up to a quarter of the range.
        saturation: (N, 1, 1, 1) factor 0 to 2.
        contrast: (N, 1, 1, 1) factor 0.5 to 1.5.
        shift: (N, 2) px down and right, up to an eighth of the side.
        cutout: (N, 2) row and column of the centre of the square left out, half the side wide.
    """

    brightness: Tensor
    saturation: Tensor
    contrast: Tensor
    shift: Tensor
    cutout: Tensor

    @classmethod
    def draw(cls, x: Tensor) -> Self:
        """Draw edits for pictures x (N, C, side, side)."""
        n, side = len(x), x.shape[-1]
        brightness, saturation, contrast = torch.rand(3, n, 1, 1, 1, device=x.device, dtype=x.dtype)
        return cls(
            brightness / 2 - 0.25,
            2 * saturation,
            contrast + 0.5,
            torch.randint(-(side // 8), side // 8 + 1, (n, 2), device=x.device),
            torch.randint(0, side, (n, 2), device=x.device),
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Edit pictures x (N, C, side, side) in [0, 1]; the result may leave the range."""
        side, n = x.shape[-1], torch.arange(len(x), device=x.device)
        x = x + self.brightness
        x = torch.lerp(x.mean(1, keepdim=True), x, self.saturation)
        x = torch.lerp(x.mean((1, 2, 3), keepdim=True), x, self.contrast)

        reach = side // 8
        pixels = torch.arange(side, device=x.device)
        sources = pixels + reach - self.shift[..., None]  # (N, 2, side) in the padded picture
        rows, columns = sources[:, 0, :, None], sources[:, 1, None, :]
        padded = F.pad(x, [reach] * 4, value=GREY)
        x = padded[n[:, None, None], :, rows, columns].permute(0, 3, 1, 2)

        # The centre's own row and column, half of them before it, the rest after it.
        offsets = pixels - self.cutout[..., None]  # (N, 2, side)
        inside = (offsets >= -(side // 4)) & (offsets < side // 2 - side // 4)
        hole = inside[:, 0, :, None] & inside[:, 1, None, :]  # (N, side, side)
        return x.masked_fill(hole[:, None], GREY)
