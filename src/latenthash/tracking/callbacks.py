"""Lightning callbacks that conf/callbacks names."""

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torchvision.utils import make_grid

from latenthash.models.components.autoencoder import Autoencoder
from latenthash.system.terminal import is_watched
from latenthash.tracking.run_logger import RunLogger

SHOWN, COLUMNS = 36, 6  # samples in a grid


class Progress(pl.callbacks.RichProgressBar):
    """Show on standard error how far a training has come; nothing where nobody watches."""

    def __init__(self) -> None:
        super().__init__(console_kwargs={"stderr": True})
        if not is_watched():
            self.disable()


class Averaging(pl.callbacks.WeightAveraging):
    """Judge and keep the moving average of a model's weights, not where a step happened to end.

    A checkpoint that holds weights alone holds those of the step, as Lightning has it: that of the
    best epoch must be a whole one.

    Args:
        decay: share of the average that a step leaves; less in the first steps, which are no part
            of what is wanted.
    """

    def __init__(self, *, decay: float) -> None:
        def average(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
            kept = min(decay, float((1 + steps) / (20 + steps)))
            update = get_ema_multi_avg_fn(kept)  # type: ignore[no-untyped-call]
            update(averaged, current, steps)

        super().__init__(multi_avg_fn=average)  # all tensors at once: they are hundreds


class PriorSamples(pl.Callback):
    """Show in MLflow what the decoder makes of the prior while it learns.

    Models of vectors are left out: what draws for them is fitted after the training.

    Args:
        every: epochs from one grid to the next.
    """

    def __init__(self, *, every: int) -> None:
        self.every = every

    @torch.no_grad()
    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Log a grid of samples."""
        epoch, logger = trainer.current_epoch + 1, trainer.logger
        if epoch % self.every or not isinstance(logger, RunLogger):
            return
        if not isinstance(module, Autoencoder) or module.picture_head is not None:
            return
        # The same z every time: what changes from grid to grid is the decoder.
        pictures = module.decode(module.prior_samples(SHOWN).to(module.device))
        grid = make_grid(pictures, COLUMNS, padding=1, pad_value=1.0).permute(1, 2, 0)
        logger.log_image((255 * grid).byte().cpu().numpy(), "prior_samples", epoch)
