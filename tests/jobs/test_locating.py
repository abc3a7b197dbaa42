"""Bundles say nothing of their maker's machine, and yet their files are found again."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from omegaconf import DictConfig, OmegaConf
from PIL import Image

from latenthash.data.sources import source_digest
from latenthash.data.splits import ROLES
from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.build import bundled_config
from latenthash.jobs.locating import Places, with_pictures, with_weights
from latenthash.tracking.names import FOLDER


@dataclass(frozen=True)
class Machine:
    """A project in which a run was made, pictures outside of it, and another working directory."""

    project: Path
    outside: Path
    elsewhere: Path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for seed, name in enumerate(
        ["project a%20b/girl/me.png", "project a%20b/alike/a.png", "photos/new/b.png", "w/x.pt"]
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, "PNG")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "project a%20b")
    return Machine(tmp_path / "project a%20b", tmp_path / "photos", tmp_path / "elsewhere")


def typed(machine: Machine) -> dict[str, str]:
    """Return the sources as a user may write them."""
    return {
        "signal": "girl/me.png",
        "noise_edited": "embedded:earth",
        "noise_similar": str(machine.project / "alike"),
        "outliers": "../photos",
        "unseen": str(machine.outside / "new"),
    }


def made(machine: Machine) -> tuple[dict[str, str], Bundle]:
    """Make the bundle of a run in the project, and give its sources too."""
    data = typed(machine)
    weights = str(machine.outside.parent / "w" / "x.pt")
    rest: dict[str, Any] = dict.fromkeys(("seed", "hash", "resamples", "augment", "edits", "model"))
    config = bundled_config(
        OmegaConf.create({**rest, "data": data, "features": {"weights": weights}})
    )
    digests = {role: source_digest(source) for role, source in data.items()}
    return data, Bundle(None, {}, config, "run1", digests, {})


def made_run(machine: Machine, params: Mapping[str, str]) -> Any:
    """Stand in for a run that a store knows."""
    tags = {FOLDER: machine.project.as_uri()}
    return SimpleNamespace(data=SimpleNamespace(params=params, tags=tags))


def test_bundle_names_no_folder_of_the_machine(machine: Machine) -> None:
    _, bundle = made(machine)
    values = yaml.safe_load(bundle.config)
    assert values["data"] == {
        "signal": "girl/me.png",
        "noise_edited": "embedded:earth",
        "noise_similar": "alike",
        "outliers": "photos",
        "unseen": "new",
    }
    assert values["features"]["weights"] == "x.pt"


def found(
    machine: Machine, bundle: Bundle, known: Any, monkeypatch: pytest.MonkeyPatch, at: Path
) -> dict[str, Path]:
    monkeypatch.chdir(at)
    config = OmegaConf.create(bundle.config)
    assert isinstance(config, DictConfig)
    places = Places.of("latest", known)
    data = with_pictures(config, bundle, places).data
    return {role: Path(str(data[role])).resolve() for role in ROLES if role != "noise_edited"}


def test_pictures_of_a_run_in_the_store_are_found_from_anywhere(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, bundle = made(machine)
    known = made_run(machine, {f"data.{role}": source for role, source in data.items()})
    expected = {
        "signal": machine.project / "girl/me.png",
        "noise_similar": machine.project / "alike",
        "outliers": machine.outside,
        "unseen": machine.outside / "new",
    }
    for at in (machine.project, machine.elsewhere):
        assert found(machine, bundle, known, monkeypatch, at) == expected


def test_pictures_of_a_run_without_a_store_are_found_where_they_were_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bundle = made(machine)
    with pytest.raises(InputError) as caught:
        found(machine, bundle, None, monkeypatch, machine.project)
    assert [problem.split("=")[0] for problem in caught.value.problems] == [
        "data.outliers", "data.unseen"
    ]  # fmt: skip
    for part in ("data.unseen=new is not what run run1 was made from", "pictures=PATH"):
        assert part in caught.value.problems[1]
    assert str(machine.project) in caught.value.problems[1], "where it was looked for"
    (machine.project / "photos").symlink_to(machine.outside)
    (machine.project / "new").symlink_to(machine.outside / "new")
    assert len(found(machine, bundle, None, monkeypatch, machine.project)) == 4


def test_other_pictures_of_the_same_name_are_passed_over(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, bundle = made(machine)
    known = made_run(machine, {f"data.{role}": source for role, source in data.items()})
    (machine.elsewhere / "alike").mkdir()
    Image.new("RGB", (9, 9)).save(machine.elsewhere / "alike" / "a.png")
    there = found(machine, bundle, known, monkeypatch, machine.elsewhere)
    assert there["noise_similar"] == machine.project / "alike"


def test_bundles_of_older_versions_name_whole_paths(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bundle = made(machine)
    values = yaml.safe_load(bundle.config)
    for role, source in typed(machine).items():
        if role != "noise_edited":
            values["data"][role] = str((machine.project / source).resolve())
    old = Bundle(None, {}, yaml.safe_dump(values), "run1", bundle.pictures, {})
    assert len(found(machine, old, made_run(machine, {}), monkeypatch, machine.elsewhere)) == 4
    # Of a stranger's bundle they may be any folders of this machine.
    with pytest.raises(InputError, match=r"data\.unseen=.* is not what run run1 was made from"):
        found(machine, old, None, monkeypatch, machine.elsewhere)


@pytest.mark.parametrize(
    ("lies_in", "run"),
    [
        ("elsewhere", "latest"),  # the working directory
        ("project a%20b", "latest"),  # where the run was made, as the store says
        ("project a%20b", "project a%20b/outputs/bundle"),  # above the bundle, without a store
    ],
)
def test_weights_are_found_by_their_name(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, lies_in: str, run: str
) -> None:
    _, bundle = made(machine)
    here = machine.elsewhere.parent
    (machine.project / "outputs" / "bundle").mkdir(parents=True)
    monkeypatch.chdir(machine.elsewhere)
    known = made_run(machine, {}) if run == "latest" else None
    places = Places.of("latest" if run == "latest" else str(here / run), known)
    config = OmegaConf.create(bundle.config)
    assert isinstance(config, DictConfig)
    with pytest.raises(InputError, match=r"weight file x\.pt, which is not here"):
        with_weights(config, places)
    (here / "w" / "x.pt").rename(here / lies_in / "x.pt")
    assert Path(with_weights(config, places).features.weights) == here / lies_in / "x.pt"
    for name in ("imagenet", "random", None):
        config.features.weights = name
        assert with_weights(config, places).features.weights == name
