"""Fine-tuning: the end of the trunk learns to tell the Signal from Noise, as in the thesis."""

from collections.abc import Mapping

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from latenthash.features.interface import Staged
from latenthash.models.components.training import fit_best_epoch

NOISE, SIGNAL = CLASSES = (0, 1)


class FineTuner(pl.LightningModule):
    """The tail of the trunk and a linear layer that answers Signal or Noise.

    Both classes weigh the same however many views they have. The linear layer is thrown away
    afterwards: what is wanted is the layer below it.

    Args:
        features: whose tail is trained.
        learning_rate: of the tail (AdamW).
        head_learning_rate: of the linear layer, which starts from nothing.
        weight_decay: of both.
        label_smoothing: share of certainty that is not asked for (Szegedy et al. 2016).
        batch_size: views per step.

    Attributes:
        history: name -> value of each epoch; loss in nats per view, accuracy of all views.
    """

    class_weight: Tensor
    scale: Tensor

    def __init__(
        self,
        *,
        features: Staged,
        learning_rate: float,
        head_learning_rate: float,
        weight_decay: float,
        label_smoothing: float,
        batch_size: int,
    ) -> None:
        super().__init__()
        assert isinstance(features, nn.Module)
        self.features = features
        self.head = nn.Linear(int(np.prod(features.shape)), len(CLASSES))
        self.register_buffer("class_weight", torch.ones(len(CLASSES)))
        self.register_buffer("scale", torch.ones(()))
        self.learning_rate = learning_rate
        self.head_learning_rate = head_learning_rate
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.batch_size = batch_size
        self.history: dict[str, list[float]] = {
            f"{phase}_{name}": [] for phase in ("train", "val") for name in ("loss", "accuracy")
        }

    def fit(
        self, train: Mapping[str, Tensor], validation: Mapping[str, Tensor], trainer: pl.Trainer
    ) -> None:
        """Train the tail, and keep its best epoch.

        Args:
            train: set -> the frozen part's maps (N, C, H, W).
            validation: the same from views of their own; they choose the epoch.
            trainer: its callbacks hold a ModelCheckpoint.

        Raises:
            JobError: if the training diverged.
        """
        maps, labels = _labelled(train)
        counts = torch.bincount(labels, minlength=len(CLASSES))
        self.class_weight.copy_(len(labels) / (len(CLASSES) * counts.clamp(min=1)))
        with torch.no_grad():
            known = torch.cat([self._vectors(batch) for batch in torch.split(maps, 64)])
        # Activations are in the hundreds, and the linear layer's rate is meant for values near 1.
        self.scale.copy_(known.square().mean().sqrt().clamp(min=1e-6))
        self.features.tail.requires_grad_(True)
        fit_best_epoch(
            self,
            trainer,
            DataLoader(TensorDataset(maps, labels), self.batch_size, shuffle=True),
            DataLoader(TensorDataset(*_labelled(validation)), self.batch_size),
            "finetuning.module.learning_rate or finetuning.module.head_learning_rate",
        )
        self.features.tail.requires_grad_(False)

    @torch.no_grad()
    def answers(self, sets: Mapping[str, Tensor]) -> dict[str, NDArray[np.int64]]:
        """Count the answers Noise and Signal (2,) to the maps of each set."""
        counts = {}
        for name, maps in sets.items():
            answers = torch.cat([self(batch).argmax(1) for batch in torch.split(maps, 64)])
            counts[name] = torch.bincount(answers, minlength=len(CLASSES)).numpy()
        return counts

    def forward(self, maps: Tensor) -> Tensor:
        """Map the frozen part's maps (N, C, H, W) to logits of Noise and Signal (N, 2)."""
        logits: Tensor = self.head(self._vectors(maps) / self.scale)
        return logits

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Give Lightning the loss of a batch."""
        return self._step("train", *batch)

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Log the loss of a batch."""
        self._step("val", *batch)

    def on_train_epoch_end(self) -> None:
        """Keep the figures of the epoch, which Lightning has at hand by now."""
        for name, values in self.history.items():
            value = self.trainer.callback_metrics.get(f"finetune/{name}")
            if value is not None:
                values.append(float(value))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Give Lightning AdamW with a rate for each part."""
        groups = [
            {"params": self.features.tail.parameters(), "lr": self.learning_rate},
            {"params": self.head.parameters(), "lr": self.head_learning_rate},
        ]
        return torch.optim.AdamW(groups, weight_decay=self.weight_decay)

    def _vectors(self, maps: Tensor) -> Tensor:
        return self.features.finish(maps).flatten(1)

    def _step(self, phase: str, maps: Tensor, labels: Tensor) -> Tensor:
        logits = self(maps)
        # Torch's own weights are of the batch, and would weigh the smoothing by the other class.
        losses = F.cross_entropy(
            logits, labels, reduction="none", label_smoothing=self.label_smoothing
        )
        loss = (self.class_weight[labels] * losses).mean()
        accuracy = (logits.argmax(1) == labels).float().mean()
        values = {f"finetune/{phase}_loss": loss, f"finetune/{phase}_accuracy": accuracy}
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(maps))
        self.log(f"{phase}_loss", loss, prog_bar=True, logger=False, batch_size=len(maps))
        return loss


def _labelled(sets: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Join the maps of all sets, and say for each whether it is of the Signal."""
    labels = [
        torch.full((len(maps),), SIGNAL if name == "signal" else NOISE)
        for name, maps in sets.items()
    ]
    return torch.cat(list(sets.values())), torch.cat(labels)
