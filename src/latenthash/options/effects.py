"""Which options of evaluate.py have an effect in which job; typed in vain, they are refused."""

from collections.abc import Sequence

from latenthash import InputError

LOG, HASHES, BENCHMARK = "log=FOLDER", "hashes=[LH1-...,LH1-...]", "benchmark=NAME"
CODES, MATCHES, HELD_OUT = (
    "run=code pictures=PATH",
    "run=RUN pictures=PATH",
    "run=RUN alone",
)
JOBS = {  # how each job is asked for -> options that it looks at
    LOG: ("log",),
    HASHES: ("hashes",),
    BENCHMARK: (
        *("benchmark", "run", "pictures", "edits", "fpr", "gallery", "groups", "sscd", "dinohash"),
        *("resamples", "seed", "reader", "unreadable"),
    ),
    CODES: ("run", "pictures", "reader.max_pixels", "unreadable"),
    MATCHES: ("run", "pictures", "explain", "reader.max_pixels", "unreadable"),
    HELD_OUT: ("run", "reader.max_pixels"),
}
# Where things are kept and how they are shown, whatever is done.
EVERYWHERE = ("cache", "logger", "paths", "hydra", "format")


def check_effects(job: str, line: Sequence[str]) -> None:
    """Refuse options that were typed and have no effect in a job.

    Args:
        job: one of JOBS.
        line: Hydra's overrides of the command.

    Raises:
        InputError: for all of them at once, with the job that each goes with.
    """
    typed = [override.lstrip("+~").partition("=") for override in line]
    problems = [
        f"{name}={value} has no effect here: it goes with {_elsewhere(name)}. Leave it away."
        for name, _, value in typed
        if value not in ("null", "false") and not _within(name, (*JOBS[job], *EVERYWHERE))
    ]
    if problems:
        raise InputError(problems)


def _within(name: str, options: Sequence[str]) -> bool:
    """Say whether an option is one of some, or of one of their nodes."""
    return any(
        name == option or name.startswith((f"{option}.", f"{option}@")) for option in options
    )


def _elsewhere(name: str) -> str:
    return " or ".join(job for job, options in JOBS.items() if _within(name, options)) or "none"
