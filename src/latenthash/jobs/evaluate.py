"""One job of evaluate.py: what happens around each of them."""

from pathlib import Path

from omegaconf import DictConfig

from latenthash.errors import refusals
from latenthash.jobs.build import build
from latenthash.jobs.command.checks import check_evaluate
from latenthash.jobs.command.effects import check_effects
from latenthash.jobs.command.sweeping import typed_line


def evaluate(cfg: DictConfig) -> None:
    """Run the job that the config names.

    Exit code 2 when run, pictures or hashes cannot be used, and 1 when not all of it is logged.
    """
    with refusals(Path(cfg.paths.output)):
        check_evaluate(cfg)
        check_effects(cfg.job._target_, typed_line())
        build(cfg.job)(cfg)
