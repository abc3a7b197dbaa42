"""Samples from the prior: which epochs show them, what they are, and who has none; averages."""

import copy
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from PIL import Image
from pytorch_lightning.loggers.logger import DummyLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from app import client, database
from fitting import MARKS, NO_SEPARATION, differing, quiet_trainer, weights
from latenthash.features.interface import FeatureSet
from latenthash.models.components.autoencoder import Autoencoder
from latenthash.models.vae import VAE
from latenthash.models.vaegan import VAEGAN
from latenthash.tracking.callbacks import Averaging, PriorSamples
from latenthash.tracking.run_logger import RunLogger
from project import CONF

pytestmark = [
    *MARKS,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
]
SIDE = 8
SHARED: dict[str, Any] = {
    "shape": (3, SIDE, SIDE),
    "latent_dim": 3,
    "channels": (8,),
    "hidden": (8,),
    "sigma_floor": 0.04,
    "vector_sigma_floor": 0.3,
    "picture_side": SIDE,
    "picture_channels": (8,),
    "picture_epochs": 1,
    "learning_rate": 1e-2,
    "batch_size": 8,
    "separation": NO_SEPARATION,
}


def vae(**settings: Any) -> VAE:
    torch.manual_seed(0)
    own = {"likelihood": "gaussian", "beta_warmup": 0.25, "weight_decay": 0.0}
    return VAE(**SHARED | own | settings)


def vaegan(**settings: Any) -> VAEGAN:
    torch.manual_seed(0)
    own: dict[str, Any] = {
        "discriminator_channels": (4,),
        "discriminator_hidden": (4,),
        "gamma": 1.0,
        "balance": None,
        "spectral": True,
        "diff_augment": True,
        "real_label": 0.9,
        "gradient_clip": 100.0,
    }
    return VAEGAN(**SHARED | own | settings)


@pytest.fixture
def logger(empty: Path, tmp_path: Path) -> RunLogger:
    shutil.copy(empty, tmp_path / "mlflow.db")
    run = RunLogger(
        experiment_name="test",
        tracking_uri=database(tmp_path),
        artifact_root=str(tmp_path / "artifacts"),
        run_name="test",
        overrides="",
        parent_run_id=None,
        fingerprint="test",
        folder=str(tmp_path / "output"),
    )
    run.begin()
    return run


def images(logger: RunLogger) -> dict[int, NDArray[np.uint8]]:
    """Read what the run keeps: epoch -> pixels (H, W, 3)."""
    found = {}
    for file in client(logger.store).list_artifacts(logger.id, "images"):
        name = Path(file.path).name
        if name.endswith(".png"):  # beside each is a small one for the UI
            key, step = name.replace("%", "+").split("+")[:3:2]
            assert key == "prior_samples"
            assert int(step) not in found, "one image for each epoch"
            with TemporaryDirectory() as folder:
                path = client(logger.store).download_artifacts(logger.id, file.path, folder)
                found[int(step)] = np.asarray(Image.open(path))
    return found


class Keep(pl.Callback):
    """Keeps a copy of the decoder as it is at the end of every epoch."""

    def __init__(self) -> None:
        self.decoders: dict[int, nn.Module] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Keep a copy."""
        assert isinstance(module, Autoencoder)
        self.decoders[trainer.current_epoch + 1] = copy.deepcopy(module.decoder)


def fit(
    model: Autoencoder,
    folder: Path,
    every: int,
    epochs: int,
    logger: Any,
    shape: tuple[int, ...] = (3, SIDE, SIDE),
) -> dict[int, nn.Module]:
    """Fit, and give the decoder of every epoch."""
    keep = Keep()
    features = FeatureSet(
        torch.rand(8, *shape, generator=torch.Generator().manual_seed(1)),
        np.zeros(8, np.int64),
        torch.zeros(8, SIDE, SIDE, 3, dtype=torch.uint8),
    )
    sets = {"signal": features, "outliers": features}
    torch.manual_seed(2)
    trainer = quiet_trainer(folder, epochs, keep, PriorSamples(every=every), logger=logger)
    model.fit(sets, sets, trainer)
    return keep.decoders


def grid(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay out 36 pictures (36, 3, side, side) as 6 rows of 6, white lines between them."""
    step = SIDE + 1
    pixels = np.full((6 * step + 1, 6 * step + 1, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        top, left = 1 + step * (i // 6), 1 + step * (i % 6)
        pixels[top : top + SIDE, left : left + SIDE] = 255 * picture.transpose(1, 2, 0)
    return pixels


@pytest.mark.parametrize(
    ("every", "epochs", "shown"), [(1, 3, {1, 2, 3}), (2, 5, {2, 4}), (3, 3, {3}), (4, 3, set())]
)
def test_every_so_many_epochs_have_an_image(
    every: int, epochs: int, shown: set[int], tmp_path: Path, logger: RunLogger
) -> None:
    fit(vae(), tmp_path, every, epochs, logger)
    assert set(images(logger)) == shown


@pytest.mark.parametrize("build", [vae, vaegan])
@pytest.mark.parametrize("channels", [1, 3])
def test_image_is_what_the_decoder_of_that_epoch_makes_of_the_same_z(
    build: Any, channels: int, tmp_path: Path, logger: RunLogger
) -> None:
    shape = (channels, SIDE, SIDE)
    decoders = fit(build(shape=shape), tmp_path, 2, 4, logger, shape)
    z = torch.randn(36, 3, generator=torch.Generator().manual_seed(0))
    shown = images(logger)
    assert set(shown) == {2, 4}
    for epoch, pixels in shown.items():
        with torch.no_grad():
            pictures = decoders[epoch](z).expand(-1, 3, -1, -1).numpy()
        # A picture's values may differ by rounding where they are next to a whole number.
        np.testing.assert_allclose(pixels.astype(int), grid(pictures).astype(int), atol=1)
    assert (shown[2] != shown[4]).any(), "the decoder learnt in between"


def test_images_are_equal_while_the_decoder_stands_still(tmp_path: Path, logger: RunLogger) -> None:
    fit(vae(learning_rate=0.0), tmp_path, 1, 2, logger)
    shown = images(logger)
    assert np.array_equal(shown[1], shown[2])


def test_showing_samples_changes_nothing_of_the_training(tmp_path: Path, logger: RunLogger) -> None:
    states = []
    for i, every in enumerate((1, 100)):
        model = vae()
        fit(model, tmp_path / str(i), every, 2, logger)
        states.append(weights(model))
    assert not differing(*states)


@pytest.mark.parametrize("build", [vae, vaegan])
def test_models_of_vectors_have_no_images(build: Any, tmp_path: Path, logger: RunLogger) -> None:
    fit(build(shape=(20,)), tmp_path, 1, 2, logger, (20,))
    assert not images(logger)


@pytest.mark.parametrize("logger", [False, DummyLogger()], ids=["none", "another"])
def test_without_a_run_nothing_is_drawn(
    logger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = vae()
    drawn: list[object] = []
    monkeypatch.setattr(model, "decode", drawn.append)
    fit(model, tmp_path, 1, 2, logger)
    assert not drawn


def test_shipped_callback_shows_every_tenth_epoch() -> None:
    callback = instantiate(OmegaConf.load(CONF / "callbacks" / "default.yaml").samples)
    assert isinstance(callback, PriorSamples)
    assert callback.every == 10


class Counting(pl.LightningModule):
    """Its weight is the number of its steps, and so is what its buffer has seen."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.count = nn.Parameter(torch.zeros(()))
        self.register_buffer("seen", torch.zeros(()))
        self.judged: list[float] = []

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Let the weight grow by 1."""
        self.seen += 1
        return -self.count

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Note what is judged; the second of the three is the best."""
        self.judged.append(self.count.item())
        self.log("val/tpr_bits", [0.2, 0.3, 0.1][self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Give Lightning plain descent."""
        return torch.optim.SGD(self.parameters(), 1.0)


@pytest.mark.parametrize(
    ("decay", "wanted"),
    [
        # The first step is the average. Of it 2 / 21 are left after the second, and then 3 / 22.
        (0.998, (1, 1 + 19 / 21, 3 - (2 - 19 / 21) * 3 / 22)),
        (0.05, (1, 1.95, 1.95 + 0.95 * 1.05)),
        (0.0, (1, 2, 3)),
    ],
)
def test_average_of_the_weights_is_judged_and_kept(
    decay: float, wanted: tuple[float, ...], tmp_path: Path
) -> None:
    module = Counting()
    trainer = quiet_trainer(tmp_path, 3, Averaging(decay=decay), option="averaged")
    batch = DataLoader(TensorDataset(torch.zeros(1, 1)))
    trainer.fit(module, batch, batch)
    assert module.judged == pytest.approx(wanted)
    assert module.count.item() == pytest.approx(wanted[2]), "and it is left when training ends"
    checkpoint = trainer.checkpoint_callback
    assert isinstance(checkpoint, pl.callbacks.ModelCheckpoint)
    best = torch.load(checkpoint.best_model_path, weights_only=True)["state_dict"]
    assert best["count"].item() == pytest.approx(wanted[1])
    assert best["seen"].item() == pytest.approx(wanted[1]), "statistics are averaged as well"


def test_steps_go_on_from_the_last_one_and_not_from_the_average(tmp_path: Path) -> None:
    class Watching(Counting):
        def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
            """See that the weight is the number of steps."""
            assert self.count.item() == self.global_step
            return super().training_step(batch, batch_idx)

    batch = DataLoader(TensorDataset(torch.zeros(2, 1)))
    trainer = quiet_trainer(tmp_path, 3, Averaging(decay=0.9), option="averaged")
    trainer.fit(Watching(), batch, batch)
