"""What VAE and VAE/GAN share: fitting, encoding, drawing, and the terms of their losses."""

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from latenthash.features.interface import FeatureSet
from latenthash.models.components.backbone import Backbone
from latenthash.models.components.inputs import (
    Standardize,
    noise,
)
from latenthash.models.components.losses import (
    BERNOULLI,
    bernoulli_nll,
    gaussian_nll,
)
from latenthash.models.components.separation import (
    Separation,
    balanced_weights,
)
from latenthash.models.components.training import (
    check_finite,
    fit_best_epoch,
)

RATE = "model.learning_rate"  # the option by which a training is steered
SIGNAL = "signal"  # the set whose y is 1
ACTIVE = 0.01  # variance of the posterior mean above which a unit is active (Burda et al. 2016)


class Autoencoder(pl.LightningModule):
    """Encoder and decoder with a Gaussian latent; how they are trained is up to the children.

    Args:
        backbone: the networks.
        separation: what keeps the Signal and all else apart.
        likelihood: gaussian, or bernoulli for pictures that are black or white.
        learning_rate: decayed to 0 along a cosine.
        batch_size: views per step.
        picture_epochs: passes over the training views that fit the picture head, but no more than
            the trainer makes.
    """

    def __init__(
        self,
        backbone: Backbone,
        separation: Separation,
        *,
        likelihood: str,
        learning_rate: float,
        batch_size: int,
        picture_epochs: int,
    ) -> None:
        super().__init__()
        self.inputs = backbone.inputs
        self.encoder = backbone.encoder
        self.decoder = backbone.decoder
        self.picture_head = backbone.picture_head
        self.sigma_floor = backbone.sigma_floor
        self.separation = separation
        self.likelihood = likelihood
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.picture_epochs = picture_epochs

    def fit(
        self,
        train: Mapping[str, FeatureSet],
        validation: Mapping[str, FeatureSet],
        trainer: pl.Trainer,
    ) -> None:
        """Train on the union of the sets and keep the epoch with the best validation loss.

        Args:
            train: set -> features; vectors come with the views they are of.
            validation: the same from views of their own, which need not come with them.
            trainer: its callbacks hold a ModelCheckpoint.

        Raises:
            InputError: if vectors cannot be standardized, for there is no set but the Signal.
            ValueError: if vectors come without views.
            JobError: if the training diverged.
        """
        views = None if self.picture_head is None else _views(train)
        if isinstance(self.inputs, Standardize):
            self.inputs.fit(noise(train))
        batches = self._loader(train, True), self._loader(validation, False)
        fit_best_epoch(self, trainer, *batches, RATE)
        if self.picture_head is not None and views is not None:
            x = torch.cat([features.x for features in train.values()])
            with torch.no_grad():
                z = torch.cat([self.encode(batch) for batch in torch.split(x, self.batch_size)])
            self.picture_head.fit(
                z,
                views,
                epochs=min(self.picture_epochs, trainer.max_epochs or self.picture_epochs),
                learning_rate=self.learning_rate,
            )
            check_finite(self.picture_head, RATE)

    def _loader(self, sets: Mapping[str, FeatureSet], training: bool) -> DataLoader[Any]:
        """Make batches of features and y, whether they are the Signal's."""
        sizes = {role: len(features.x) for role, features in sets.items()}
        x = torch.cat([features.x for features in sets.values()])
        y = torch.cat([torch.full((n,), float(role == SIGNAL)) for role, n in sizes.items()])
        rows = TensorDataset(x, y)
        if training and self.separation.balanced:
            sampler = WeightedRandomSampler(balanced_weights(sizes).tolist(), len(x))
            return DataLoader(rows, self.batch_size, sampler=sampler)
        return DataLoader(rows, self.batch_size, shuffle=training)

    def prior_samples(self, n: int) -> Tensor:
        """Draw the same n latents (n, k) of the prior at every call, of both classes in turn."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(0)
            return self.separation.sample(torch.arange(n, device=self.device) % 2).cpu()

    def aim(self, theta: float) -> None:
        """Put the centre of the Signal's latents at an angle, in radians; see `Separation`."""
        self.separation.aim(theta)

    def encode(self, x: Tensor) -> Tensor:
        """Map features x (N, C, side, side) or (N, D) to the posterior mean z (N, k)."""
        mean: Tensor = self.encoder(self.inputs(x))[0]
        return mean

    def decode(self, z: Tensor) -> Tensor:
        """Map z (N, k) to pictures (N, C, side, side) in [0, 1]."""
        pictures: Tensor = (self.picture_head or self.decoder)(z)
        return pictures

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Log the loss of a batch as val/loss, by which the epoch is chosen."""
        self._step("val", batch, 1.0)

    def _step(self, phase: str, batch: list[Tensor], beta: float) -> Tensor:
        """Compute and log the loss of a batch, nats per sample.

        The negative ELBO, and what keeps the Signal (y = 1) and all else (y = 0) apart.
        """
        x, y = self.inputs(batch[0]), batch[1]
        nll, kl, mean = self._terms(x, y)
        hypersphere = self.separation.hypersphere_loss(mean, y)
        loss = nll + beta * kl.sum() + hypersphere
        terms = {"loss": loss, "nll": nll, "hypersphere": hypersphere} | kl_terms(mean, kl)
        self.log_terms(phase, terms, len(x))
        self.log(f"{phase}_loss", loss, prog_bar=True, logger=False, batch_size=len(x))
        return loss

    @torch.no_grad()
    def dimensions(self, sets: Mapping[str, FeatureSet]) -> tuple[Tensor, Tensor]:
        """Measure each dimension of the latent on features of several sets.

        Returns:
            its KL, nats, weighted as in the loss, and the standard deviation of the posterior
            means, each (k,).
        """
        batches = [
            (x.to(self.device), float(role == SIGNAL))
            for role, features in sets.items()
            for x in torch.split(features.x, self.batch_size)
        ]
        moments = [self.encoder(self.inputs(x)) for x, _ in batches]
        mean, log_variance = (torch.cat(parts) for parts in zip(*moments, strict=True))
        y = torch.cat([mean.new_full((len(x),), own) for x, own in batches])
        kl = self.separation.kl(mean, log_variance, y)
        return kl.cpu(), mean.std(0, correction=0).cpu()

    def bound(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate the two terms of the negative ELBO of features x, nats per sample.

        Returns:
            reconstruction and KL, each a mean over the batch; one z is drawn for each sample.
        """
        nll, kl, _ = self._terms(self.inputs(x), torch.zeros(len(x), device=x.device))
        return nll, kl.sum()

    def errors(self, x: Tensor) -> Tensor:
        """Measure how badly features x (N, ...) are rebuilt from their z: mean square, (N,)."""
        prepared = self.inputs(x)
        rebuilt = self.decoder(self.encoder(prepared)[0])
        errors: Tensor = (rebuilt - prepared).square().flatten(1).mean(1)
        return errors

    def _terms(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute reconstruction, KL of each dimension (k,) and posterior mean of prepared x."""
        mean, log_variance = self.encoder(x)
        rebuilt = self.decoder(sample(mean, log_variance))
        if self.likelihood == BERNOULLI:
            nll = bernoulli_nll(x, rebuilt)
        else:
            nll = gaussian_nll(x, rebuilt, self.sigma_floor)
        return nll, self.separation.kl(mean, log_variance, y), mean

    def log_terms(self, phase: str, values: Mapping[str, Tensor | float], n: int) -> None:
        """Log values of a batch of n as <phase>/<name>, by epoch."""
        self.log_dict(
            {f"{phase}/{name}": value for name, value in values.items()},
            on_step=False,
            on_epoch=True,
            batch_size=n,
        )


def sample(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Draw z (N, k) from N(mean, exp(log_variance))."""
    return mean + torch.randn_like(mean) * (0.5 * log_variance).exp()


def kl_terms(mean: Tensor, kl: Tensor) -> dict[str, Tensor]:
    """Name what to log of posterior means (N, k) and the KL of each dimension (k,)."""
    active = (mean.var(0, correction=0) > ACTIVE).sum().float()
    return {"kl": kl.sum(), "active_units": active}


def _views(train: Mapping[str, FeatureSet]) -> Tensor:
    sets = [features.views for features in train.values()]
    given = [views for views in sets if views is not None]
    if len(given) < len(sets):
        raise ValueError("A model of vectors draws with a picture head, which learns from views.")
    return torch.cat(given)
