"""Picture head: draws small pictures from the latents of a model that never saw pixels."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latenthash.models.components.networks import ConvDecoder
from latenthash.system.terminal import track

BATCH = 64  # views per step; many small steps on a network this small are mostly waiting


class PictureHead(nn.Module):
    """A decoder from z to pictures, fitted when z is final, so that it cannot change z.

    Args:
        latent_dim: k.
        side: px, of the square pictures drawn; divisible by 2 ** len(channels).
        channels: width after each halving of the side, as for ConvDecoder.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, latent_dim: int, side: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.side = side
        self.decoder = ConvDecoder((3, side, side), channels, latent_dim)
        self.register_buffer("mean", torch.zeros(latent_dim))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        """Map z (N, k) to pictures (N, 3, side, side) in (0, 1)."""
        pictures: Tensor = self.decoder((z - self.mean) / self.scale)
        return pictures

    def fit(self, z: Tensor, views: Tensor, *, epochs: int, learning_rate: float) -> None:
        """Fit on latents and the views they are of, by mean squared error.

        Args:
            z: (N, k); no gradient flows back into it.
            views: (N, size, size, 3) uint8.
            epochs: passes over the views.
            learning_rate: of Adam, decayed to 0 along a cosine.
        """
        z = z.detach()
        pictures = torch.cat([self._reduced(batch) for batch in torch.split(views, BATCH)])
        self.mean.copy_(z.mean(0))
        # One scale for all dimensions keeps the map's proportions.
        self.scale.copy_((z - self.mean).square().mean().sqrt().clamp(min=1e-6))
        optimizer = torch.optim.Adam(self.parameters(), learning_rate)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
        self.train()
        for _ in track(range(epochs), "Picture head"):
            for rows in torch.split(torch.randperm(len(z)), BATCH):
                optimizer.zero_grad()
                torch.autograd.backward(F.mse_loss(self(z[rows]), pictures[rows]))
                optimizer.step()
            scheduler.step()
        self.eval()

    def _reduced(self, views: Tensor) -> Tensor:
        """Reduce views (N, size, size, 3) uint8 to pictures (N, 3, side, side) in [0, 1]."""
        return F.adaptive_avg_pool2d(views.permute(0, 3, 1, 2).float() / 255, self.side)
