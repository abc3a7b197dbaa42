"""The command line: mistakes are said in a sentence, and leave nothing behind."""

from pathlib import Path

import pytest

from app import call


@pytest.mark.parametrize(
    ("script", "argument", "sentence"),
    [
        ("train.py", "trainer.max_epoch=3", "did you mean trainer.max_epochs?"),
        ("train.py", "modle.latent_dim=3", "modle is no option; did you mean model?"),
        ("train.py", "model=vea", "model=vea is not one of contrastive, pca, topology, vae, "),
        ("train.py", "model=null", "An option such as model=NAME cannot be null"),
        ("train.py", "+experiment=girls_vs_earth_sushi", "did you mean girl_vs_earth_sushi?"),
        ("train.py", "seed=[1", "seed=[1"),
        ("train.py", "+hydra.callbacks.own={_target_:latenthash.sweeps.Sweep}",
         "latenthash.sweeps.Sweep is latenthash.jobs.command.multirun.Sweep now"),
        ("train.py", "seed=1,2", "add --multirun"),
        ("evaluate.py", "picture=x", "picture is no option; did you mean pictures?"),
        ("evaluate.py", "benchmark=edits_v2",
         "benchmark=edits_v2 is not one of copydays, disc21, edits_v1; did you"),
    ],
)  # fmt: skip
def test_mistake_is_said_in_a_sentence(
    tmp_path: Path, script: str, argument: str, sentence: str
) -> None:
    done = call(script, tmp_path, argument)
    assert done.code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output
    assert not list(tmp_path.iterdir()), "something was left behind"


def test_evaluate_makes_no_sweeps(tmp_path: Path) -> None:
    done = call("evaluate.py", tmp_path, "-m", "run=latest,code")
    assert done.code == 2
    assert "evaluate makes no sweeps" in done.output
