"""What models take, as options."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from latenthash.options.kinds import (
    Count,
    Kind,
    Node,
    Rate,
    Size,
    Switch,
    Weight,
    Widths,
    number,
    whole,
)


class Separation(Node):
    """`latenthash.models.components.separation.Separation`."""

    prior: Weight
    hypersphere: Weight
    critic: Weight
    balanced: Switch
    distance: Size
    signal_sigma: Size
    noise_sigma: Size


class Model(Node):
    """What all models take."""

    convert: Literal["all"] = Field("all", alias="_convert_")
    latent_dim: Annotated[int, whole(1, 4096)]


class Autoencoder(Model):
    """`latenthash.models.components.autoencoder.Autoencoder`."""

    channels: Widths
    hidden: Widths
    sigma_floor: Size
    vector_sigma_floor: Size
    picture_side: Annotated[int, whole(8, 1024, "px")]
    picture_channels: Widths
    picture_epochs: Count
    learning_rate: Rate
    batch_size: Count
    separation: Separation


class VAE(Autoencoder):
    """`latenthash.models.vae.VAE`."""

    target: Literal["latenthash.models.vae.VAE"] = Field(alias="_target_")
    likelihood: Literal["gaussian", "bernoulli"]
    beta_warmup: Annotated[float, number(least=0, most=1, unit="share of the epochs")]
    weight_decay: Rate


class VAEGAN(Autoencoder):
    """`latenthash.models.vaegan.VAEGAN`."""

    target: Literal["latenthash.models.vaegan.VAEGAN"] = Field(alias="_target_")
    discriminator_channels: Widths
    discriminator_hidden: Widths
    gamma: Weight
    balance: Annotated[
        Annotated[list[float], Field(min_length=2, max_length=2)] | None,
        Kind("[equilibrium, margin] (nats), or null"),
    ]
    spectral: Switch
    diff_augment: Switch
    real_label: Annotated[float, number(above=0, most=1)]
    gradient_clip: Size


class PCA(Model):
    """`latenthash.models.pca.PCA`."""

    target: Literal["latenthash.models.pca.PCA"] = Field(alias="_target_")
    signed_root: Switch
    unit_features: Switch
    whitening: Literal["plain", "learned"]
    ridge: Size
    unit_latent: Switch


class Topology(Model):
    """`latenthash.models.topology.Topology`."""

    target: Literal["latenthash.models.topology.Topology"] = Field(alias="_target_")
    ridge: Size


class Contrastive(Model):
    """`latenthash.models.contrastive.Contrastive`."""

    target: Literal["latenthash.models.contrastive.Contrastive"] = Field(alias="_target_")
    short_dim: Annotated[int, whole(1, 4096)]
    learning_rate: Rate
    head_learning_rate: Rate
    weight_decay: Rate
    warmup: Annotated[int, whole(1, 10**6, "steps")]
    temperature: Size
    sign_temperature: Size
    koleo: Weight
    batch_size: Annotated[int, whole(2, 10**6, "pictures")]
    overlays: Annotated[int, whole(1, 10**5, "drawings")]


class OwnModel(Model):
    """A model of another package, which answers for its other options itself."""

    model_config = ConfigDict(extra="allow")

    target: str = Field(alias="_target_")


class FineTuner(Node):
    """`latenthash.models.finetuner.FineTuner`."""

    target: Literal["latenthash.models.finetuner.FineTuner"] = Field(alias="_target_")
    learning_rate: Rate
    head_learning_rate: Rate
    weight_decay: Rate
    label_smoothing: Annotated[float, number(least=0, below=1)]
    batch_size: Count
