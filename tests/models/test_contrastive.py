"""The contrastive code: what it learns, what stays as it is, and what its codes are made of."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn import functional as F

pytest.importorskip("kornia")

from fitting import MARKS, data, differing, quiet_trainer, weights
from given import Given
from latenthash.codes.code import latent_codes
from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.features.pixels import Pixels
from latenthash.hashing.hasher import Hasher
from latenthash.models.components.contrast import tpr_at_fpr
from latenthash.models.contrastive import FPR, Contrastive
from latenthash.tracking.callbacks import Averaging

pytestmark = MARKS
SIDE, K, SHORT = 32, 16, 8


def contrastive(seed: int = 0, **settings: Any) -> Contrastive:
    torch.manual_seed(seed)
    own: dict[str, Any] = {
        "shape": (3, SIDE, SIDE), "latent_dim": K, "short_dim": SHORT,
        "learning_rate": 1e-3, "head_learning_rate": 1e-2, "weight_decay": 0.02, "warmup": 2,
        "temperature": 0.05, "sign_temperature": 0.06, "koleo": 1.0, "batch_size": 8,
        "overlays": 4,
    }  # fmt: skip
    return Contrastive(**own | settings)


def coloured(n: int) -> Tensor:
    """Pictures (n, 3, 43, 43) of four coloured quarters each, easy to tell apart."""
    quarters = torch.rand(n, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    return (255 * F.interpolate(quarters, (43, 43))).byte()


def features(pictures: Tensor) -> dict[str, FeatureSet]:
    return {"outliers": FeatureSet(pictures, np.arange(len(pictures)))}


class Noting(pl.Callback):
    """Notes the loss of every step, and the rates of its groups."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.rates: list[list[float]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Note the rates."""
        self.rates.append([group["lr"] for group in trainer.optimizers[0].param_groups])

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Note the loss."""
        self.losses.append(outputs["loss"].item())


def fit(model: Contrastive, folder: Path, steps: int, **settings: Any) -> Noting:
    """Train on 16 pictures, and judge by 6 others, as the experiment does."""
    noting, pictures = Noting(), coloured(22)
    own = {"max_steps": steps, "val_check_interval": steps, "check_val_every_n_epoch": None}
    trainer = quiet_trainer(
        folder, -1, noting, Averaging(decay=0.998), option="averaged", **own | settings
    )
    torch.manual_seed(3)
    model.fit(features(pictures[:16]), features(pictures[16:]), trainer)
    return noting


@pytest.fixture(scope="module")
def model() -> Contrastive:
    """A model whose batch norms have seen something."""
    model = contrastive()
    model.train()
    with torch.no_grad():
        for seed in range(4):
            model(data(8, (3, SIDE, SIDE), seed))
    return model.eval()


class Nearly:
    """In place of `BatchedViews`: the picture, with a little noise in the heavy view."""

    def to(self, device: torch.device) -> "Nearly":
        """Stay."""
        return self

    def plain(self, pictures: Tensor) -> Tensor:
        """Reduce."""
        return F.interpolate(pictures, (SIDE, SIDE), mode="area")

    light = plain

    def heavy(self, pictures: Tensor) -> Tensor:
        """Reduce, and add noise."""
        x = self.plain(pictures)
        return (x + 0.02 * torch.randn_like(x)).clamp(0, 1)


def test_loss_falls_on_pictures_that_are_easy_to_tell_apart(tmp_path: Path) -> None:
    model = contrastive()
    model._views = (Nearly(),)  # type: ignore[assignment]
    before = weights(model)
    noting = fit(model, tmp_path, 10)
    assert len(noting.losses) == 10
    assert np.mean(noting.losses[-3:]) < 0.8 * np.mean(noting.losses[:3]), noting.losses
    assert differing(before, weights(model)) == {"trunk", "head", "short"}
    assert not model.training
    assert not list(tmp_path.iterdir())


def test_rates_rise_and_fall_along_a_cosine(tmp_path: Path) -> None:
    noting = fit(contrastive(), tmp_path, 4)
    # Half of it at the first of two steps; (1 + cos(pi t / 4)) / 2.
    course = [0.5, 0.853553, 0.5, 0.146447]
    np.testing.assert_allclose(noting.rates, [[1e-3 * c, 1e-2 * c] for c in course], rtol=1e-4)


def test_latents_are_the_first_of_the_outputs(model: Contrastive) -> None:
    x = data(5, (3, SIDE, SIDE), 9)
    with torch.no_grad():
        whole = model(x)
    assert whole.shape == (5, K)
    assert whole.std() > 0.1
    outputs = model.outputs(x)
    assert outputs.shape == (5, K + SHORT)
    torch.testing.assert_close(outputs[:, :K], whole, atol=1e-3, rtol=1e-3)
    assert model.encode(x).equal(outputs[:, :K])
    torch.testing.assert_close(outputs[:, K:], model.short(outputs[:, :K]))
    assert not model.encode(x).requires_grad


def test_picture_is_described_alike_alone_and_among_many(model: Contrastive) -> None:
    x = data(40, (3, SIDE, SIDE), 9)  # more than the network is given at once
    torch.testing.assert_close(model.encode(x)[37:38], model.encode(x[37:38]), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("through", ["the model", "a hasher"])
def test_weights_that_are_loaded_are_used(through: str) -> None:
    x = data(3, (3, SIDE, SIDE), 9)
    used, other = contrastive(1).eval(), contrastive(2).eval()
    wanted, before = other.encode(x), used.encode(x)
    if through == "the model":
        used.load_state_dict(other.state_dict())
    else:
        hashers = [Hasher(Pixels(size=SIDE, channels=3, trim=False), m, False)
                   for m in (used, other)]  # fmt: skip
        hashers[0].load_state_dict(hashers[1].state_dict())
    assert used.encode(x).equal(wanted)
    assert not before.isclose(wanted).all()


def test_shorter_code_is_fitted_to_pictures_as_they_are(model: Contrastive) -> None:
    pictures = coloured(40)
    views = model._on_device()
    model.shorten(pictures)
    short = model.outputs(views.plain(pictures.float() / 255))[:, K:]
    # About their mean, and uncorrelated but for the turn: no bit says what another does.
    torch.testing.assert_close(short.mean(0), torch.zeros(SHORT), atol=1e-2, rtol=0)
    assert 0.1 < (short > 0).float().mean() < 0.9
    weight = model.short.weight
    torch.testing.assert_close(weight @ weight.T, torch.eye(SHORT), atol=1e-4, rtol=0)


def test_shorter_code_is_no_longer_than_the_other() -> None:
    with pytest.raises(
        InputError, match=r"model\.short_dim=17 must be at most model\.latent_dim=16"
    ):
        contrastive(short_dim=K + 1)


def test_weights_that_were_learned_are_used(tmp_path: Path) -> None:
    model, x = contrastive(), data(3, (3, SIDE, SIDE), 9)
    model.eval().encode(x)
    fit(model, tmp_path, 2)
    with torch.no_grad():
        torch.testing.assert_close(model.encode(x), model(x), atol=1e-3, rtol=1e-3)


def test_codes_are_the_signs_of_both_outputs() -> None:
    model = contrastive(latent_dim=256, short_dim=64).eval()
    hasher = Hasher(Pixels(size=SIDE, channels=3, trim=False), model, False)
    assert hasher.lengths == (256, 64)
    views = (255 * data(3, (SIDE, SIDE, 3), 4)).byte()
    outputs = hasher.outputs(views)
    x = views.permute(0, 3, 1, 2).float() / 255
    np.testing.assert_allclose(outputs, model.outputs(x), atol=1e-3)
    np.testing.assert_allclose(hasher.encode(views), outputs[:, :256], atol=1e-6)
    source = Given(256 + 64)
    source.lengths = hasher.lengths
    codes = {code.name: code for code in latent_codes(source)}
    described = outputs.astype(np.float32)
    for name, own in (("latent-256", described[:, :256]), ("latent-64", described[:, 256:])):
        np.testing.assert_array_equal(codes[name].queries(described), np.where(own > 0, 1, -1))
        np.testing.assert_array_equal(codes[name].bits(described), np.packbits(own > 0, axis=1))


@pytest.mark.parametrize("shape", [(512,), (1, 32, 32), (3, 40, 40), (4, 32, 32)])
def test_features_that_are_no_such_pictures_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"model=contrastive learns from RGB .* features=pixels"):
        contrastive(shape=shape)


def test_bits_are_compared_exactly_and_own_pictures_stand_on_the_diagonal(
    model: Contrastive,
) -> None:
    pictures = coloured(6)
    judged = model.judge(pictures)
    assert {name: tuple(s.shape) for name, s in judged.items()} == dict.fromkeys(
        ("floats", "bits", "short_bits"), (4, 6, 6)
    )
    assert (judged["bits"] * K / 2 % 1 == 0).all(), "16 bits differ in whole numbers of them"
    assert (judged["short_bits"] * SHORT / 2 % 1 == 0).all()
    z = model(model.draw(pictures)[0])  # light views: nearly the pictures
    plain = model.judge(pictures)["floats"]
    assert z.shape == (6, K)
    assert plain.abs().max() <= 1 + 1e-5


def test_validation_draws_the_same_views_every_time_and_no_random_number(
    model: Contrastive, tmp_path: Path
) -> None:
    pictures = coloured(6)
    torch.manual_seed(5)
    first = model.judge(pictures)
    after = torch.rand(1)
    torch.manual_seed(6)
    second = model.judge(pictures)
    torch.manual_seed(5)
    assert torch.rand(1).equal(after), "training goes on as if nobody had looked"
    assert all(second[name].equal(similarity) for name, similarity in first.items())
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(pictures), 100)
    (logged,) = quiet_trainer(tmp_path, 1, option="averaged").validate(model, loader, verbose=False)
    assert logged == {
        f"val/tpr_{name}": pytest.approx(tpr_at_fpr(similarity, FPR))
        for name, similarity in first.items()
        if name != "short_bits"  # fitted in the end
    }


def test_drawn_views_are_pairs_of_one_picture(model: Contrastive) -> None:
    light, heavy = model.draw(coloured(4))
    assert light.shape == heavy.shape == (4, 3, SIDE, SIDE)
    plain = F.interpolate(coloured(4).float() / 255, (SIDE, SIDE), mode="area")
    nearest = torch.cdist(light.flatten(1), plain.flatten(1)).argmin(1)
    assert nearest.tolist() == [0, 1, 2, 3]
