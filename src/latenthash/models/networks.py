"""Encoder and decoder networks, as plain torch modules."""

from itertools import pairwise

from torch import Tensor, nn

GROUPS = 8  # of GroupNorm, which needs no batch statistics: a few hundred pictures are too few


class ConvEncoder(nn.Module):
    """Halves a picture's side once per entry of channels, then maps it to mean and log-variance.

    Args:
        shape: (C, side, side) of the input; side divisible by 2 ** len(channels).
        channels: width after each halving.
        latent_dim: k.
    """

    def __init__(
        self, shape: tuple[int, int, int], channels: tuple[int, ...], latent_dim: int
    ) -> None:
        super().__init__()
        side = shape[1] // 2 ** len(channels)
        self.body = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, 4, stride=2, padding=1),
                    nn.GroupNorm(GROUPS, after),
                    nn.SiLU(),
                )
                for before, after in pairwise((shape[0], *channels))
            ),
            nn.Flatten(),
        )
        self.head = nn.Linear(channels[-1] * side**2, 2 * latent_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (N, C, side, side) to mean and log-variance, each (N, k)."""
        mean, log_variance = self.head(self.body(x)).chunk(2, dim=1)
        # Beyond +-10 the exponential overflows before the loss can answer.
        return mean, log_variance.clamp(-10, 10)


class ConvDecoder(nn.Module):
    """The mirror of ConvEncoder; its output lies in (0, 1).

    Args:
        shape: (C, side, side) of the output.
        channels: as for the encoder, from the widest picture to the narrowest.
        latent_dim: k.
    """

    def __init__(
        self, shape: tuple[int, int, int], channels: tuple[int, ...], latent_dim: int
    ) -> None:
        super().__init__()
        side = shape[1] // 2 ** len(channels)
        self.stem = nn.Sequential(
            nn.Linear(latent_dim, channels[-1] * side**2),  # (N, k) -> (N, C' * s * s)
            nn.Unflatten(1, (channels[-1], side, side)),  # -> (N, C', s, s)
        )
        self.body = nn.Sequential(
            *(
                nn.Sequential(
                    nn.GroupNorm(GROUPS, before),
                    nn.SiLU(),
                    nn.ConvTranspose2d(before, after, 4, stride=2, padding=1),
                )
                for before, after in pairwise((*reversed(channels), shape[0]))
            ),
            nn.Sigmoid(),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map z (N, k) to (N, C, side, side)."""
        decoded: Tensor = self.body(self.stem(z))
        return decoded
