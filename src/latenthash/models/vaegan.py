"""VAE/GAN (Larsen, Sonderby, Larochelle and Winther 2016): similarity is learned, not given.

A discriminator of real and made takes the place of pixels in the likelihood: its layer l is
where reconstructions are compared.
"""

from collections.abc import Sequence
from math import cos, pi
from typing import Unpack

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from latenthash.components.adversary import Adversary
from latenthash.components.autoencoder import Autoencoder, Shared, kl_terms, sample
from latenthash.components.losses import GAUSSIAN, cost_of, equilibrium_rule
from latenthash.components.separation import LatentCritic

BETAS = (0.5, 0.999)  # of Adam; a longer memory of gradients sets adversaries swinging (DCGAN)


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

    The others are those of `Autoencoder`.
    """

    def __init__(
        self,
        *,
        discriminator_channels: tuple[int, ...],
        discriminator_hidden: tuple[int, ...],
        gamma: float,
        balance: tuple[float, float] | None,
        spectral: bool,
        diff_augment: bool,
        real_label: float,
        gradient_clip: float,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(likelihood=GAUSSIAN, **shared)
        self.automatic_optimization = False  # three objectives, each for one network
        self.gamma = gamma
        self.balance = balance
        self.real_label = real_label
        self.gradient_clip = gradient_clip
        self.adversary = Adversary(
            shared["shape"], discriminator_channels, discriminator_hidden, spectral, diff_augment
        )
        self.critic = LatentCritic(shared["latent_dim"]) if self.separation.critic else None

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

        encoder, decoder = list(self.encoder.parameters()), list(self.decoder.parameters())
        optimizers = self.optimizers()
        assert isinstance(optimizers, list)
        for optimizer in optimizers:
            optimizer.zero_grad()

        encoder_loss = kl.sum() + output.rec + hypersphere
        critic_loss = None
        if self.critic is not None:
            # To the encoder its own latents should pass for draws of the prior.
            encoder_loss = encoder_loss + self.separation.critic * cost_of(self.critic(z, y), 1.0)
            critic_loss = self.critic.against(z, drawn, y)
        rec_term = self.gamma * output.rec / self.adversary.discriminator.features
        gan_term = -output.fakes  # of L_GAN, only the cost of fakes depends on the decoder
        real_loss = cost_of(output.real_logits, self.real_label)
        fake_loss = cost_of(output.fake_logits, 0.0)
        # All gradients before any step: a step changes weights that the others still need.
        self.manual_backward(encoder_loss, inputs=encoder, retain_graph=True)
        norms = {}
        if batch_idx == 0:  # once an epoch: two more ways back cost a third of the step
            norms = {"rec": _norm(rec_term, decoder), "gan": _norm(gan_term, decoder)}
            norms["ratio"] = norms["rec"] / norms["gan"].clamp(min=1e-12)
        self.manual_backward(rec_term + gan_term, inputs=decoder)
        self.manual_backward(real_loss + fake_loss)
        if critic_loss is not None:
            self.manual_backward(critic_loss)

        # As the authors count: what a real sample costs against 1, whatever label it was given.
        real_cost = cost_of(output.real_logits, 1.0)
        turn = equilibrium_rule(real_cost.item(), fake_loss.item(), self.balance)
        for optimizer, its_turn in zip(optimizers, (True, *turn, True), strict=False):
            if its_turn:
                self.clip_gradients(optimizer.optimizer, self.gradient_clip, "norm")
                optimizer.step()

        right = torch.cat([output.real_logits > 0, output.fake_logits < 0])
        values = {
            "encoder_loss": encoder_loss,
            "decoder_loss": rec_term + gan_term,
            "discriminator_loss": real_loss + fake_loss,
            "rec_l": output.rec,
            "hypersphere": hypersphere,
            "real_cost": real_cost,
            "fake_cost": fake_loss,
            "discriminator_accuracy": right.float().mean(),
            "decoder_steps": float(turn[0]),
            "discriminator_steps": float(turn[1]),
        }
        if critic_loss is not None:
            values["critic_loss"] = critic_loss
        values |= {f"decoder_gradient_{name}": norm for name, norm in norms.items()}
        self.log_terms("train", values | kl_terms(mean, kl), len(x))
        losses = [encoder_loss, rec_term + gan_term, real_loss + fake_loss]
        if critic_loss is not None:
            losses.append(critic_loss)
        return torch.stack(losses).detach().sum()

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
