"""A whole run through the real entry points: train, bundle, evaluate, refuse."""

import io
import json
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

from app import TINY, artifact, call, runs, sources
from latenthash.errors import InputError
from latenthash.features.weights import load_trunk
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.open import _open
from latenthash.tracking.store import Store

PROTOCOL = (
    "hash/radius",
    *("test/tpr", "test/fpr_noise_edited", "test/fpr_noise_similar", "test/fpr_unseen"),
    *("test/auroc_noise_edited", "test/auroc_noise_similar", "test/auroc_unseen"),
    *("test/fpr_unseen_worst", "test/eer_unseen"),
    *("test/tpr_at_fpr_0.01_unseen", "test/tpr_at_fpr_0.001_unseen"),
    *("separation/silhouette", "separation/davies_bouldin", "separation/calinski_harabasz"),
    *("separation/fisher", "separation/margin"),
    *("edits/jpeg_50", "edits/flip", "edits/text", "edits/grey"),
)
FIGURES = {
    *("contact_sheet", "decoded_map", "distances", "edits", "latent_scatter", "prior_samples"),
    "reconstructions",
}
DRAWN = {"decoded_map", "prior_samples", "reconstructions"}  # by models that can decode


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = tmp_path_factory.mktemp("trained")
    overrides = sources(folder)
    # Users write whole paths too, of what lies in the project and of what does not.
    alike = (folder / "noise_similar").rename(folder.parent / f"{folder.name}-alike")
    overrides[2:4] = [f"data.noise_similar={alike}", f"data.outliers={folder / 'outliers'}"]
    done = call("train.py", folder, *TINY, *overrides)
    assert done.code == 0, done.output
    (run,) = runs(folder)
    return folder, run


def test_run_keeps_metrics_figures_config_and_bundle(trained: tuple[Path, Run]) -> None:
    folder, run = trained
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "vae-pixels-k2-s0"
    assert set(PROTOCOL) <= set(run.data.metrics)
    assert run.data.params["model.latent_dim"] == "2"
    assert run.data.tags["test.worst_unseen"] in {f"{i}.png" for i in range(3)}
    assert {path.stem for path in artifact(folder, run, "figures").iterdir()} == FIGURES
    config = yaml.safe_load(artifact(folder, run, "config.yaml").read_text())
    assert config["data"]["signal"] == "signal/0.png"
    bundle = artifact(folder, run, "bundle")
    assert {p.name for p in bundle.iterdir()} == {"hash.json", "weights.safetensors", "config.yaml"}
    for name in ("hash.json", "config.yaml"):
        assert str(folder.parent) not in (bundle / name).read_text(), "it tells of the machine"
    assert not list(folder.rglob("*.ckpt")), "a checkpoint is a pickle and must not stay"


def test_run_says_what_it_is_and_which_pictures_it_is_made_from(trained: tuple[Path, Run]) -> None:
    folder, run = trained
    outcome, what, command = run.data.tags["mlflow.note.content"].split("\n\n")
    assert command.startswith("    python train.py data=folders trainer=debug ")
    assert what == "A hash of signal/0.png&#58; VAE on Pixels, k = 2."
    counted = round(12 * run.data.metrics["test/tpr"])
    assert outcome.startswith(f"The same picture was recognised in {counted} of 12 new views. ")
    kept = {kept.dataset.name: kept.dataset for kept in run.inputs.dataset_inputs}
    bundle = json.loads(artifact(folder, run, "bundle/hash.json").read_text())
    assert {name: source.digest for name, source in kept.items()} == {
        name: digest[:36] for name, digest in bundle["pictures"].items()
    }
    assert kept["outliers"].source == '{"uri": "outliers"}'
    assert str(folder.parent) not in kept["noise_similar"].source, "it tells of the machine"


def test_table_holds_every_figure_with_its_interval(trained: tuple[Path, Run]) -> None:
    folder, run = trained
    table = pd.read_csv(artifact(folder, run, "held_out.csv")).set_index("metric")
    assert {name for name in PROTOCOL if not name.startswith("hash/")} <= set(table.index)
    assert table.loc["test/tpr", "value"] == run.data.metrics["test/tpr"]
    assert (table["low"] <= table["high"]).all()
    centroid = pd.read_csv(artifact(folder, run, "centroid.csv"))
    hash_ = json.loads(artifact(folder, run, "bundle/hash.json").read_text())
    np.testing.assert_allclose(centroid["value"], hash_["centroid"], rtol=1e-12)


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
        assert first == f"matches of run {run.info.run_id}"
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
        (["run=code", *many], "it goes with run=RUN pictures=PATH"),
        (["run=latest"], "it goes with run=RUN pictures=PATH"),
        (["benchmark=edits_v1", *many], "it goes with run=RUN pictures=PATH"),
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


@pytest.mark.parametrize(
    ("model", "figures"),
    [
        (
            [
                "model=pca",
                "model.whitening=learned",
                "finetune=true",
                "features.freeze_until=pool1",
            ],
            {"finetune_curves", "finetune_confusion"},
        ),
        (
            ["model=topology", "features.pooling=none", "finetune=false"],
            {"persistence_diagrams"},
        ),
    ],
)
def test_models_on_a_vgg16_layer_fill_the_same_names(
    tmp_path: Path, model: list[str], figures: set[str]
) -> None:
    pixels = ("features.", "model.")
    tiny = [override for override in TINY if not override.startswith(pixels)]
    vgg = ["features=vgg16", "features.weights=random", "features.layer=pool2", "features.size=32"]
    done = call("train.py", tmp_path, *tiny, *vgg, *model, *sources(tmp_path))
    assert done.code == 0, done.output
    (run,) = runs(tmp_path)
    assert set(PROTOCOL) <= set(run.data.metrics)
    assert run.data.tags["features.weights"] == "random, seed 0"
    assert run.info.run_name.endswith("(random weights)"), "a control must be known as one"
    shown = {path.stem for path in artifact(tmp_path, run, "figures").iterdir()}
    assert shown == FIGURES - DRAWN | figures
    tuned = {name for name in run.data.metrics if name.startswith("finetune/auroc_unseen_")}
    assert len(tuned) == 2 * ("finetune=false" not in model)
    assert not list(tmp_path.rglob("*.ckpt")), "a checkpoint is a pickle and must not stay"
    assert artifact(tmp_path, run, "bundle/weights.safetensors").stat().st_size < 10**6
    again = call("evaluate.py", tmp_path)
    assert again.code == 0, again.output
    table = pd.read_csv(artifact(tmp_path, run, "evaluate/held_out.csv"))
    np.testing.assert_allclose(table["value"], table["trained"], atol=1e-5)


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


def test_every_bad_file_is_named_before_training(tmp_path: Path) -> None:
    overrides = sources(tmp_path)
    (tmp_path / "unseen" / "notes.txt").write_text("not a picture")
    (tmp_path / "outliers" / "empty.png").write_bytes(b"")
    overrides[0] = "data.signal=nowhere.png"
    done = call("train.py", tmp_path, *TINY, *overrides)
    assert done.code == 2
    for name in ("nowhere.png", "notes.txt", "empty.png"):
        assert name in done.output
    assert "Traceback" not in done.output
    (run,) = runs(tmp_path)
    assert run.info.status == "FAILED"
    assert "notes.txt" in artifact(tmp_path, run, "traceback.txt").read_text()
    assert not list(tmp_path.rglob("bundle"))


def test_settings_and_sources_are_refused_with_all_their_faults(tmp_path: Path) -> None:
    overrides = sources(tmp_path)
    done = call("train.py", tmp_path, *TINY, *overrides, "seed=-1", "resamples=0")
    assert done.code == 2
    assert "seed=-1 must be a whole number" in done.output
    assert "resamples=0 must be a whole number" in done.output
    overrides = ["data.signal=null", "data.unseen=nowhere", *overrides[1:4]]
    done = call("train.py", tmp_path, *TINY, *overrides, "features.size=50")
    assert done.code == 2
    for part in ("data.signal is not set", "data.unseen=nowhere does not exist", "multiple of 4"):
        assert part in done.output


@pytest.mark.parametrize("name", ["2024", "1e3", "Bücher (Bilder), neu=1\x1b[31m\udce9"])
def test_folders_of_any_name_can_be_given(tmp_path: Path, name: str) -> None:
    overrides = sources(tmp_path)[:-1]
    (tmp_path / "unseen").rename(tmp_path / name)
    quoted = name if name == "2024" else f'"{name}"'
    done = call("train.py", tmp_path, *TINY, *overrides, f"data.unseen={quoted}")
    assert done.code == 0, done.output
    again = call("evaluate.py", tmp_path, f'pictures="{name}"')
    assert again.code == 0, again.output
    assert call("evaluate.py", tmp_path).code == 0


def test_store_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    uri = f"logger.tracking_uri=sqlite:///{tmp_path}/file/mlflow.db"
    overrides = sources(tmp_path)
    for mode in ([], ["-m"]):
        done = call("train.py", tmp_path, *mode, *TINY, *overrides, uri)
        assert done.code == 2
        assert "cannot be opened" in done.output
        assert "Traceback" not in done.output


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
        return _open(OmegaConf.create({"run": name, "logger": logger}))[:2]

    assert opened("code")[0] is None
    assert not caplog.text, "the code that ships is in no store"
    store, bundle = opened(str(artifact(folder, run, "bundle")))
    assert (store, bundle.run_id) == (None, run.info.run_id)
    assert sentence in caplog.text
    with pytest.raises(InputError) as caught:
        opened("latest")
    assert sentence in str(caught.value)
    assert "s3cret" not in caplog.text + str(caught.value)


def test_password_of_the_store_is_told_nowhere(tmp_path: Path) -> None:
    for uri in ("http://me:s3cret@127.0.0.1:1", "postgresql://me:s3cret@host/db"):
        done = call("evaluate.py", tmp_path, "run=latest", f"logger.tracking_uri={uri}")
        assert done.code == 2, done.output
        assert "://***@" in done.output
        assert "s3cret" not in done.output
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"s3cret" not in file.read_bytes(), file


def test_too_few_calibration_views_are_refused_first(tmp_path: Path) -> None:
    done = call("train.py", tmp_path, *TINY, *sources(tmp_path), "data.views.calibration=18")
    assert done.code == 2
    assert "data.views.calibration=18 is too few" in done.output


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


def test_same_seed_gives_the_same_hash(trained: tuple[Path, Run], tmp_path: Path) -> None:
    done = call("train.py", tmp_path, *TINY, *sources(tmp_path))
    assert done.code == 0, done.output
    first, second = (
        json.loads(next(folder.glob("outputs/*/*/bundle/hash.json")).read_text())
        for folder in (trained[0], tmp_path)
    )
    np.testing.assert_allclose(first["centroid"], second["centroid"], atol=1e-5)
    assert first["radius"] == pytest.approx(second["radius"], abs=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        ["model=vae", "model.separation={prior:1.0,hypersphere:3.0,balanced:true}"],
        [
            "model=vaegan",
            "model.discriminator_channels=[8,16]",
            "model.separation={prior:1.0,hypersphere:3.0,critic:0.5,balanced:true}",
            "hash.fpr=0.3",
        ],
    ],
)
def test_separation_and_gate_in_a_whole_run(tmp_path: Path, model: list[str]) -> None:
    done = call("train.py", tmp_path, *TINY, *model, "+hash.gate=true", *sources(tmp_path))
    assert done.code == 0, done.output
    (run,) = runs(tmp_path)
    assert set(PROTOCOL) <= set(run.data.metrics)
    hash_ = json.loads(artifact(tmp_path, run, "bundle/hash.json").read_text())
    assert hash_["gate"] > 0
    assert run.data.metrics["hash/gate"] == pytest.approx(hash_["gate"])
    assert run.data.metrics["hash/bytes"] == 4 * (2 + 2)
    again = call("evaluate.py", tmp_path)
    assert again.code == 0, again.output
    table = pd.read_csv(artifact(tmp_path, run, "evaluate/held_out.csv"))
    np.testing.assert_allclose(table["value"], table["trained"], atol=1e-5)
    again = call("evaluate.py", tmp_path, "pictures=unseen")
    assert again.code == 0, again.output
    table = pd.read_csv(artifact(tmp_path, run, "evaluate/matches.csv"))
    assert list(table.columns) == ["file", "distance / R", "error / E", "match", "note"]
    score = table[["distance / R", "error / E"]].max(axis=1)
    assert ((score <= 1) == (table["match"] == "yes")).all()


@pytest.mark.parametrize("model", ["pca", "topology"])
def test_gate_of_a_model_that_rebuilds_nothing_is_refused_before_work(
    tmp_path: Path, model: str
) -> None:
    pixels = ("features.", "model.")
    tiny = [override for override in TINY if not override.startswith(pixels)]
    vgg = ["features=vgg16", "features.weights=random", "features.layer=pool1", "features.size=32"]
    pooling = ["features.pooling=none"] if model == "topology" else []
    done = call(
        "train.py", tmp_path, *tiny, *vgg, *pooling, f"model={model}", "finetune=false",
        "+hash.gate=true", *sources(tmp_path),
    )  # fmt: skip
    assert done.code == 2
    assert "hash.gate=true needs a model that rebuilds what it sees" in done.output
    assert "leave hash.gate out" in done.output
    assert "Traceback" not in done.output
    assert "Fitting" not in done.output
    assert not (tmp_path / "mlflow.db").exists(), "work began"


@pytest.mark.slow
def test_main_job_finds_the_signal(tmp_path: Path) -> None:
    done = call("train.py", tmp_path, "+experiment=girl_vs_earth_sushi")
    assert done.code == 0, done.output
    (run,) = runs(tmp_path)
    assert set(PROTOCOL) <= set(run.data.metrics)
    assert run.data.metrics["test/tpr"] >= 0.9
    assert {path.stem for path in artifact(tmp_path, run, "figures").iterdir()} == FIGURES
    again = call("evaluate.py", tmp_path, "run=latest")
    assert again.code == 0, again.output
    table = pd.read_csv(artifact(tmp_path, run, "evaluate/held_out.csv"))
    np.testing.assert_allclose(table["value"], table["trained"], atol=1e-5)
