"""The VAE: its loss, its latents, and what fitting keeps."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from fitting import MARKS, NO_SEPARATION, data, differing, quiet_trainer, weights
from latenthash.features.interface import FeatureSet
from latenthash.metrics.enrolled import auroc
from latenthash.models.vae import VAE
from vaes import D, vae, vector_vae, vectors

pytestmark = MARKS


def features(n: int, seed: int) -> FeatureSet:
    return FeatureSet(pictures(n, seed=seed), np.zeros(n, np.int64))


def batch(x: Tensor) -> list[Tensor]:
    """Every other sample the Signal's."""
    return [x, (torch.arange(len(x)) % 2).float()]


def pictures(n: int, seed: int = 0) -> Tensor:
    return data(n, (3, 8, 8), seed)


# ---- the loss ----


class LinearEncoder(nn.Module):
    """Mean and log-variance as matrix products, simple enough for numpy."""

    def __init__(self, mean: np.ndarray, log_variance: np.ndarray) -> None:
        super().__init__()
        self.a, self.b = torch.from_numpy(mean), torch.from_numpy(log_variance)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (N, 3, 8, 8) to mean and log-variance, each (N, k)."""
        return x.flatten(1) @ self.a, x.flatten(1) @ self.b


class LinearDecoder(nn.Module):
    """A reconstruction as a matrix product, and its sigmoid where there must be one."""

    def __init__(self, weight: np.ndarray, sigmoid: bool = False) -> None:
        super().__init__()
        self.w = torch.from_numpy(weight)
        self.last = nn.Sigmoid() if sigmoid else nn.Identity()

    def forward(self, z: Tensor) -> Tensor:
        """Map z (N, k) to (N, 3, 8, 8)."""
        return self.last(z @ self.w).view(-1, 3, 8, 8)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the model logs, in place of Lightning's own books."""
    values: dict[str, float] = {}

    def log_dict(_: VAE, found: dict[str, Tensor], **__: object) -> None:
        values.update({name: value.item() for name, value in found.items()})

    def log(_: VAE, name: str, value: Tensor, **__: object) -> None:
        values[name] = value.item()

    monkeypatch.setattr(VAE, "log_dict", log_dict)
    monkeypatch.setattr(VAE, "log", log)
    return values


def at(model: VAE, epoch: int, epochs: int) -> VAE:
    """The model in a given epoch of a training."""
    model.trainer = SimpleNamespace(current_epoch=epoch, max_epochs=epochs)  # type: ignore[assignment]
    return model


@pytest.mark.parametrize("noise_scale", [1.0, 0.0])
@pytest.mark.parametrize("floor", [0.04, 2.0])
def test_loss_is_that_of_plain_numpy(
    logged: dict[str, float], monkeypatch: pytest.MonkeyPatch, noise_scale: float, floor: float
) -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.random((6, 3, 8, 8)), noise_scale * rng.normal(size=(6, 3))
    a, b = rng.normal(size=(2, 192, 3)) * 0.1
    # The third unit varies a hair too little to be active.
    a[:, 2] *= np.sqrt(0.0095 / (x.reshape(6, -1) @ a[:, 2]).var())
    w = rng.normal(size=(3, 192))
    monkeypatch.setattr(torch, "randn_like", lambda like: torch.from_numpy(noise).to(like))
    model = at(vae(latent_dim=3, sigma_floor=floor), 1, 16)  # two of four epochs of warm-up
    model.encoder, model.decoder = LinearEncoder(a, b), LinearDecoder(w)  # type: ignore[assignment]
    loss = model.training_step(batch(torch.from_numpy(x)), 0)

    flat = x.reshape(6, -1)
    mean, log_variance = flat @ a, flat @ b
    z = mean + np.exp(log_variance / 2) * noise
    error = ((flat - z @ w) ** 2).mean()
    variance = max(error, floor**2)
    nll = 192 / 2 * (np.log(2 * np.pi * variance) + error / variance)
    kl = ((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(0)
    assert loss.item() == pytest.approx(nll + 0.5 * kl.sum(), rel=1e-10)
    active = int((mean.var(0) > 0.01).sum())
    assert active == 2
    assert logged == pytest.approx(
        {
            "train/loss": nll + 0.5 * kl.sum(), "train/nll": nll, "train/kl": kl.sum(),
            "train/hypersphere": 0.0, "train/active_units": active,
            "train_loss": nll + 0.5 * kl.sum(),
        },
        rel=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_dimensions_are_those_of_plain_numpy(prior: float) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 192, 3)) * 0.1
    model = vae(latent_dim=3, separation=NO_SEPARATION | {"prior": prior}).double()
    model.separation.aim(0.7)
    model.encoder = LinearEncoder(a, b)
    x = rng.random((21, 3, 8, 8))  # more than two batches
    rows = np.zeros(21, np.int64)
    kl, deviation = model.dimensions(
        {
            "signal": FeatureSet(torch.from_numpy(x[:9]), rows[:9]),
            "noise_similar": FeatureSet(torch.from_numpy(x[9:]), rows[9:]),
        }
    )
    flat = x.reshape(21, -1)
    mean, variance = flat @ a, np.exp(flat @ b)
    centre, sigma, weight = np.zeros(3), np.ones((21, 1)), 1.0
    if prior:
        weight, centre[:2] = prior, 4 * np.array([np.cos(0.7), np.sin(0.7)])
        sigma[:9], sigma[9:] = 0.3, 4.0
    ratio = ((mean - centre) ** 2 + variance) / sigma**2
    expected = weight * (ratio - 1 - np.log(variance / sigma**2)).mean(0) / 2
    np.testing.assert_allclose(kl, expected, rtol=1e-6)
    np.testing.assert_allclose(deviation, mean.std(0), rtol=1e-9)


def test_bernoulli_loss_is_that_of_plain_numpy(
    logged: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.random((6, 3, 8, 8)), rng.normal(size=(6, 3))
    a, b = rng.normal(size=(2, 192, 3)) * 0.1
    w = rng.normal(size=(3, 192))
    monkeypatch.setattr(torch, "randn_like", lambda like: torch.from_numpy(noise).to(like))
    model = at(vae(latent_dim=3, likelihood="bernoulli"), 1, 16)  # two of four epochs of warm-up
    model.encoder = LinearEncoder(a, b)  # type: ignore[assignment]
    model.decoder = LinearDecoder(w, sigmoid=True)  # type: ignore[assignment]
    loss = model.training_step(batch(torch.from_numpy(x)), 0)

    flat = x.reshape(6, -1)
    mean, log_variance = flat @ a, flat @ b
    white = 1 / (1 + np.exp(-(mean + np.exp(log_variance / 2) * noise) @ w))
    nll = -(flat * np.log(white) + (1 - flat) * np.log(1 - white)).sum(1).mean()
    kl = ((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(0).sum()
    assert loss.item() == pytest.approx(nll + 0.5 * kl, rel=1e-10)
    assert logged["train/nll"] == pytest.approx(nll)
    model.validation_step(batch(torch.from_numpy(x)), 0)
    assert logged["val/loss"] == pytest.approx(nll + kl)


@pytest.mark.parametrize(("prior", "hypersphere"), [(1.0, 3.0), (2.5, 0.0), (0.0, 0.5)])
def test_loss_with_separation_is_that_of_plain_numpy(
    logged: dict[str, float],
    monkeypatch: pytest.MonkeyPatch,
    prior: float,
    hypersphere: float,
) -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.random((6, 3, 8, 8)), rng.normal(size=(6, 3))
    a, b = rng.normal(size=(2, 192, 3)) * 0.1
    w = rng.normal(size=(3, 192))
    monkeypatch.setattr(torch, "randn_like", lambda like: torch.from_numpy(noise).to(like))
    on = {"prior": prior, "hypersphere": hypersphere, "distance": 2.0, "signal_sigma": 0.5}
    model = at(vae(latent_dim=3, separation=NO_SEPARATION | on), 1, 16)  # half of the warm-up
    model.separation.aim(0.0)
    model.encoder, model.decoder = LinearEncoder(a, b), LinearDecoder(w)  # type: ignore[assignment]
    loss = model.training_step(batch(torch.from_numpy(x)), 0)

    flat = x.reshape(6, -1)
    own = np.arange(6) % 2 == 1
    mean, log_variance = flat @ a, flat @ b
    z = mean + np.exp(log_variance / 2) * noise
    error = ((flat - z @ w) ** 2).mean()
    nll = 192 / 2 * (np.log(2 * np.pi * error) + 1)
    centre, sigma = np.array([2.0, 0.0, 0.0]), np.where(own, 0.5, 4.0)[:, None]
    if prior:
        # Of N(m, v) from N(c, s^2): log(s / sqrt(v)) + (v + (m - c)^2) / 2 s^2 - 1/2.
        kl = np.log(sigma) - log_variance / 2 - 0.5
        kl += (np.exp(log_variance) + (mean - centre) ** 2) / (2 * sigma**2)
        kl = prior * kl.mean(0)
    else:
        kl = ((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(0)
    h = np.sqrt(((mean - centre) ** 2).sum(1) + 1) - 1
    away = hypersphere * np.where(own, h, -np.log(1 - np.exp(-h))).mean()
    assert loss.item() == pytest.approx(nll + 0.5 * kl.sum() + away, rel=1e-6)
    assert logged["train/loss"] == pytest.approx(loss.item(), rel=1e-6)
    assert logged["train/nll"] == pytest.approx(nll, rel=1e-6)
    assert logged["train/hypersphere"] == pytest.approx(away, rel=1e-6)
    model.validation_step(batch(torch.from_numpy(x)), 0)
    assert logged["val/loss"] == pytest.approx(nll + kl.sum() + away, rel=1e-6)


def test_noise_is_drawn_anew_and_reaches_the_loss(logged: dict[str, float]) -> None:
    model = at(vae(), 0, 1)
    losses = {model.training_step(batch(pictures(8)), 0).item() for _ in range(3)}
    assert len(losses) == 3


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_gradient_reaches_every_weight(logged: dict[str, float], likelihood: str) -> None:
    model = at(vae(likelihood=likelihood), 0, 1)
    model.training_step(batch(pictures(8)), 0).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


@pytest.mark.parametrize(
    ("warmup", "epochs", "expected"),
    [
        (0.25, 60, {0: 1 / 15, 1: 2 / 15, 7: 8 / 15, 13: 14 / 15, 14: 1, 15: 1, 59: 1}),
        (1.0, 4, {0: 1 / 4, 3: 1}),
        (0.5, 5, {0: 1 / 2.5, 1: 2 / 2.5, 2: 1, 4: 1}),
        (0.25, 2, {0: 1, 1: 1}),  # half an epoch of warm-up
        (0.0, 10, {0: 1, 9: 1}),
    ],
)
def test_kl_weight_warms_up(
    logged: dict[str, float], warmup: float, epochs: int, expected: dict[int, float]
) -> None:
    model = vae(beta_warmup=warmup)
    for epoch, beta in expected.items():
        at(model, epoch, epochs).training_step(batch(pictures(8)), 0)
        weight = (logged["train/loss"] - logged["train/nll"]) / logged["train/kl"]
        assert weight == pytest.approx(beta, abs=1e-3)


def test_validation_weighs_the_kl_fully_in_every_epoch(logged: dict[str, float]) -> None:
    model = vae(beta_warmup=1.0)
    for epoch in (0, 50):
        at(model, epoch, 100).validation_step(batch(pictures(8)), 0)
        assert logged["val/loss"] == pytest.approx(logged["val/nll"] + logged["val/kl"])
    assert "train/loss" not in logged


def test_optimizer_is_adamw_with_a_cosine_to_nought() -> None:
    chosen: Any = at(vae(learning_rate=0.02, weight_decay=0.3), 0, 10).configure_optimizers()
    optimizer, scheduler = chosen["optimizer"], chosen["lr_scheduler"]
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.param_groups[0]["weight_decay"] == 0.3
    rates = []
    for _ in range(11):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    expected = 0.02 * (1 + np.cos(np.pi * np.arange(11) / 10)) / 2
    np.testing.assert_allclose(rates, expected, atol=1e-12)


# ---- the latents ----


def test_encode_is_the_posterior_mean_without_noise() -> None:
    model, x = vae(latent_dim=5).eval(), pictures(9)
    torch.manual_seed(1)
    first = model.encode(x)
    torch.manual_seed(2)
    assert torch.equal(first, model.encode(x))
    assert torch.equal(first, model.encoder(x)[0])
    assert first.shape == (9, 5)


@pytest.mark.parametrize("training", [True, False])
def test_latent_does_not_depend_on_the_rest_of_the_batch(training: bool) -> None:
    model, x = vae(latent_dim=5).train(training), pictures(33)
    whole = model.encode(x)
    assert whole.std() > 0.01
    for size in (1, 2, 7, 32):
        parts = torch.cat([model.encode(part) for part in x.split(size)])
        torch.testing.assert_close(parts, whole, rtol=0, atol=1e-5)
    crowd = torch.cat([x[:1], 1000 * pictures(15, seed=9)])
    torch.testing.assert_close(model.encode(crowd)[0], whole[0], rtol=0, atol=1e-5)
    order = torch.randperm(33)
    torch.testing.assert_close(model.encode(x[order]), whole[order], rtol=0, atol=1e-5)


def test_errors_by_hand() -> None:
    # The mean is the first value alone and the decoder gives it back in the first place, so
    # that all others are rebuilt as 0; the variance has no part in it.
    place = np.eye(192, dtype=np.float32)[:, :1]
    model = vae(latent_dim=1)
    model.encoder = LinearEncoder(place, 9 * place)  # type: ignore[assignment]
    model.decoder = LinearDecoder(2 * place.T)  # type: ignore[assignment]
    x = torch.zeros(3, 3, 8, 8)
    x[0, 0, 0, 0] = 0.5  # rebuilt as 1
    x[1, 2, 7, 7], x[1, 1, 3, 4] = 0.4, 0.8
    assert model.errors(x).tolist() == pytest.approx([0.25 / 192, (0.16 + 0.64) / 192, 0.0])


def test_errors_are_those_of_the_posterior_mean_of_each_view_alone() -> None:
    model, x = vae(latent_dim=5).eval(), pictures(9)
    with torch.no_grad():
        expected = (model.decode(model.encode(x)) - x).square().mean((1, 2, 3))
        torch.testing.assert_close(model.errors(x), expected)
        torch.testing.assert_close(model.errors(x[4:5]), expected[4:5], rtol=1e-4, atol=1e-6)
        assert torch.equal(model.errors(x), model.errors(x)), "no noise is drawn"
    assert expected.std() > 0


def test_decode_gives_features_between_0_and_1() -> None:
    decoded = vae(latent_dim=5).decode(torch.randn(7, 5))
    assert decoded.shape == (7, 3, 8, 8)
    assert decoded.min() >= 0
    assert decoded.max() <= 1


# ---- fitting ----


class Spoil(pl.Callback):
    """Ruins the weights at the start of one epoch, so that the best epoch is not the last."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Multiply all weights by 5."""
        if trainer.current_epoch == self.epoch:
            with torch.no_grad():
                for parameter in pl_module.parameters():
                    parameter.mul_(5)


class Watch(pl.Callback):
    """Keeps the weights, the validation loss and the learning rate of every epoch."""

    def __init__(self) -> None:
        self.epochs: list[tuple[float, dict[str, Tensor]]] = []
        self.rates: list[float] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep what a checkpoint of this epoch would hold."""
        self.epochs.append((trainer.callback_metrics["val/loss"].item(), weights(pl_module)))

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the rate that the epoch is trained with."""
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


def fit(model: VAE, folder: Path, epochs: int, *further: pl.Callback, seed: int = 0) -> Watch:
    watch = Watch()
    torch.manual_seed(seed)
    train = {"signal": features(16, seed=1), "noise_edited": features(8, seed=2)}
    trainer = quiet_trainer(folder, epochs, *further, watch)
    model.fit(train, {"signal": features(10, seed=3)}, trainer)
    return watch


def test_fit_keeps_the_best_epoch(tmp_path: Path) -> None:
    model = vae(learning_rate=1e-2)
    before = weights(model)
    watch = fit(model, tmp_path, 3, Spoil(2))
    losses = [loss for loss, _ in watch.epochs]
    best = int(np.argmin(losses))
    assert len(losses) == 3
    assert best < 2, "the spoilt epoch must not be the best for this test to say anything"
    assert not differing(weights(model), watch.epochs[best][1])
    assert differing(weights(model), watch.epochs[2][1]) == {"encoder", "decoder"}
    assert differing(weights(model), before) == {"encoder", "decoder"}


def test_fit_leaves_no_file_and_a_model_ready_to_encode(tmp_path: Path) -> None:
    model = vae()
    fit(model, tmp_path, 1)
    assert not list(tmp_path.iterdir())
    assert not any(module.training for module in model.modules())
    with torch.inference_mode():
        assert model.encode(pictures(3)).isfinite().all()


def test_fit_lowers_the_learning_rate_by_epoch(tmp_path: Path) -> None:
    watch = fit(vae(learning_rate=0.01), tmp_path, 2)
    assert watch.rates == pytest.approx([0.01, 0.005])


def test_fit_sees_every_set(tmp_path: Path) -> None:
    seen: list[Tensor] = []

    class Spy(pl.Callback):
        def on_train_batch_start(
            self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
        ) -> None:
            seen.append(batch[0])

    fit(vae(), tmp_path, 1, Spy())
    assert [len(batch) for batch in seen] == [8, 8, 8]
    given = torch.cat([pictures(16, seed=1), pictures(8, seed=2)]).flatten(1)
    rows = torch.cat(seen).flatten(1)
    distances = torch.cdist(rows, given, compute_mode="donot_use_mm_for_euclid_dist")
    order = distances.argmin(1)
    assert distances.min(1).values.max() == 0
    assert sorted(order.tolist()) == list(range(24)), "a view was left out or given twice"
    assert order.tolist() != list(range(24)), "not shuffled"


def test_fit_tells_the_signal_from_all_else(tmp_path: Path) -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    class Spy(pl.Callback):
        def on_train_batch_start(
            self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
        ) -> None:
            seen.append((batch[0], batch[1]))

        def on_validation_batch_start(self, trainer: Any, pl_module: Any, batch: Any, *_: Any):  # type: ignore[no-untyped-def]
            assert (batch[1] == 1).all(), "the Signal alone is held out here"

    fit(vae(), tmp_path, 1, Spy())
    own = pictures(16, seed=1)
    for x, y in seen:
        assert y.tolist() == [float((own == row).flatten(1).all(1).any()) for row in x]
    assert torch.cat([y for _, y in seen]).sum() == 16


def test_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    models = []
    for i, seed in enumerate((4, 4, 5)):
        model = vae(seed=seed)
        fit(model, tmp_path / str(i), 2, seed=seed)
        models.append(weights(model))
    assert not differing(models[0], models[1])
    assert differing(models[0], models[2]) == {"encoder", "decoder"}


def test_weights_fit_a_model_made_anew(tmp_path: Path) -> None:
    model = vae()
    fit(model, tmp_path, 1)
    other = vae(seed=9)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.eval().encode(pictures(4)), model.encode(pictures(4)))


def test_fit_to_black_and_white_pictures_learns_them(tmp_path: Path) -> None:
    """Two pictures of stripes; what is drawn of each must tell white from black."""
    stripes = torch.tensor([0.0, 1.0]).repeat_interleave(2).repeat(2).expand(3, 8, 8)
    x = torch.stack([stripes, stripes.mT]).repeat(12, 1, 1, 1)
    model = vae(likelihood="bernoulli", learning_rate=1e-2, weight_decay=0.0)
    sets = {"signal": FeatureSet(x, np.zeros(len(x), np.int64))}
    torch.manual_seed(0)
    model.fit(sets, sets, quiet_trainer(tmp_path, 30))
    drawn = model.decode(model.encode(x))
    assert torch.equal(drawn.round(), x)
    assert (drawn - x).abs().mean() < 0.1


# ---- vectors ----


def test_loss_on_vectors_is_that_of_plain_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: dict[str, Tensor] = {}
    monkeypatch.setattr(VAE, "log_dict", lambda _, values, **__: logged.update(values))
    monkeypatch.setattr(VAE, "log", lambda *_, **__: None)
    noise = np.random.default_rng(0).normal(size=(10, 2))
    monkeypatch.setattr(torch, "randn_like", lambda like: torch.from_numpy(noise).to(like))
    for floor in (0.3, 5.0):
        model = vector_vae(vector_sigma_floor=floor)
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
        model = vector_vae(
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
