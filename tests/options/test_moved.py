"""Bundles of version 0.1: what has moved is found, and what is no option now dropped or refused."""

from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import albumentations as A
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from omegaconf import OmegaConf

from app import call, composed, sources
from editing import config_of
from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.enrolled import Hash
from latenthash.jobs.build import build_hasher, bundle_config, bundled_config
from latenthash.jobs.command.checks import check_evaluate, plain
from latenthash.options.checking import checked_bundle, find_train_problems
from latenthash.options.edits import BUNDLED_EDITS
from latenthash.options.moved import MOVED

FORM = {"resolution": 10, "bandwidth": 0.1}
# What version 0.1 (commit 6d5df40) left of
#   train.py *TINY *sources(folder)       (both of app.py)
BUNDLE = Path(__file__).parent / "v0_1"
# Its matches.csv of that bundle: evaluate.py run=BUNDLE pictures=noise_similar
DISTANCES = {
    "0.png": 0.4181292699269617, "1.png": 0.7036716102626748, "2.png": 0.44231956641075254,
    "3.png": 0.7085253889342162, "4.png": 0.7931359035887235, "5.png": 0.3617993255716874,
}  # fmt: skip
# From the held_out.csv of the training; all depend on latents, the last on an edit that has moved.
HELD_OUT = {
    "separation/fisher": 1.1145158674018292,
    "separation/margin": 0.3070612624127143,
    "edits/text": 0.75,
}
TOPOLOGY = ("features=vgg16", "features.pooling=none", "finetune=false", "model=topology")


def config(*overrides: str, **of_the_model: Any) -> dict[str, Any]:
    """The config of a bundle, with options of its model that only older ones have."""
    values: dict[str, Any] = yaml.safe_load(bundled_config(composed(*overrides)))
    values["model"] |= of_the_model
    return values


def test_bundle_of_version_0_1_gives_the_same_latents(tmp_path: Path) -> None:
    sources(tmp_path)
    done = call("evaluate.py", tmp_path, f"run={BUNDLE}", "pictures=noise_similar")
    assert done.code == 0, done.output
    (csv,) = tmp_path.rglob("matches.csv")
    found = pd.read_csv(csv, index_col="file")["distance / R"]
    assert found.to_dict() == pytest.approx(DISTANCES, rel=1e-4)  # processors round differently
    done = call("evaluate.py", tmp_path, f"run={BUNDLE}")
    assert done.code == 0, done.output
    (csv,) = tmp_path.rglob("held_out.csv")
    made = pd.read_csv(csv, index_col="metric")["value"]
    assert made[list(HELD_OUT)].to_dict() == pytest.approx(HELD_OUT, rel=1e-4)


@pytest.mark.parametrize(("first", "now"), MOVED.items())
def test_what_has_moved_is_found_where_it_is_now(first: str, now: str) -> None:
    found = resolve_name(now)
    if not (isinstance(found, type) and issubclass(found, A.BasicTransform)):
        return  # no edit, so that no bundle names it
    assert now in BUNDLED_EDITS
    values = config()
    values["augment"]["moved"] = config_of(now) | {"_target_": first}
    assert checked_bundle(values)["augment"]["moved"] == config_of(now)


@pytest.mark.parametrize("virtual", [0.0, 1.0])
def test_virtual_outliers_concerned_training_alone(virtual: float) -> None:
    now, old = config(), config()
    old["model"]["separation"]["virtual"] = virtual
    assert checked_bundle(old) == checked_bundle(now)


def test_the_form_that_stays_needs_no_name() -> None:
    old = config(*TOPOLOGY, form="lifetimes", **FORM)
    assert checked_bundle(old) == checked_bundle(config(*TOPOLOGY))


@pytest.mark.parametrize("form", ["images", "rips"])
def test_forms_that_can_be_made_no_more_are_refused_with_the_way_out(form: str) -> None:
    with pytest.raises(InputError, match=rf"model\.form={form} is no option any more\. Use the"):
        checked_bundle(config(*TOPOLOGY, form=form, **FORM))


@pytest.mark.parametrize("pooling", ["average", "none", "gem"])
def test_poolings_of_older_bundles(pooling: str) -> None:
    values = config("features=vgg16", "finetune=false", "model=pca")
    values["features"]["pooling"] = pooling
    if pooling == "gem":
        with pytest.raises(InputError, match=r"features\.pooling=gem is no option any more\. Use"):
            checked_bundle(values)
    else:
        assert checked_bundle(values)["features"]["pooling"] == pooling


@pytest.mark.parametrize("model", [None, 3, [], {"separation": None}, {"separation": [1]}])
def test_odd_values_are_refused_as_before(model: object) -> None:
    with pytest.raises(InputError, match="The bundle's config cannot be used: model"):
        checked_bundle(config() | {"model": model})


@pytest.mark.parametrize("gate", [None, False, True])
def test_bundles_with_and_without_the_option_of_a_gate(gate: bool | None, tmp_path: Path) -> None:
    values = config("features.size=16", "model.channels=[8,16]")
    assert "gate" not in values["hash"], "it belongs to the ablation alone"
    if gate is not None:
        values["hash"]["gate"] = gate
    cfg = composed("features.size=16", "model.channels=[8,16]")
    bundle = Bundle(
        Hash(np.zeros(2), 1.0, 2.0 if gate else None), build_hasher(cfg, None).state_dict(),
        yaml.safe_dump(values), "0", {}, {},
    )  # fmt: skip
    bundle.save(tmp_path / "bundle")
    loaded = Bundle.load(tmp_path / "bundle")
    assert build_hasher(bundle_config(loaded), None).gated is bool(gate)
    with pytest.raises(InputError, match="one has a gate and the other has none"):
        bundle_config(replace(loaded, hash=Hash(np.zeros(2), 1.0, None if gate else 2.0)))


def test_weights_that_nothing_uses_any_more_are_not_read(tmp_path: Path) -> None:
    weights = {"model.spans": torch.zeros(2, 3), "model.whitening.mean": torch.zeros(4)}
    Bundle(None, weights, "seed: 0", "0", {}, {}).save(tmp_path / "bundle")
    assert set(Bundle.load(tmp_path / "bundle").weights) == {"model.whitening.mean"}


# What a config of version 0.1 names, and where.
OWN = {
    "job._target_": (
        "latenthash.enrolment.enrol", "latenthash.coding.fit_code",
        "latenthash.digits.learn_digits",
    ),
    "finetuning.module._target_": ("latenthash.features.finetune.FineTuner",),
    "callbacks.own": ("latenthash.callbacks.Progress", "latenthash.callbacks.PriorSamples"),
    "logger._target_": ("latenthash.run_logger.RunLogger",),
    "edits.own": ("latenthash.data.views.Text", "latenthash.data.edits.Crop"),
}  # fmt: skip


@pytest.mark.parametrize(("key", "name"), [(key, name) for key in OWN for name in OWN[key]])
def test_own_config_is_told_the_new_name(key: str, name: str) -> None:
    cfg = composed()
    OmegaConf.update(cfg, key, {"_target_": name} if key.endswith("own") else name)
    (problem,) = find_train_problems(plain(cfg))
    assert f"names {name}, which is {MOVED[name]} now" in problem


def test_own_suite_is_told_the_new_name() -> None:
    name = "latenthash.data.suite.Suite"
    cfg = composed("benchmark=edits_v1", f"benchmark._target_={name}", root="evaluate")
    with pytest.raises(InputError, match=f"names {name}, which is {MOVED[name]} now"):
        check_evaluate(cfg)
