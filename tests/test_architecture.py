"""The house: which room may import which, and what each keeps to itself."""

import ast

import pytest
from house import imported, modules, room, top_level

# A room may import those before it; of the rooms of one line, none imports another.
ORDER = (
    {"errors"},
    {"system", "cache"},
    {"options"},
    {"data"},
    {"features"},
    {"models"},
    {"hashing", "testing"},
    {"metrics"},
    {"codes", "plots"},
    {"report"},
    {"tracking", "library"},
    {"benchmark", "gallery"},
    {"watermark"},
    {"jobs"},
)
RANK = {name: rank for rank, rooms in enumerate(ORDER) for name in rooms}
RANK[""] = len(ORDER)  # the package itself, whose public names may come from anywhere
MODULES = modules()
# Package -> the modules and rooms that may know it.
KNOWN_BY = {
    "mlflow": ("tracking",),
    "albumentations": ("data",),
    "omegaconf": ("jobs",),
    "hydra": ("jobs", "tracking"),
}
# What the benchmark's processes import: they do without torch, which takes seconds to load.
WORKING = ("data", "data.edits", "data.samples", "codes", "hashing", "metrics", "options", "system")


@pytest.mark.parametrize("name", MODULES)
def test_imports_lead_to_earlier_rooms_alone(name: str) -> None:
    for full in imported(MODULES[name]):
        if not full.startswith("latenthash."):
            continue
        here, there = room(name), room(full)
        if there in RANK and there != here:  # else it is a name in the package itself
            assert RANK[there] < RANK[here], f"{name} imports {full}"


def test_figures_are_made_from_arrays_alone() -> None:
    found = {
        room(full)
        for name, path in MODULES.items()
        if room(name) == "plots"
        for full in imported(path)
        if full.startswith("latenthash.")
    }
    assert found == {"plots"}


@pytest.mark.parametrize("package", KNOWN_BY)
def test_package_is_known_in_its_rooms_alone(package: str) -> None:
    who = {
        room(name)
        for name, path in MODULES.items()
        if any(full.split(".")[0] == package for full in imported(path))
    }
    assert who == set(KNOWN_BY[package])


def test_one_module_builds_what_a_config_names() -> None:
    calling = [
        name
        for name, path in MODULES.items()
        if any(full == "hydra.utils.instantiate" for full in imported(path))
    ]
    assert calling == ["latenthash.jobs.build"]


def test_every_module_is_in_a_room() -> None:
    assert top_level() == ["cache", "errors", "testing"]
    assert {room(name) for name in MODULES} == set(RANK)


@pytest.mark.parametrize("name", [name for name in MODULES if MODULES[name].stem == "__init__"])
def test_rooms_say_what_lives_there(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    if name.removeprefix("latenthash.") in WORKING and name != "latenthash.data":
        assert len(tree.body) == 1, "workers would import what stands there"
