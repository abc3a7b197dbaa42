"""VAE/GAN: who gets which gradient, whose turn it is, the adversary, and what fitting keeps."""

import copy
import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.utils.data import DataLoader, TensorDataset

from fitting import MARKS, NO_SEPARATION, data, differing, quiet_trainer, weights
from latenthash.errors import InputError, JobError
from latenthash.features.interface import FeatureSet
from latenthash.models import vaegan
from latenthash.models.components import adversary, separation
from latenthash.models.components.adversary import LAYER_FLOOR
from latenthash.models.components.diff_augment import DiffAugment
from latenthash.models.vaegan import BETAS, VAEGAN

pytestmark = MARKS
SETTINGS: dict[str, Any] = {
    "shape": (3, 16, 16),
    "latent_dim": 2,
    "channels": (8, 16),
    "hidden": (16, 8),
    "discriminator_channels": (6, 10),
    "discriminator_hidden": (16, 10),
    "sigma_floor": 0.04,
    "vector_sigma_floor": 0.3,
    "gamma": 0.7,
    "balance": None,
    "spectral": True,
    "diff_augment": True,
    "real_label": 0.9,
    "picture_side": 16,
    "picture_channels": (8, 16),
    "picture_epochs": 2,
    "learning_rate": 1e-3,
    "gradient_clip": 1e9,
    "batch_size": 8,
    "separation": NO_SEPARATION,
}
VECTORS = {"shape": (20,)}
# Deviations that float32 holds exactly: it is what the gradients are compared in doubles with.
APART: dict[str, Any] = {
    "separation": NO_SEPARATION
    | {"prior": 1.0, "hypersphere": 3.0, "critic": 0.5, "distance": 2.0, "signal_sigma": 0.5}
}
SEED = 7


def model(cls: type[VAEGAN] = VAEGAN, seed: int = 0, **settings: Any) -> VAEGAN:
    torch.manual_seed(seed)
    return cls(**SETTINGS | settings)


def labels(n: int) -> Tensor:
    """One view of the Signal to two of all else."""
    return (torch.arange(n) % 3 == 0).float()


def networks(m: VAEGAN) -> dict[str, list[nn.Parameter]]:
    names = ["encoder", "decoder", "adversary"] + ["critic"] * (m.critic is not None)
    return {name: list(getattr(m, name).parameters()) for name in names}


def same(first: dict[str, list[Tensor]], second: dict[str, list[Tensor]]) -> dict[str, bool]:
    return {
        name: all(
            torch.allclose(a, b, rtol=1e-9, atol=1e-12)
            for a, b in zip(first[name], second[name], strict=True)
        )
        for name in first
    }


# ---- who gets which gradient ----


class Prepare(pl.Callback):
    """Makes the noise of a step known, and leaves gradients as a former step would."""

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed the only source of noise, and give every weight a gradient that must not count."""
        torch.manual_seed(SEED)
        for parameter in pl_module.parameters():
            parameter.grad = torch.ones_like(parameter)


def applied(
    m: VAEGAN, x: Tensor, patch: pytest.MonkeyPatch, **trainer: Any
) -> dict[str, list[Tensor]]:
    """The gradient of each network as one real step of plain descent shows it."""
    patch.setattr(torch.optim, "Adam", lambda parameters, *_: torch.optim.SGD(parameters))
    m.learning_rate = 1.0
    before = {name: [p.detach().clone() for p in ps] for name, ps in networks(m).items()}
    pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, callbacks=[Prepare()],
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        **trainer,
    ).fit(m, *2 * [DataLoader(TensorDataset(x, labels(len(x))), len(x))])  # fmt: skip
    return {
        name: [a - b.detach() for a, b in zip(before[name], ps, strict=True)]
        for name, ps in networks(m).items()
    }


def expected(m: VAEGAN, x: Tensor) -> dict[str, list[Tensor]]:
    """The gradient of each network's own objective, a fresh graph each, nothing detached."""
    gradients = {}
    x = x.sqrt() if x.dim() == 2 else x  # the root of vectors; unfitted, there is no more to it
    own = labels(len(x)).bool()
    apart = m.separation
    for name in networks(m):
        fresh = copy.deepcopy(m).train()  # with the spectral norm's own state
        torch.manual_seed(SEED)
        mean, log_variance = fresh.encoder(x)
        posterior = Normal(mean, (log_variance / 2).exp())
        z = mean + posterior.stddev * torch.randn_like(mean)
        if apart.prior or apart.critic:
            sigma = torch.where(own, 0.5, 4.0).double()[:, None].expand_as(mean)
            target = Normal(apart.centre.expand_as(mean), sigma)
        else:
            target = Normal(torch.zeros_like(mean), torch.ones_like(mean))
        prior = target.mean + target.stddev * torch.randn_like(mean)
        edit = DiffAugment.draw(x) if fresh.adversary.diff_augment else nn.Identity()
        seen = torch.cat([edit(x), edit(fresh.decoder(z)), edit(fresh.decoder(prior))])
        layer, logits = fresh.adversary.discriminator(seen)
        real, rebuilt, _ = layer.chunk(3)
        n = real.shape[1]
        error = ((real - rebuilt) / real.std()).square().mean()
        assert error > LAYER_FLOOR**2
        rec = n / 2 * (math.log(2 * math.pi) + error.log() + 1)
        p = logits.sigmoid()
        real_p, fake_p = p[: len(x)], p[len(x) :]
        gan = -(0.9 * real_p.log() + 0.1 * (1 - real_p).log()).mean() - (1 - fake_p).log().mean()
        if apart.prior:
            kl = apart.prior * kl_divergence(posterior, target).sum(1).mean()
        else:
            kl = kl_divergence(posterior, Normal(torch.zeros_like(mean), 1.0)).sum(1).mean()
        far = (1 + (mean - apart.centre).square().sum(1)).sqrt() - 1
        outside = torch.where(own, far, -(1 - (-far).exp()).log()).mean()
        objectives = {
            "encoder": kl + rec + apart.hypersphere * outside,
            "decoder": fresh.gamma * rec / n - gan,
            "adversary": gan,
        }
        if fresh.critic is not None:
            classes = torch.stack([~own, own], 1).double()
            drawn_p, encoded_p = (
                fresh.critic.discriminator(torch.cat([sample, classes], 1))[1].sigmoid()
                for sample in (prior, z)
            )
            objectives["encoder"] = objectives["encoder"] - apart.critic * encoded_p.log().mean()
            objectives["critic"] = -drawn_p.log().mean() - (1 - encoded_p).log().mean()
        gradients[name] = list(torch.autograd.grad(objectives[name], networks(fresh)[name]))
    return gradients


def routed(m: VAEGAN, x: Tensor, patch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Whether each network got the gradient of its own objective and no other."""
    m, x = m.double(), x.double()
    m.separation.aim(0.7)
    wanted = expected(m, x)
    return same(applied(m, x, patch), wanted)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"diff_augment": False},
        {"spectral": False, "gamma": 20.0},
        VECTORS,
        VECTORS | {"spectral": False, "latent_dim": 5},
        APART,
        APART | VECTORS | {"latent_dim": 3},
        APART | {"spectral": False, "latent_dim": 1},
        *(
            VECTORS | {"separation": APART["separation"] | dict.fromkeys(off, 0.0)}
            for off in (("critic",), ("prior", "critic"), ("prior", "hypersphere"))
        ),
    ],
)
def test_each_network_gets_the_gradient_of_its_own_objective(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    m = model(**settings)
    x = data(6, (SETTINGS | settings)["shape"])
    assert all(routed(m, x, monkeypatch).values())


DETACH = "torch.cat([rebuilt, dreamt]).detach()"
LAST = "objectives.decoder, inputs=decoder)"
MUTANTS: list[tuple[dict[str, str], set[str]]] = [
    # what is changed in the source, and the networks that must then be wrong
    (
        {DETACH: DETACH.removesuffix(".detach()"), LAST: LAST[:-1] + ", retain_graph=True)"},
        {"encoder", "decoder"},
    ),
    ({"objectives.encoder, inputs=encoder,": "objectives.encoder,"}, {"decoder", "adversary"}),
    ({LAST: "objectives.decoder, retain_graph=True)"}, {"encoder", "adversary"}),
    ({"gan=-output.fakes": "gan=output.fakes"}, {"decoder"}),
    ({"self.gamma * output.rec": "output.rec"}, {"decoder"}),
    ({"output.rec / self.adversary.discriminator.features": "output.rec"}, {"decoder"}),
    ({"real_cost(self.real_label)": "real_cost(1.0)"}, {"adversary"}),
    ({"rebuilt_logits, dreamt_logits": "dreamt_logits"}, {"decoder"}),
    ({"kl.sum() + output.rec": "output.rec"}, {"encoder"}),
    ({"optimizer.zero_grad()": "pass"}, {"encoder", "decoder", "adversary"}),
    # Every answer by weights over another estimate of their spectral norm.
    ({"with cached()": "if True"}, {"encoder", "decoder", "adversary"}),
    ({"edit(rebuilt)": "DiffAugment.draw(x)(rebuilt)"}, {"encoder", "decoder", "adversary"}),
]


APART_MUTANTS: list[tuple[dict[str, str], set[str]]] = [
    (
        {"encoded.detach()": "encoded", LAST: LAST[:-1] + ", retain_graph=True)"},
        {"encoder"},
    ),
    (
        {"objectives.encoder, inputs=encoder,": "objectives.encoder,"},
        {"decoder", "adversary", "critic"},
    ),
    ({"output.rec + hypersphere": "output.rec"}, {"encoder"}),
    ({"kl.sum() + output.rec": "output.rec"}, {"encoder"}),
    ({"self.separation.critic * cost_of": "cost_of"}, {"encoder"}),
    ({"cost_of(self.critic(z, y), 1.0)": "cost_of(self.critic(z, y), 0.0)"}, {"encoder"}),
    ({"cost_of(self.critic(z, y), 1.0)": "cost_of(self.critic(z, 1 - y), 1.0)"}, {"encoder"}),
    ({"against(z, drawn, y)": "against(z, drawn, 1 - y)"}, {"critic"}),
    ({"hypersphere, z, drawn, y)": "hypersphere, mean, drawn, y)"}, {"encoder", "critic"}),
    ({"separation.sample(y)": "separation.sample(1 - y)"}, {"decoder", "adversary", "critic"}),
    ({"optimizer.zero_grad()": "pass"}, {"encoder", "decoder", "adversary", "critic"}),
]


def mutant(changes: dict[str, str]) -> type[VAEGAN]:
    """The class with pieces of its source changed."""
    sources = [inspect.getsource(module) for module in (adversary, vaegan, separation)]
    for old, new in changes.items():
        assert sum(source.count(old) for source in sources) == 1
        sources = [source.replace(old, new) for source in sources]
    spaces: list[dict[str, Any]] = [{"__name__": "mutant"} for _ in sources]
    for source, space in zip(sources, spaces, strict=True):
        exec(source, space)
    spaces[1]["Adversary"] = spaces[0]["Adversary"]
    spaces[1]["LatentCritic"] = spaces[2]["LatentCritic"]
    changed: type[VAEGAN] = spaces[1]["VAEGAN"]
    return changed


@pytest.mark.parametrize(("changes", "wrong"), MUTANTS)
def test_gradients_are_wrong_once_a_piece_of_the_routing_is_missing(
    changes: dict[str, str], wrong: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = routed(model(mutant(changes)), data(6, (3, 16, 16)), monkeypatch)
    assert {name for name, is_right in right.items() if not is_right} == wrong


@pytest.mark.parametrize(("changes", "wrong"), APART_MUTANTS)
def test_gradients_of_a_separated_model_are_wrong_once_a_piece_is_missing(
    changes: dict[str, str], wrong: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = routed(model(mutant(changes), **APART), data(6, (3, 16, 16)), monkeypatch)
    assert {name for name, is_right in right.items() if not is_right} == wrong


@pytest.mark.parametrize("name", ["prior", "hypersphere", "critic"])
def test_weights_of_separation_reach_the_encoder_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = data(6, (20,)).double()
    first, second = (
        applied(
            model(separation=APART["separation"] | {name: weight}, **VECTORS).double(),
            x,
            monkeypatch,
        )
        for weight in (0.5, 2.0)
    )
    assert same(first, second) == {
        "encoder": False, "decoder": True, "adversary": True, "critic": True
    }  # fmt: skip


@pytest.mark.parametrize("shape", [(3, 16, 16), (20,)])
def test_separation_that_is_off_leaves_the_kl_as_it_was(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    off = {"distance": 9.0, "signal_sigma": 0.01, "noise_sigma": 30.0}
    x = data(6, shape).double()
    steps, logs = [], []
    for settings in (NO_SEPARATION, NO_SEPARATION | off):
        m = model(shape=shape, separation=settings).double()
        m.separation.aim(0.7)
        with torch.no_grad():
            mean, log_variance = m.encoder(x.sqrt() if len(shape) == 1 else x)
        logged: dict[str, float] = {}

        def keep(phase: str, values: Any, _: int, to: dict[str, float] = logged) -> None:
            to.update({f"{phase}/{key}": torch.as_tensor(v).item() for key, v in values.items()})

        monkeypatch.setattr(m, "log_terms", keep)
        steps.append(applied(m, x, monkeypatch))
        logs.append(logged)
        assert m.critic is None
        kl = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).mean(0)
        assert logged["train/kl"] == pytest.approx(kl.sum().item(), rel=1e-9)
        assert logged["train/hypersphere"] == 0
        assert logged["val/hypersphere"] == 0
        assert "train/critic_loss" not in logged
    assert all(same(*steps).values())
    assert logs[0] == logs[1]


def test_gamma_reaches_the_decoder_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    x = data(6, (3, 16, 16)).double()
    without, weighted = (
        applied(model(gamma=gamma).double(), x, monkeypatch) for gamma in (0.0, 50.0)
    )
    assert same(without, weighted) == {"encoder": True, "decoder": False, "adversary": True}


def test_label_of_real_samples_reaches_the_discriminator_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = data(6, (20,)).double()
    first, second = (
        applied(model(real_label=label, **VECTORS).double(), x, monkeypatch) for label in (0.9, 0.6)
    )
    assert same(first, second) == {"encoder": True, "decoder": True, "adversary": False}


def test_gradients_are_clipped_each_network_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    x = data(6, (3, 16, 16)).double()
    whole = applied(model().double(), x, monkeypatch)
    clipped = applied(model(gradient_clip=0.01).double(), x, monkeypatch)
    for name, gradient in whole.items():
        norm = math.sqrt(sum(g.square().sum().item() for g in gradient))
        assert norm > 0.01
        for a, b in zip(gradient, clipped[name], strict=True):
            torch.testing.assert_close(a * 0.01 / norm, b, rtol=1e-3, atol=1e-12)


# ---- batches ----


def lots() -> tuple[dict[str, int], dict[str, FeatureSet]]:
    """Sets of very different sizes, whose every row says which it is."""
    sizes = {"signal": 24, "noise_edited": 100, "noise_similar": 60, "outliers": 16}
    numbers = torch.arange(200.0).split(list(sizes.values()))
    return sizes, {
        role: FeatureSet(n[:, None].expand(-1, 20), np.zeros(len(n), np.int64))
        for role, n in zip(sizes, numbers, strict=True)
    }


def test_balanced_batches_hold_signal_noise_and_outliers_equally_often() -> None:
    sizes, sets = lots()
    m = model(separation=NO_SEPARATION | {"balanced": True}, **VECTORS)
    torch.manual_seed(0)
    loader = m._loader(sets, True)
    drawn = []
    for _ in range(50):
        batches = list(loader)
        assert [len(x) for x, _ in batches] == [8] * 25
        drawn += [
            (int(x[0]), int(is_own))
            for batch, y in batches
            for x, is_own in zip(batch, y, strict=True)
        ]
    rows, own = np.array(drawn).T
    assert len(rows) == 10_000
    np.testing.assert_array_equal(own, rows < 24)
    often = np.bincount(rows, minlength=200)
    parts = np.split(often / len(rows), np.cumsum(list(sizes.values()))[:-1])
    # Four standard errors of a share of 1/3 are .019, and of 1/6 .015.
    for part, share in zip(parts, (1 / 3, 1 / 6, 1 / 6, 1 / 3), strict=True):
        assert part.sum() == pytest.approx(share, abs=0.019)
        assert part == pytest.approx(share / len(part), abs=0.003 + 0.3 * share / len(part))
    first = [x[:, 0].tolist() for x, _ in loader]
    assert first != [x[:, 0].tolist() for x, _ in loader], "drawn anew in every epoch"


@pytest.mark.parametrize(("balanced", "training"), [(False, True), (False, False), (True, False)])
def test_other_batches_hold_every_row_once(balanced: bool, training: bool) -> None:
    _, sets = lots()
    m = model(separation=NO_SEPARATION | {"balanced": balanced}, **VECTORS)
    batches = list(m._loader(sets, training))
    rows = torch.cat([x[:, 0] for x, _ in batches])
    assert sorted(rows.tolist()) == list(range(200))
    assert (rows.tolist() == list(range(200))) is not training, "shuffled for training alone"
    assert torch.cat([y for _, y in batches]).equal((rows < 24).float())


# ---- whose turn it is ----


@pytest.mark.parametrize(
    ("shift", "balance", "waiting"),
    [
        (0.0, (0.68, 0.35), set()),  # real and fake cost about .69 each
        (0.0, (1.5, 0.7), {"adversary"}),
        (0.0, (0.2, 0.3), {"decoder"}),
        # All is taken for real: a real sample costs .08, a fake 2.58.
        (2.5, (0.68, 0.65), {"decoder"}),
        (2.5, (0.68, 0.35), set()),  # both would wait
        (2.5, None, set()),
    ],
)
def test_who_waits_keeps_its_weights(
    shift: float, balance: tuple[float, float] | None, waiting: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    m = model(balance=balance, spectral=False)
    with torch.no_grad():
        biases = dict(m.adversary.named_parameters())
        biases["discriminator.head.1.bias"].add_(shift)
    moved = applied(m, data(6, (3, 16, 16)), monkeypatch)
    still = {name for name, steps in moved.items() if not any(step.any() for step in steps)}
    assert still == waiting


# ---- fitting ----


class Books(pl.Callback):
    """Keeps what was logged, and the learning rates, by epoch."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self.rates: list[list[float]] = []

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Keep the rates that a step is made with."""
        self.rates.append([o.param_groups[0]["lr"] for o in trainer.optimizers])

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the values of the epoch."""
        self.epochs.append({k: v.item() for k, v in trainer.callback_metrics.items()})


def fit(m: VAEGAN, folder: Path, shape: tuple[int, ...], epochs: int, **trainer: Any) -> Books:
    books = Books()
    rng = np.random.default_rng(0)
    train = {
        role: FeatureSet(
            data(12, shape, i),
            np.zeros(12, np.int64),
            torch.from_numpy(rng.integers(0, 256, (12, 20, 20, 3), np.uint8)),
        )
        for i, role in enumerate(("signal", "noise_edited"))
    }
    validation = {"signal": FeatureSet(data(10, shape, 5), np.zeros(10, np.int64))}
    torch.manual_seed(1)
    m.fit(train, validation, quiet_trainer(folder, epochs, books, **trainer))
    return books


@pytest.mark.parametrize("shape", [(3, 16, 16), (20,)])
def test_fit_logs_every_network_and_leaves_a_model_ready_to_use(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    m = model(shape=shape, balance=(0.68, 0.35))
    books = fit(m, tmp_path, shape, 3)
    assert len(books.epochs) == 3
    for epoch in books.epochs:
        assert all(math.isfinite(value) for value in epoch.values())
        train = {k.removeprefix("train/"): v for k, v in epoch.items() if k.startswith("train/")}
        assert set(train) == {
            "encoder_loss", "decoder_loss", "discriminator_loss", "rec_l", "real_cost", "fake_cost",
            "decoder_gradient_rec", "decoder_gradient_gan", "decoder_gradient_ratio",
            "discriminator_accuracy", "decoder_steps", "discriminator_steps",
            "kl", "active_units", "hypersphere",
        }  # fmt: skip
        assert train["encoder_loss"] == pytest.approx(train["kl"] + train["rec_l"], rel=1e-5)
        assert 0 <= train["discriminator_accuracy"] <= 1
        assert epoch["val/loss"] == pytest.approx(epoch["val/nll"] + epoch["val/kl"], rel=1e-5)
    assert not list(tmp_path.iterdir()), "a checkpoint is a pickle and must not stay"
    assert not any(module.training for module in m.modules())
    z = m.encode(data(5, shape))
    assert z.shape == (5, 2)
    pictures = m.decode(z)
    assert pictures.shape == (5, 3, 16, 16)
    assert pictures.min() >= 0
    assert pictures.max() <= 1


@pytest.mark.parametrize("apart", [{}, {"separation": APART["separation"]}], ids=["", "apart"])
def test_fit_that_diverges_stops_at_once(apart: dict[str, Any], tmp_path: Path) -> None:
    m = model(learning_rate=1e30, **apart, **VECTORS)
    with pytest.raises(JobError, match=r"VAEGAN diverged.* Lower model\.learning_rate\."):
        fit(m, tmp_path, (20,), 50)
    assert m.current_epoch <= 1


def test_fit_of_a_separated_model_logs_what_keeps_apart(tmp_path: Path) -> None:
    settings = APART["separation"] | {"balanced": True}
    m = model(separation=settings, balance=(0.68, 0.35), **VECTORS)
    before = weights(m)
    books = fit(m, tmp_path, (20,), 3)
    for epoch in books.epochs:
        assert all(math.isfinite(value) for value in epoch.values())
        assert epoch["train/hypersphere"] > 0
        assert epoch["train/critic_loss"] > 0
        # The rest is what the critic adds, half the cross-entropy of one answer.
        passing = epoch["train/encoder_loss"] - sum(
            epoch[f"train/{name}"] for name in ("kl", "rec_l", "hypersphere")
        )
        assert 0 < passing < 2
        total = sum(epoch[f"val/{name}"] for name in ("nll", "kl", "hypersphere"))
        assert epoch["val/loss"] == pytest.approx(total, rel=1e-5)
    assert {"encoder", "decoder", "adversary", "critic"} <= differing(weights(m), before)
    assert m.encode(data(5, (20,))).isfinite().all()


def test_logged_gradient_norms_are_those_of_the_two_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms = {}
    for gamma in (0.0, 2.0):
        m = model(gamma=gamma, **VECTORS).double()
        x = data(6, (20,)).double()
        logged: dict[str, Any] = {}
        monkeypatch.setattr(m, "log_terms", lambda _, values, __, to=logged: to.update(values))
        whole = torch.cat([g.flatten() for g in applied(m, x, monkeypatch)["decoder"]])
        norms[gamma] = (whole, float(logged["decoder_gradient_gan"]),
                        float(logged["decoder_gradient_rec"]))  # fmt: skip
    # Without gamma, the GAN term is all there is.
    assert norms[0.0][1] == pytest.approx(norms[0.0][0].norm().item(), rel=1e-9)
    assert norms[0.0][2] == 0
    assert norms[2.0][1] == pytest.approx(norms[0.0][1], rel=1e-9)
    assert norms[2.0][2] == pytest.approx((norms[2.0][0] - norms[0.0][0]).norm().item(), rel=1e-9)


def test_debug_trainer_is_enough(tmp_path: Path) -> None:
    m = model()
    books = fit(m, tmp_path, (3, 16, 16), 1, limit_train_batches=2, limit_val_batches=1)
    assert len(books.epochs) == 1
    assert m.encode(data(2, (3, 16, 16))).isfinite().all()


def test_rates_fall_by_epoch_in_all_three_networks(tmp_path: Path) -> None:
    books = fit(model(learning_rate=0.01), tmp_path, (3, 16, 16), 2)
    steps = 3 * 3  # batches and networks
    expected_rates = [[0.01] * 3] * steps + [[0.005] * 3] * steps
    np.testing.assert_allclose(books.rates, expected_rates)


def test_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    states = []
    for i, seed in enumerate((4, 4, 5)):
        m = model(seed=seed)
        fit(m, tmp_path / str(i), (3, 16, 16), 2)
        states.append(weights(m))
    assert not differing(states[0], states[1])
    assert differing(states[0], states[2]) == {"encoder", "decoder", "adversary"}


def test_weights_survive_a_bundle(tmp_path: Path) -> None:
    m = model()
    fit(m, tmp_path, (3, 16, 16), 1)
    other = model(seed=9)
    other.load_state_dict(load(save(m.state_dict())))
    x = data(4, (3, 16, 16))
    assert torch.equal(other.eval().encode(x), m.encode(x))


@pytest.mark.parametrize(("settings", "count"), [({}, 3), (APART, 4)])
def test_each_network_has_an_adam_of_its_own_and_the_picture_head_none(
    settings: dict[str, Any], count: int
) -> None:
    m = model(**VECTORS, **settings)
    optimizers: Any = m.configure_optimizers()
    assert len(optimizers) == count
    assert all(type(optimizer) is torch.optim.Adam for optimizer in optimizers)
    assert all(optimizer.defaults["betas"] == BETAS for optimizer in optimizers)
    for optimizer, parameters in zip(optimizers, networks(m).values(), strict=True):
        assert list(map(id, optimizer.param_groups[0]["params"])) == list(map(id, parameters))


@pytest.mark.parametrize(("shape", "floor"), [((3, 16, 16), 0.04), ((20,), 0.3), ((20,), 9.0)])
def test_epoch_is_chosen_by_the_elbo_in_features_not_in_layer_l(
    shape: tuple[int, ...], floor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = model(shape=shape, vector_sigma_floor=floor).double()
    x = data(10, shape).double()
    noise = torch.randn(10, 2).double()
    monkeypatch.setattr(torch, "randn_like", lambda _: noise)
    logged: dict[str, Tensor] = {}
    monkeypatch.setattr(m, "log_dict", lambda values, **_: logged.update(values))
    monkeypatch.setattr(m, "log", lambda *_, **__: None)
    m.validation_step([x, labels(len(x)).double()], 0)
    seen = x.sqrt() if len(shape) == 1 else x
    with torch.no_grad():
        mean, log_variance = (moment.numpy() for moment in m.encoder(seen))
        z = mean + np.exp(log_variance / 2) * noise.numpy()
        error = ((seen - m.decoder(torch.from_numpy(z))) ** 2).mean().item()
    variance = max(error, floor**2)
    nll = math.prod(shape) / 2 * (math.log(2 * math.pi * variance) + error / variance)
    kl = ((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(0).sum()
    assert logged["val/nll"].item() == pytest.approx(nll)
    assert logged["val/loss"].item() == pytest.approx(nll + kl)


# ---- what it refuses ----


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"discriminator_channels": (8,) * 5}, r"features\.size=16 must be a multiple of 32"),
        ({"shape": (512, 8, 8)}, r"not features of shape \(512, 8, 8\)"),
        ({"channels": (12,)}, r"model\.channels=\[12\] must be multiples of 8"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        model(**settings)
