"""Bundles come from anyone: none runs code, reads a file or calls a host before it is refused."""

import inspect
import socket
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from app import call, composed
from editing import config_of
from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.enrolled import Hash
from latenthash.jobs.build import build_hasher, bundle_config, bundled_config, restore
from latenthash.options.checking import find_problems
from latenthash.options.edits import BUNDLED_EDITS
from latenthash.options.kinds import find_class
from latenthash.options.roots import Bundled
from own import own_package

Config = dict[str, Any]
TINY = ("features.size=16", "model.channels=[8,16]")


def honest(*overrides: str) -> Bundle:
    cfg = composed(*TINY, *overrides)
    weights = build_hasher(cfg, None).state_dict()
    return Bundle(Hash(np.zeros(2), 1.0), weights, bundled_config(cfg), "0", {}, {})


def changed(bundle: Bundle, change: Callable[[Config], object]) -> Bundle:
    values = yaml.safe_load(bundle.config)
    change(values)
    return replace(bundle, config=yaml.safe_dump(values, sort_keys=False))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return honest()


@pytest.fixture(autouse=True)
def nothing_happens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what a bundle should not do."""
    done: list[str] = []

    def noting(name: str) -> Callable[..., object]:
        return lambda *args, **kwargs: done.append(name)

    monkeypatch.setattr(socket.socket, "connect", noting("connect"))
    monkeypatch.setattr(socket, "getaddrinfo", noting("getaddrinfo"))
    monkeypatch.setattr(subprocess.Popen, "__init__", noting("Popen"))
    monkeypatch.setattr("pickle.load", noting("pickle"))
    monkeypatch.setattr("pandas.read_pickle", noting("read_pickle"))
    monkeypatch.setattr("os.system", noting("system"))
    return done


def test_honest_bundle_is_restored(bundle: Bundle) -> None:
    hasher = restore(bundle, bundle_config(bundle), None)  # type: ignore[arg-type]
    for name, tensor in hasher.state_dict().items():
        assert torch.equal(tensor, bundle.weights[name])


def put(path: str, value: object) -> Callable[[Config], object]:
    """Set a value deep in a config: `data.reader.max_pixels`."""

    def change(values: Config) -> None:
        *nodes, last = path.split(".")
        for node in nodes:
            values = values.setdefault(node, {})
        values[last] = value

    return change


EVIL = {"_target_": "os.system", "command": "true"}
PICKLE = {"_target_": "pandas.read_pickle", "filepath_or_buffer": "x"}
STORE = {"_target_": "latenthash.tracking.store.Store", "tracking_uri": "http://127.0.0.1:9/"}
AFFINE = "albumentations.Affine"
SLOTS = ("data", "data.reader", "augment.affine", "edits.blur", "features", "model")
VALUES = (
    "seed", "hash", "hash.alpha", "resamples", "data.signal", "data.views", "data.views.test",
    "data.train_sets", "data.reader.background", "augment", "augment.affine.rotate", "edits",
    "features.size", "features.channels", "model.latent_dim", "model.channels",
    "model.separation", "model.separation.prior",
)  # fmt: skip


def nested(deep: int) -> Config:
    """Put an edit into others."""
    edit: Config = {"_target_": "albumentations.HorizontalFlip"}
    for _ in range(deep):
        edit = {"_target_": "albumentations.Sequential", "transforms": [edit]}
    return edit


CASES: dict[str, Callable[[Config], object]] = {
    **{f"{what['_target_']} in {slot}": put(slot, what) for slot in SLOTS
       for what in (EVIL, PICKLE, STORE)},
    **{f"a call for {value}": put(value, PICKLE) for value in VALUES},
    **{f"an unknown key in {slot}": put(f"{slot}.extra", 1) for slot in SLOTS},
    **{f"{key} in {slot}": put(f"{slot}.{key}", value)
       for slot in SLOTS
       for key, value in {"_args_": ["x"], "_partial_": True, "_recursive_": False,
                          "_mode_": "x"}.items()},
    **{f"{slot} of another slot": put(f"{slot}._target_", name)
       for slot, name in {
           "data.reader": "latenthash.models.pca.PCA",
           "features": "latenthash.data.reading.Reader",
           "model": "latenthash.features.pixels.Pixels",
           "augment.affine": "latenthash.models.vae.VAE",
           "edits.blur": "albumentations.Lambda",
           "data": "latenthash.data.digits.Digits",
       }.items()},
    "a class of ours by a detour": put("features._target_", "latenthash.data.reading.io.open"),
    "an edit that reads a font": put(
        "augment.t", {"_target_": "albumentations.TextImage", "font_path": "/etc/passwd"}),
    "an edit that makes more of a picture": put(
        "augment.affine", {"_target_": AFFINE, "fit_output": True, "scale": 1000}),
    "an edit with a huge number": put("augment.affine.rotate", 10**9),
    "an edit within an edit": put(
        "augment.s", {"_target_": "albumentations.SomeOf", "n": 1, "transforms": [EVIL]}),
    "an edit as another's argument": put("augment.affine.fill", EVIL),
    "edits without end": put("augment", {
        str(i): {"_target_": "albumentations.HorizontalFlip"} for i in range(100)}),
    "edits too deep": put("augment.s", nested(5)),
    "an edit many times": put("augment.s", {
        "_target_": "albumentations.SomeOf", "n": 4096, "replace": True,
        "transforms": [{"_target_": "albumentations.MedianBlur"}]}),
    "views for which there is no memory": lambda values: (
        put("data.views.test", 10**6)(values), put("data.views.edits", 10**6)(values)),
    "a layer for which there is no memory": lambda values: (
        put("features.size", 1024)(values), put("model.channels", [65536, 8])(values)),
    "a size for which there is no memory": put("features.size", 10**9),
    "widths for which there is no memory": put("model.channels", [10**9]),
    "too many widths": put("model.channels", [8] * 1000),
    "a seed that is text": put("seed", "0"),
    "a share that is not": put("hash.alpha", float("nan")),
    "no config at all": lambda values: values.clear(),
    "no model": lambda values: values.pop("model"),
    "another part of a config": put("logger", {"tracking_uri": "http://127.0.0.1:9/"}),
    "a gate that the hash lacks": put("hash.gate", True),
    "a centroid of another size": put("model.latent_dim", 3),
    "data of a code": put("data", {
        "_target_": "latenthash.data.pairs.Pairs", "outliers": "x", "views": 2, "quarters": 0,
        "reader": {"_target_": "latenthash.data.reading.Reader", "working_size": 512,
                   "max_pixels": 10**6, "background": [0, 0, 0]}}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_odd_config_is_refused_before_anything_happens(
    bundle: Bundle, case: str, nothing_happens: list[str]
) -> None:
    odd = changed(bundle, CASES[case])
    with pytest.raises(InputError):
        bundle_config(odd)
    assert nothing_happens == []


TRUST = frozenset(["mypackage"])
OWN = {"_target_": "mypackage.models.Planes", "latent_dim": 2, "spread": 1.0}
OWN_EDIT = {"_target_": "mypackage.edits.Stripes"}
OWN_CASES: dict[str, Callable[[Config], object]] = {
    **CASES,
    **{f"a class of theirs in {slot}": put(slot, OWN) for slot in ("data", "data.reader", "hash")},
    **{f"an object in {slot}": put(slot, {**own, "inner": value})
       for slot, own in {"model": OWN, "edits.blur": OWN_EDIT}.items()
       for value in (EVIL, [EVIL], [[PICKLE]], {"x": PICKLE}, {"_args_": ["x"]})},
    **{f"{key} of theirs in {slot}": put(slot, {**own, key: value})
       for slot, own in {"model": OWN, "edits.blur": OWN_EDIT}.items()
       for key, value in {"_args_": ["x"], "_partial_": True, "_recursive_": False,
                          "_convert_": "object"}.items()},
    **{f"{name} as a model": put("model", {**OWN, "_target_": name})
       for name in ("mypackage.models.prod", "mypackage.models.torch.load", "mypackage.models.nn",
                    "mypackage.os.system", "mypackage.features.Blocks", "mypackage.edits.A.Affine",
                    "elsewhere.Model", "mypackage.models.Planes.fit")},
    "a model that does not say how long its latents are": put(
        "model", {"_target_": OWN["_target_"], "spread": 1.0}),
    "features that do not say how large views are": put(
        "features", {"_target_": "mypackage.features.Blocks", "cells": 4}),
    "features for which there is no memory": put(
        "features", {"_target_": "mypackage.features.Blocks", "cells": 4, "size": 10**6}),
    "an edit that is none": put("edits.blur", {"_target_": "mypackage.models.Planes"}),
    "an option that an edit of theirs lacks": put("edits.blur", {**OWN_EDIT, "often": 2}),
}  # fmt: skip


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    with own_package(tmp_path_factory.mktemp("own")):
        given = honest("+edits.stripes={_target_:mypackage.edits.Stripes,every:8}")
        yield replace(given, packages=sorted(TRUST))


def test_bundle_that_needs_a_package_is_refused_until_it_is_trusted(own: Bundle) -> None:
    assert "stripes" in bundle_config(own, TRUST).edits
    with pytest.raises(InputError, match=r"needs the package mypackage.*add trust=\[mypackage\]"):
        bundle_config(own)
    with pytest.raises(InputError, match=r"mypackage\.edits\.Stripes, which is no edit"):
        bundle_config(replace(own, packages=()), TRUST)  # it must say so itself


@pytest.mark.parametrize("case", OWN_CASES)
def test_trust_in_a_package_lets_nothing_else_in(
    own: Bundle, case: str, nothing_happens: list[str]
) -> None:
    odd = changed(own, OWN_CASES[case])
    with pytest.raises(InputError) as refused:
        bundle_config(odd, TRUST)
    assert "weights do not fit" not in str(refused.value), "it was built"
    assert nothing_happens == []


@pytest.mark.parametrize("name", sorted(BUNDLED_EDITS))
def test_no_argument_of_an_edit_can_be_an_object(name: str, nothing_happens: list[str]) -> None:
    """Hydra would build it: a number of albumentations' edits take any value without a look."""
    for argument in {*inspect.signature(find_class(name)).parameters} - {"transforms"}:
        for value in (PICKLE, [PICKLE, PICKLE], [[PICKLE]], {"x": PICKLE}, {"x": 1}):
            odd = {**config_of(name), argument: value}
            assert find_problems(Bundled, {"augment": {"a": odd}, **REST}), (argument, value)
    assert nothing_happens == []


REST = yaml.safe_load(honest().config)
REST.pop("augment")


def test_weights_of_another_shape_are_refused_before_features_are_built(bundle: Bundle) -> None:
    """Features may have to be downloaded; and no memory is taken for what the config claims."""
    wide = changed(bundle, put("model.channels", [8, 4096]))
    with pytest.raises(InputError, match="weights do not fit its config"):
        bundle_config(wide)
    few = replace(bundle, weights=dict(list(bundle.weights.items())[1:]))
    with pytest.raises(InputError, match="weights do not fit its config"):
        bundle_config(few)


def test_features_have_a_shape_without_being_read(nothing_happens: list[str]) -> None:
    cfg = composed("features=vgg16", "model=pca", "features.weights=imagenet")
    with torch.device("meta"):
        outline = build_hasher(cfg, None)
    assert outline.features.shape == (512,)
    assert nothing_happens == []


def test_attack_by_merged_arguments_runs_nothing(bundle: Bundle, tmp_path: Path) -> None:
    """Once what was checked was not what was built: arguments were merged in between."""
    values = yaml.safe_load(bundle.config)
    values["features"]["channels"] = "pandas.read_pickle"
    values["model"]["shape"] = ["latenthash.models.vae.VAE"]
    values["model"]["boom"] = {"_target_": "${..shape[0]}", "_args_": [str(tmp_path / "pickle")]}
    evil = replace(bundle, config=yaml.safe_dump(deepcopy(values)))
    evil.save(tmp_path / "evil")
    Image.effect_noise((40, 40), 50).save(tmp_path / "a.png")
    for args in (["pictures=a.png"], []):
        done = call("evaluate.py", tmp_path, "run=evil", *args)
        assert done.code == 2
        assert "refers to other values by ${...}" in done.output
        assert "Traceback" not in done.output
