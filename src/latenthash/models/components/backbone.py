"""Encoder and decoder of a variational model, chosen by the shape of features."""

from dataclasses import dataclass
from typing import Self

from torch import nn

from latenthash.models.components.inputs import (
    Standardize,
    check_halvings,
    picture_shape,
)
from latenthash.models.components.networks import (
    ConvDecoder,
    ConvEncoder,
    MLPDecoder,
    MLPEncoder,
)
from latenthash.models.components.picture_head import PictureHead


@dataclass(frozen=True)
class Backbone:
    """Encoder, decoder, and what goes with them.

    Pictures get convolutions and are taken as they are; vectors get linear layers, are
    standardized, and have a picture head, for the decoder gives vectors as well.

    Attributes:
        inputs: prepares features.
        encoder: prepared features (N, ...) -> mean and log-variance, each (N, k).
        decoder: z (N, k) -> prepared features (N, ...).
        picture_head: draws z where the decoder does not; None for pictures.
        sigma_floor: smallest standard deviation of the likelihood, in units of what is prepared.
    """

    inputs: Standardize | nn.Identity
    encoder: nn.Module
    decoder: nn.Module
    picture_head: PictureHead | None
    sigma_floor: float

    @classmethod
    def build(
        cls,
        shape: tuple[int, ...],
        latent_dim: int,
        *,
        channels: tuple[int, ...],
        hidden: tuple[int, ...],
        sigma_floor: float,
        vector_sigma_floor: float,
        picture_side: int,
        picture_channels: tuple[int, ...],
    ) -> Self:
        """Build the networks, not yet fitted.

        Args:
            shape: of the features, (1 or 3, side, side) with values in [0, 1], or (D,).
            latent_dim: k.
            channels: width after each halving of a picture's side.
            hidden: width of each hidden layer for vectors, from the input on.
            sigma_floor: smallest standard deviation of a picture's likelihood, of values in [0, 1].
            vector_sigma_floor: the same for vectors, in units of the noise's standard deviation.
            picture_side: px, side of what the picture head draws.
            picture_channels: width after each halving of that side.

        Raises:
            InputError: if the networks cannot be built.
        """
        if len(shape) == 1:
            check_halvings("model.picture_side", picture_side, "picture_channels", picture_channels)
            return cls(
                Standardize(shape[0]),
                MLPEncoder(shape[0], hidden, latent_dim),
                MLPDecoder(shape[0], hidden, latent_dim),
                PictureHead(latent_dim, picture_side, picture_channels),
                vector_sigma_floor,
            )
        picture = picture_shape(shape)
        check_halvings("features.size", picture[1], "channels", channels)
        return cls(
            nn.Identity(),
            ConvEncoder(picture, channels, latent_dim),
            ConvDecoder(picture, channels, latent_dim),
            None,
            sigma_floor,
        )
