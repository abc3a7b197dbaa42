"""Contrastive code: a small network that gives the views of a picture the same bits."""

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from latenthash.features.interface import FeatureSet
from latenthash.models.components.code_network import CodeNetwork
from latenthash.models.components.contrast import (
    info_nce,
    koleo,
    signs,
    straight_signs,
    tpr_at_fpr,
)
from latenthash.models.components.itq import itq
from latenthash.models.components.training import find_resumed, fit_best_epoch

if TYPE_CHECKING:
    from latenthash.data.batched_views import BatchedViews

RATE = "model.learning_rate or model.head_learning_rate"
VALIDATED = 100  # pictures judged at once
FPR = 1e-3  # at which validation says how many views are found
QUERIES = 4  # heavy views of each held-out picture
SHORTENED = 4096  # pictures that the shorter code is fitted on: more change nothing


class Contrastive(CodeNetwork, pl.LightningModule):
    """The network of a code, as it is trained; see `CodeNetwork`.

    It learns from pictures alone: of each it draws a light and a heavy view, and both shall be
    found among those of all other pictures, by the numbers and by their signs. A shorter code is
    fitted to the numbers in the end, in closed form.

    Args:
        shape: of one picture, (3, side, side); the views that it learns from are as large.
        latent_dim: k.
        short_dim: bits of the shorter code, at most k.
        learning_rate: of the trunk (AdamW).
        head_learning_rate: of the head and of the pooling's exponent.
        weight_decay: of AdamW.
        warmup: steps until the rates are full; they end along a cosine.
        temperature: of InfoNCE on the numbers.
        sign_temperature: of InfoNCE on the signs.
        koleo: weight of the spreading term.
        batch_size: pictures per step, each in two views.
        overlays: drawings that heavy views take from.

    Attributes:
        lengths: (k, short_dim), of the codes whose bits are signs of `outputs`.
        pictures_seen: in the last training, or its last part where it was resumed; a picture
            counts as often as it was seen.
        seconds: that it took, validations included.
        hardware: that it ran on, by name.

    Raises:
        InputError: if features are no pictures, their side does not suit JPEG's blocks, or the
            shorter code is the longer one.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        latent_dim: int,
        short_dim: int,
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
        super().__init__(shape=shape, latent_dim=latent_dim, short_dim=short_dim)
        self.learning_rate = learning_rate
        self.head_learning_rate = head_learning_rate
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.temperature = temperature
        self.sign_temperature = sign_temperature
        self.koleo = koleo
        self.batch_size = batch_size
        self.overlays = overlays
        # Where torch does not look for modules: it can be made again.
        self._views: tuple[BatchedViews, ...] = ()
        self._seen: list[Tensor] = []
        self.pictures_seen, self.seconds, self.hardware = 0, 0.0, ""

    def fit(
        self,
        train: Mapping[str, FeatureSet],
        validation: Mapping[str, FeatureSet],
        trainer: pl.Trainer,
    ) -> None:
        """Learn from pictures, and keep the weights by which most held-out views are found.

        The shorter code is fitted then, by itself.

        Args:
            train: one set, of pictures (N, 3, S, S) uint8, better larger than the views.
            validation: the same of other pictures; they choose the weights.
            trainer: its callbacks hold a ModelCheckpoint.

        Raises:
            JobError: if the training diverged.
        """
        (pictures,), (held_out,) = train.values(), validation.values()
        learned = TensorDataset(_near(pictures.x, trainer.strategy.root_device))
        size = min(self.batch_size, len(learned))
        # Whole batches at once: one picture after the other takes as long as the training step.
        batches = BatchSampler(RandomSampler(learned), size, drop_last=True)
        loader = DataLoader(learned, batch_size=None, sampler=batches)
        judged = DataLoader(TensorDataset(held_out.x), VALIDATED)
        if find_resumed(trainer) is None:
            trainer.validate(self, judged, verbose=False)  # where the curve begins
        fit_best_epoch(self, trainer, loader, judged, RATE)
        self.shorten(pictures.x)

    @torch.no_grad()
    def shorten(self, pictures: Tensor) -> None:
        """Fit the shorter code to the numbers of pictures (N, 3, S, S) uint8, as they are.

        Of many the first are taken; in a training these are the user's, before what was painted.

        Iterative quantization (Gong et al. 2013) of their principal components: a head that learned
        the signs' loss on the same trunk found no more copies.
        """
        views = self._on_device()
        batches = torch.split(pictures[:SHORTENED], VALIDATED)
        plain = (views.plain(b.to(self.device).float() / 255) for b in batches)
        z = torch.cat([self.encode(view) for view in plain])
        weight, bias = itq(z, self.lengths[1])
        self.short.weight.copy_(weight)
        self.short.bias.copy_(bias)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Give Lightning the loss of a batch of pictures (N, 3, S, S) uint8."""
        pictures = batch[0].float() / 255
        self.pictures_seen += len(pictures)
        views = self._on_device()
        z = self(torch.cat([views.light(pictures), views.heavy(pictures)]))
        first, second = F.normalize(z).chunk(2)
        bits, other_bits = straight_signs(z).chunk(2)
        losses = {
            "numbers": info_nce(first, second, self.temperature),
            "signs": info_nce(bits, other_bits, self.sign_temperature),
            "koleo": self.koleo * koleo(first),
        }
        loss = torch.stack(list(losses.values())).sum()
        self.log_dict({f"train/{name}": value for name, value in losses.items()})
        self.log("train/exponent", self.trunk.exponent.detach())
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def on_train_start(self) -> None:
        """Begin to count, from random numbers of this step: a resumed training draws others."""
        pl.seed_everything(torch.initial_seed() % 2**31 + self.global_step, verbose=False)
        self.pictures_seen, self._started = 0, time.perf_counter()
        self.hardware = _hardware(self.device)

    def on_train_end(self) -> None:
        """Say how long it took."""
        self.seconds = time.perf_counter() - self._started

    def on_validation_epoch_start(self) -> None:
        """Begin to collect."""
        self._seen = []

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Collect what is made of held-out pictures and of heavy views, the same ones each time."""
        self._seen.append(self._answers(batch[0], batch_idx))

    def on_validation_epoch_end(self) -> None:
        """Log which share of the views is found at a false-positive rate of 1e-3."""
        for name in ("floats", "bits"):  # the shorter code is fitted in the end
            similarity = self._similarities(self._seen)[name]
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
        """Map pictures (N, 3, S, S), and heavy views of them, to z (1 + V, N, k)."""
        views, x = self._on_device(), pictures.float() / 255
        with isolate_rng():
            torch.manual_seed(seed)
            drawn = [views.plain(x), *(views.heavy(x) for _ in range(QUERIES))]
        return torch.stack([self(view) for view in drawn])

    def _similarities(self, answers: list[Tensor]) -> dict[str, Tensor]:
        z = torch.cat(answers, 1)
        # Products of signs are whole numbers, so that ties are ties.
        codes = {
            "floats": F.normalize(z, dim=2),
            "bits": signs(z),
            "short_bits": signs(self.short(z)),
        }
        spans = {"floats": 1, "bits": self.lengths[0], "short_bits": self.lengths[1]}
        return {name: code[1:] @ code[0].T / spans[name] for name, code in codes.items()}

    def configure_optimizers(self) -> pl.utilities.types.OptimizerLRScheduler:
        """Give Lightning AdamW with a rate for each part, and their course over the steps."""
        head = [*self.head.parameters(), self.trunk.exponent]
        trunk = [p for name, p in self.trunk.named_parameters() if name != "exponent"]
        groups = [
            {"params": trunk, "lr": self.learning_rate},
            {"params": head, "lr": self.head_learning_rate},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=self.weight_decay)
        steps = max(1.0, self.trainer.estimated_stepping_batches)

        def course(step: int) -> float:
            return min(1.0, (step + 1) / self.warmup) * (1 + math.cos(math.pi * step / steps)) / 2

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, course)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

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


def _near(pictures: Tensor, device: torch.device) -> Tensor:
    """Put pictures where the network is, where they leave room there for the network."""
    if device.type == "cuda" and 2 * pictures.nbytes < torch.cuda.mem_get_info(device)[0]:
        return pictures.to(device)
    return pictures


def _hardware(device: torch.device) -> str:
    """Name what a training runs on."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU threads" if device.type == "cpu" else device.type
