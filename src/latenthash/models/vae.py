"""Variational autoencoder (Kingma and Welling 2014) whose posterior mean is the latent."""

from typing import Unpack

import pytorch_lightning as pl
import torch
from torch import Tensor

from latenthash.components.autoencoder import Autoencoder, Shared


class VAE(Autoencoder):
    """VAE of pictures or of vectors with a sigma-VAE or a Bernoulli likelihood.

    Args:
        likelihood: gaussian, or bernoulli for pictures that are black or white.
        beta_warmup: share of the epochs over which the KL term's weight grows to 1.
        weight_decay: of AdamW.

    The others are those of `Autoencoder`.
    """

    def __init__(
        self, *, likelihood: str, beta_warmup: float, weight_decay: float, **shared: Unpack[Shared]
    ) -> None:
        super().__init__(likelihood=likelihood, **shared)
        self.beta_warmup = beta_warmup
        self.weight_decay = weight_decay

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Give Lightning the loss of a batch."""
        return self.objective("train", self.inputs(batch[0]), batch[1], self._beta())

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
