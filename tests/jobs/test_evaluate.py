"""The jobs of evaluate.py on a run and its bundle, through the real entry point."""

import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.entities import Run
from omegaconf import OmegaConf
from PIL import Image
from safetensors.torch import save_file

from app import TINY, artifact, call, sources
from latenthash.errors import InputError
from latenthash.features.weights import load_trunk
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.open import _open
from latenthash.tracking.store import Store


def test_evaluate_makes_the_same_figures_again_from_anywhere(
    trained: tuple[Path, Run], tmp_path: Path
) -> None:
    folder, run = trained
    store = f"logger.tracking_uri=sqlite:///{folder}/mlflow.db"
    done = call("evaluate.py", tmp_path, "run=latest", store)
    assert done.code == 0, done.output
    table = pd.read_csv(artifact(folder, run, "evaluate/held_out.csv"))
    assert table["trained"].notna().all()
    np.testing.assert_allclose(table["value"], table["trained"], atol=1e-5)


@pytest.mark.parametrize(("way", "form"), [("latest", "table"), ("id", "csv"), ("folder", "jsonl")])
def test_evaluate_matches_pictures_by_any_name_of_the_run(
    trained: tuple[Path, Run], way: str, form: str
) -> None:
    folder, run = trained
    (bundle,) = folder.glob("outputs/*/*/bundle")
    name = {"latest": "latest", "id": run.info.run_id, "folder": str(bundle)}[way]
    done = call("evaluate.py", folder, f"run={name}", "pictures=unseen", f"format={form}")
    assert done.code == 0, done.output
    table = pd.read_csv(artifact(folder, run, "evaluate/matches.csv"), keep_default_na=False)
    assert list(table.columns) == ["file", "distance / R", "match", "note"]
    assert list(table["file"]) == [f"{i}.png" for i in range(3)]
    assert ((table["distance / R"] <= 1) == (table["match"] == "yes")).all()
    # Standard output holds the table alone, so that it can stand in a pipe.
    if form == "table":
        first, head, *rows = done.out.splitlines()
        assert (
            first == f"matches of {run.info.run_name} ({run.info.run_id}), the hash of signal/0.png"
        )
        assert head.split("  ")[0] == "file"
        assert [row.split()[0] for row in rows] == list(table["file"])
    else:
        shown = io.StringIO(done.out)
        if form == "csv":
            read = pd.read_csv(shown, keep_default_na=False)
        else:
            read = pd.read_json(shown, lines=True)
        pd.testing.assert_frame_equal(read, table)


def test_evaluate_needs_only_the_bundle(trained: tuple[Path, Run], tmp_path: Path) -> None:
    folder, _ = trained
    (bundle,) = folder.glob("outputs/*/*/bundle")
    pictures = tmp_path / "given"
    pictures.mkdir()
    shutil.copy(folder / "signal/0.png", pictures / "b.png")
    Image.new("RGB", (40, 40), "teal").save(pictures / "c.png")
    (pictures / "a.json").write_text("{}")
    done = call("evaluate.py", tmp_path, f"run={bundle}", "pictures=given")
    assert done.code == 0, done.output
    assert "was not logged" in done.output
    assert not (tmp_path / "mlflow.db").exists(), "a bundle is used without a store"
    (csv,) = tmp_path.rglob("matches.csv")
    table = pd.read_csv(csv)
    assert [Path(file).name for file in table["file"]] == ["b.png", "c.png", "a.json"]
    assert table["note"].isna().tolist() == [True, False, False]
    assert table["note"].tolist()[1:] == ["no detail", "is not a picture that can be read"]
    assert table["match"].isna().tolist() == [False, False, True]
    assert "cannot be read: 1. given/a.json is not a picture" in done.output.replace("\n", " ")
    refused = call("evaluate.py", tmp_path, f"run={bundle}", "pictures=given", "unreadable=refuse")
    assert refused.code == 2
    assert "given/a.json is not a picture that can be read." in refused.output


def test_explain_draws_a_figure_of_each_picture(trained: tuple[Path, Run]) -> None:
    folder, run = trained
    done = call("evaluate.py", folder, "run=latest", "pictures=unseen", "explain=true")
    assert done.code == 0, done.output
    names = {f"0{i}_{i}.png" for i in range(3)}
    assert {path.name for path in artifact(folder, run, "figures/explain").iterdir()} == names
    drawn = list(folder.glob("outputs/*/*/explain/*.png"))
    assert {path.name for path in drawn} == names
    for path in drawn:
        with Image.open(path) as image:
            assert min(image.size) > 500
    assert "The map shows no views of the run" not in done.output


def test_explain_does_without_the_pictures_of_the_run(
    trained: tuple[Path, Run], tmp_path: Path
) -> None:
    (source,) = trained[0].glob("outputs/*/*/bundle")
    bundle = Bundle.load(source)
    config = yaml.safe_load(bundle.config)
    config["data"]["noise_similar"] = "/nowhere"
    replace(bundle, config=yaml.safe_dump(config)).save(tmp_path / "moved")
    done = call(
        "evaluate.py", tmp_path, "run=moved", "explain=true",
        f"pictures={trained[0] / 'signal/0.png'}",
    )  # fmt: skip
    assert done.code == 0, done.output
    assert "The map shows no views of the run" in done.output
    assert "data.noise_similar=/nowhere" in done.output
    assert len(list(tmp_path.rglob("explain/00_0.png"))) == 1


def test_explain_refuses_what_it_cannot_draw(trained: tuple[Path, Run], tmp_path: Path) -> None:
    folder, _ = trained
    for i in range(21):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{i}.png")
    many = [f"pictures={tmp_path}"]
    for args, sentence in (
        (["run=latest", *many], "of 20 at most"),
        (["run=code", *many], "run=RUN pictures=PATH"),
        (["run=latest"], "run=RUN pictures=PATH"),
        (["benchmark=edits_v1", *many], "run=RUN pictures=PATH"),
    ):
        done = call("evaluate.py", folder, *args, "explain=true")
        assert done.code == 2, args
        assert sentence in re.sub(r"\s+", " ", done.output)
        assert "Traceback" not in done.output


def test_evaluate_refuses_changed_pictures(tmp_path: Path, trained: tuple[Path, Run]) -> None:
    folder, _ = trained
    picture = folder / "unseen" / "0.png"
    before = picture.read_bytes()
    Image.new("RGB", (50, 40)).save(picture)
    try:
        done = call("evaluate.py", folder, "run=latest")
    finally:
        picture.write_bytes(before)
    assert done.code == 2
    assert re.search(r"data\.unseen=.*unseen is not what run \w+ was made from", done.output)


@pytest.mark.parametrize(
    "target", ["os.system", "latenthash.data.reading.io.open", "builtins.exec"]
)
def test_evaluate_builds_nothing_but_trusted_classes(
    trained: tuple[Path, Run], tmp_path: Path, target: str
) -> None:
    (source,) = trained[0].glob("outputs/*/*/bundle")
    bundle = Bundle.load(source)
    config = yaml.safe_load(bundle.config)
    config["features"] = {"_target_": target, "command": f"touch {tmp_path}/owned"}
    evil = Bundle(bundle.hash, bundle.weights, yaml.safe_dump(config), "none", bundle.pictures, {})
    evil.save(tmp_path / "evil")
    done = call("evaluate.py", tmp_path, "run=evil", f"pictures={trained[0] / 'signal'}")
    assert done.code == 2
    assert f"names {target}, which may not stand here" in done.output
    assert not (tmp_path / "owned").exists()


def test_bundle_of_other_weights_is_refused(trained: tuple[Path, Run], tmp_path: Path) -> None:
    (source,) = trained[0].glob("outputs/*/*/bundle")
    other = replace(Bundle.load(source), provenance={"weights_sha256": "0" * 64})
    other.save(tmp_path / "other")
    done = call("evaluate.py", tmp_path, "run=other", f"pictures={trained[0] / 'signal'}")
    assert done.code == 2
    assert "latents of other weights are not comparable" in done.output


def test_bundle_of_a_weight_file_is_evaluated_wherever_the_file_was_named_from(
    tmp_path: Path,
) -> None:
    trunk = load_trunk("random", 3).layers
    save_file({key: value.contiguous() for key, value in trunk.state_dict().items()},
              tmp_path / "trunk.safetensors")  # fmt: skip
    (tmp_path / "random").mkdir()  # as a folder may be called
    pixels = ("features.", "model.")
    tiny = [override for override in TINY if not override.startswith(pixels)]
    vgg = ["features=vgg16", "features.layer=pool1", "features.size=32", "model=pca"]
    done = call(
        "train.py", tmp_path, *tiny, *vgg, "finetune=false",
        "features.weights=trunk.safetensors", *sources(tmp_path),
    )  # fmt: skip
    assert done.code == 0, done.output
    (bundle,) = tmp_path.glob("outputs/*/*/bundle")
    elsewhere = tmp_path / "signal"
    again = call("evaluate.py", elsewhere, f"run={bundle}", f"pictures={tmp_path / 'unseen'}")
    assert again.code == 0, again.output


NO_STORE = [
    (None, "is empty or no text"),
    ("http://me:s3cret@127.0.0.1:1", "cannot be opened: [Errno "),
    ("postgresql://me:s3cret@host/db", "is no store that can be used"),
    ("sqlite:///{folder}", "is no file"),
]


@pytest.mark.parametrize(("uri", "sentence"), NO_STORE)
def test_bundle_is_used_whatever_becomes_of_the_store(
    trained: tuple[Path, Run], caplog: pytest.LogCaptureFixture, uri: str | None, sentence: str
) -> None:
    folder, run = trained
    uri = uri and uri.format(folder=folder)
    logger = {"tracking_uri": uri, "experiment_name": "e", "artifact_root": str(folder)}

    def opened(name: str) -> tuple[Store | None, Bundle]:
        return _open(OmegaConf.create({"run": name, "trust": [], "logger": logger}))[:2]

    assert opened("code")[0] is None
    assert not caplog.text, "the code that ships is in no store"
    store, bundle = opened(str(artifact(folder, run, "bundle")))
    assert (store, bundle.run_id) == (None, run.info.run_id)
    assert sentence in caplog.text
    with pytest.raises(InputError) as caught:
        opened("latest")
    assert sentence in str(caught.value)
    assert "s3cret" not in caplog.text + str(caught.value)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["run=latest"], "There is no finished run"),
        (["run=0123abc"], "neither a bundle folder nor a run"),
        (["run=."], "is incomplete"),
    ],
)
def test_evaluate_says_what_is_wrong_with_the_run(
    tmp_path: Path, args: list[str], sentence: str
) -> None:
    done = call("evaluate.py", tmp_path, *args)
    assert done.code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_jobs_that_lack_what_they_are_about_say_so(tmp_path: Path) -> None:
    for job, option in {
        "matches": "pictures", "codes": "pictures", "benchmark": "benchmark", "hashes": "hashes",
        "log": "log", "export": "export", "compare": "pictures",
    }.items():  # fmt: skip
        run = [] if job in ("hashes", "log") else ["run=code"]
        done = call("evaluate.py", tmp_path, f"job={job}", *run)
        assert done.code == 2, done.output
        assert f"{option} is not set" in done.output


def test_codes_of_a_hash_are_refused(trained: tuple[Path, Run]) -> None:
    folder, _ = trained
    for asked in (
        ["job=codes", "pictures=signal"],
        ["export=code.onnx"],
        ["pictures=[signal/0.png,noise_edited/0.png]", "compare=true"],
    ):
        done = call("evaluate.py", folder, "run=latest", *asked)
        assert done.code == 2
        assert "left the hash of one picture, and no code; run=code is one" in done.output
    assert not list(folder.glob("code.*"))


def test_output_folder_stands_for_its_bundle(trained: tuple[Path, Run]) -> None:
    folder, _ = trained
    (bundle,) = folder.glob("outputs/*/*/bundle")
    done = call("evaluate.py", folder, f"run={bundle.parent}", "pictures=signal/0.png")
    assert done.code == 0, done.output
    assert "1 of 1 pictures match" in done.output
