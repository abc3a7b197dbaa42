"""Variational autoencoder (Kingma and Welling 2014) whose posterior mean is the latent."""

from collections.abc import Mapping

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from latenthash import InputError
from latenthash.features import FeatureSet
from latenthash.models.losses import gaussian_nll, kl_to_standard_normal
from latenthash.models.networks import GROUPS, ConvDecoder, ConvEncoder
from latenthash.training import fit_best_epoch

ACTIVE = 0.01  # variance of the posterior mean above which a unit is active (Burda et al. 2016)


class VAE(pl.LightningModule):
    """Convolutional VAE on pictures with a sigma-VAE likelihood.

    Args:
        shape: (C, side, side) of the input, values in [0, 1].
        latent_dim: k.
        channels: width after each halving of the side.
        sigma_floor: smallest standard deviation of the likelihood, in units of the input.
        beta_warmup: share of the epochs over which the KL term's weight grows to 1.
        learning_rate: of AdamW, decayed to 0 along a cosine.
        weight_decay: of AdamW.
        batch_size: views per step.

    Raises:
        InputError: if latent_dim or channels cannot be built, or the side cannot be halved as
            often as channels asks.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        latent_dim: int,
        channels: tuple[int, ...],
        sigma_floor: float,
        beta_warmup: float,
        learning_rate: float,
        weight_decay: float,
        batch_size: int,
    ) -> None:
        super().__init__()
        if len(shape) != 3 or shape[0] != 3:
            raise InputError(
                f"model=vae draws pictures and cannot take features of shape {tuple(shape)}: set "
                "features=pixels, or take model=pca."
            )
        if latent_dim < 1:
            raise InputError(f"model.latent_dim={latent_dim} must be at least 1.")
        if not channels or any(width < 1 or width % GROUPS for width in channels):
            raise InputError(
                f"model.channels={list(channels)} must be one or more multiples of {GROUPS}."
            )
        if shape[1] % 2 ** len(channels):
            raise InputError(
                f"features.size={shape[1]} must be a multiple of {2 ** len(channels)}: "
                f"model.channels={list(channels)} halves it {len(channels)} times."
            )
        self.sigma_floor = sigma_floor
        self.beta_warmup = beta_warmup
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.encoder = ConvEncoder(shape, channels, latent_dim)
        self.decoder = ConvDecoder(shape, channels, latent_dim)

    def fit(
        self,
        train: Mapping[str, FeatureSet],
        validation: Mapping[str, FeatureSet],
        trainer: pl.Trainer,
    ) -> None:
        """Train on the union of the sets and keep the epoch with the best validation loss.

        Args:
            train: set -> its features.
            validation: the same from views of their own.
            trainer: its callbacks hold a ModelCheckpoint.
        """
        fit_best_epoch(
            self,
            trainer,
            self._loader(train, shuffle=True),
            self._loader(validation, shuffle=False),
        )

    def encode(self, x: Tensor) -> Tensor:
        """Map features x (N, C, side, side) to the posterior mean z (N, k)."""
        mean: Tensor = self.encoder(x)[0]
        return mean

    def decode(self, z: Tensor) -> Tensor:
        """Map z (N, k) to reconstructed features (N, C, side, side)."""
        decoded: Tensor = self.decoder(z)
        return decoded

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Give Lightning the loss of a batch."""
        return self._step("train", batch[0], self._beta())

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Log the loss of a batch, with the KL term at its full weight in every epoch."""
        self._step("val", batch[0], 1.0)

    def configure_optimizers(self) -> pl.utilities.types.OptimizerLRScheduler:
        """Give Lightning AdamW and its cosine decay."""
        optimizer = torch.optim.AdamW(
            self.parameters(), self.learning_rate, weight_decay=self.weight_decay
        )
        epochs = self.trainer.max_epochs
        assert epochs is not None
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

    def _loader(
        self, sets: Mapping[str, FeatureSet], shuffle: bool
    ) -> DataLoader[tuple[Tensor, ...]]:
        data = TensorDataset(torch.cat([features.x for features in sets.values()]))
        return DataLoader(data, self.batch_size, shuffle=shuffle)

    def _beta(self) -> float:
        epochs = self.beta_warmup * (self.trainer.max_epochs or 0)
        return min(1.0, (self.current_epoch + 1) / max(1.0, epochs))

    def _step(self, phase: str, x: Tensor, beta: float) -> Tensor:
        mean, log_variance = self.encoder(x)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        nll = gaussian_nll(x, self.decoder(z), self.sigma_floor)
        kl = kl_to_standard_normal(mean, log_variance)
        loss = nll + beta * kl.sum()
        active = (mean.var(0, correction=0) > ACTIVE).sum().float()
        values = {"loss": loss, "nll": nll, "kl": kl.sum(), "active_units": active}
        values |= {f"kl_{i}": value for i, value in enumerate(kl)}
        self.log_dict(
            {f"{phase}/{name}": value for name, value in values.items()},
            on_step=False,
            on_epoch=True,
            batch_size=len(x),
        )
        self.log(f"{phase}_loss", loss, prog_bar=True, logger=False, batch_size=len(x))
        return loss
