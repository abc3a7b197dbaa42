"""The check of plain values against the schema: a sentence for all that is wrong with them."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from latenthash.errors import InputError
from latenthash.options.edits import BUNDLED_EDITS, SIDE
from latenthash.options.kinds import TARGET, Node, nearest_option, nodes_by_class
from latenthash.options.misfits import CONTRASTIVE, PIXELS, find_misfits
from latenthash.options.moved import DROPPED, GIVEN_UP, MOVED
from latenthash.options.roots import Bundled, Evaluate, Network, Train
from latenthash.options.trust import Origin, trustable, trusted

LONGEST = 60  # letters of a value that a sentence repeats
TOLD = 20  # problems that are told
MUST = "must be"
QUOTABLE = ("must be a path", "must be a name", "must be a path or embedded:<set>")
ODD = "The bundle's config cannot be used:"
MIN_SIDE, SIDE_LIMIT = 8, 8192  # px
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


def find_train_problems(values: Any) -> list[str]:
    """Say what is wrong with the plain values of a config of train.py, a sentence each."""
    return find_problems(Train, values, Origin(_side(values))) or find_misfits(values)


def find_evaluate_problems(values: Any) -> list[str]:
    """Say what is wrong with the plain values of a config of evaluate.py, a sentence each."""
    return find_problems(Evaluate, values, Origin(_side(values)))


def find_bundle_problems(values: Any) -> list[str]:
    """Say what of the values of train.py no bundle may hold: evaluate.py would refuse it."""
    held = {key: values[key] for key in Bundled.model_fields}
    return find_problems(Bundled, held, Origin(trusted=trusted(packages_of(held))))


def packages_of(values: object) -> list[str]:
    """List the packages of others that must be trusted to build what a bundle's values name."""
    return trustable(name for name in _called(values) if "." in str(name))


def classes_of_others(values: object) -> list[str]:
    """List what the values of a config name of packages that are neither ours nor needed by us."""
    return sorted({str(name) for name in _called(values) if trustable([name])})


def checked_bundle(values: object, trust: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the values of a bundle's config, if it holds nothing but what a bundle may hold.

    Args:
        values: plain.
        trust: packages whose classes it may name.

    Raises:
        InputError: for all that is wrong with it.
    """
    return _checked(Bundled, _updated(values), Origin(trusted=trust))


def checked_network(values: object) -> dict[str, Any] | None:
    """Return what of a bundle's config makes codes, if that is the network of model=contrastive.

    Its edits had their part in the training, and are not looked at: only to make them says
    whether they can be made, and that takes seconds.

    Returns:
        hash, data, features and model, checked; None for the bundle of anything else.

    Raises:
        InputError: for all that is wrong with it.
    """
    values = _updated(values)
    wanted = {"features": PIXELS, "model": CONTRASTIVE}
    if not isinstance(values, dict) or any(
        not isinstance(values.get(key), dict) or values[key].get(TARGET) != name
        for key, name in wanted.items()
    ):
        return None
    held = {key: values[key] for key in Network.model_fields if key in values}
    return _checked(Network, held, Origin())


def _checked(schema: type[Node], values: object, origin: Origin) -> dict[str, Any]:
    try:
        checked = schema.model_validate(values, context=origin).model_dump(by_alias=True)
    except ValidationError as error:
        raise InputError([f"{ODD} {line}" for line in _sentences(schema, error)]) from error
    # Once more, whatever the schema says: Hydra calls what stands behind these keys.
    known = {*CLASSES, *BUNDLED_EDITS}
    if odd := [n for n in _called(checked) if n not in known and not origin.allows(n)]:
        raise InputError(f"{ODD} it names {_shown(odd[0])}, which may not stand there.")
    return checked


def _updated(values: object) -> Any:
    """Turn the plain values of an older bundle's config into what they would be now.

    Raises:
        InputError: if its latents can be made no more.
    """
    values = _renamed(values)
    for path in dict.fromkeys([*GIVEN_UP, *DROPPED]):
        *above, key = path.split(".")
        node = values
        for part in above:
            node = node.get(part) if isinstance(node, dict) else None
        if not isinstance(node, dict) or key not in node:
            continue
        if node[key] in GIVEN_UP.get(path, ()):
            raise InputError(
                f"{ODD} {path}={node[key]} is no option any more. Use the version of latenthash "
                "that wrote the bundle, or train again without it."
            )
        if path in DROPPED:
            del node[key]
    return values


def _renamed(values: Any) -> Any:
    """Call classes in plain values by their present names."""
    if isinstance(values, list):
        return [_renamed(value) for value in values]
    if not isinstance(values, dict):
        return values
    return {
        key: MOVED.get(value, value)
        if key == TARGET and isinstance(value, str)
        else _renamed(value)
        for key, value in values.items()
    }


def _called(values: object) -> Iterator[object]:
    """Return all that Hydra would call, and a name for what it would do otherwise."""
    if isinstance(values, dict):
        for key, value in values.items():
            if key == TARGET:
                yield value
            elif str(key).startswith("_") and (key, value) != ("_convert_", "all"):
                yield key
    if isinstance(values, dict | list):
        for value in values.values() if isinstance(values, dict) else values:
            yield from _called(value)


def find_problems(schema: type[Node], values: object, origin: Origin | None = None) -> list[str]:
    """Say what is wrong with values, a sentence each.

    Args:
        schema: what they must be.
        values: plain: mappings, lists, numbers, texts.
        origin: where they are from, which says whether they may name classes that the schema does
            not know.
    """
    try:
        schema.model_validate(values, context=origin)
    except ValidationError as error:
        return _sentences(schema, error)
    return []


def _side(values: Any) -> int:
    """Return the side of the pictures that a run edits, px."""
    for node in (values.get("data"), values):
        reader = node.get("reader") if isinstance(node, dict) else None
        side = reader.get("working_size") if isinstance(reader, dict) else None
        if isinstance(side, int) and MIN_SIDE <= side <= SIDE_LIMIT:
            return side
    return SIDE


def _sentences(schema: type[Node], error: ValidationError) -> list[str]:
    lines = [_sentence(schema, details) for details in error.errors(include_url=False)]
    found = list(dict.fromkeys(lines))
    rest = [f"And {len(found) - TOLD} problems more."] if len(found) > TOLD else []
    return [*found[:TOLD], *rest]


def _sentence(schema: type[Node], error: ErrorDetails) -> str:
    # Which class stands in a slot is part of pydantic's path, and no key of the config.
    path = [_shown(part) for part in error["loc"] if part not in (*CLASSES, "", "[key]")]
    name, context = ".".join(path) or "The config", error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        known = _options(schema, error["loc"][:-1])
        return f"{name} is no option here{nearest_option(name, known) or '.'}"
    if error["type"] == "missing":
        return f"{name} is missing: every option needs a value."
    if error["loc"][-1:] == ("[key]",):
        return f"{name} {error['msg']}."
    words = WORDS.get(error["type"], error["msg"]).format_map(context)
    if isinstance(error["input"], int | float) and words in QUOTABLE:
        words += "; in a file, put it into quotes"
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
