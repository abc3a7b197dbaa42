"""What the classes that a run is built of take: one node each, called as the class is."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from latenthash.options.edits import Chain, EditName
from latenthash.options.kinds import (
    Count,
    Kind,
    Located,
    Name,
    Node,
    Path,
    Rate,
    Seed,
    Share,
    Size,
    Slot,
    Switch,
    Weight,
    Widths,
    number,
    whole,
)

Source: TypeAlias = Annotated[str, Located("a path or embedded:<set>")]
Weights: TypeAlias = Annotated[str, Located("imagenet, random or a path")]
Unreadable: TypeAlias = Annotated[Literal["refuse", "skip"], Kind("refuse or skip")]
Level: TypeAlias = Annotated[int, whole(0, 255)]
Layer: TypeAlias = Annotated[
    str,
    Field(pattern=r"^(conv[12]_[12]|conv[345]_[123]|pool[1-5])$"),
    Kind("one of conv1_1 ... conv5_3, pool1 ... pool5"),
]
Batches: TypeAlias = Annotated[
    Annotated[int, whole(1, 10**9)] | Annotated[float, number(above=0, most=1)] | None,
    Kind("a number of batches of at least 1, or a share above 0 and of at most 1"),
]
Device: TypeAlias = Annotated[
    list[Annotated[int, whole(0, 1024)]], Field(min_length=1, max_length=1)
]
TrunkSide: TypeAlias = Annotated[int, whole(32, 1024, "px")]


class Chosen(Kind):
    """One of some numbers: true, which equals 1, is none of them."""

    def fits(self, value: object) -> bool:
        """Say whether a value is no switch."""
        return not isinstance(value, bool)


class TrainSets(Kind):
    """Sets to fit on, the Signal among them, each once."""

    def fits(self, value: list[str]) -> bool:
        """Say whether the Signal is among the sets and none is there twice."""
        return "signal" in value and len(set(value)) == len(value)


class Reader(Node):
    """`latenthash.data.reading.Reader`."""

    target: Literal["latenthash.data.reading.Reader"] = Field(alias="_target_")
    working_size: Annotated[int, whole(8, 8192, "px")]
    max_pixels: Annotated[int, whole(64, 2**34, "pixels")]
    background: Annotated[
        list[Level],
        Field(min_length=3, max_length=3),
        Kind("three whole numbers from 0 to 255, [red, green, blue]"),
    ]
    unreadable: Unreadable = "refuse"


class Views(Node):
    """Numbers of views of each split."""

    train: Count
    validation: Count
    calibration: Count
    test: Annotated[int, whole(2, 10**6)]  # separation compares views of a set with each other
    edits: Count
    each: Count


class Splits(Node):
    """`latenthash.data.splits.Splits`."""

    target: Literal["latenthash.data.splits.Splits"] = Field(alias="_target_")
    signal: Source | None
    noise_edited: Source | None
    noise_similar: Source | None
    outliers: Source | None
    unseen: Source | None
    reader: Annotated[object, Slot(Reader)]
    views: Views
    train_sets: Annotated[
        list[Literal["signal", "noise_edited", "noise_similar", "outliers"]],
        TrainSets(
            "a list of signal and any of noise_edited, noise_similar, outliers; unseen pictures "
            "are for the test alone"
        ),
    ]
    workers: Annotated[int, whole(0, 256, "processes")]


class Pairs(Node):
    """`latenthash.data.pairs.Pairs`."""

    target: Literal["latenthash.data.pairs.Pairs"] = Field(alias="_target_")
    outliers: Source | None
    reader: Annotated[object, Slot(Reader)]
    views: Annotated[int, whole(2, 10**6)]  # pairs are learned from
    quarters: Annotated[int, whole(0, 10**6)]


class Digits(Node):
    """`latenthash.data.digits.Digits`."""

    target: Literal["latenthash.data.digits.Digits"] = Field(alias="_target_")
    file: Path | None
    folder: Path
    validation: Share
    test: Share


class Pixels(Node):
    """`latenthash.features.pixels.Pixels`."""

    target: Literal["latenthash.features.pixels.Pixels"] = Field(alias="_target_")
    size: Annotated[int, whole(8, 1024, "px")]
    channels: Annotated[Literal[1, 3], Chosen("3 (RGB) or 1 (grey, for data=mnist)")]
    trim: Switch = False


class VGG16(Node):
    """`latenthash.features.vgg16.VGG16`."""

    target: Literal["latenthash.features.vgg16.VGG16"] = Field(alias="_target_")
    weights: Weights
    layer: Layer
    pooling: Literal["none", "average"]
    size: TrunkSide
    finetune: Switch
    freeze_until: Layer
    trim: Switch = False
    seed: Seed


class VGG16Layers(Node):
    """`latenthash.features.layers.VGG16Layers`."""

    target: Literal["latenthash.features.layers.VGG16Layers"] = Field(alias="_target_")
    weights: Weights
    layers: Annotated[list[Layer], Field(min_length=1, max_length=18)]
    size: TrunkSide
    trim: Switch
    seed: Seed


class Separation(Node):
    """`latenthash.components.separation.Separation`."""

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
    """`latenthash.components.autoencoder.Autoencoder`."""

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


class FineTuner(Node):
    """`latenthash.models.finetuner.FineTuner`."""

    target: Literal["latenthash.models.finetuner.FineTuner"] = Field(alias="_target_")
    learning_rate: Rate
    head_learning_rate: Rate
    weight_decay: Rate
    label_smoothing: Annotated[float, number(least=0, below=1)]
    batch_size: Count


class ModelCheckpoint(Node):
    """`pytorch_lightning.callbacks.ModelCheckpoint`, which keeps the best epoch."""

    target: Literal["pytorch_lightning.callbacks.ModelCheckpoint"] = Field(alias="_target_")
    dirpath: Path
    monitor: Literal["val/loss", "val/nll", "val/kl", "finetune/val_loss", "finetune/val_accuracy"]
    mode: Literal["min", "max"]
    save_top_k: Annotated[int, whole(1, 1000)]
    save_weights_only: Annotated[Literal[True], Kind("true: weights are read as data alone")]
    filename: Name | None = None
    verbose: Switch = False


class EarlyStopping(Node):
    """`pytorch_lightning.callbacks.EarlyStopping`."""

    target: Literal["pytorch_lightning.callbacks.EarlyStopping"] = Field(alias="_target_")
    monitor: Literal["val/loss", "val/nll", "val/kl", "finetune/val_loss", "finetune/val_accuracy"]
    mode: Literal["min", "max"] = "min"
    patience: Annotated[int, whole(0, 10**6, "epochs")] = 3
    min_delta: Weight = 0.0
    verbose: Switch = False


class Progress(Node):
    """`latenthash.tracking.callbacks.Progress`."""

    target: Literal["latenthash.tracking.callbacks.Progress"] = Field(alias="_target_")


class RichProgressBar(Node):
    """`pytorch_lightning.callbacks.RichProgressBar`."""

    target: Literal["pytorch_lightning.callbacks.RichProgressBar"] = Field(alias="_target_")
    refresh_rate: Annotated[int, whole(0, 10**6, "batches")] = 1
    leave: Switch = False


class PriorSamples(Node):
    """`latenthash.tracking.callbacks.PriorSamples`."""

    target: Literal["latenthash.tracking.callbacks.PriorSamples"] = Field(alias="_target_")
    every: Annotated[int, whole(1, 10**6, "epochs")]


class LightningEnvironment(Node):
    """`pytorch_lightning.plugins.environments.LightningEnvironment`: one process, wherever."""

    target: Literal["pytorch_lightning.plugins.environments.LightningEnvironment"] = Field(
        alias="_target_"
    )


class Trainer(Node):
    """`pytorch_lightning.Trainer`, as far as the jobs can use it: one device, whole epochs."""

    target: Literal["pytorch_lightning.Trainer"] = Field(alias="_target_")
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"]
    devices: Annotated[
        Literal[1, "auto"] | Device,
        Chosen("1, or [i] for device i: a few hundred views do not fill two"),
    ]
    max_epochs: Annotated[int, whole(1, 10**6)]
    deterministic: Annotated[bool | Literal["warn"], Kind("true, false or warn")]
    log_every_n_steps: Annotated[int, whole(1, 10**9)]
    num_sanity_val_steps: Annotated[int, whole(0, 10**9)]
    enable_model_summary: Switch
    default_root_dir: Path
    plugins: list[Annotated[object, Slot(LightningEnvironment)]] = Field(default_factory=list)
    limit_train_batches: Batches = None
    limit_val_batches: Batches = None
    precision: Literal[32, "32-true", "bf16-mixed", "16-mixed", None] = None
    benchmark: Switch | None = None
    detect_anomaly: Switch = False


class RunLogger(Node):
    """`latenthash.tracking.run_logger.RunLogger`."""

    target: Literal["latenthash.tracking.run_logger.RunLogger"] = Field(alias="_target_")
    experiment_name: Name
    tracking_uri: Annotated[str | None, Kind("the address of an MLflow server, or sqlite:///PATH")]
    artifact_root: Path
    run_name: Name
    overrides: str
    parent_run_id: str | None


class DiskCache(Node):
    """`latenthash.cache.DiskCache`."""

    target: Literal["latenthash.cache.DiskCache"] = Field(alias="_target_")
    folder: Path
    max_bytes: Annotated[int, whole(1, 2**63, "bytes")]


class SuiteEdit(Node):
    """One edit of a suite."""

    strength: float | None = None
    edit: Chain


class Suite(Node):
    """`latenthash.data.edits.suite.Suite`, which checks how its edits go together."""

    target: Literal["latenthash.data.edits.suite.Suite"] = Field(alias="_target_")
    convert: Literal["all"] = Field("all", alias="_convert_")
    version: Name
    units: dict[str, str] | None = None
    families: dict[EditName, dict[EditName, SuiteEdit]]
