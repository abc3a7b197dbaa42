"""What training, and the record of it, take, as options."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from latenthash.options.kinds import (
    Kind,
    Name,
    Node,
    Path,
    Size,
    Slot,
    Switch,
    Weight,
    number,
    whole,
)
from latenthash.options.nodes.features import Chosen

Batches: TypeAlias = Annotated[
    Annotated[int, whole(1, 10**9)] | Annotated[float, number(above=0, most=1)] | None,
    Kind("a number of batches of at least 1, or a share above 0 and of at most 1"),
]
Device: TypeAlias = Annotated[
    list[Annotated[int, whole(0, 1024)]], Field(min_length=1, max_length=1)
]


Monitor: TypeAlias = Literal[
    "val/loss", "val/nll", "val/kl", "finetune/val_loss", "finetune/val_accuracy",
    "val/tpr_bits", "val/tpr_floats",
]  # fmt: skip


class ModelCheckpoint(Node):
    """`pytorch_lightning.callbacks.ModelCheckpoint`, which keeps the best epoch."""

    target: Literal["pytorch_lightning.callbacks.ModelCheckpoint"] = Field(alias="_target_")
    dirpath: Path
    monitor: Monitor
    mode: Literal["min", "max"]
    save_top_k: Annotated[int, whole(1, 1000)]
    save_weights_only: Switch
    filename: Name | None = None
    verbose: Switch = False


class EarlyStopping(Node):
    """`pytorch_lightning.callbacks.EarlyStopping`."""

    target: Literal["pytorch_lightning.callbacks.EarlyStopping"] = Field(alias="_target_")
    monitor: Monitor
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


class Averaging(Node):
    """`latenthash.tracking.callbacks.Averaging`."""

    target: Literal["latenthash.tracking.callbacks.Averaging"] = Field(alias="_target_")
    decay: Annotated[float, number(least=0, below=1)]


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
    max_steps: Annotated[int, whole(1, 10**9)] | None = None
    val_check_interval: Annotated[int, whole(1, 10**9, "batches")] | None = None
    check_val_every_n_epoch: Annotated[
        Literal[1] | None, Kind("1, or null where trainer.val_check_interval counts steps")
    ] = 1
    gradient_clip_val: Size | None = None
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
