"""Every option of every group composes and resolves, and says what its numbers mean."""

import re
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_object
from omegaconf import OmegaConf

from app import OF_EVALUATE, OPTIONS, STATED, composed, override
from latenthash.data.samples.sets import SETS
from latenthash.data.splits import ROLES
from latenthash.tracking.store_uri import StoreURI
from project import CONF


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_resolves_and_names_classes_that_exist(
    group: str, option: str
) -> None:
    if group in OF_EVALUATE:  # whose other nodes need a run to resolve
        cfg = composed(override(group, option), root="evaluate")
        nodes = [*OF_EVALUATE, "unreadable", "peers", "sscd", "dinohash"]
        cfg = OmegaConf.masked_copy(cfg, nodes)
    else:
        cfg = composed(override(group, option))
    targets = [value for key, value in _flat(OmegaConf.to_container(cfg, resolve=True))
               if key == "_target_"]  # fmt: skip
    assert len(targets) > (1 if group in OF_EVALUATE else 10)
    for target in targets:
        assert callable(get_object(target)), target


def test_evaluate_composes() -> None:
    cfg = composed(root="evaluate")
    assert cfg.run == "latest"
    assert cfg.logger.tracking_uri.startswith("sqlite:///")


def test_tracking_uri_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert composed(root="evaluate").logger.tracking_uri == "http://127.0.0.1:1"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")  # as good as none
    assert composed(root="evaluate").logger.tracking_uri.startswith("sqlite:///")


def test_database_lies_in_the_root_whatever_its_name() -> None:
    logger = composed("paths.root='/tmp/a?b%20 c'").logger
    assert StoreURI.parse(logger.tracking_uri).database == Path("/tmp/a?b%20 c/mlflow.db")


def test_address_of_the_store_is_no_part_of_a_job() -> None:
    composed()
    assert "logger.tracking_uri" in HydraConfig.get().job.config.override_dirname.exclude_keys


@pytest.mark.parametrize(
    ("option", "roles"),
    [
        ("one_sushi_among_many", ("plate", "earth", "plates_a", "outliers", "plates_b")),
        ("stereo", ("stereo_left", "earth", "sushi", "outliers", "stereo_right")),
    ],
)
def test_hard_data_name_sets_that_exist_and_share_nothing(
    option: str, roles: tuple[str, ...]
) -> None:
    data = composed(f"data={option}").data
    sources = [data[role] for role in ROLES]
    assert sources == [f"embedded:{name}" for name in roles]
    members = [name for role in roles for name, _ in SETS[role]]
    assert len(set(members)) == len(members)


@pytest.mark.parametrize("group", STATED)
def test_every_experiment_states_command_goal_expectation_and_time(group: str) -> None:
    for path in (CONF / group).glob("*.yaml"):
        head = path.read_text(encoding="utf-8").split("defaults:")[0]
        for word in ("Command:", "Goal:", "Expected:", "Time:"):
            assert f"# {word}" in head, f"{path.name} does not state its {word}"
        assert path.stem in head


def test_every_number_in_a_group_file_has_a_comment() -> None:
    bare = [
        f"{path.relative_to(CONF)}: {line}"
        for path in CONF.glob("*/*.yaml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "#" not in line
        and re.search(r"(?<![\w.])\d", line.partition(": ")[2])  # the 16 of vgg16 is no number
        and not any(word in line for word in ("p: 1.0", "@package", "${", "_target_", "override /"))
    ]
    assert not bare


def _flat(node: object) -> list[tuple[object, object]]:
    if isinstance(node, list):
        return [pair for value in node for pair in _flat(value)]
    if isinstance(node, dict):
        return [*node.items(), *(pair for value in node.values() for pair in _flat(value))]
    return []
