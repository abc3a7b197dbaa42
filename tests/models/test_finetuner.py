"""Fine-tuning: what is trained, its loss by hand, the epoch it keeps, and what a run logs of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.loggers import Logger
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from fitting import MARKS, weights
from latenthash.cache import DiskCache
from latenthash.data.splits import ViewSet
from latenthash.errors import InputError
from latenthash.features.interface import Staged, is_staged
from latenthash.features.pixels import Pixels
from latenthash.features.vgg16 import VGG16
from latenthash.features.weights import weights_digest
from latenthash.jobs.finetune import build_tuner, finetune
from latenthash.models.finetuner import FineTuner
from project import CONF

pytestmark = MARKS
NAMES = ["train_loss", "train_accuracy", "val_loss", "val_accuracy"]
SETTINGS: dict[str, Any] = {
    "learning_rate": 1e-2,
    "head_learning_rate": 1e-2,
    "weight_decay": 1e-2,
    "label_smoothing": 0.1,
    "batch_size": 4,
}
STILL = {"learning_rate": 0.0, "head_learning_rate": 0.0}  # nothing moves


class Tiny(nn.Module):
    """Features in two stages, of views of 4 px: a fixed turn of the colours, then a tail."""

    shape = (3,)
    size = 4
    provenance: Mapping[str, str] = {}

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.frozen = nn.Parameter(torch.randn(3, 5, generator=generator), requires_grad=False)
        self.tail = nn.Sequential(nn.Conv2d(5, 3, 1), nn.ReLU())
        for weight in self.tail.parameters():
            weight.data = torch.randn(weight.shape, generator=generator) / 2
        self.tail.requires_grad_(False)
        self.cache: DiskCache | None = None

    def forward(self, views: Tensor) -> Tensor:
        """Turn views into features."""
        return self.finish(self.begin(views))

    def begin(self, views: Tensor) -> Tensor:
        """Turn the colours, the same way for ever."""
        return (views.float() / 64 @ self.frozen).permute(0, 3, 1, 2)

    def finish(self, maps: Tensor) -> Tensor:
        """Put maps through the tail."""
        return self.tail(maps).mean((2, 3))


class Recorder(Logger):
    """A logger that only remembers, in the place of a run's."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics: list[dict[str, float]] = []
        self.figures: dict[str, Figure] = {}

    @property
    def name(self) -> str:
        """Lightning wants one."""
        return "recorder"

    @property
    def version(self) -> str:
        """Lightning wants one."""
        return "0"

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Lightning has nothing here to log."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Remember metrics."""
        self.metrics.append(dict(metrics))

    def log_figure(self, figure: Figure, name: str) -> None:
        """Remember a figure."""
        self.figures[name] = figure

    def values(self, name: str) -> list[float]:
        """List all values of a metric."""
        return [metrics[name] for metrics in self.metrics if name in metrics]


def tuner(features: Staged | None = None, seed: int = 0, **settings: Any) -> FineTuner:
    torch.manual_seed(seed)
    return FineTuner(features=features or Tiny(), **SETTINGS | settings)


def trainer(folder: Path, epochs: int = 3, patience: int = 99, logger: Any = False) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=logger,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[
            ModelCheckpoint(folder / "best", monitor="finetune/val_loss", save_weights_only=True),
            EarlyStopping("finetune/val_loss", patience=patience),
        ],
    )


def maps(n: int, seed: int, shift: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 5, 2, 2, generator=generator) + shift


def sets(*counts: int, seed: int = 0, shift: float = 0.0) -> dict[str, Tensor]:
    """Maps of the Signal, which a shift tells from the others, and of two sets of Noise."""
    names = ("signal", "noise_edited", "noise_similar")
    return {
        name: maps(count, 10 * seed + i, shift * (name == "signal"))
        for i, (name, count) in enumerate(zip(names, counts, strict=False))
    }


def swapped(train: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the Signal's maps to Noise and the other way round: the better, the worse."""
    return {"noise_edited": train["signal"], "signal": train["noise_edited"]}


def losses_by_hand(module: FineTuner, x: Tensor, signal: bool) -> NDArray[np.float64]:
    """Cross entropy of each row of maps with softened labels, in numpy."""
    logits = module(x).detach().double().numpy()
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    share = module.label_smoothing
    wanted = np.full(2, share / 2)
    wanted[int(signal)] += 1 - share
    return np.asarray(-(log_p @ wanted))


# ---- the loss ----


def test_both_classes_weigh_the_same(tmp_path: Path) -> None:
    module = tuner()
    module.fit(sets(2, 3, 5), sets(2, 2), trainer(tmp_path, 1))
    noise, signal = module.class_weight.tolist()
    assert (noise, signal) == pytest.approx((10 / (2 * 8), 10 / (2 * 2)))
    assert 8 * noise == pytest.approx(2 * signal)


def test_linear_layer_is_given_values_near_one(tmp_path: Path) -> None:
    train = {name: 300 * x for name, x in sets(70, 50).items()}  # more than one batch
    module = tuner(**STILL)
    module.fit(train, train, trainer(tmp_path, 1))
    x = torch.cat([module.features.finish(batch) for batch in train.values()]).double().numpy()
    assert module.scale.item() == pytest.approx(np.sqrt((x**2).mean()))
    logits = module.head(torch.from_numpy(x / module.scale.item()).float())
    torch.testing.assert_close(module(torch.cat(list(train.values()))), logits)


def test_features_that_are_all_nought_do_no_harm(tmp_path: Path) -> None:
    module = tuner()
    nothing = {name: torch.full_like(x, 0) for name, x in sets(3, 3).items()}
    module.features.tail[0].bias.data.zero_()
    module.fit(nothing, nothing, trainer(tmp_path, 1))
    assert all(weight.isfinite().all() for weight in module.state_dict().values())


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_the_one_computed_by_hand(tmp_path: Path, smoothing: float) -> None:
    train = sets(3, 2, 7, shift=0.5)
    module = tuner(**STILL, label_smoothing=smoothing, batch_size=12)
    module.fit(train, train, trainer(tmp_path, 1))
    signal = losses_by_hand(module, train["signal"], True)
    noise = np.concatenate(
        [losses_by_hand(module, train[f"noise_{kind}"], False) for kind in ("edited", "similar")]
    )
    expected = (signal.mean() + noise.mean()) / 2
    assert module.history["train_loss"] == [pytest.approx(expected, rel=1e-5)]
    assert module.history["val_loss"] == [pytest.approx(expected, rel=1e-5)]


def test_loss_of_validation_does_not_depend_on_how_it_is_cut_into_batches(tmp_path: Path) -> None:
    train = sets(3, 9, shift=0.5)
    found = []
    for size in (1, 3, 5, 12):
        module = tuner(**STILL, batch_size=size)
        module.fit(train, train, trainer(tmp_path / str(size), 1))
        found += module.history["val_loss"]
    assert found == [pytest.approx(found[-1], rel=1e-5)] * 4


def test_accuracy_is_the_share_of_right_answers(tmp_path: Path) -> None:
    train, held_out = sets(3, 2, 6, shift=0.5), sets(5, 4, seed=1, shift=0.5)
    module = tuner(**STILL)
    module.fit(train, held_out, trainer(tmp_path, 1))
    for phase, known in (("train", train), ("val", held_out)):
        right = [
            int(answer) == (name == "signal")
            for name, x in known.items()
            for answer in module(x).argmax(1)
        ]
        assert module.history[f"{phase}_accuracy"] == [pytest.approx(np.mean(right))]


# ---- training ----


def test_only_tail_and_linear_layer_are_trained(tmp_path: Path) -> None:
    module = tuner()
    before = weights(module)
    module.fit(sets(6, 6), sets(3, 3), trainer(tmp_path))
    changed = {name for name, w in weights(module).items() if not torch.equal(w, before[name])}
    assert changed - {"scale"} == {
        "features.tail.0.weight", "features.tail.0.bias", "head.weight", "head.bias",
    }  # fmt: skip
    assert not any(weight.requires_grad for weight in module.features.tail.parameters())


def test_each_part_has_its_own_rate() -> None:
    settings = {"learning_rate": 3e-4, "head_learning_rate": 5e-3, "weight_decay": 0.07}
    module = tuner(**settings)
    optimizer = module.configure_optimizers()
    assert isinstance(optimizer, torch.optim.AdamW)
    tail, head = optimizer.param_groups
    assert tail["params"] == list(module.features.tail.parameters())
    assert head["params"] == list(module.head.parameters())
    assert [(group["lr"], group["weight_decay"]) for group in (tail, head)] == [
        (3e-4, 0.07), (5e-3, 0.07),
    ]  # fmt: skip


def test_it_learns_to_tell_signal_from_noise(tmp_path: Path) -> None:
    module = tuner()
    train, held_out = sets(20, 20, 20, shift=1.5), sets(10, 10, 10, seed=1, shift=1.5)
    module.fit(train, held_out, trainer(tmp_path, 15))
    assert module.history["val_loss"][-1] < module.history["val_loss"][0]
    assert module.history["val_accuracy"][-1] >= 0.9
    answers = module.answers(held_out)
    assert answers["signal"][1] >= 9
    assert answers["noise_edited"][0] + answers["noise_similar"][0] >= 18


def test_history_holds_every_epoch_as_it_was_logged(tmp_path: Path) -> None:
    module, logger = tuner(), Recorder()
    module.fit(sets(6, 5), sets(3, 3), trainer(tmp_path, 4, logger=logger))
    assert list(module.history) == NAMES
    for name, values in module.history.items():
        assert len(values) == 4
        assert values == pytest.approx(logger.values(f"finetune/{name}"))
    assert len(set(module.history["train_loss"])) == 4


def test_weights_of_the_best_epoch_are_kept(tmp_path: Path) -> None:
    train = sets(12, 12, shift=1.0)
    module = tuner(batch_size=24)
    module.fit(train, swapped(train), trainer(tmp_path, 6))
    values = module.history["val_loss"]
    assert values == sorted(values), "the first epoch is the best here"
    assert values[-1] > values[0] + 0.01
    signal = losses_by_hand(module, train["noise_edited"], True)
    noise = losses_by_hand(module, train["signal"], False)
    assert (signal.mean() + noise.mean()) / 2 == pytest.approx(values[0], rel=1e-4)
    assert not list(tmp_path.rglob("*.ckpt")), "a checkpoint is a pickle and must not stay"


def test_it_ends_when_nothing_gets_better(tmp_path: Path) -> None:
    train = sets(12, 12, shift=1.0)
    module = tuner()
    module.fit(train, swapped(train), trainer(tmp_path, 8, patience=2))
    assert {name: len(values) for name, values in module.history.items()} == dict.fromkeys(NAMES, 3)


def test_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    states = []
    for i, seed in enumerate((0, 0, 1)):
        module = tuner(seed=seed)
        module.fit(sets(9, 9), sets(3, 3), trainer(tmp_path / str(i), 2))
        states.append(weights(module))
    first, again, other = states
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["features.tail.0.weight"], other["features.tail.0.weight"])


def test_answers_are_counted_for_each_set() -> None:
    module = tuner()
    x = {"signal": maps(70, 1), "noise_edited": maps(3, 2)}  # more than one batch
    expected = {}
    for name, rows in x.items():
        logits = module(rows)
        expected[name] = [(logits[:, 0] > logits[:, 1]).sum(), (logits[:, 0] < logits[:, 1]).sum()]
    found = module.answers(x)
    assert {name: counts.tolist() for name, counts in found.items()} == expected
    module.head.weight.data.zero_()
    module.head.bias.data = torch.tensor([0.0, 1.0])
    assert {n: c.tolist() for n, c in module.answers(x).items()} == {
        "signal": [0, 70], "noise_edited": [0, 3],
    }  # fmt: skip


@pytest.mark.parametrize("pooling", ["average", "none"])
def test_tail_of_vgg16_is_trained_and_its_frozen_part_stays(tmp_path: Path, pooling: str) -> None:
    features = VGG16(
        weights="random", layer="conv2_1", pooling=pooling, size=32, finetune=True,
        freeze_until="pool1", seed=0,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    views = torch.randint(0, 256, (8, 32, 32, 3), dtype=torch.uint8, generator=generator)
    before, frozen = weights(features), weights_digest(features.frozen[0])
    x = features.begin(views)
    module = tuner(features)
    module.fit({"signal": x[:4], "noise_edited": x[4:]}, {"signal": x[:2]}, trainer(tmp_path, 1))
    assert weights_digest(features.frozen[0]) == frozen
    torch.testing.assert_close(features.begin(views), x, rtol=0, atol=0)
    after = weights(features)
    assert len(after) == 2
    for name, weight in after.items():
        assert weight.isfinite().all()
        assert not torch.equal(weight, before[name]), name


# ---- the step of a run ----


def views(n: int, seed: int, colour: tuple[int, int, int]) -> ViewSet:
    rng = np.random.default_rng(seed)
    pixels = np.clip(rng.normal(colour, 60, (n, 4, 4, 3)), 0, 255).astype(np.uint8)
    return ViewSet(torch.from_numpy(pixels), np.zeros(n, np.int64), ("picture",))


def split(n: int, seed: int, *roles: str) -> dict[str, ViewSet]:
    colours = {
        "signal": (170, 90, 120), "noise_edited": (90, 170, 120), "unseen": (120, 120, 140),
    }  # fmt: skip
    return {role: views(n, 10 * seed + i, colours[role]) for i, role in enumerate(roles)}


def config(folder: Path, epochs: int = 3, **changes: Any) -> DictConfig:
    """The shipped settings of fine-tuning, with a trainer for tests."""
    cfg = OmegaConf.create(
        {
            "finetuning": OmegaConf.load(CONF / "finetuning" / "default.yaml"),
            "paths": {"output": str(folder)},
            "trainer": {
                "_target_": "pytorch_lightning.Trainer",
                "accelerator": "cpu",
                "max_epochs": epochs,
                "log_every_n_steps": 1,
                "num_sanity_val_steps": 0,
                "enable_progress_bar": False,
                "enable_model_summary": False,
            },
        }
    )
    del cfg.finetuning.callbacks.progress
    cfg.finetuning.module.update({"learning_rate": 1e-2, "head_learning_rate": 1e-2} | changes)
    return cfg


def step(folder: Path, features: Staged, test_seed: int = 3, **settings: Any) -> Recorder:
    logger = Recorder()
    known = ("signal", "noise_edited")
    torch.manual_seed(0)
    cfg = config(folder, **settings)
    finetune(
        cfg,
        build_tuner(cfg, features, known),
        split(20, 1, *known),
        split(10, 2, *known),
        split(30, test_seed, "signal", "noise_edited", "unseen"),
        logger,  # type: ignore[arg-type]
    )
    return logger


def area_by_hand(features: Tiny, enrolled: ViewSet, test: Mapping[str, ViewSet]) -> float:
    """AUROC of the cosine to the mean direction of the enrolled views, by scikit-learn."""

    def directions(s: ViewSet) -> NDArray[np.float64]:
        with torch.no_grad():
            x = features(s.views).double().numpy()
        return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))

    centre = directions(enrolled).mean(0)
    cosines = [directions(test[role]) @ centre for role in ("signal", "unseen")]
    return float(roc_auc_score([1] * 30 + [0] * 30, np.concatenate(cosines)))


def test_auroc_on_unseen_is_logged_before_and_after(tmp_path: Path) -> None:
    features = Tiny()
    logger = step(tmp_path, features, epochs=5)
    enrolled = split(20, 1, "signal", "noise_edited")["signal"]
    test = split(30, 3, "signal", "noise_edited", "unseen")
    before, after = area_by_hand(Tiny(), enrolled, test), area_by_hand(features, enrolled, test)
    assert logger.values("finetune/auroc_unseen_before") == [pytest.approx(before, abs=1e-6)]
    assert logger.values("finetune/auroc_unseen_after") == [pytest.approx(after, abs=1e-6)]
    assert before != pytest.approx(after, abs=1e-3)


def test_step_leaves_the_tuned_tail_and_logs_time_curves_and_answers(tmp_path: Path) -> None:
    features = Tiny()
    logger = step(tmp_path, features)
    assert not torch.equal(features.tail[0].weight, Tiny().tail[0].weight)
    assert torch.equal(features.frozen, Tiny().frozen)
    assert set(logger.figures) == {"finetune_curves", "finetune_confusion"}
    (seconds,) = logger.values("time/finetune_seconds")
    assert seconds > 0
    texts = [int(text.get_text()) for text in logger.figures["finetune_confusion"].axes[0].texts]
    assert sum(texts) == 2 * 10, "answers to the validation views"
    assert not list(tmp_path.rglob("*.ckpt")), "a checkpoint is a pickle and must not stay"


@pytest.mark.parametrize(("epochs", "expected"), [(1, 1), (50, 8)])
def test_number_of_epochs_is_the_smaller_of_the_two(
    tmp_path: Path, epochs: int, expected: int
) -> None:
    logger = step(tmp_path, Tiny(), epochs=epochs, learning_rate=1e-4, head_learning_rate=1e-3)
    assert len(logger.values("finetune/val_loss")) == expected


def test_test_views_have_no_part_in_it(tmp_path: Path) -> None:
    first, second = Tiny(), Tiny()
    step(tmp_path / "a", first, test_seed=3)
    step(tmp_path / "b", second, test_seed=4)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name])


def test_features_without_a_tail_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"finetune=true needs .*: set features=vgg16"):
        build_tuner(config(tmp_path), Pixels(size=4, channels=3), ["signal", "noise_edited"])


def test_signal_alone_is_refused(tmp_path: Path) -> None:
    build_tuner(config(tmp_path), Tiny(), ["signal", "noise_edited"])
    with pytest.raises(InputError, match=r"data\.train_sets holds the Signal alone: add noise_"):
        build_tuner(config(tmp_path), Tiny(), ["signal"])


def test_vgg16_is_staged_and_pixels_are_not() -> None:
    assert is_staged(Tiny())
    assert is_staged(
        VGG16(
            weights="random", layer="pool1", pooling="none", size=32, finetune=False,
            freeze_until="pool1", seed=0,
        )
    )  # fmt: skip
    assert not is_staged(Pixels(size=4, channels=3))
