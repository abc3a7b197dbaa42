"""Checks of models and features that others write, before an hour is spent on training them."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from safetensors.torch import load, save
from torch import Tensor, nn

from latenthash.errors import InputError
from latenthash.features.interface import FeatureSet
from latenthash.models.interface import Model

ROLES = {"signal": 1, "noise_edited": 1, "noise_similar": 3, "outliers": 4}  # pictures of each
VIEWS = 8  # of each picture
SIDE = 32  # px, of views of which features are vectors
NEAR = 1e-3  # share of the spread, by which other batches may round otherwise


@contextmanager
def _chance_restored() -> Iterator[None]:
    """Leave the generators of torch, numpy and Python as they were, whatever is drawn meanwhile."""
    numpy, python = np.random.get_state(), random.getstate()  # noqa: NPY002
    with torch.random.fork_rng():
        try:
            yield
        finally:
            np.random.set_state(numpy)  # noqa: NPY002
            random.setstate(python)


@_chance_restored()
def check_model(
    make: Callable[[tuple[int, ...]], object], shape: tuple[int, ...] = (3, 16, 16)
) -> None:
    """Check that models of a class are what `latenthash.models.interface.Model` asks for.

    Two of them are fitted on a hundred random views, which takes as long as two epochs do.

    Args:
        make: returns a new model for features of a shape, with all options given.
        shape: of the features: (C, H, W) or (D,).

    Raises:
        InputError: a sentence for what the first check that fails has found.
    """
    model = _made(lambda: make(shape), "the model", ("fit", "encode"))
    outline = _outline(lambda: make(shape), "the model")
    train, validation = _sets(shape, 0), _sets(shape, 1)
    _fit(model, train, validation)
    x = torch.cat([features.x for features in validation.values()])
    state = _check_state(model, outline, "the model")
    z = _checked(_encoder(model), x, "encode", None)
    again = _made(lambda: make(shape), "the model", ())
    _load(again, state)
    _refuse_unless(
        torch.equal(_run(_encoder(again), x, "encode"), z),
        "A new model with the weights of the fitted one encodes otherwise: something that it "
        "learned is not in state_dict(). Make it a parameter or a buffer.",
    )
    second = _made(lambda: make(shape), "the model", ())
    _fit(second, _sets(shape, 0), _sets(shape, 1))
    _refuse_unless(
        _near(_run(_encoder(second), x, "encode"), z),
        "Two models of the same seed, fitted on the same views, encode otherwise: take all chance "
        "from torch's and numpy's generators, which train.py seeds.",
    )


@_chance_restored()
def check_features(make: Callable[[], object]) -> None:
    """Check that features of a class are what `latenthash.features.interface.Features` asks for.

    Args:
        make: returns new features, with all options given.

    Raises:
        InputError: a sentence for what the first check that fails has found.
    """
    features: Any = _made(make, "the features", ())
    for name, kind in {
        "size": int, "trim": bool, "shape": tuple, "provenance": Mapping,
    }.items():  # fmt: skip
        _refuse_unless(
            isinstance(getattr(features, name, None), kind),
            f"The features must have {name}, of type {kind.__name__}.",
        )
    _refuse_unless(
        all(isinstance(text, str) for pair in features.provenance.items() for text in pair),
        "provenance must be a mapping of texts to texts, for the bundle keeps it.",
    )
    outline = _outline(make, "the features")
    views = _views(12, features.size, 0)
    state = _check_state(features, outline, "the features")
    x = _checked(features, views, "__call__", tuple(features.shape))
    again = _made(make, "the features", ())
    _load(again, state)
    _refuse_unless(
        torch.equal(_run(again, views, "__call__"), x),
        "New features with the same weights make something else of the same views: what was drawn "
        "or learned must be in state_dict().",
    )


def _made(make: Callable[[], object], what: str, methods: tuple[str, ...]) -> nn.Module:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 # as train.py does, for libraries that draw from it
    try:
        made = make()
    except Exception as error:
        raise InputError(f"{what[0].upper()}{what[1:]} could not be made: {error!r}.") from error
    name = type(made).__name__
    _refuse_unless(isinstance(made, nn.Module), f"{name}, {what}, must be a torch.nn.Module.")
    assert isinstance(made, nn.Module)
    for method in methods:
        _refuse_unless(callable(getattr(made, method, None)), f"{name} lacks {method}.")
    return made.eval()


def _outline(make: Callable[[], object], what: str) -> nn.Module:
    """Make it as evaluate.py does before it trusts a bundle's sizes."""
    try:
        with torch.device("meta"):
            made = make()
    except Exception as error:  # whatever the class does
        raise InputError(
            'It cannot be made under torch.device("meta"), where tensors have shapes and no '
            f"numbers, as evaluate.py does to compare shapes: {error}."
        ) from error
    return _made(lambda: made, what, ())


def _fit(model: nn.Module, train: Mapping[str, Any], validation: Mapping[str, Any]) -> None:
    taken: Model = model  # type: ignore[assignment] # as was checked
    with TemporaryDirectory() as folder:
        checkpoint = ModelCheckpoint(  # as in conf/callbacks/default.yaml
            dirpath=Path(folder), monitor="val/loss", mode="min", save_weights_only=True
        )
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=1,
            logger=False,
            callbacks=[checkpoint],
            default_root_dir=folder,
            log_every_n_steps=1,
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        try:
            taken.fit(train, validation, trainer)
        except Exception as error:
            raise InputError(f"fit(train, validation, trainer) failed: {error!r}.") from error
    model.eval()


def _encoder(model: nn.Module) -> Callable[[Tensor], Tensor]:
    taken: Model = model  # type: ignore[assignment] # as was checked
    return taken.encode


def _checked(
    network: Callable[[Tensor], Tensor], x: Tensor, name: str, shape: tuple[int, ...] | None
) -> Tensor:
    """Put x through a network in several ways, which must all give the same."""
    before = x.clone()
    z = _run(network, x, name)
    asked = "(N, k)" if shape is None else f"(N, *shape), of shape {shape}"
    fits = z.ndim == 2 and z.shape[1] > 0 if shape is None else tuple(z.shape[1:]) == shape
    _refuse_unless(
        fits and len(z) == len(x),
        f"{name} must return {asked}; of {len(x)} views it returned {tuple(z.shape)}.",
    )
    _refuse_unless(z.is_floating_point(), f"{name} must return floats, and returned {z.dtype}.")
    _refuse_unless(bool(z.isfinite().all()), f"{name} returned numbers that are not finite.")
    _refuse_unless(torch.equal(x, before), f"{name} changed what it was given.")
    _refuse_unless(
        torch.equal(_run(network, x, name), z),
        f"{name} returned something else of the same views the second time: in evaluation mode, "
        "nothing may be drawn at random, and nothing learned.",
    )
    single = torch.cat([_run(network, row[None], name) for row in x])
    turned = _run(network, x.flip(0), name).flip(0)
    _refuse_unless(
        _near(single, z) and _near(turned, z),
        f"{name} returned something else of a view alone than of the same view among others: what "
        "it makes of one must not depend on the rest of its batch.",
    )
    return z


def _check_state(module: nn.Module, outline: nn.Module, what: str) -> dict[str, Tensor]:
    """Put weights into a file and back, as a bundle does."""
    state = module.state_dict()
    odd = [name for name, value in state.items() if not isinstance(value, Tensor)]
    _refuse_unless(
        not odd, f"Of {what}, {', '.join(odd)} is kept with the weights and is no tensor."
    )
    shapes, wanted = (
        {name: tuple(t.shape) for name, t in one.items()} for one in (state, outline.state_dict())
    )
    odd = [name for name in {**shapes, **wanted} if shapes.get(name) != wanted.get(name)]
    _refuse_unless(
        not odd,
        f"Of {what}, {', '.join(odd)} is not in the weights of a new one, or of another shape: "
        "make all parameters and buffers, as large as they will be, in __init__.",
    )
    odd = [n for n, t in state.items() if t.is_complex() or not bool(t.isfinite().all())]
    _refuse_unless(not odd, f"The weights {', '.join(odd)} are no finite real numbers.")
    try:
        return load(save({name: t.cpu().contiguous() for name, t in state.items()}))
    except Exception as error:
        raise InputError(f"The weights of {what} cannot be kept: {error}.") from error


def _load(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    try:
        module.load_state_dict(state)
    except Exception as error:
        raise InputError(f"load_state_dict failed on the weights of its own: {error!r}.") from error


@torch.no_grad()
def _run(network: Callable[[Tensor], Tensor], x: Tensor, name: str) -> Tensor:
    try:
        made = network(x)
    except Exception as error:
        raise InputError(f"{name} failed on {len(x)} views: {error!r}.") from error
    _refuse_unless(isinstance(made, Tensor), f"{name} must return a tensor.")
    return made.clone()


def _near(first: Tensor, second: Tensor) -> bool:
    """Say whether numbers are the same but for rounding."""
    if first.shape != second.shape:
        return False
    spread = float(second.std()) + float(second.abs().mean())
    return bool(((first - second).abs() <= NEAR * spread).all())


def _sets(shape: tuple[int, ...], seed: int) -> dict[str, FeatureSet]:
    """Make features of views, those of one picture alike: role -> set."""
    side = shape[-1] if len(shape) == 3 else SIDE
    sets = {}
    for i, (role, count) in enumerate(ROLES.items()):
        rng = torch.Generator().manual_seed(i)  # the same pictures, whatever the seed
        pictures = torch.rand(count, *shape, generator=rng).repeat_interleave(VIEWS, 0)
        noise = torch.rand(pictures.shape, generator=torch.Generator().manual_seed(100 + i + seed))
        x = 0.7 * pictures + 0.3 * noise
        picture = np.repeat(np.arange(count), VIEWS)
        sets[role] = FeatureSet(x, picture, _views(len(x), side, i + seed))
    return sets


def _views(count: int, side: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, side, side, 3), generator=rng, dtype=torch.uint8)


def _refuse_unless(true: bool, sentence: str) -> None:
    if not true:
        raise InputError(sentence)
