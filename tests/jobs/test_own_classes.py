"""Classes of another package: trained, refused without trust, and the same figures with it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.data import astronaut

import latenthash
from app import TINY, artifact, call, composed, runs, sources
from latenthash import InputError, Signal
from latenthash.jobs.train import fingerprint
from own import PAGE, own_package
from project import ROOT

COMMANDS = re.findall(r"(?m)^ {4}python train\.py (.*)$", PAGE.read_text(encoding="utf-8"))
PLAIN = [option for option in TINY if not option.startswith(("features.", "model."))]
OWN = [
    "--config-dir=mypackage/conf",
    *("model=planes", "features=blocks", "features.size=16"),
    "+edits.stripes={_target_:mypackage.edits.Stripes,every:8}",
    "+augment.stripes={_target_:mypackage.edits.Stripes,every:11,p:0.5}",
]
NEEDS = "The bundle needs the package mypackage"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with own_package(tmp_path_factory.mktemp("own")) as folder:
        done = call("train.py", folder, *OWN, *PLAIN, *sources(folder))
        assert done.code == 0, done.output
        assert "evaluate.py opens the bundle of this run by trust=[mypackage]" in done.output
        yield folder


def bundle_of(folder: Path) -> Path:
    (found,) = folder.glob("outputs/*/*/bundle")
    return found


def test_run_of_own_classes_is_evaluated_to_the_same_figures_with_trust(trained: Path) -> None:
    (run,) = runs(trained)
    assert run.info.run_name == "planes-blocks-k2-s0"
    assert "edits/stripes" in run.data.metrics
    done = call("evaluate.py", trained, "trust=[mypackage]")
    assert done.code == 0, done.output
    table = pd.read_csv(artifact(trained, run, "evaluate/held_out.csv"))
    assert "edits/stripes" in set(table["metric"])
    np.testing.assert_allclose(table["value"], table["trained"], atol=1e-5)
    done = call("evaluate.py", trained, "trust=[mypackage]", "pictures=unseen")
    assert done.code == 0, done.output


def test_changed_code_of_own_classes_is_another_job(tmp_path: Path) -> None:
    with own_package(tmp_path) as folder:
        cfg = composed(
            *("model=pca", "model._target_=mypackage.models.Planes"),
            "+edits.stripes={_target_:mypackage.edits.Stripes,every:8}",
        )
        plain = composed("model=pca")
        before, of_ours = fingerprint(cfg, {}), fingerprint(plain, {})
        seen = {before}
        for name in ("models.py", "edits.py"):
            file = folder / "mypackage" / name
            file.write_text(f"{file.read_text()}# changed\n")
            seen.add(fingerprint(cfg, {}))
        assert len(seen) == 3
        (folder / "mypackage" / "features.py").write_text("# of none of its classes\n")
        assert fingerprint(cfg, {}) in seen
        assert fingerprint(plain, {}) == of_ours


def test_without_trust_nothing_is_imported(trained: Path) -> None:
    assert json.loads((bundle_of(trained) / "hash.json").read_text())["packages"] == ["mypackage"]
    loaded = {name: sys.modules.pop(name) for name in [*sys.modules] if "mypackage" in name}
    try:
        for arguments in ([], ["pictures=unseen"], ["trust=[elsewhere]"]):
            done = call("evaluate.py", trained, *arguments)
            assert done.code == 2
            assert NEEDS in done.output
            assert "mypackage" in done.output.partition("add trust=")[2]
            assert "Traceback" not in done.output
        with pytest.raises(InputError, match=NEEDS):
            latenthash.load(bundle_of(trained))
        assert not [name for name in sys.modules if "mypackage" in name]
    finally:
        sys.modules.update(loaded)


def test_program_loads_the_bundle_with_trust(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained)
    signal = latenthash.load("latest", trust=["mypackage"])
    assert isinstance(signal, Signal)
    assert signal.match("signal/0.png").distance == pytest.approx(
        latenthash.load(bundle_of(trained), trust=("mypackage",)).match("signal/0.png").distance
    )
    with pytest.raises(InputError, match=r"takes several names, and not one: give \['mypackage'\]"):
        latenthash.load("latest", trust="mypackage")


@pytest.mark.parametrize("line", COMMANDS, ids=range(len(COMMANDS)))
def test_command_of_the_page_does_what_it_says(line: str, tmp_path: Path) -> None:
    assert len(COMMANDS) == 3
    given = [word.strip('"') for word in line.split()]
    small = ["features.size=16"]
    with own_package(tmp_path):
        done = call("train.py", tmp_path, *given, *PLAIN, *small, *sources(tmp_path))
        assert done.code == 0, done.output
        assert json.loads((bundle_of(tmp_path) / "hash.json").read_text())["packages"]


def test_check_of_the_page_runs(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(
        r"(?m)(?:^ {4}from latenthash\.testing.*\n)(?:^ {4}.*\n|\n(?= {4}))+", text
    )
    with own_package(tmp_path):
        exec(compile(dedent(block), str(PAGE), "exec"), {})


def test_own_classes_are_refused_in_a_sentence_when_they_lack_something(tmp_path: Path) -> None:
    with own_package(tmp_path):
        options = ["--config-dir=mypackage/conf", "features=blocks", *sources(tmp_path)]
        for more, sentence in {
            "model._target_=mypackage.features.Blocks": "lacks fit and encode",
            "model._target_=mypackage.models.Plane": "cannot be imported",
            "~features.size": "features.size is missing",
        }.items():
            done = call("train.py", tmp_path, *options, *PLAIN, more)
            assert done.code == 2, done.output
            assert sentence in done.output


def test_hash_of_the_page_stands_on_the_leaderboard(tmp_path: Path) -> None:
    (command,) = re.findall(
        r"(?m)^ {4}python evaluate\.py (benchmark=.*)$", PAGE.read_text("utf-8")
    )
    (tmp_path / "pictures").mkdir()
    for i in range(4):
        part = astronaut()[100 * i : 100 * i + 160, 100:260]
        Image.fromarray(part).save(tmp_path / "pictures" / f"{i}.png")
    small = ["edits=[jpeg_20]", "resamples=20", "hydra.run.dir=out"]
    given = [*command.replace("pictures=PATH", "pictures=pictures").split(), *small]
    with own_package(tmp_path):
        # A process of its own, whose workers find the package as its author's do.
        subprocess.run(
            [sys.executable, str(ROOT / "evaluate.py"), *given],
            cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, check=True,
        )  # fmt: skip
    board = pd.read_csv(tmp_path / "out" / "leaderboard.csv", index_col="code")
    assert board.loc["mine-64", "bytes"] == board.loc["phash-64", "bytes"] == 8
