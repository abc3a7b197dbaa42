"""Encoders, decoders and discriminators, as plain torch modules.

Pictures (C, side, side) go through convolutions, vectors (D,) through linear layers.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

GROUPS = 8  # of GroupNorm, which needs no batch statistics: a few hundred pictures are too few
SLOPE = 0.2  # of LeakyReLU (Radford, Metz and Chintala 2016): a silent unit still hands on gradient


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
        return _moments(self.head(self.body(x)))


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


class MLPEncoder(nn.Module):
    """Linear layers from a vector to mean and log-variance.

    Args:
        dimensions: D of the input.
        hidden: width of each hidden layer, from the input on.
        latent_dim: k.
    """

    def __init__(self, dimensions: int, hidden: tuple[int, ...], latent_dim: int) -> None:
        super().__init__()
        self.body = _hidden_layers((dimensions, *hidden))
        self.head = nn.Linear((dimensions, *hidden)[-1], 2 * latent_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (N, D) to mean and log-variance, each (N, k)."""
        return _moments(self.head(self.body(x)))


class MLPDecoder(nn.Module):
    """The mirror of MLPEncoder; its output is unbounded.

    Args:
        dimensions: D of the output.
        hidden: as for the encoder.
        latent_dim: k.
    """

    def __init__(self, dimensions: int, hidden: tuple[int, ...], latent_dim: int) -> None:
        super().__init__()
        widths = (latent_dim, *reversed(hidden))
        self.body = _hidden_layers(widths)
        self.head = nn.Linear(widths[-1], dimensions)

    def forward(self, z: Tensor) -> Tensor:
        """Map z (N, k) to (N, D)."""
        decoded: Tensor = self.head(self.body(z))
        return decoded


class Discriminator(nn.Module):
    """Layers, LeakyReLU between them, and a linear one that tells real from made.

    Layer l, in which reconstructions are compared, is the last of the given layers before its
    activation, as in the code of Larsen et al. 2016.

    Args:
        layers: with weights; the first takes x.
        features: n, numbers that the last of them puts out for one x.
        spectral: divide every weight by its largest singular value (Miyato et al. 2018).
    """

    def __init__(self, layers: Sequence[nn.Module], features: int, spectral: bool) -> None:
        super().__init__()
        self.features = features
        first, *others = [spectral_norm(layer) if spectral else layer for layer in layers]
        self.body = nn.Sequential(
            first, *(nn.Sequential(nn.LeakyReLU(SLOPE), layer) for layer in others), nn.Flatten()
        )
        head = nn.Linear(features, 1)
        self.head = nn.Sequential(
            nn.LeakyReLU(SLOPE), spectral_norm(head) if spectral else head, nn.Flatten(0)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (N, ...) to layer l (N, n) and the logit of being real (N,)."""
        layer: Tensor = self.body(x)
        return layer, self.head(layer)


def conv_discriminator(
    shape: tuple[int, int, int], channels: tuple[int, ...], spectral: bool
) -> Discriminator:
    """Build a discriminator of pictures that halves their side once per entry of channels."""
    side = shape[1] // 2 ** len(channels)
    layers = [nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise((shape[0], *channels))]
    return Discriminator(layers, channels[-1] * side**2, spectral)


def mlp_discriminator(dimensions: int, hidden: tuple[int, ...], spectral: bool) -> Discriminator:
    """Build a discriminator of vectors."""
    layers = [nn.Linear(a, b) for a, b in pairwise((dimensions, *hidden))]
    return Discriminator(layers, hidden[-1], spectral)


def _hidden_layers(widths: tuple[int, ...]) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Sequential(nn.Linear(before, after), nn.SiLU()) for before, after in pairwise(widths))
    )


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    """Split (N, 2k) into mean and log-variance, each (N, k)."""
    mean, log_variance = values.chunk(2, dim=1)
    # Beyond +-10 the exponential overflows before the loss can answer.
    return mean, log_variance.clamp(-10, 10)
