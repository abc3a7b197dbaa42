"""Options that were typed and have no effect in their job: refused, each with where it goes."""

import pytest
import yaml

from app import composed
from latenthash.errors import InputError
from latenthash.jobs.command.effects import check_effects, check_training_effects
from latenthash.options.jobs import EVALUATE_JOBS
from project import CONF

HASHES = "latenthash.jobs.hashes.compare_hashes"
CODES = "latenthash.jobs.codes.give_codes"
MATCHES = "latenthash.jobs.matches.match"
AGAIN = "latenthash.jobs.held_out.repeat_held_out"
BENCHMARK = "latenthash.jobs.benchmark.judge_codes"


@pytest.mark.parametrize(
    ("job", "line", "refused"),
    [
        (HASHES, ["hashes=[a,b]", "run=latest"], ["run"]),
        (HASHES, ["hashes=[a,b]", "pictures=x", "seed=3"], ["pictures", "seed"]),
        (CODES, ["run=code", "pictures=x", "reader.max_pixels=9"], []),
        (CODES, ["run=code", "pictures=x", "explain=true"], ["explain"]),
        (CODES, ["pictures=x", "reader.background=[0,0,0]"], ["reader.background"]),
        (MATCHES, ["pictures=x", "explain=true", "logger.experiment_name=a"], []),
        (MATCHES, ["pictures=x", "groups=g.csv", "edits=[jpeg]", "fpr=0.1"],
         ["groups", "edits", "fpr"]),
        (MATCHES, ["pictures=x", "fpr=null", "explain=false"], []),
        (AGAIN, ["run=latest", "gallery_size=5"], ["gallery_size"]),
        (AGAIN, ["explain=true"], ["explain"]),
        (BENCHMARK, ["benchmark=edits_v1", "pictures=x", "reader.background=[0,0,0]"], []),
        (BENCHMARK, ["+benchmark=edits_v1", "++fpr=0.1", "explain=true"], ["explain"]),
    ],
)  # fmt: skip
def test_option_without_effect_is_refused(job: str, line: list[str], refused: list[str]) -> None:
    try:
        check_effects(job, line)
        problems = []
    except InputError as error:
        problems = error.problems
    assert [problem.split("=")[0] for problem in problems] == refused
    assert all("has no effect here: it goes with" in problem for problem in problems)


@pytest.mark.parametrize(
    ("options", "line", "refused"),
    [
        ([], ["finetuning.max_epochs=3", "seed=1"], ["finetuning.max_epochs"]),
        (["features=vgg16"], ["features=vgg16", "finetuning.max_epochs=3"], []),
        (["hash.fpr=0.01"], ["hash.fpr=0.01", "hash.alpha=0.1"], ["hash.alpha"]),
        (["+experiment=code"], ["+experiment=code", "hash.alpha=0.1", "finetune=true"],
         ["hash.alpha", "finetune"]),
        (["+experiment=mnist"], ["augment=everyday", "model.latent_dim=3"], ["augment"]),
    ],
)  # fmt: skip
def test_option_of_training_without_effect_is_refused(
    options: list[str], line: list[str], refused: list[str]
) -> None:
    try:
        check_training_effects(composed(*options), line)
        problems = []
    except InputError as error:
        problems = error.problems
    assert [problem.split("=")[0] for problem in problems] == refused


def test_options_of_effects_are_those_of_the_config() -> None:
    from latenthash.jobs.command.effects import EVERYWHERE

    known = set(yaml.safe_load((CONF / "evaluate.yaml").read_text())) - {"defaults"}
    named = {option.split(".")[0] for job in EVALUATE_JOBS.values() for option in job.options}
    groups = {"benchmark", "reader", "peer", "peers", "carrier", "stronger", "binding"}
    assert known | groups == named | {"format"}
    assert not set(EVERYWHERE) & named
