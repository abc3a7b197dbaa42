"""Kinds of values, each with the words by which a refusal asks for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, ValidationError, core_schema

from latenthash.options.moved import MOVED
from latenthash.options.trust import Origin, located

TARGET, CONVERT = "_target_", "_convert_"
LONGEST_REASON = 600  # letters: of a name that is a page long, the rest says nothing
LONGEST = 4096  # letters of a text: as long as a path may be
MOST_SEED = 2**32 - 1  # numpy's and Lightning's limit


class Node(BaseModel):
    """A mapping of options; what it does not name is refused, and nothing is converted."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, serialize_by_alias=True
    )


@dataclass(frozen=True)
class Kind:
    """Asks for a value in words, whatever is wrong with the one that was given.

    Attributes:
        words: what the value must be, after "must be".
    """

    words: str

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Wrap the check of the type that is annotated."""
        return core_schema.no_info_wrap_validator_function(self._check, handler(of))

    def fits(self, value: Any) -> bool:
        """Say whether a value of the right type is allowed."""
        return True

    def _check(self, value: Any, check: Callable[[Any], Any]) -> Any:
        try:
            checked = check(value)
            if self.fits(checked):
                return checked
        except ValidationError:
            pass
        raise PydanticCustomError("kind", "must be {words}", {"words": self.words})


@dataclass(frozen=True)
class Within(Kind):
    """A number between limits; `above` and `below` are not reached themselves."""

    least: float = -inf
    most: float = inf
    above: float = -inf
    below: float = inf

    def fits(self, value: float) -> bool:
        """Say whether a number lies within the limits."""
        return self.least <= value <= self.most and self.above < value < self.below


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""


def whole(least: int, most: int, unit: str = "") -> Within:
    """Ask for a whole number from least to most."""
    return Within(f"a whole number from {least} to {most:,}{_in(unit)}", least=least, most=most)


def number(
    least: float = -inf,
    most: float = inf,
    *,
    above: float = -inf,
    below: float = inf,
    unit: str = "",
) -> Within:
    """Ask for a number within limits."""
    limits = {
        f"of at least {least:g}": least > -inf,
        f"above {above:g}": above > -inf,
        f"of at most {most:g}": most < inf,
        f"below {below:g}": below < inf,
    }
    words = " and ".join(text for text, given in limits.items() if given)
    return Within(f"a number {words}{_in(unit)}", least=least, most=most, above=above, below=below)


@dataclass(frozen=True)
class Written(Kind):
    """A text that can be a name."""

    def fits(self, value: str) -> bool:
        """Say whether there is a text, not too long, without a zero byte."""
        return 0 < len(value) <= LONGEST and "\0" not in value


class Located(Written):
    """The path of a file or folder, or a word that stands for one: taken as it was typed."""


Seed: TypeAlias = Annotated[int, whole(0, MOST_SEED)]
Count: TypeAlias = Annotated[int, whole(1, 10**6)]
Width: TypeAlias = Annotated[int, whole(1, 2**16, "units")]
Widths: TypeAlias = Annotated[list[Width], Field(min_length=1, max_length=12)]
Share: TypeAlias = Annotated[float, number(above=0, below=1)]
Weight: TypeAlias = Annotated[float, number(least=0, most=1e9)]
Size: TypeAlias = Annotated[float, number(above=0, most=1e9)]
Rate: TypeAlias = Annotated[float, number(least=0, most=1e30)]
Path: TypeAlias = Annotated[str, Located("a path")]
Name: TypeAlias = Annotated[str, Written("a name")]
Switch: TypeAlias = Annotated[bool, Kind("true or false")]


class Slot:
    """A place in the config for an object: `_target_` names its class, the rest its arguments.

    Classes that the schema does not know are for their owner to answer for: they may stand in his
    own config, with any arguments. In a bundle they may stand where their package is trusted and
    the slot has a node for them, with numbers, texts, lists and mappings as arguments.

    Args:
        nodes: of the classes that may stand here, each with a field `target`.
        own: of classes that the schema does not know; None where no bundle may name one.
        methods: that such a class must have.
        closed: whether no class but those of the nodes may stand here, not even a user's own.
    """

    def __init__(
        self,
        *nodes: type[Node],
        own: type[Node] | None = None,
        methods: tuple[str, ...] = (),
        closed: bool = False,
    ) -> None:
        self.closed = closed
        self.nodes = {name: node for node in nodes for name in _classes(node)}
        self.own = own
        self.methods = methods

    def __get_pydantic_core_schema__(self, of: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Choose the node by the name of the class."""
        choices = {name: handler.generate_schema(node) for name, node in self.nodes.items()}
        taken = core_schema.any_schema() if self.own is None else handler.generate_schema(self.own)
        own = core_schema.chain_schema(
            [core_schema.with_info_plain_validator_function(self._own), taken]
        )
        return core_schema.tagged_union_schema({**choices, "": own}, self._tag)

    def _tag(self, value: Any) -> str:
        # Nodes, when they are turned into plain values again.
        name = str(value.get(TARGET) if isinstance(value, dict) else getattr(value, "target", ""))
        return name if name in self.nodes else ""

    def _own(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        known = " or ".join(self.nodes)
        name = value.get(TARGET) if isinstance(value, dict) else None
        if not isinstance(name, str):
            raise refused(f"must name a class by `_target_`, such as {known}")
        origin = info.context or Origin()
        trusted = self.own is not None and origin.allows(name)
        barred = self.closed or (is_ours(name) and name not in MOVED)
        if barred or (origin.side is None and not trusted):
            raise refused(f"names {name}, which may not stand here; {known} may")
        found = find_class(name) if origin.side is not None else find_trusted(name, origin)
        if missing := [method for method in self.methods if not hasattr(found, method)]:
            raise refused(f"names {name}, which lacks {' and '.join(missing)}")
        if origin.side is None and not is_plain(value):
            raise refused(f"gives {name} what a bundle may not hold, such as an object")
        return value


def find_class(name: str) -> type:
    """Import a class by its name.

    Raises:
        PydanticCustomError: if there is none.
    """
    if name in MOVED:
        raise refused(f"names {name}, which is {MOVED[name]} now")
    try:
        found = located(name)
    except Exception as error:  # importing runs code, which may raise anything
        raise refused(f"names {name}, which cannot be imported: {error}") from error
    if not isinstance(found, type):
        raise refused(f"names {name}, which is no class")
    return found


def find_trusted(name: str, origin: Origin) -> type:
    """Import a class that a bundle names.

    Raises:
        PydanticCustomError: if there is none, or it is of no package that is trusted.
    """
    try:
        return origin.find(name)
    except ValueError as error:
        raise refused(str(error)) from error


def is_plain(node: dict[Any, Any]) -> bool:
    """Say whether the arguments of a class are such that Hydra builds no object of them."""

    def holds(value: Any) -> bool:
        if isinstance(value, dict):
            return all(not str(key).startswith("_") and holds(part) for key, part in value.items())
        if isinstance(value, list):
            return all(map(holds, value))
        return True

    given = {key: value for key, value in node.items() if key not in (TARGET, CONVERT)}
    return holds(given) and node.get(CONVERT, "all") == "all"


def is_ours(name: str) -> bool:
    """Say whether a module or class is of this package."""
    return name.split(".")[0] == "latenthash"


def refused(reason: str) -> PydanticCustomError:
    """Refuse a value with a sentence that lacks its subject."""
    # As a value: braces in a name would be read as places to fill in.
    return PydanticCustomError("refused", "{reason}", {"reason": reason[:LONGEST_REASON]})


def _classes(node: type[Node]) -> tuple[str, ...]:
    """List the classes that a node is of."""
    return get_args(node.model_fields["target"].annotation)


def nodes_by_class(node: type[Node] = Node) -> dict[str, type[Node]]:
    """Collect the nodes of all classes that the schema knows."""
    own = {name: node for name in _classes(node)} if "target" in node.model_fields else {}
    for child in node.__subclasses__():
        own |= nodes_by_class(child)
    return own


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest what a mistyped name may stand for; nothing when nothing is like it."""
    return _suggestion("", name, known)


def nearest_option(path: str, known: Iterable[str]) -> str:
    """Suggest what a mistyped option, such as model.latentdim, may stand for; or nothing.

    Args:
        path: of the option.
        known: names that may stand at its end.
    """
    parent, dot, name = path.rpartition(".")
    return _suggestion(parent + dot, name, known)


def _suggestion(parent: str, name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, list(known), 1)
    return f"; did you mean {parent}{found[0]}?" if found else ""
