"""Checks of others' classes: ours pass, and each kind of fault is caught with a sentence."""
# ruff: noqa: D102 # of methods: the classes say what is wrong with them

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fitting import MARKS
from latenthash.errors import InputError
from latenthash.features.pixels import Pixels
from latenthash.features.vgg16 import VGG16
from latenthash.models.pca import PCA
from latenthash.testing import check_features, check_model
from vaes import SETTINGS, VAE

pytestmark = MARKS
SHAPE = (3, 8, 8)


class Planes(nn.Module):
    """A model that is as it should be: projections of features about their mean."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.planes = nn.Parameter(torch.randn(torch.Size(shape).numel(), 2))

    def fit(self, train: Mapping[str, Any], validation: object, trainer: object) -> None:
        self.mean: Tensor = torch.cat([one.x for one in train.values()]).mean(0)

    def encode(self, x: Tensor) -> Tensor:
        return (x - self.mean).flatten(1) @ self.planes


class Plain(Planes):
    """It keeps what it learned where no bundle finds it."""

    shift = 0.0

    def fit(self, train: Mapping[str, Any], validation: object, trainer: object) -> None:
        self.shift = float(train["signal"].x.mean())

    def encode(self, x: Tensor) -> Tensor:
        return super().encode(x) + self.shift


class Late(Planes):
    """It has more weights once it is fitted."""

    def fit(self, train: Mapping[str, Any], validation: object, trainer: object) -> None:
        self.register_buffer("scale", torch.ones(1))


class Grown(Planes):
    """Its weights get another shape."""

    def fit(self, train: Mapping[str, Any], validation: object, trainer: object) -> None:
        self.mean = train["signal"].x


class Unfinite(Planes):
    """One of its weights is no number, and never used."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape)
        self.register_buffer("unused", torch.full((1,), torch.nan))


class Drawing(Planes):
    """It adds noise."""

    def encode(self, x: Tensor) -> Tensor:
        z = super().encode(x)
        return z + torch.randn_like(z)


class Batched(Planes):
    """It looks at the rest of the batch."""

    def encode(self, x: Tensor) -> Tensor:
        return super().encode(x - x.mean(0))


class Ordered(Planes):
    """It counts."""

    def encode(self, x: Tensor) -> Tensor:
        return super().encode(x) + torch.arange(len(x))[:, None]


class Few(Planes):
    """It cannot do with a single view."""

    def encode(self, x: Tensor) -> Tensor:
        assert len(x) > 1
        return super().encode(x)


class Changing(Planes):
    """It changes what it is given."""

    def encode(self, x: Tensor) -> Tensor:
        return super().encode(x.mul_(2))


class Flat(Planes):
    """It returns a number of each view."""

    def encode(self, x: Tensor) -> Tensor:
        return super().encode(x)[:, 0]


class Undefined(Planes):
    """It returns what is no number."""

    def encode(self, x: Tensor) -> Tensor:
        return super().encode(x) / 0


class Whole(Planes):
    """It returns whole numbers."""

    def encode(self, x: Tensor) -> Tensor:
        return super().encode(x).long()


class Listing(Planes):
    """It returns a list."""

    def encode(self, x: Tensor) -> Any:
        return super().encode(x).tolist()


class Unseeded(Planes):
    """It learns something else every time."""

    def fit(self, train: Mapping[str, Any], validation: object, trainer: object) -> None:
        rng = np.random.default_rng()
        self.mean = torch.from_numpy(rng.random(self.mean.shape)).float()


class Failing(Planes):
    """It wants another set."""

    def fit(self, train: Mapping[str, Any], validation: object, trainer: object) -> None:
        train["girls"]


class Counting(Planes):
    """It cannot be made without numbers."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(shape)
        self.least = float(self.planes.detach().min())


class NoModule:
    """It is no module."""


FAULTS: dict[type, str] = {
    Plain: "something that it learned is not in state_dict",
    Late: "scale is not in the weights of a new one",
    Grown: "mean is not in the weights of a new one, or of another shape",
    Unfinite: "The weights unused are no finite real numbers",
    Drawing: "something else of the same views the second time",
    Batched: "must not depend on the rest of its batch",
    Ordered: "must not depend on the rest of its batch",
    Few: "encode failed on 1 views",
    Changing: "encode changed what it was given",
    Flat: r"encode must return \(N, k\); of 72 views it returned \(72,\)",
    Undefined: "numbers that are not finite",
    Whole: "must return floats, and returned torch.int64",
    Listing: "must return a tensor",
    Unseeded: "Two models of the same seed",
    Failing: r"fit\(train, validation, trainer\) failed: KeyError\('girls'\)",
    Counting: "cannot be made under torch.device",
    nn.Linear: "Linear lacks fit",
    NoModule: "NoModule, the model, must be a torch.nn.Module",
}


def test_generators_are_left_as_they_were() -> None:
    def seed() -> None:
        torch.manual_seed(7)
        np.random.seed(7)  # noqa: NPY002
        random.seed(7)

    def drawn() -> tuple[float, ...]:
        return float(torch.rand(1)), np.random.rand(), random.random()  # noqa: NPY002

    class Drawn(Planes):
        def __init__(self, shape: tuple[int, ...]) -> None:
            super().__init__(shape)
            random.random()

    seed()
    expected = drawn()
    seed()
    check_model(Drawn, SHAPE)
    check_features(lambda: Pixels(size=16, channels=3))
    with pytest.raises(InputError):
        check_model(Drawing, SHAPE)
    assert drawn() == expected


def made_of(kind: type) -> Callable[[tuple[int, ...]], object]:
    arguments = {nn.Linear: (1, 1), NoModule: ()}
    return lambda shape: kind(*arguments.get(kind, (shape,)))


def pca(shape: tuple[int, ...]) -> PCA:
    return PCA(
        shape=shape, latent_dim=2, signed_root=True, unit_features=True, unit_latent=False,
        whitening="learned", ridge=0.1,
    )  # fmt: skip


@pytest.mark.parametrize("shape", [SHAPE, (20,)])
@pytest.mark.parametrize("kind", [Planes, pca, lambda shape: VAE(**SETTINGS | {"shape": shape})])
def test_models_of_ours_pass(kind: Callable[..., object], shape: tuple[int, ...]) -> None:
    check_model(kind, shape)


@pytest.mark.parametrize("kind", FAULTS)
def test_fault_of_a_model_is_caught(kind: type) -> None:
    with pytest.raises(InputError, match=FAULTS[kind]) as refused:
        check_model(made_of(kind), SHAPE)
    assert len(refused.value.problems) == 1


def test_features_of_ours_pass() -> None:
    check_features(lambda: Pixels(size=16, channels=3))
    check_features(
        lambda: VGG16(
            weights="random", layer="pool2", pooling="average", size=32, finetune=False,
            freeze_until="pool1", seed=0,
        )
    )  # fmt: skip


class Shifted(Pixels):
    """Pixels with a fault."""

    def __init__(self, fault: str) -> None:
        super().__init__(size=16, channels=3)
        self.fault = fault
        self.shift = float(torch.rand(1)) if fault == "drawn" else 0.0
        if fault == "shape":
            self.shape = (16, 16, 3)
        if fault == "provenance":
            self.provenance = {"version": 2}  # type: ignore[dict-item]
        if fault == "trim":
            del self.trim

    def forward(self, views: Tensor) -> Tensor:
        x = super().forward(views)
        if self.fault == "batch":
            x = x - x.mean(0)
        if self.fault == "random":
            x = x + torch.rand(1)
        return x


@pytest.mark.parametrize(
    ("fault", "sentence"),
    {
        "shape": r"__call__ must return \(N, \*shape\), of shape \(16, 16, 3\)",
        "provenance": "provenance must be a mapping of texts",
        "trim": "must have trim, of type bool",
        "batch": "must not depend on the rest of its batch",
        "random": "something else of the same views the second time",
        "drawn": "cannot be made under torch.device",
    }.items(),
)
def test_fault_of_features_is_caught(fault: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        check_features(lambda: Shifted(fault))


def test_features_that_keep_what_they_drew_for_themselves_are_caught() -> None:
    drawn = iter(range(9))

    class Other(Pixels):
        def __init__(self) -> None:
            super().__init__(size=16, channels=3)
            self.shift = next(drawn)

        def forward(self, views: Tensor) -> Tensor:
            return super().forward(views) + self.shift

    with pytest.raises(InputError, match="New features with the same weights"):
        check_features(Other)


def test_what_cannot_be_made_is_said() -> None:
    def make(shape: tuple[int, ...]) -> nn.Module:
        raise OSError("no disk")

    with pytest.raises(InputError, match=r"The model could not be made: OSError.'no disk'"):
        check_model(make, SHAPE)


def test_state_that_is_no_tensor_is_caught() -> None:
    class Noted(Pixels):
        def __init__(self) -> None:
            super().__init__(size=16, channels=3)

        def get_extra_state(self) -> dict[str, int]:
            return {"a": 1}

        def set_extra_state(self, state: object) -> None:
            pass

    with pytest.raises(InputError, match="_extra_state is kept with the weights and is no tensor"):
        check_features(Noted)
