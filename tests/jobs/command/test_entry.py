"""The command line: paths as they were typed, and mistakes said in a sentence."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from app import call
from latenthash.jobs.command.sweeping import quote_paths
from latenthash.jobs.command.typed import as_typed

TYPED = [
    "1.10", "2024_05", "1e5", "007", "true", "photos", "a b (1), neu.jpg", "it's", "a=b", "[1]",
    "{x}", "Bücher/ä", "C:\\pictures\\a", "a,b", " blank ", "-x", "a\\", '"', "a'b\"c", "null.png",
]  # fmt: skip


@pytest.mark.parametrize("path", TYPED)
@pytest.mark.parametrize("key", ["pictures", "+data.signal", "++features.weights"])
def test_path_is_what_was_typed(path: str, key: str) -> None:
    (line,) = as_typed([f"{key}={path}"])
    assert OverridesParser.create().parse_override(line).value() == path


@pytest.mark.parametrize("path", [p for p in TYPED if "," not in p])
def test_path_is_what_was_typed_in_a_sweep_too(path: str) -> None:
    _, line = as_typed(["-m", f"data.signal={path}"])
    assert OverridesParser.create().parse_override(line).value() == path


@pytest.mark.parametrize("mode", ["-m", "--multirun", "hydra.mode=MULTIRUN", "+sweep=signals"])
def test_choices_among_paths_are_what_was_typed(mode: str) -> None:
    _, line = as_typed([mode, "data.signal=1.10,2024_05,a.png"])
    choices = OverridesParser.create().parse_override(line).sweep_string_iterator()
    assert list(choices) == ["'1.10'", "'2024_05'", "'a.png'"]


@pytest.mark.parametrize(
    "argument",
    [
        "seed=1.10", "pictures=null", "pictures=${run}", 'pictures="a, b"', "pictures='1'",
        "model.latent_dim=2", "--help", "pictures=", "data.signal=photos/a.png", "~pictures",
    ],
)  # fmt: skip
def test_all_else_is_left_to_hydra(argument: str) -> None:
    assert as_typed([argument]) == [argument]


def test_functions_of_a_sweep_are_left_to_hydra() -> None:
    line = ["-m", "data.signal=choice(a.png,b.png)", 'data.unseen="a","b"', "seed=range(1,3)"]
    assert as_typed(line) == line


@pytest.mark.parametrize(
    ("script", "argument", "sentence"),
    [
        ("train.py", "trainer.max_epoch=3", "did you mean trainer.max_epochs?"),
        ("train.py", "modle.latent_dim=3", "modle is no option; did you mean model?"),
        ("train.py", "model=vea", "model=vea is not one of pca, topology, vae, vaegan; did you"),
        ("train.py", "model=null", "An option such as model=NAME cannot be null"),
        ("train.py", "+experiment=girls_vs_earth_sushi", "did you mean girl_vs_earth_sushi?"),
        ("train.py", "seed=[1", "seed=[1"),
        ("train.py", "+hydra.callbacks.own={_target_:latenthash.sweeps.Sweep}",
         "latenthash.sweeps.Sweep is latenthash.jobs.command.multirun.Sweep now"),
        ("train.py", "seed=1,2", "add --multirun"),
        ("evaluate.py", "picture=x", "picture is no option; did you mean pictures?"),
        ("evaluate.py", "benchmark=edits_v2", "benchmark=edits_v2 is not one of edits_v1; did you"),
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
    assert "evaluate.py makes no sweeps" in done.output


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
        (["model=vae,nope"], "model=nope is not one of pca, topology, vae, vaegan"),
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
