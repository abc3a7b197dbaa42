"""Which options have an effect in which job; typed in vain, they are refused."""

from collections.abc import Sequence

from omegaconf import DictConfig

from latenthash.errors import InputError

# How each job of evaluate.py is asked for, and the options that it looks at.
LOG, HASHES, BENCHMARK, CODES, MATCHES, AGAIN = (
    "log=FOLDER",
    "hashes=[LH1-...,LH1-...]",
    "benchmark=NAME",
    "run=code pictures=PATH",
    "run=RUN pictures=PATH",
    "run=RUN alone",
)
JOBS = {
    LOG: ("log",),
    HASHES: ("hashes",),
    BENCHMARK: (
        *("benchmark", "run", "pictures", "edits", "fpr", "gallery", "groups", "sscd", "dinohash"),
        *("resamples", "seed", "unreadable"),
        *("reader.working_size", "reader.max_pixels", "reader.background"),
    ),
    CODES: ("run", "pictures", "reader.max_pixels", "unreadable"),
    MATCHES: ("run", "pictures", "explain", "reader.max_pixels", "unreadable"),
    AGAIN: ("run", "reader.max_pixels"),
}
TARGETS = {
    "latenthash.jobs.log.log_run": LOG,
    "latenthash.jobs.hashes.compare_hashes": HASHES,
    "latenthash.jobs.benchmark.judge_codes": BENCHMARK,
    "latenthash.jobs.codes.give_codes": CODES,
    "latenthash.jobs.matches.match": MATCHES,
    "latenthash.jobs.held_out.repeat_held_out": AGAIN,
}
# Where things are kept and how they are shown, whatever is done.
EVERYWHERE = ("job", "cache", "logger", "paths", "hydra", "format")

# What each job of train.py does not look at.
VAIN = {
    "latenthash.jobs.fit_code.fit_code": (
        *("hash", "edits", "resamples", "callbacks", "finetune", "finetuning"),
    ),
    "latenthash.jobs.learn_digits.learn_digits": (
        *("hash", "edits", "augment", "unreadable", "finetune", "finetuning"),
    ),
}


def check_training_effects(cfg: DictConfig, line: Sequence[str]) -> None:
    """Refuse options of train.py that were typed and have no effect in its job.

    Args:
        cfg: the composed config.
        line: Hydra's overrides of the command.

    Raises:
        InputError: for all of them at once.
    """
    job = str(cfg.job._target_)
    vain = dict.fromkeys(VAIN.get(job, ()), f"{job} does not look at it")
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


def check_effects(job: str, line: Sequence[str]) -> None:
    """Refuse options that were typed and have no effect in a job.

    Args:
        job: one of JOBS.
        line: Hydra's overrides of the command.

    Raises:
        InputError: for all of them at once, with the job that each goes with.
    """
    problems = [
        f"{name}={value} has no effect here: it goes with {_elsewhere(name)}. Leave it away."
        for name, value in _typed(line)
        if not _within(name, (*JOBS[job], *EVERYWHERE))
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
    return " or ".join(job for job, options in JOBS.items() if _within(name, options)) or "none"
