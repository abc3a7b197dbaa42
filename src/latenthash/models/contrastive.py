"""Contrastive code: a small network that gives the views of a picture the same bits."""

import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from latenthash.cache import DiskCache
from latenthash.errors import InputError
from latenthash.features.efficientnet import HEAD, EfficientNetLite0, folded
from latenthash.features.interface import FeatureSet
from latenthash.features.onnx_runtime import is_installed, through_onnx
from latenthash.models.components.contrast import (
    info_nce,
    koleo,
    signs,
    straight_signs,
    tpr_at_fpr,
)
from latenthash.models.components.training import find_resumed, fit_best_epoch

if TYPE_CHECKING:
    from latenthash.data.batched_views import BatchedViews

log = logging.getLogger(__name__)

BLOCK = 16  # px that the side is a multiple of
AT_ONCE = 32  # pictures put through the trunk on a CPU, where more take longer, each
VALIDATED = 100  # pictures judged at once
NO_PICTURES = (
    "model=contrastive learns from RGB pictures whose side is a multiple of 16 px: set "
    "features=pixels features.size=192."
)
FPR = 1e-3  # at which validation says how many views are found
INWARD = 16.0  # length of the vectors that a head is given: about 1 a channel
QUERIES = 4  # heavy views of each held-out picture


class Head(nn.Sequential):
    """A linear layer and a batch norm without scale and shift, so that every bit is balanced."""

    def __init__(self, dimensions: int) -> None:
        super().__init__(nn.Linear(HEAD, dimensions), nn.BatchNorm1d(dimensions, affine=False))


RATE = "model.learning_rate or model.head_learning_rate"


class Contrastive(pl.LightningModule):
    """EfficientNet-Lite0 with a head of k numbers, whose signs are a code of k bits.

    It learns from pictures alone: of each it draws a light and a heavy view, and both shall be
    found among those of all other pictures, by the numbers and by their signs. A second, shorter
    head learns the same for its signs alone.

    Args:
        shape: of one picture, (3, side, side); the views that it learns from are as large.
        latent_dim: k.
        short_dim: numbers of the shorter head.
        short_only: whether all but the shorter head stays as it is.
        learning_rate: of the trunk (AdamW).
        head_learning_rate: of the heads and of the pooling's exponent.
        weight_decay: of AdamW.
        warmup: steps until the rates are full; they end along a cosine.
        temperature: of InfoNCE on the numbers.
        sign_temperature: of InfoNCE on the signs.
        koleo: weight of the spreading term.
        batch_size: pictures per step, each in two views.
        overlays: drawings that heavy views take from.

    Attributes:
        lengths: (k, short_dim), of the codes whose bits are signs of `outputs`.

    Raises:
        InputError: if features are no pictures, or their side does not suit JPEG's blocks.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        latent_dim: int,
        short_dim: int,
        short_only: bool,
        learning_rate: float,
        head_learning_rate: float,
        weight_decay: float,
        warmup: int,
        temperature: float,
        sign_temperature: float,
        koleo: float,
        batch_size: int,
        overlays: int,
    ) -> None:
        super().__init__()
        if len(shape) != 3 or shape[0] != 3 or shape[1] % BLOCK:
            raise InputError(NO_PICTURES)
        self.side = shape[1]
        self.lengths = (latent_dim, short_dim)
        self.trunk = EfficientNetLite0()
        self.head = Head(latent_dim)
        self.short = Head(short_dim)
        self.short_only = short_only
        self.learning_rate = learning_rate
        self.head_learning_rate = head_learning_rate
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.temperature = temperature
        self.sign_temperature = sign_temperature
        self.koleo = koleo
        self.batch_size = batch_size
        self.overlays = overlays
        # Where torch does not look for modules: both can be made again.
        self._views: tuple[BatchedViews, ...] = ()
        self._frozen: dict[torch.device, Callable[[Tensor], Tensor]] = {}
        hook = self.register_load_state_dict_post_hook
        hook(lambda module, keys: module._forget())  # type: ignore[no-untyped-call]
        self._seen: list[Tensor] = []

    def fit(
        self,
        train: Mapping[str, FeatureSet],
        validation: Mapping[str, FeatureSet],
        trainer: pl.Trainer,
    ) -> None:
        """Learn from pictures, and keep the weights by which most held-out views are found.

        Args:
            train: one set, of pictures (N, 3, S, S) uint8, better larger than the views.
            validation: the same of other pictures; they choose the weights.
            trainer: its callbacks hold a ModelCheckpoint.

        Raises:
            JobError: if the training diverged.
        """
        (pictures,), (held_out,) = train.values(), validation.values()
        loader = DataLoader(
            TensorDataset(pictures.x),
            min(self.batch_size, len(pictures.x)),
            shuffle=True,
            drop_last=True,  # negatives are the rest of the batch
        )
        judged = DataLoader(TensorDataset(held_out.x), VALIDATED)
        if find_resumed(trainer) is None:
            trainer.validate(self, judged, verbose=False)  # where the curve begins
        fit_best_epoch(self, trainer, loader, judged, RATE)

    def encode(self, x: Tensor) -> Tensor:
        """Map pictures x (N, 3, side, side) in [0, 1] to z (N, k)."""
        return self.outputs(x)[:, : self.lengths[0]]

    @torch.no_grad()
    def outputs(self, x: Tensor) -> Tensor:
        """Map pictures x (N, 3, side, side) in [0, 1] to the numbers of all heads, side by side.

        Returns:
            (N, k + short_dim); the signs of each part are a code.
        """
        return self._heads(self._pooled(x))

    def hasten(self, cache: DiskCache) -> None:
        """Take half of the time on a CPU from now on, where ONNX Runtime is installed.

        What comes out is the same but for rounding. It ends when weights change.

        Args:
            cache: where the exported network is kept; to export it takes seconds.
        """
        self.eval()
        if self.device.type != "cpu" or not is_installed():
            return
        try:
            trunk = through_onnx(folded(self.trunk), (3, self.side, self.side), cache)
        except Exception as error:  # exporter and runtime have no class of errors in common
            log.warning("ONNX Runtime does not run the network, and torch does: %s", error)
        else:
            self._frozen[self.device] = trunk

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures x (N, 3, side, side) in [0, 1] to `outputs`, with gradients."""
        if self.short_only:
            return self._heads(self._pooled(x))
        # bf16 where it is fast; on a CPU it need not be.
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.device.type != "cpu"):
            pooled = self.trunk(x.contiguous(memory_format=torch.channels_last))
        return self._heads(pooled)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Give Lightning the loss of a batch of pictures (N, 3, S, S) uint8."""
        pictures = batch[0].float() / 255
        views = self._on_device()
        both = torch.cat([views.light(pictures), views.heavy(pictures)])
        z, short = torch.split(self(both), list(self.lengths), 1)
        losses = {"short": self._signs_loss(short)}
        if not self.short_only:
            numbers = F.normalize(z)
            first, second = numbers.chunk(2)
            losses["numbers"] = info_nce(first, second, self.temperature)
            losses["signs"] = self._signs_loss(z)
            losses["koleo"] = self.koleo * koleo(first)
        loss = torch.stack(list(losses.values())).sum()
        self.log_dict({f"train/{name}": value for name, value in losses.items()})
        self.log("train/exponent", self.trunk.exponent.detach())
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin to collect."""
        self._seen = []

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Collect what is made of held-out pictures and of heavy views, the same ones each time."""
        self._seen.append(self._answers(batch[0], batch_idx))

    def on_validation_epoch_end(self) -> None:
        """Log which share of the views is found at a false-positive rate of 1e-3."""
        for name, similarity in self._similarities(self._seen).items():
            self.log(f"val/tpr_{name}", tpr_at_fpr(similarity, FPR), prog_bar=name == "bits")

    @torch.no_grad()
    def judge(self, pictures: Tensor) -> dict[str, Tensor]:
        """Compare heavy views of pictures with the pictures, as validation does.

        Args:
            pictures: (N, 3, S, S) uint8.

        Returns:
            floats, bits and short_bits -> similarities (V, N, N), of V views of each picture
            (rows) to all pictures (columns), in [-1, 1].
        """
        batches = enumerate(torch.split(pictures, VALIDATED))
        found = self._similarities([self._answers(b.to(self.device), i) for i, b in batches])
        return {name: similarity.cpu() for name, similarity in found.items()}

    @torch.no_grad()
    def draw(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Draw a light and a heavy view of pictures (N, 3, S, S) uint8, each (N, 3, side, side)."""
        views, x = self._on_device(), pictures.to(self.device).float() / 255
        return views.light(x).cpu(), views.heavy(x).cpu()

    def _answers(self, pictures: Tensor, seed: int) -> Tensor:
        """Map pictures (N, 3, S, S), and heavy views of them, to outputs (1 + V, N, k + short)."""
        views, x = self._on_device(), pictures.float() / 255
        with isolate_rng():
            torch.manual_seed(seed)
            drawn = [views.plain(x), *(views.heavy(x) for _ in range(QUERIES))]
        return torch.stack([self(view) for view in drawn])

    def _similarities(self, answers: list[Tensor]) -> dict[str, Tensor]:
        z, short = torch.split(torch.cat(answers, 1), list(self.lengths), 2)
        codes = {"floats": z, "bits": signs(z), "short_bits": signs(short)}
        unit = {name: F.normalize(code, dim=2) for name, code in codes.items()}
        return {name: code[1:] @ code[0].T for name, code in unit.items()}

    def configure_optimizers(self) -> pl.utilities.types.OptimizerLRScheduler:
        """Give Lightning AdamW with a rate for each part, and their course over the steps."""
        head = [*self.head.parameters(), *self.short.parameters(), self.trunk.exponent]
        trunk = [p for name, p in self.trunk.named_parameters() if name != "exponent"]
        groups = [
            {"params": trunk, "lr": self.learning_rate},
            {"params": head, "lr": self.head_learning_rate},
        ]
        if self.short_only:
            groups = [{"params": list(self.short.parameters()), "lr": self.head_learning_rate}]
        optimizer = torch.optim.AdamW(groups, weight_decay=self.weight_decay)
        steps = max(1.0, self.trainer.estimated_stepping_batches)

        def course(step: int) -> float:
            return min(1.0, (step + 1) / self.warmup) * (1 + math.cos(math.pi * step / steps)) / 2

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, course)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def train(self, mode: bool = True) -> Self:
        """Change between training and use; what does not learn keeps its batch norms."""
        if mode != self.training:  # what is used asks again and again not to be trained
            self._forget()
        super().train(mode)
        if self.short_only:
            self.trunk.eval()
            self.head.eval()
        return self

    @torch.no_grad()
    def _pooled(self, x: Tensor) -> Tensor:
        """Map pictures x (N, 3, side, side) to pooled numbers (N, 1280), for use alone."""
        if x.device not in self._frozen:
            self._frozen[x.device] = folded(self.trunk).to(x.device)
        trunk = self._frozen[x.device]
        x = x.contiguous(memory_format=torch.channels_last)
        most = AT_ONCE if x.device.type == "cpu" else max(1, len(x))
        return torch.cat([trunk(part) for part in torch.split(x, most)])

    def _heads(self, pooled: Tensor) -> Tensor:
        scaled = INWARD * F.normalize(pooled)
        return torch.cat([self.head(scaled), self.short(scaled)], 1)

    def _signs_loss(self, z: Tensor) -> Tensor:
        first, second = straight_signs(z).chunk(2)
        return info_nce(first, second, self.sign_temperature)

    def _on_device(self) -> "BatchedViews":
        """Return what draws views, where the network is."""
        if not self._views:
            # Here, for kornia takes a second to import, and nobody needs it to make codes.
            from latenthash.data.batched_views import BatchedViews
            from latenthash.data.edits.overlay_bank import draw_bank

            drawn = torch.from_numpy(draw_bank(self.overlays, self.side)).permute(0, 3, 1, 2)
            self._views = (BatchedViews(self.side, drawn),)
        (views,) = self._views
        return views.to(self.device)

    def _forget(self) -> None:
        """Forget the network that was folded: its weights are others now."""
        self._frozen = {}
