"""A whole run through the real entry point: train, keep, refuse."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.entities import Run
from safetensors.torch import load_file

from app import TINY, artifact, call, composed, runs, sources
from latenthash.jobs.enrol import is_cut_short

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


def test_hash_on_the_embedding_names_its_network_and_is_measured_again(tmp_path: Path) -> None:
    tiny = [override for override in TINY if not override.startswith(("features.", "model."))]
    tiny += ["features=embedding", "features.size=64", "+ingredients=strict"]
    done = call("train.py", tmp_path, *tiny, *sources(tmp_path))
    assert done.code == 0, done.output
    (run,) = runs(tmp_path)
    assert set(PROTOCOL) <= set(run.data.metrics)
    assert run.data.tags["features.weights"] == "code"
    assert run.data.tags["hash.printable"].startswith("LH1-embedding")
    weights = load_file(artifact(tmp_path, run, "bundle/weights.safetensors"))
    assert not [name for name in weights if not name.startswith("model.")]
    again = call("evaluate.py", tmp_path)
    assert again.code == 0, again.output
    table = pd.read_csv(artifact(tmp_path, run, "evaluate/held_out.csv"))
    np.testing.assert_allclose(table["value"], table["trained"], atol=1e-5)


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


@pytest.mark.parametrize(
    ("options", "cut"),
    [
        (["trainer=debug"], True),
        (["+trainer.limit_train_batches=1"], True),  # a single batch
        (["+trainer.limit_train_batches=1.0"], False),  # all of them
        ([], False),
        (
            ["trainer=debug", "model=pca", "features=vgg16", "finetune=false"],
            False,
        ),
        (["trainer=debug", "model=pca", "features=vgg16"], True),
    ],
)
def test_training_that_was_cut_short_is_told(options: list[str], cut: bool) -> None:
    cfg = composed("+experiment=girl_vs_earth_sushi", *options)
    assert is_cut_short(cfg, learned=cfg.model._target_.endswith("VAE")) == cut
