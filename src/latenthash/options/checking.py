"""Holds configs against the schema, and says in sentences all that is wrong with them."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from latenthash import InputError
from latenthash.options.kinds import Node, nearest, nodes_by_class
from latenthash.options.roots import Bundled, Evaluate, Train

LONGEST = 60  # letters of a value that a sentence repeats
MUST = "must be"
CLASSES = nodes_by_class()  # that the schema knows
WORDS = {  # pydantic's names of what can be wrong -> what a value must be
    "literal_error": "must be {expected}",
    "model_type": "must be a mapping of options",
    "dict_type": "must be a mapping of options",
    "list_type": "must be a list",
    "string_type": "must be text",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "too_short": "has too few entries, at least {min_length} are needed",
    "too_long": "has too many entries, at most {max_length} are allowed",
}


def check_train(cfg: DictConfig) -> None:
    """Refuse a config of train.py that cannot be run.

    Raises:
        InputError: for all that is wrong with it.
    """
    _refuse(find_problems(Train, _plain(cfg), trusted=True))


def check_evaluate(cfg: DictConfig) -> None:
    """Refuse a config of evaluate.py that cannot be run.

    Raises:
        InputError: for all that is wrong with it.
    """
    # What the logger calls a run of train.py cannot be resolved here.
    known = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "logger"])
    _refuse(find_problems(Evaluate, _plain(known), trusted=True))


def checked_bundle(values: object) -> dict[str, Any]:
    """Give the values of a bundle's config, if it holds nothing but what a bundle may hold.

    Raises:
        InputError: for all that is wrong with it.
    """
    problems = find_problems(Bundled, values, trusted=False)
    _refuse([f"The bundle's config cannot be used: {sentence}" for sentence in problems])
    return Bundled.model_validate(values).model_dump(by_alias=True)


def find_problems(schema: type[Node], values: object, *, trusted: bool) -> list[str]:
    """Say what is wrong with values, a sentence each.

    Args:
        schema: what they must be.
        values: plain: mappings, lists, numbers, texts.
        trusted: whether classes that the schema does not know may be named.
    """
    try:
        schema.model_validate(values, context=trusted)
    except ValidationError as error:
        found = [_sentence(schema, details) for details in error.errors(include_url=False)]
        return list(dict.fromkeys(found))
    return []


def _plain(cfg: DictConfig) -> Any:
    try:
        return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise InputError(
            f"{error.full_key or 'The config'} cannot be used: {error.msg}."
        ) from error


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise InputError(problems)


def _sentence(schema: type[Node], error: ErrorDetails) -> str:
    # Which class stands in a slot is part of pydantic's path, and no key of the config.
    path = [str(part) for part in error["loc"] if part not in (*CLASSES, "", "[key]")]
    name, context = ".".join(path), error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        known = _options(schema, error["loc"][:-1])
        return f"{name} is no option here{nearest(path[-1], known) or '.'}"
    if error["type"] == "missing":
        return f"{name} is missing: every option needs a value."
    if error["loc"][-1] == "[key]":
        return f"{name} {error['msg']}."
    words = WORDS.get(error["type"], error["msg"]).format_map(context)
    if error["input"] is None and words.startswith(MUST):
        return f"{name} is not set; it {words}."
    # Of a mapping, the sentence says what is wrong in it.
    given = "" if isinstance(error["input"], dict) else f"={_shown(error['input'])}"
    return f"{name}{given} {words.removesuffix('?')}{'?' if words.endswith('?') else '.'}"


def _options(schema: type[Node], loc: Sequence[str | int]) -> list[str]:
    """List the options of the mapping at a place."""
    at: type[Node] = schema
    for part in loc:
        field = at.model_fields.get(str(part))
        if part in CLASSES:
            at = CLASSES[str(part)]
        elif field and isinstance(field.annotation, type) and issubclass(field.annotation, Node):
            at = field.annotation
    return [field.alias or name for name, field in at.model_fields.items()]


def _shown(value: object) -> str:
    """Write a value as the command line takes it, short."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
