"""The benchmark of watermarks as a whole run."""

from pathlib import Path

import pandas as pd
import pytest

from app import artifact, call, runs

COMMAND = [
    "+experiment=watermark",
    "data.outliers=embedded:photos_a",
    "data.unseen=embedded:photos_b",
    "data.pictures=4",
    "data.others=1",
    "job.edits=[jpeg_50,rotation_10,grey]",
    "resamples=20",
]
ATTACKS = ("recode", "residual_paste", "overwrite", "erase", "white_box")
LEFT_OUT = [
    f"~attacks.{name}" for name in ("tile_estimate", "kutter_x1", "kutter_x2", "second_key")
]
BINDINGS = ("identity", "phash", "centroid", "code", "registration", "code_registration")


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_marks_are_judged_in_one_run(tmp_path: Path) -> None:
    done = call("train.py", tmp_path, *COMMAND, *LEFT_OUT)
    assert done.code == 0, done.output
    (run,) = runs(tmp_path)
    metrics = run.data.metrics
    assert run.data.params["binding"] == "code_registration"
    assert metrics["watermark/pictures"] == 4
    assert metrics["watermark/psnr_least"] > 39
    assert metrics["edits/jpeg_50/exact_id"] >= 0.75
    assert metrics["watermark/unmarked/wrong_ids"] == 0
    # Who embeds an id anew has a mark that is read, and no verdict.
    assert metrics["attacks/recode/decoded"] == 1
    assert metrics["watermark/copies/verified"] == 0
    assert metrics["attacks/overwrite/conflicts"] == 1
    assert metrics["attacks/erase/decoded"] == 0
    assert metrics["watermark/identity/copies"] == metrics["watermark/identity/genuine"] == 1
    assert metrics["watermark/code_registration/copies"] == 0
    assert {f"attacks/{name}/decoded" for name in ATTACKS} <= metrics.keys()
    assert {f"watermark/{name}/genuine" for name in BINDINGS} <= metrics.keys()
    assert "<img" in artifact(tmp_path, run, "watermark.html").read_text()
    bindings = pd.read_csv(artifact(tmp_path, run, "bindings.csv"))
    assert set(bindings["binding"]) == set(BINDINGS)
    assert len(list(artifact(tmp_path, run, "figures").iterdir())) == 3


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["+experiment=watermark"], "data.outliers is not set"),
        ([*COMMAND, "job.edits=[jpg]"], "No edit or family is called jpg"),
        ([*COMMAND, "data.unseen=embedded:photos_a"], "data.unseen"),
        ([*COMMAND, "model.latent_dim=8"], "model.latent_dim=8 has no effect here"),
        (["carrier=tiled"], "carrier=tiled has no effect here"),
        ([*COMMAND, "carrier.psnr=99"], "carrier.psnr=99 must be a number"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, args: list[str], said: str) -> None:
    done = call("train.py", tmp_path, *args)
    assert done.code == 2, done.output
    assert said in " ".join(done.output.split())
