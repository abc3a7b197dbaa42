"""Sweeps before their first job: every choice is checked, and paths are what was written."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from app import call
from latenthash.jobs.command.sweeping import quote_paths


def test_every_choice_of_a_sweep_is_checked_before_its_first_job(tmp_path: Path) -> None:
    line = ["model=vae,pca", "model.latent_dim=2,2.5", "seed=0,-1", "+hash.gate=5"]
    done = call("train.py", tmp_path, "-m", *line)
    assert done.code == 2
    for sentence in ("model.latent_dim=2.5 must", "seed=-1 must", "hash.gate=5 must"):
        assert done.output.count(sentence) == 1
    assert not list(tmp_path.glob("mlflow.db*")), "work began"


def test_what_is_typed_goes_before_the_file_of_a_sweep(tmp_path: Path) -> None:
    done = call("train.py", tmp_path, "-m", "+sweep=latent_dim", "model.latent_dim=0")
    assert done.code == 2, done.output
    assert "model.latent_dim=0 must be" in done.output
    assert not list(tmp_path.glob("mlflow.db*")), "work began"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["model.latent_dim=2,${nope}"], "'nope' not found"),
        (["seed=glob(*)"], "seed=glob(*) names nothing: give at least one choice."),
        (["model=vae,nope"], "model=nope is not one of contrastive, pca, topology"),
    ],
)
def test_sweep_that_cannot_be_composed_runs_no_job(
    tmp_path: Path, line: list[str], sentence: str
) -> None:
    """Hydra only warns of what a callback raises, and would go on without it."""
    done = call("train.py", tmp_path, "-m", *line)
    assert done.code == 2, done.output
    assert sentence in done.output
    assert not list(tmp_path.glob("mlflow.db*")), "work began"


def test_paths_in_the_file_of_a_sweep_are_what_was_written() -> None:
    params = {"data.signal": "1.10,2024_05", "data.unseen": '"a","b"', "seed": "0,1_0"}
    config = OmegaConf.create({"hydra": {"sweeper": {"params": params}}})
    OmegaConf.set_readonly(config.hydra, True)  # as Hydra does
    quote_paths(config)
    quoted = {"data.signal": "'1.10','2024_05'"}
    assert config.hydra.sweeper.params == params | quoted
