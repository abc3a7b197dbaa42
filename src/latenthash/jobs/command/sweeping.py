"""The check of a sweep before its first job: every choice of every option."""

from collections.abc import Iterator
from math import prod

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from latenthash.errors import InputError, find_refusal
from latenthash.jobs.command.checks import check_train
from latenthash.jobs.command.mistakes import explain
from latenthash.jobs.command.typed import MULTIRUN, as_typed
from latenthash.options.places import PATHS

SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"  # Hydra's own
JOB = ("hydra.runtime.output_dir=.", "hydra.job.num=0")  # what a job has and a sweep has not yet


def check_sweep(config: DictConfig, config_name: str) -> None:
    """Refuse a sweep of which a job could not run.

    The first choice of all options is tried, and then every other choice of each: not every
    combination, for the schema looks at one option at a time.

    Args:
        config: of the sweep, with the node `hydra`.
        config_name: of the command.

    Raises:
        InputError: for all that is wrong with any of them.
    """
    lines = _lines(config)
    before = HydraConfig.instance().cfg
    problems: dict[str, None] = {}  # in order, each once
    try:
        for job in _jobs(lines, config_name):
            try:
                check_train(job)
            except InputError as error:
                problems |= dict.fromkeys(error.problems)
    except (HydraException, OmegaConfBaseException) as error:
        raise find_refusal(error) or InputError(
            f"A job of the sweep cannot be composed: {explain(error)}"
        ) from error
    finally:
        HydraConfig.instance().cfg = before
    if problems:
        raise InputError(list(problems))


def count_jobs(config: DictConfig) -> int:
    """Return how many jobs a sweep has, for whoever waits for all of them.

    Args:
        config: of the sweep, with the node `hydra`, that was checked.

    Returns:
        Jobs that differ; 0 where another sweeper than Hydra's own chooses them as it goes.
    """
    if config.hydra.sweeper._target_ != SWEEPER:
        return 0
    unnamed = set(config.hydra.job.config.override_dirname.exclude_keys)
    return prod(
        len(set(choices))
        for override, choices in _choices(_lines(config))
        if override.key_or_group not in unnamed
    )


def typed_line() -> list[str]:
    """Return the overrides of the command as they were typed, for they may refer to anything."""
    line = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    assert isinstance(line, list)
    return line


def quote_paths(config: DictConfig) -> None:
    """Let paths that a sweep's file names be taken as they are written there.

    Args:
        config: of the sweep, with the node `hydra`.
    """
    params = config.hydra.sweeper.params or {}
    with read_write(config.hydra), open_dict(config.hydra):
        for key in PATHS & set(params):
            written = f"{key}={params[key]}"
            _, line = as_typed([MULTIRUN[0], written])
            if line != written:
                params[key] = line.removeprefix(f"{key}=")


def _lines(config: DictConfig) -> list[str]:
    params = config.hydra.sweeper.params or {}
    # As Hydra does: what is typed comes last, and goes before what the sweep's file says.
    return [*(f"{key}={value}" for key, value in params.items()), *typed_line()]


def _choices(lines: list[str]) -> list[tuple[Override, list[str]]]:
    """List each option of a command line, the last of its name, with all its choices."""
    loader = GlobalHydra.instance().config_loader()
    given = OverridesParser.create(config_loader=loader).parse_overrides(lines)
    parsed = {(one.key_or_group, one.package): one for one in given}
    return [
        (
            override,
            [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
            if override.is_sweep_override()
            else [str(override.input_line)],
        )
        for override in parsed.values()
    ]


def _jobs(lines: list[str], config_name: str) -> Iterator[DictConfig]:
    loader = GlobalHydra.instance().config_loader()
    options = _choices(lines)
    if empty := [str(override.input_line) for override, choices in options if not choices]:
        raise InputError([f"{line} names nothing: give at least one choice." for line in empty])
    first = [choices[0] for _, choices in options]
    base = _composed(first, config_name)
    yield base
    for i, (override, choices) in enumerate(options):
        for choice in choices[1:]:
            if loader.get_group_options(override.key_or_group):
                yield _composed([*first[:i], choice, *first[i + 1 :]], config_name)
            else:  # an option alone: composing takes a quarter of a second, and this a hundredth
                changed = base.copy()
                (value,) = OverridesParser.create().parse_overrides([choice])
                OmegaConf.update(changed, override.key_or_group, value.value())
                yield changed


def _composed(lines: list[str], config_name: str) -> DictConfig:
    job = compose(config_name, [*lines, *JOB], return_hydra_config=True)
    HydraConfig.instance().set_config(job)
    OmegaConf.set_struct(job, False)
    return OmegaConf.masked_copy(job, [str(key) for key in job if key != "hydra"])
