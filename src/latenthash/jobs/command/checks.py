"""The check of a command's composed config against the schema."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from latenthash.errors import InputError, find_refusal
from latenthash.options.checking import find_evaluate_problems, find_train_problems

OF_TRAINING = ("run_name", "overrides", "parent_run_id")  # options of the logger
UNKNOWN = "unknown"


def check_train(cfg: DictConfig) -> None:
    """Refuse a config of train.py that cannot be run.

    Raises:
        InputError: for all that is wrong with it.
    """
    _refuse(find_train_problems(plain(cfg)))


def check_evaluate(cfg: DictConfig) -> None:
    """Refuse a config of evaluate.py that cannot be run.

    Raises:
        InputError: for all that is wrong with it.
    """
    # What the logger calls a run of train.py cannot be resolved here.
    known = cfg.copy()
    for key in OF_TRAINING:
        if OmegaConf.is_interpolation(known.logger, key):
            known.logger[key] = UNKNOWN
    _refuse(find_evaluate_problems(plain(known)))


def plain(cfg: DictConfig) -> Any:
    """Turn a config into mappings, lists, numbers and texts, with all references resolved.

    Raises:
        InputError: if one leads nowhere, or a value is missing.
    """
    try:
        return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        if refusal := find_refusal(error):
            raise refusal from None
        reason = str(error.msg).partition("\n")[0].rstrip(".")
        raise InputError(f"{error.full_key or 'The config'} cannot be used: {reason}.") from error


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise InputError(problems)
