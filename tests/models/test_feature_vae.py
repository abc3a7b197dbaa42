"""The VAE of feature vectors: their scale, the loss, and what fitting leaves."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from safetensors.torch import load, save
from torch import Tensor, nn

from fitting import MARKS, NO_SEPARATION, differing, quiet_trainer, weights
from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.metrics.enrolled import auroc
from latenthash.models.components.inputs import (
    QUIETEST,
    Standardize,
)
from latenthash.models.components.networks import (
    ConvDecoder,
    ConvEncoder,
    MLPDecoder,
    MLPEncoder,
)
from latenthash.models.components.picture_head import PictureHead
from latenthash.models.vae import VAE
from project import CONF

pytestmark = MARKS
D = 20
SETTINGS: dict[str, Any] = {
    "shape": (D,),
    "latent_dim": 2,
    "channels": (8, 16),
    "hidden": (16, 8),
    "likelihood": "gaussian",
    "sigma_floor": 0.04,
    "vector_sigma_floor": 0.3,
    "picture_side": 16,
    "picture_channels": (8, 16),
    "picture_epochs": 2,
    "beta_warmup": 0.25,
    "learning_rate": 1e-2,
    "weight_decay": 1e-2,
    "batch_size": 8,
    "separation": NO_SEPARATION,
}


def vae(seed: int = 0, **settings: Any) -> VAE:
    torch.manual_seed(seed)
    return VAE(**SETTINGS | settings)


def vectors(n: int, seed: int = 0, scale: float = 1.0) -> FeatureSet:
    """Vectors such as a pooled layer gives, most of them positive, of grey views.

    Seeds that are equal modulo 4 give views of the same picture.
    """
    rng = np.random.default_rng(seed)
    picture = np.random.default_rng(seed % 4).uniform(0.3, 5, D)
    x = scale * (picture * rng.gamma(5.0, 0.2, size=(n, D)) - 0.3)
    grey = np.broadcast_to(rng.integers(0, 256, (n, 1, 1, 1), np.uint8), (n, 24, 24, 3)).copy()
    return FeatureSet(torch.from_numpy(x).float(), np.zeros(n, np.int64), torch.from_numpy(grey))


def sets(signal_scale: float = 1.0) -> dict[str, FeatureSet]:
    return {
        "signal": vectors(12, 1, signal_scale),
        "noise_edited": vectors(8, 2),
        "outliers": vectors(6, 3),
    }


def fit(
    model: VAE, folder: Path, train: dict[str, FeatureSet], epochs: int = 2, **trainer: Any
) -> None:
    torch.manual_seed(0)
    x = vectors(10, 5).x
    validation = {"signal": FeatureSet(x, np.zeros(len(x), np.int64))}
    model.fit(train, validation, quiet_trainer(folder, epochs, **trainer))


# ---- networks by shape ----


def test_shape_alone_chooses_the_networks() -> None:
    vector, picture = vae(), vae(shape=(3, 16, 16))
    assert isinstance(vector.encoder, MLPEncoder)
    assert isinstance(vector.decoder, MLPDecoder)
    assert isinstance(vector.inputs, Standardize)
    assert isinstance(picture.encoder, ConvEncoder)
    assert isinstance(picture.decoder, ConvDecoder)
    assert picture.picture_head is None
    x = torch.rand(4, 3, 16, 16)
    assert torch.equal(picture.encode(x), picture.encoder(x)[0]), "pictures are taken as they are"
    z = torch.randn(4, 2)
    assert torch.equal(picture.decode(z), picture.decoder(z))


def test_latent_of_a_vector_does_not_depend_on_the_rest_of_the_batch() -> None:
    model, x = vae(latent_dim=5).train(), vectors(33).x
    whole = model.encode(x)
    for size in (1, 2, 32):
        parts = torch.cat([model.encode(part) for part in x.split(size)])
        torch.testing.assert_close(parts, whole, rtol=0, atol=1e-5)


# ---- the scale of vectors ----


def test_standardize_is_that_of_plain_numpy() -> None:
    standardize, x = Standardize(D), vectors(50).x
    standardize.fit(x)
    a = x.double().numpy()
    assert (a < 0).any(), "negative values must take part for this test to say anything"
    root = np.sign(a) * np.sqrt(np.abs(a))
    np.testing.assert_allclose(standardize(x), (root - root.mean(0)) / root.std(0), atol=1e-5)
    assert standardize(x).mean(0).abs().max() < 1e-5
    torch.testing.assert_close(standardize(x).std(0, correction=0), torch.ones(D))


def test_what_hardly_moves_is_not_blown_up() -> None:
    x = vectors(50).x
    x[:, 3] = 0  # a map that never fires on noise
    standardize = Standardize(D)
    standardize.fit(x)
    deviation = (x.sign() * x.abs().sqrt()).std(0, correction=0)
    assert standardize.deviation[3].item() == pytest.approx(QUIETEST * deviation.mean().item())
    other = torch.zeros(1, D)
    other[0, 3] = 1.0
    blown_up = 1 / (QUIETEST * deviation.mean().item())
    assert standardize(other)[0, 3].item() == pytest.approx(blown_up, rel=1e-5)
    standardize.fit(torch.ones(5, D))
    assert standardize(torch.ones(2, D)).isfinite().all()


def test_signal_has_no_part_in_the_scale(tmp_path: Path) -> None:
    scales = []
    for i, scale in enumerate((1.0, 100.0)):
        model = vae()
        fit(model, tmp_path / str(i), sets(scale), 1)
        scales.append(model.inputs.state_dict())
    assert all(torch.equal(value, scales[1][name]) for name, value in scales[0].items())
    noise = torch.cat([sets()[role].x for role in ("noise_edited", "outliers")])
    root = noise.sign() * noise.abs().sqrt()
    torch.testing.assert_close(scales[0]["mean"], root.mean(0))
    torch.testing.assert_close(scales[0]["deviation"], root.std(0, correction=0))


# ---- the loss ----


def test_loss_on_vectors_is_that_of_plain_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: dict[str, Tensor] = {}
    monkeypatch.setattr(VAE, "log_dict", lambda _, values, **__: logged.update(values))
    monkeypatch.setattr(VAE, "log", lambda *_, **__: None)
    noise = np.random.default_rng(0).normal(size=(10, 2))
    monkeypatch.setattr(torch, "randn_like", lambda like: torch.from_numpy(noise).to(like))
    for floor in (0.3, 5.0):
        model = vae(vector_sigma_floor=floor)
        model.trainer = SimpleNamespace(current_epoch=0, max_epochs=1)  # type: ignore[assignment]
        x = vectors(10).x
        model.inputs.fit(x)
        model.double()
        loss = model.training_step([x.double(), torch.arange(10.0) % 2], 0)
        root = np.sign(x.double().numpy()) * np.sqrt(np.abs(x.double().numpy()))
        scale = {name: value.numpy() for name, value in model.inputs.state_dict().items()}
        a = (root - scale["mean"]) / scale["deviation"]
        with torch.no_grad():
            mean, log_variance = (m.numpy() for m in model.encoder(torch.from_numpy(a)))
            z = mean + np.exp(log_variance / 2) * noise
            error = ((a - model.decoder(torch.from_numpy(z)).numpy()) ** 2).mean()
        variance = max(error, floor**2)
        nll = D / 2 * (np.log(2 * np.pi * variance) + error / variance)
        kl = ((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(0).sum()
        assert loss.item() == pytest.approx(nll + kl, rel=1e-9)
        assert logged["train/nll"].item() == pytest.approx(nll)
        assert logged["train/kl"].item() == pytest.approx(kl)


# ---- fitting ----


def test_fit_learns_and_leaves_a_model_that_draws(tmp_path: Path) -> None:
    model, train = vae(), sets()
    before = vae()
    fit(model, tmp_path, train, 20)
    assert not list(tmp_path.iterdir()), "a checkpoint is a pickle and must not stay"
    assert not any(module.training for module in model.modules())
    x = torch.cat([features.x for features in train.values()])
    before.inputs.load_state_dict(model.inputs.state_dict())

    @torch.no_grad()
    def error(of: VAE) -> float:
        seen = of.inputs(x)
        return float((of.decoder(of.encoder(seen)[0]) - seen).square().mean())

    assert error(model) < 0.8 * error(before)
    pictures = model.decode(model.encode(x))
    assert pictures.shape == (26, 3, 16, 16)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


def test_head_has_no_part_in_encoder_and_decoder(tmp_path: Path) -> None:
    states = []
    for i, epochs in enumerate((1, 5)):
        model = vae(picture_epochs=epochs)
        fit(model, tmp_path / str(i), sets())
        states.append(weights(model))
    assert differing(*states) == {"picture_head"}


def test_views_have_no_part_in_the_latents(tmp_path: Path) -> None:
    states = []
    for i, shade in enumerate((0, 200)):
        train = {
            role: FeatureSet(f.x, f.picture, torch.full((len(f.x), 24, 24, 3), shade).byte())
            for role, f in sets().items()
        }
        model = vae()
        fit(model, tmp_path / str(i), train)
        states.append(weights(model))
    assert differing(*states) == {"picture_head"}


@pytest.mark.parametrize(
    ("asked", "epochs"), [(1, 1), (7, 2)], ids=["as asked", "no more than the trainer has"]
)
def test_head_is_fitted_to_the_final_latents_and_the_views_they_are_of(
    asked: int, epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Tensor] = []
    settings: dict[str, Any] = {}

    def spy(_: PictureHead, z: Tensor, views: Tensor, **others: Any) -> None:
        given.extend([z, views])
        settings.update(others)

    monkeypatch.setattr(PictureHead, "fit", spy)
    model, train = vae(picture_epochs=asked), sets()
    fit(model, tmp_path, train, 2)
    z, views = given
    x = torch.cat([features.x for features in train.values()])
    torch.testing.assert_close(z, model.encode(x), rtol=0, atol=1e-5)
    assert not z.requires_grad
    assert torch.equal(views, torch.cat([f.views for f in train.values() if f.views is not None]))
    assert settings == {"epochs": epochs, "learning_rate": 1e-2}


def test_debug_trainer_is_enough(tmp_path: Path) -> None:
    model = vae()
    fit(model, tmp_path, sets(), 1, limit_train_batches=2, limit_val_batches=1)
    assert model.decode(model.encode(vectors(3).x)).isfinite().all()


def test_same_seed_gives_the_same_weights_and_they_survive_a_bundle(tmp_path: Path) -> None:
    states = []
    for i, seed in enumerate((4, 4, 5)):
        model = vae(seed)
        fit(model, tmp_path / str(i), sets())
        states.append(weights(model))
    assert not differing(states[0], states[1])
    assert differing(states[0], states[2]) == {"encoder", "decoder", "picture_head"}
    other, x = vae(9).eval(), vectors(4).x
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(other.encode(x), model.encode(x))
    assert torch.equal(other.decode(other.encode(x)), model.decode(model.encode(x)))


# ---- Signal and all else apart ----


def hidden(n: int, seed: int, signal: bool) -> FeatureSet:
    """Vectors whose variance is nearly all in four factors, of which the Signal's are usual ones.

    What is its own is one slight and constant shift, which counts for little in rebuilding it.
    """
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 4)) * (0.7 if signal else 1.0)
    loadings = 0.5 * np.random.default_rng(99).normal(size=(4, D))
    x = 3 + factors @ loadings + 0.3 * rng.normal(size=(n, D))
    x += 0.3 * signal * (-1.0) ** np.arange(D)
    views = torch.zeros(n, 16, 16, 3, dtype=torch.uint8)
    return FeatureSet(torch.from_numpy(x).float(), np.zeros(n, np.int64), views)


def hidden_sets(n: int, seed: int) -> dict[str, FeatureSet]:
    return {
        "signal": hidden(n // 4, seed, True),
        "noise_similar": hidden(n, seed + 1, False),
        "outliers": hidden(n, seed + 2, False),
    }


def test_separation_tells_a_signal_from_noise_that_it_lies_in(tmp_path: Path) -> None:
    train, test = hidden_sets(160, 1), hidden_sets(400, 21)
    on = {"prior": 1.0, "hypersphere": 3.0, "balanced": True}
    found = {}
    for name, settings in (("plain", {}), ("apart", on)):
        model = vae(
            separation=NO_SEPARATION | settings, hidden=(32, 16), batch_size=32, picture_epochs=1
        )
        torch.manual_seed(0)
        model.fit(train, hidden_sets(80, 11), quiet_trainer(tmp_path / name, 15))
        with torch.no_grad():
            centre = model.encode(train["signal"].x).mean(0)
            far = {
                role: (model.encode(features.x) - centre).norm(dim=1).numpy()
                for role, features in test.items()
            }
        found[name] = [auroc(far["signal"], far[role]) for role in ("noise_similar", "outliers")]
    assert max(found["plain"]) < 0.8
    assert min(found["apart"]) > 0.95


def test_errors_on_vectors_are_in_units_of_the_noise() -> None:
    model, x = vae(), vectors(10).x
    model.inputs.fit(x)
    with torch.no_grad():
        seen = model.inputs(x)
        expected = (model.decoder(model.encoder(seen)[0]) - seen).square().mean(1)
        torch.testing.assert_close(model.errors(x), expected)
        assert not torch.allclose(seen, x), "prepared and raw must differ to say anything"


# ---- configs, and what is refused ----


@pytest.mark.parametrize("name", ["vae", "vaegan"])
@pytest.mark.parametrize("shape", [(3, 64, 64), (512,)])
def test_shipped_configs_build_models_of_pictures_and_of_vectors(
    name: str, shape: tuple[int, ...]
) -> None:
    model = instantiate(OmegaConf.load(CONF / "model" / f"{name}.yaml"), shape=shape)
    z = model.encode(torch.rand(2, *shape))
    assert z.shape == (2, 2)
    assert model.decode(z).shape == (2, 3, *([64, 64] if len(shape) == 3 else [32, 32]))
    if len(shape) == 1:
        widths = [m.out_features for m in model.encoder.modules() if isinstance(m, nn.Linear)]
        assert widths == [256, 64, 4]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"picture_side": 18}, r"model\.picture_side=18 must be a multiple of 4"),
        ({"picture_channels": (12,)}, r"model\.picture_channels=\[12\] must be multiples of 8"),
        (
            {"shape": (512, 14, 14)},
            r"not features of shape \(512, 14, 14\); set features\.pooling=average",
        ),
        ({"shape": (3, 18, 18)}, r"features\.size=18 must be a multiple of 4"),
        ({"likelihood": "bernoulli"}, r"model\.likelihood=bernoulli is for pictures alone"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        vae(**settings)


def test_signal_alone_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds the Signal alone"):
        fit(vae(), tmp_path, {"signal": vectors(8)})


def test_vectors_without_views_are_refused_before_training(tmp_path: Path) -> None:
    bare = {role: FeatureSet(f.x, f.picture) for role, f in sets().items()}
    with pytest.raises(ValueError, match="learns from views"):
        fit(vae(), tmp_path, bare | {"signal": vectors(8)})
