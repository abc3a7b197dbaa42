"""Which options have an effect in which job; typed in vain, they are refused."""

from collections.abc import Sequence

from omegaconf import DictConfig

from latenthash.errors import InputError
from latenthash.options.jobs import EVALUATE_JOBS, TRAIN_JOBS

# Where things are kept and how they are shown, whatever is done.
EVERYWHERE = ("job", "cache", "logger", "paths", "hydra", "format")


def check_training_effects(cfg: DictConfig, line: Sequence[str]) -> None:
    """Refuse options of train.py that were typed and have no effect in its job.

    Args:
        cfg: the composed config.
        line: Hydra's overrides of the command.

    Raises:
        InputError: for all of them at once.
    """
    job = str(cfg.job._target_)
    vain = dict.fromkeys(
        TRAIN_JOBS[job].vain if job in TRAIN_JOBS else (), f"{job} does not look at it"
    )
    if not cfg.finetune:
        vain.setdefault("finetuning", "finetune is false")
    if cfg.hash.fpr is not None:
        vain.setdefault("hash.alpha", "hash.fpr is set")
    problems = [
        f"{name}={value} has no effect here: {reason}. Leave it away."
        for name, value in _typed(line)
        for option, reason in vain.items()
        if _within(name, [option])
    ]
    if problems:
        raise InputError(problems)


def check_effects(target: str, line: Sequence[str]) -> None:
    """Refuse options that were typed and have no effect in a job.

    Args:
        target: the job's, one of EVALUATE_JOBS.
        line: Hydra's overrides of the command.

    Raises:
        InputError: for all of them at once, with the job that each goes with.
    """
    problems = [
        f"{name}={value} has no effect here: it goes with {_elsewhere(name)}. Leave it away."
        for name, value in _typed(line)
        if not _within(name, (*EVALUATE_JOBS[target].options, *EVERYWHERE))
    ]
    if problems:
        raise InputError(problems)


def _typed(line: Sequence[str]) -> list[tuple[str, str]]:
    """Return the options of a command line and their values, but those that ask for nothing."""
    parts = [override.lstrip("+~").partition("=") for override in line]
    return [(name, value) for name, _, value in parts if value not in ("null", "false")]


def _within(name: str, options: Sequence[str]) -> bool:
    """Say whether an option is one of some, or of one of their nodes."""
    return any(
        name == option or name.startswith((f"{option}.", f"{option}@")) for option in options
    )


def _elsewhere(name: str) -> str:
    ways = [job.way for job in EVALUATE_JOBS.values() if _within(name, job.options)]
    return " or ".join(ways) or "none"
