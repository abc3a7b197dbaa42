"""What a wheel carries, and that it works with no checkout near."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import latenthash
from photographs import save_photos
from project import CONF, ROOT

PACKAGE = ROOT / "src" / "latenthash"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What a build needs of a checkout, and what it leaves there is not taken along.
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md")
PROGRAM = """
import latenthash
code = latenthash.load("code")
for file, h in code.hash_many(["0.png", "1.png"]): print(h)
"""


def test_wheel_carries_what_ships() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["latenthash"]
    carried = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    shipped = {path for path in (PACKAGE / "shipped").rglob("*") if path.is_file()}
    assert shipped <= carried
    names = {path.relative_to(PACKAGE).as_posix() for path in carried}
    assert {"py.typed", "shipped/code/weights.safetensors", "shipped/golden/code.json"} <= names


def test_changes_of_this_version_are_told_and_it_stands_in_one_place() -> None:
    version = PROJECT["project"]["version"]
    heads = re.findall(r"(?m)^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert version in heads[:2]
    assert not re.search(r"(?m)^version", (ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program as who has no checkout would; return its standard output."""
    env = {name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist, and of what it unpacks to the wheel; return the folder of both."""
    folder = tmp_path_factory.mktemp("built")
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    shutil.copytree(CONF, folder / "conf")
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignore)
    dist = folder / "dist"
    backend = "import sys; from setuptools import build_meta; build_meta.build_{}(sys.argv[1])"
    run(sys.executable, "-c", backend.format("sdist"), dist, cwd=folder)
    (source,) = dist.glob("*.tar.gz")
    shutil.unpack_archive(source, folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    run(sys.executable, "-c", backend.format("wheel"), dist, cwd=unpacked)
    return dist


@pytest.fixture(scope="module")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone into an environment that sees what it depends on."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    scheme = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    # Its own folder is searched first. What another's .pth files name, such as our checkout, is
    # not searched at all.
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (wheel,) = built.glob("*.whl")
    run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check"),
        *("--python", Path(sysconfig.get_path("scripts", "venv", scheme), "python")),
        *("install", "--no-deps", "--no-index", wheel),
        cwd=folder,
    )
    return Path(sysconfig.get_path("scripts", "venv", scheme))


@pytest.mark.slow
def test_wheel_carries_the_configs_and_stays_small(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        carried = {
            name.removeprefix("latenthash/conf/"): archive.read(name)
            for name in names
            if name.startswith("latenthash/conf/")
        }
    assert carried == {
        path.relative_to(CONF).as_posix(): path.read_bytes() for path in CONF.rglob("*.yaml")
    }
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"latenthash"}
    assert wheel.stat().st_size < 10e6  # bytes; docs/api.md states it


@pytest.mark.slow
def test_wheel_works_away_from_the_checkout(environment: Path, tmp_path: Path) -> None:
    save_photos(tmp_path, 2)
    folder = tmp_path / "photos"
    names = ["0.png", "1.png"]
    code = latenthash.load("code")
    expected = [str(code.hash(folder / name)) for name in names]
    place = run(
        environment / "python", "-c", "import latenthash as l; print(l.__file__)", cwd=folder
    )
    assert Path(place).is_relative_to(environment.parent)
    printed = run(environment / "python", "-c", PROGRAM, cwd=folder)
    assert printed.split() == expected
    evaluate = (environment / "latenthash", "evaluate", "run=code", "format=text")
    lines = run(*evaluate, "pictures=.", "hydra.run.dir=../out", cwd=folder).splitlines()
    assert [line.split("\t")[:2] for line in lines] == [
        list(pair) for pair in zip(names, expected, strict=True)
    ]
    assert (tmp_path / "out" / "codes.csv").is_file()
    shown = run(
        environment / "latenthash", "train", "+experiment=mnist", "--cfg", "job", cwd=folder
    )
    assert "latenthash.jobs.learn_digits.learn_digits" in shown
