"""Variational autoencoder (Kingma and Welling 2014) whose posterior mean is the latent."""

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from latenthash.errors import InputError
from latenthash.models.components.autoencoder import Autoencoder
from latenthash.models.components.backbone import Backbone
from latenthash.models.components.losses import BERNOULLI
from latenthash.models.components.separation import Separation


class VAE(Autoencoder):
    """VAE of pictures or of vectors with a sigma-VAE or a Bernoulli likelihood.

    Args:
        beta_warmup: share of the epochs over which the KL term's weight grows to 1.
        weight_decay: of AdamW.
        separation: arguments of `Separation`.

    The others are described where they go: `Backbone.build` and `Autoencoder`.

    Raises:
        InputError: if the networks cannot be built.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        latent_dim: int,
        channels: tuple[int, ...],
        hidden: tuple[int, ...],
        likelihood: str,
        sigma_floor: float,
        vector_sigma_floor: float,
        picture_side: int,
        picture_channels: tuple[int, ...],
        picture_epochs: int,
        beta_warmup: float,
        learning_rate: float,
        weight_decay: float,
        batch_size: int,
        separation: Mapping[str, Any],
    ) -> None:
        if likelihood == BERNOULLI and len(shape) == 1:
            raise InputError(f"model.likelihood={BERNOULLI} is for pictures alone.")
        backbone = Backbone.build(
            shape, latent_dim, channels=channels, hidden=hidden, sigma_floor=sigma_floor,
            vector_sigma_floor=vector_sigma_floor, picture_side=picture_side,
            picture_channels=picture_channels,
        )  # fmt: skip
        super().__init__(
            backbone, Separation(latent_dim, **separation), likelihood=likelihood,
            learning_rate=learning_rate, batch_size=batch_size, picture_epochs=picture_epochs,
        )  # fmt: skip
        self.beta_warmup = beta_warmup
        self.weight_decay = weight_decay

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Give Lightning the loss of a batch."""
        return self._step("train", batch, self._beta())

    def configure_optimizers(self) -> pl.utilities.types.OptimizerLRScheduler:
        """Give Lightning AdamW and its cosine decay."""
        optimizer = torch.optim.AdamW(
            [*self.encoder.parameters(), *self.decoder.parameters()],
            self.learning_rate,
            weight_decay=self.weight_decay,
        )
        epochs = self.trainer.max_epochs
        assert epochs is not None
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    def _beta(self) -> float:
        epochs = self.beta_warmup * (self.trainer.max_epochs or 0)
        return min(1.0, (self.current_epoch + 1) / max(1.0, epochs))
