"""Training by gradient: the best epoch stays, and nothing else."""

import signal
from collections.abc import Iterator
from datetime import timedelta
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from fitting import MARKS, quiet_trainer
from latenthash.errors import JobError
from latenthash.models.components import training
from latenthash.models.components.training import Resumable, find_resumed, fit_best_epoch

pytestmark = MARKS


class Counter(pl.LightningModule):
    """Its one weight counts the epochs, and its validation losses are given beforehand.

    Args:
        losses: one per epoch.
        stop: raised in the epoch after them.
    """

    def __init__(self, losses: list[float], stop: BaseException | None = None) -> None:
        super().__init__()
        self.count = nn.Parameter(torch.zeros(()))
        self.dropout = nn.Dropout()
        self.losses = losses
        self.stop = stop
        self.trained_in_mode: list[bool] = []

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Let the weight grow by 1."""
        if self.current_epoch == len(self.losses) and self.stop is not None:
            assert checkpoints(self.trainer), "there must be a file to be left behind"
            raise self.stop
        self.trained_in_mode += [self.training, self.dropout.training]
        return -self.count

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Log the loss that was given for this epoch."""
        self.log("val/loss", self.losses[self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Give Lightning plain descent."""
        return torch.optim.SGD(self.parameters(), 1.0)


def checkpoints(trainer: pl.Trainer) -> list[Path]:
    return list((Path(trainer.default_root_dir) / "checkpoints").glob("*.ckpt"))


def fit(module: Counter, folder: Path, save_top_k: int = 1, batches: int = 1) -> None:
    trainer = quiet_trainer(folder, len(module.losses) + (module.stop is not None))
    checkpoint = trainer.checkpoint_callback
    assert isinstance(checkpoint, pl.callbacks.ModelCheckpoint)
    checkpoint.save_top_k = save_top_k
    batch = DataLoader(TensorDataset(torch.zeros(batches, 1)))
    fit_best_epoch(module, trainer, batch, batch, "model.learning_rate")


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([3.0, 1.0, 2.0], 2),
        ([1.0, 2.0, 3.0], 1),
        ([3.0, 2.0, 1.0], 3),
        ([-1.0, -3.0, -2.0], 2),
        ([2.0, 1.0, 1.0], 2),  # the first of equals
        ([5.0], 1),
        ([nan, 1.0, 2.0], 2),
        ([1.0, nan, inf], 1),
    ],
)
def test_best_epoch_is_kept(losses: list[float], best: int, tmp_path: Path) -> None:
    module = Counter(losses)
    fit(module, tmp_path)
    assert module.count.item() == best


@pytest.mark.parametrize(
    ("losses", "weight", "stop"),
    [
        ([nan, nan], 0.0, None),
        ([inf], 0.0, None),
        ([1.0], nan, None),
        ([1.0], inf, RuntimeError("input should be between 0 and 1")),
    ],
)
def test_diverged_training_is_called_so(
    losses: list[float], weight: float, stop: Exception | None, tmp_path: Path
) -> None:
    module = Counter(losses, stop)
    with torch.no_grad():
        module.count.fill_(weight)
    with pytest.raises(JobError, match=r"Counter diverged.* Lower model\.learning_rate\."):
        fit(module, tmp_path)
    assert not list(tmp_path.iterdir())


class Growing(Counter):
    """Its training loss is not finite from some batch of some epoch on.

    Args:
        losses: of the validation, one per epoch.
        diverges: epoch and batch, from 0 on.
        manual: whether it steps by itself.
    """

    def __init__(self, losses: list[float], diverges: tuple[int, int], manual: bool) -> None:
        super().__init__(losses)
        self.automatic_optimization = not manual
        self.diverges = diverges
        self.steps: list[tuple[int, int]] = []

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Let the weight grow by 1, or beyond all numbers."""
        step = (self.current_epoch, batch_idx)
        self.steps.append(step)
        loss = -self.count * (inf if step >= self.diverges else 1)
        if not self.automatic_optimization:
            optimizer = self.optimizers()
            assert isinstance(optimizer, pl.core.optimizer.LightningOptimizer)
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
        return loss


@pytest.mark.parametrize("manual", [False, True])
@pytest.mark.parametrize(
    ("losses", "diverges", "best"),
    [
        ([nan] * 5, (0, 0), None),
        ([nan] * 5, (0, 1), None),
        ([2.0, 1.0, nan, nan, nan], (2, 0), 6),
        ([1.0, 2.0, nan, nan, nan], (2, 1), 3),
        ([2.0, nan, 1.0, 1.0, 1.0], (4, 2), 9),  # a validation that overflows is no divergence
    ],
)
def test_training_stops_at_the_first_loss_that_is_not_finite(
    losses: list[float],
    diverges: tuple[int, int],
    best: int | None,
    manual: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = Growing(losses, diverges, manual)
    if best is None:
        with pytest.raises(JobError, match=r"Growing diverged.* Lower model\.learning_rate\."):
            fit(module, tmp_path, batches=3)
    else:
        fit(module, tmp_path, batches=3)
        assert module.count.item() == best
        assert f"Growing diverged in epoch {diverges[0] + 1}: its loss" in caplog.text
    # The step that starts from a weight of 0 has a loss of 0 * inf, which is NaN.
    assert module.steps[-1] == diverges
    assert not list(tmp_path.iterdir())


def test_best_of_several_checkpoints_is_kept_and_all_files_go(tmp_path: Path) -> None:
    module = Counter([4.0, 1.0, 3.0, 2.0])
    fit(module, tmp_path, save_top_k=3)
    assert module.count.item() == 2
    assert not list(tmp_path.iterdir())


def test_module_learns_in_training_mode_and_is_left_ready_to_use(tmp_path: Path) -> None:
    module = Counter([2.0, 1.0])
    module.eval()  # as a model is left that was trained before
    fit(module, tmp_path)
    assert module.trained_in_mode == [True] * 4
    assert not any(part.training for part in module.modules())


def test_no_file_is_left(tmp_path: Path) -> None:
    fit(Counter([3.0, 1.0, 2.0]), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Lightning switches Ctrl-C off while it ends, and leaves it so."""
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("stop", "seen"),
    [
        (RuntimeError("out of memory"), RuntimeError),
        (KeyboardInterrupt(), SystemExit),  # as Lightning hands it on
        (SystemExit(), SystemExit),
    ],
)
def test_no_file_is_left_when_training_is_ended(
    stop: BaseException, seen: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(seen):
        fit(Counter([2.0, 1.0], stop), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stop", [None, RuntimeError("out of memory")])
def test_files_of_others_are_left_alone(stop: BaseException | None, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    names = {"notes.txt", "another.ckpt"}
    for name in names:
        (folder / name).write_text(name, encoding="utf-8")
    module = Counter([2.0, 1.0], stop)
    # Lightning warns of the folder, and is right to: the user may see it.
    with pytest.warns(UserWarning, match="exists and is not empty"):
        if stop is None:
            fit(module, tmp_path)
        else:
            with pytest.raises(type(stop)):
                fit(module, tmp_path)
    assert {path.name for path in folder.iterdir()} == names
    assert all((folder / name).read_text(encoding="utf-8") == name for name in names)


def test_error_of_the_training_reaches_the_caller_before_any_checkpoint(tmp_path: Path) -> None:
    class Broken(Counter):
        def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
            """Fail at once."""
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        fit(Broken([1.0]), tmp_path)
    assert not list(tmp_path.iterdir())


def resume(module: Counter, folder: Path, batches: int = 3) -> pl.Trainer:
    """Train as `fit` does, in a folder from which it can be resumed."""
    trainer = quiet_trainer(folder, len(module.losses) + (module.stop is not None))
    best, kept = trainer.checkpoint_callback, folder / "kept"
    assert isinstance(best, pl.callbacks.ModelCheckpoint)
    best.dirpath = str(kept)
    trainer.callbacks.append(Resumable(kept))  # type: ignore[attr-defined]
    batch = DataLoader(TensorDataset(torch.zeros(batches, 1)))
    fit_best_epoch(module, trainer, batch, batch, "model.learning_rate")
    return trainer


class Stopping(Counter):
    """It is stopped in the second batch of the epoch after its losses."""

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Let the weight grow by 1, or stop."""
        if self.current_epoch == len(self.losses) and batch_idx == 1 and self.stop is not None:
            raise self.stop
        self.trained_in_mode.append(self.training)
        return -self.count


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the training after every step."""
    monkeypatch.setattr(training, "OFTEN", timedelta(0))


@pytest.mark.usefixtures("interruptible", "always")
@pytest.mark.parametrize("stop", [RuntimeError("full"), KeyboardInterrupt(), SystemExit()])
@pytest.mark.parametrize(("losses", "best"), [([1.0, 3.0, 2.0, 2.0], 3), ([3.0, 2.0, 1.0, 2.0], 9)])
def test_training_that_was_ended_goes_on(
    losses: list[float], best: int, stop: BaseException, tmp_path: Path
) -> None:
    with pytest.raises((RuntimeError, SystemExit)):
        resume(Stopping(losses[:2], stop), tmp_path)
    assert len(list((tmp_path / "kept").glob("*.ckpt"))) == 2, "the last step, and the best epoch"
    module = Stopping(losses)
    resume(module, tmp_path)
    assert len(module.trained_in_mode) == 3 * 4 - 7, "steps that were done are not done again"
    assert module.count.item() == best
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("always")
def test_best_epoch_whose_file_is_gone_is_found_anew(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        resume(Stopping([1.0, 2.0], RuntimeError("full")), tmp_path)
    (best,) = (tmp_path / "kept").glob("epoch*.ckpt")
    best.unlink()
    module = Stopping([1.0, 2.0, 4.0, 3.0])
    resume(module, tmp_path)
    assert module.count.item() == 12


@pytest.mark.usefixtures("always")
def test_validation_is_not_left_out_where_a_training_was_ended_in_it(tmp_path: Path) -> None:
    class Unlucky(Counter):
        def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
            """Fail in the second epoch."""
            if self.current_epoch == 1:
                raise RuntimeError("full")
            super().validation_step(batch, batch_idx)

    with pytest.raises(RuntimeError):
        resume(Unlucky([2.0, 1.0, 3.0]), tmp_path)
    module = Counter([2.0, 1.0, 3.0])
    resume(module, tmp_path)
    assert module.count.item() == 6


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"",
                                    lambda data: b"x" * len(data)])  # fmt: skip
def test_damaged_checkpoint_begins_anew_with_a_warning(
    damage: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RuntimeError):
        resume(Stopping([1.0, 2.0], RuntimeError("full")), tmp_path)
    last = tmp_path / "kept" / "last.ckpt"
    last.write_bytes(damage(last.read_bytes()))
    module = Stopping([3.0, 2.0, 4.0])
    with pytest.warns(UserWarning, match="exists and is not empty"):  # of a best epoch
        resume(module, tmp_path)
    assert "The training begins anew" in caplog.text
    assert str(last) in caplog.text
    assert len(module.trained_in_mode) == 9
    assert module.count.item() == 6
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("always")
def test_training_that_diverged_leaves_nothing_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="Growing diverged"):
        resume(Growing([nan] * 3, (0, 2), manual=False), tmp_path)
    assert not list(tmp_path.iterdir())


def test_training_is_kept_every_two_minutes(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        resume(Stopping([1.0, 2.0], RuntimeError("full")), tmp_path)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["epoch=0-step=3.ckpt"]
    assert Resumable(tmp_path)._train_time_interval == timedelta(minutes=2)


def test_training_that_cannot_be_resumed_begins(tmp_path: Path) -> None:
    assert find_resumed(quiet_trainer(tmp_path, 1)) is None
