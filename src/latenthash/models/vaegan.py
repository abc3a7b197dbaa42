"""VAE/GAN (Larsen, Sonderby, Larochelle and Winther 2016): similarity is learned, not given.

A discriminator of real and made takes the place of pixels in the likelihood: its layer l is
where reconstructions are compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn

from latenthash.models.components.adversary import (
    Adversary,
    DiscriminatorOutput,
)
from latenthash.models.components.autoencoder import (
    Autoencoder,
    kl_terms,
    sample,
)
from latenthash.models.components.backbone import Backbone
from latenthash.models.components.losses import (
    GAUSSIAN,
    cost_of,
    equilibrium_rule,
)
from latenthash.models.components.separation import (
    LatentCritic,
    Separation,
)

BETAS = (0.5, 0.999)  # of Adam; a longer memory of gradients sets adversaries swinging (DCGAN)


@dataclass(frozen=True)
class Objectives:
    """What the networks descend on a batch, scalars.

    Attributes:
        encoder: the encoder's.
        rec: the decoder's part of rec_l.
        gan: the decoder's part of L_GAN.
        discriminator: L_GAN.
        critic: the latent critic's; None where there is none.
    """

    encoder: Tensor
    rec: Tensor
    gan: Tensor
    discriminator: Tensor
    critic: Tensor | None

    @property
    def decoder(self) -> Tensor:
        """The decoder's."""
        return self.rec + self.gan

    def losses(self) -> dict[str, Tensor]:
        """Name all of them for the log."""
        losses = {
            "encoder_loss": self.encoder,
            "decoder_loss": self.decoder,
            "discriminator_loss": self.discriminator,
        }
        return losses if self.critic is None else losses | {"critic_loss": self.critic}


class VAEGAN(Autoencoder):
    """VAE/GAN of pictures or of vectors.

    Every network has an objective of its own, and no other one reaches it:

    - encoder: KL + rec_l, and what `Separation` adds,
    - decoder: gamma * rec_l / n - L_GAN,
    - discriminator: L_GAN, its cross-entropy on real samples and on fakes (reconstructions and
      samples from the prior),
    - latent critic, where there is one: its cross-entropy on draws of the prior and on latents.

    rec_l is the Gaussian negative log-likelihood of the n numbers of layer l, with the
    batch-optimal variance. In the authors' code gamma = 1e-6 weighs the sum over n = 16,384
    numbers, as much as 0.016 on their mean.

    val/loss is the VAE's objective in the units of the features: layer l moves
    with the discriminator, so rec_l of two epochs cannot be compared.

    Args:
        discriminator_channels: width after each halving of a picture's side; layer l is the last.
        discriminator_hidden: width of each hidden layer for vectors; layer l is the last.
        gamma: weight of the mean of rec_l against the GAN term, in the decoder's objective.
        balance: nats, equilibrium and margin by which the adversary that is ahead waits, see
            `equilibrium_rule`; None lets both step always.
        spectral: whether the discriminator's weights are divided by their spectral norm.
        diff_augment: whether it sees pictures, real and made, through random edits.
        real_label: what it is asked to answer to real samples; below 1 it stays unsure.
        gradient_clip: largest norm of a network's gradient.
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
        discriminator_channels: tuple[int, ...],
        discriminator_hidden: tuple[int, ...],
        sigma_floor: float,
        vector_sigma_floor: float,
        gamma: float,
        balance: tuple[float, float] | None,
        spectral: bool,
        diff_augment: bool,
        real_label: float,
        picture_side: int,
        picture_channels: tuple[int, ...],
        picture_epochs: int,
        learning_rate: float,
        gradient_clip: float,
        batch_size: int,
        separation: Mapping[str, Any],
    ) -> None:
        backbone = Backbone.build(
            shape, latent_dim, channels=channels, hidden=hidden, sigma_floor=sigma_floor,
            vector_sigma_floor=vector_sigma_floor, picture_side=picture_side,
            picture_channels=picture_channels,
        )  # fmt: skip
        super().__init__(
            backbone, Separation(latent_dim, **separation), likelihood=GAUSSIAN,
            learning_rate=learning_rate, batch_size=batch_size, picture_epochs=picture_epochs,
        )  # fmt: skip
        self.automatic_optimization = False  # every network has an objective of its own
        self.gamma = gamma
        self.balance = balance
        self.real_label = real_label
        self.gradient_clip = gradient_clip
        self.adversary = Adversary(
            shape, discriminator_channels, discriminator_hidden, spectral, diff_augment
        )
        self.critic = LatentCritic(latent_dim) if self.separation.critic else None

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Give every network the gradient of its own objective, then let them step.

        Returns:
            the sum of all objectives, which nothing descends.
        """
        x, y = self.inputs(batch[0]), batch[1]
        mean, log_variance = self.encoder(x)
        kl = self.separation.kl(mean, log_variance, y)
        hypersphere = self.separation.hypersphere_loss(mean, y)
        z, drawn = sample(mean, log_variance), self.separation.sample(y)
        output = self.adversary(x, self.decoder(z), self.decoder(drawn))

        objectives = self._objectives(output, kl.sum() + output.rec + hypersphere, z, drawn, y)
        # All gradients before any step: a step changes weights that the others still need.
        norms = self._backward(objectives, batch_idx == 0)
        # As the authors count: what a real sample costs against 1, whatever label it was given.
        real_cost, fake_cost = output.real_cost(1.0), output.fake_cost()
        steps = equilibrium_rule(real_cost.item(), fake_cost.item(), self.balance)
        self._step_optimizers(*steps)

        losses = objectives.losses()
        values = {
            "rec_l": output.rec,
            "hypersphere": hypersphere,
            "real_cost": real_cost,
            "fake_cost": fake_cost,
            "discriminator_accuracy": output.accuracy(),
            "decoder_steps": float(steps[0]),
            "discriminator_steps": float(steps[1]),
        }
        self.log_terms("train", losses | values | norms | kl_terms(mean, kl), len(x))
        return torch.stack(list(losses.values())).detach().sum()

    def _objectives(
        self, output: DiscriminatorOutput, encoder: Tensor, z: Tensor, drawn: Tensor, y: Tensor
    ) -> Objectives:
        """Compute what each network descends.

        Args:
            output: of the discriminator.
            encoder: the encoder's objective but for the critic's part.
            z: (N, k) latents.
            drawn: (N, k) draws of the prior.
            y: (N,) 1 for the Signal, 0 for all else.
        """
        critic = None
        if self.critic is not None:
            # To the encoder its own latents should pass for draws of the prior.
            encoder = encoder + self.separation.critic * cost_of(self.critic(z, y), 1.0)
            critic = self.critic.against(z, drawn, y)
        return Objectives(
            encoder,
            rec=self.gamma * output.rec / self.adversary.discriminator.features,
            gan=-output.fakes,  # of L_GAN, only the cost of fakes depends on the decoder
            discriminator=output.real_cost(self.real_label) + output.fake_cost(),
            critic=critic,
        )

    def _backward(self, objectives: Objectives, measured: bool) -> dict[str, Tensor]:
        """Give every network the gradient of its own objective, and of no other.

        Returns:
            where measured, what to log of the norms of the decoder's two gradients: two more
            ways back, which cost a third of the step.
        """
        encoder, decoder = list(self.encoder.parameters()), list(self.decoder.parameters())
        for optimizer in self._optimizers():
            optimizer.zero_grad()
        self.manual_backward(objectives.encoder, inputs=encoder, retain_graph=True)
        norms = {}
        if measured:
            rec, gan = _norm(objectives.rec, decoder), _norm(objectives.gan, decoder)
            norms = {
                "decoder_gradient_rec": rec,
                "decoder_gradient_gan": gan,
                "decoder_gradient_ratio": rec / gan.clamp(min=1e-12),
            }
        self.manual_backward(objectives.decoder, inputs=decoder)
        self.manual_backward(objectives.discriminator)
        if objectives.critic is not None:
            self.manual_backward(objectives.critic)
        return norms

    def _step_optimizers(self, decoder: bool, discriminator: bool) -> None:
        """Let encoder and critic step, and the two adversaries where they may."""
        for optimizer, steps in zip(
            self._optimizers(), (True, decoder, discriminator, True), strict=False
        ):
            if steps:
                self.clip_gradients(optimizer.optimizer, self.gradient_clip, "norm")
                optimizer.step()

    def _optimizers(self) -> list[LightningOptimizer]:
        """List the optimizers of encoder, decoder, adversary and, where there is one, critic."""
        optimizers = self.optimizers()
        assert isinstance(optimizers, list)
        return optimizers

    def configure_optimizers(self) -> pl.utilities.types.OptimizerLRScheduler:
        """Give Lightning an Adam for each network."""
        return [
            torch.optim.Adam(network.parameters(), self.learning_rate, BETAS)
            for network in (self.encoder, self.decoder, self.adversary, self.critic)
            if network is not None
        ]

    def on_train_epoch_start(self) -> None:
        """Decay the learning rates along a cosine.

        torch's schedulers warn of an optimizer that has not stepped, and one may have to wait.
        """
        epochs = self.trainer.max_epochs
        assert epochs is not None
        rate = self.learning_rate * (1 + cos(pi * self.current_epoch / epochs)) / 2
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate


def _norm(term: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """Measure the gradient of a term, without leaving it anywhere."""
    gradients = torch.autograd.grad(term, list(parameters), retain_graph=True)
    norm: Tensor = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    return norm
