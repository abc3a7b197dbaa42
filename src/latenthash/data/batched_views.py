"""Views of whole batches, made where the network is: thousands a second on an accelerator.

A pair of views trains a code: a light one, near the picture itself, and a heavy one, under several
edits at once. kornia makes the edits; how a picture lies in its frame is one map, and the drawings
come from a bank.
"""

from collections.abc import Callable
from typing import TypeAlias

import kornia.augmentation as K
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latenthash.data.batched_frames import crops, frames, warped

Edit: TypeAlias = Callable[[Tensor], Tensor]

AT_ONCE = 64  # pictures edited at once on a CPU
BLACK, WHITE = 0.6, 0.15  # shares of borders; the others are of any colour


class BatchedViews(nn.Module):
    """Draws light and heavy views of a batch of pictures, from torch's random numbers.

    A view of a batch depends on the whole batch, other than those of `data.views`, which are
    functions of one picture.

    Args:
        size: px, side of the views; a multiple of 16, for JPEG's blocks.
        overlays: (M, 4, size, size) uint8 RGBA, of which heavy views take one now and then.
    """

    overlays: Tensor

    def __init__(self, size: int, overlays: Tensor) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("overlays", overlays, persistent=False)
        self.erase = nn.Sequential(
            K.RandomErasing((0.02, 0.25), value=0.0, p=0.15),
            K.RandomErasing((0.02, 0.25), value=0.0, p=0.08),
        )
        self.colour = nn.Sequential(
            K.RandomContrast((0.5, 1.6), p=0.35),
            K.RandomBrightness((0.6, 1.4), p=0.35),
            K.RandomGamma((0.45, 2.2), p=0.3),
            K.RandomSaturation((0.0, 2.0), p=0.3),
            K.RandomHue((-0.14, 0.14), p=0.25),
            K.RandomGrayscale(p=0.12),
            K.RandomInvert(p=0.08),
            K.RandomPosterize((2.0, 3.0), p=0.04),
        )
        self.blur = nn.Sequential(
            K.RandomGaussianBlur((9, 9), (0.5, 1.5), p=0.1),
            K.RandomGaussianBlur((31, 31), (1.5, 5.0), p=0.1),
        )
        self.jpeg = K.RandomJPEG((5.0, 90.0), p=0.35)
        self.light_colour = nn.Sequential(
            K.RandomContrast((0.7, 1.4), p=0.1),
            K.RandomBrightness((0.8, 1.2), p=0.1),
            K.RandomSaturation((0.5, 1.5), p=0.05),
        )

    @torch.no_grad()
    def light(self, pictures: Tensor) -> Tensor:
        """Crop little and colour little: (N, 3, side, side) in [0, 1] to (N, 3, size, size)."""
        n, device = len(pictures), pictures.device
        x = warped(pictures, crops(n, device, p=0.3, least=0.8), self.size)
        coloured: Tensor = self.light_colour(x)
        return coloured.clamp(0, 1)

    @torch.no_grad()
    def heavy(self, pictures: Tensor) -> Tensor:
        """Edit by several edits at once: (N, 3, side, side) in [0, 1] to (N, 3, size, size)."""
        # On a CPU whole batches leave its cache, and take twice as long.
        most = AT_ONCE if pictures.device.type == "cpu" else max(1, len(pictures))
        return torch.cat([self._edited(some) for some in torch.split(pictures, most)])

    def _edited(self, pictures: Tensor) -> Tensor:
        x = warped(_with_alpha(pictures), frames(len(pictures), pictures.device), self.size)
        x = _on_ground(self.erase(x), self._grounds(pictures))
        x = _some(x, 0.38, self._overlaid)
        x = self.blur(self.colour(x).clamp(0, 1))
        x = _some(_some(x, 0.15, _noisy), 0.05, _peppered)
        x = _some(x, 0.1, _coarse)
        x = self.jpeg(x).clamp(0, 1)
        return _some(x, 0.12, self._framed)

    def plain(self, pictures: Tensor) -> Tensor:
        """Reduce (N, 3, side, side) to the views' size."""
        x = F.interpolate(pictures, (self.size, self.size), mode="bilinear", antialias=True)
        return x.clamp(0, 1)

    def _framed(self, views: Tensor) -> Tensor:
        """Crop, turn or shift once more, on another ground."""
        x = warped(_with_alpha(views), frames(len(views), views.device), self.size)
        return _on_ground(x, _colours(views))

    def _grounds(self, pictures: Tensor) -> Tensor:
        """Choose what lies behind each picture: one colour, or now and then another picture."""
        another = torch.rand(len(pictures), 1, 1, 1, device=pictures.device) < 0.1
        return torch.where(another, self.plain(pictures.roll(1, 0)), _colours(pictures))

    def _overlaid(self, pictures: Tensor) -> Tensor:
        drawn = torch.randint(len(self.overlays), (len(pictures),), device=pictures.device)
        overlay = self.overlays[drawn].float() / 255
        alpha = overlay[:, 3:]
        return pictures * (1 - alpha) + overlay[:, :3] * alpha


def _with_alpha(pictures: Tensor) -> Tensor:
    return torch.cat([pictures, torch.ones_like(pictures[:, :1])], 1)


def _on_ground(x: Tensor, ground: Tensor) -> Tensor:
    """Lay (N, 4, H, W), whose colours are multiplied by alpha, on (N, 3, H, W) or one colour."""
    return (x[:, :3] + (1 - x[:, 3:]) * ground).clamp(0, 1)


def _colours(pictures: Tensor) -> Tensor:
    """Choose a colour for each picture, (N, 3, 1, 1)."""
    colours = torch.rand(len(pictures), 3, 1, 1, device=pictures.device)
    which = torch.rand(len(pictures), 1, 1, 1, device=pictures.device)
    colours = torch.where(which < BLACK + WHITE, torch.ones_like(colours), colours)
    return torch.where(which < BLACK, torch.zeros_like(colours), colours)


def _some(x: Tensor, p: float, edit: Edit) -> Tensor:
    """Edit each picture with a probability."""
    chosen = torch.rand(len(x), device=x.device) < p
    if chosen.any():
        x = x.clone()
        x[chosen] = edit(x[chosen])
    return x


def _noisy(x: Tensor) -> Tensor:
    """Add Gaussian noise; kornia draws its noise on the CPU, which takes longer than a step."""
    deviation = torch.empty(len(x), 1, 1, 1, device=x.device).uniform_(0.02, 0.22)
    return (x + deviation * torch.randn_like(x)).clamp(0, 1)


def _peppered(x: Tensor) -> Tensor:
    """Make some pixels white or black."""
    share = torch.empty(len(x), 1, 1, 1, device=x.device).uniform_(0.005, 0.03)
    drawn = torch.rand_like(x[:, :1])
    return x.masked_fill(drawn < share, 0.0).masked_fill(drawn > 1 - share, 1.0)


def _coarse(x: Tensor) -> Tensor:
    """Reduce to a few pixels, one number for all, and enlarge again, smoothly or in squares."""
    few = int(torch.randint(28, 100, ()))
    mode = "bilinear" if torch.rand(()) < 0.6 else "nearest"
    return F.interpolate(F.interpolate(x, (few, few), mode="area"), x.shape[-2:], mode=mode)
