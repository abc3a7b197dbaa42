"""Where in the configs options of a kind stand."""

from collections.abc import Iterator
from typing import Any, get_args

from latenthash.options.kinds import Kind, Located, Node, Slot
from latenthash.options.roots import Evaluate, Train


def find_options(node: type[Node], kind: type[Kind], prefix: str = "") -> Iterator[str]:
    """Return the names of all options of a kind, `data.signal`, whatever stands in the slots."""
    for name, field in node.model_fields.items():
        at = f"{prefix}{field.alias or name}"
        for part in (field.annotation, *field.metadata, *_parts(field.annotation)):
            if isinstance(part, kind):
                yield at
            elif isinstance(part, Slot):
                for inner in part.nodes.values():
                    yield from find_options(inner, kind, f"{at}.")
            elif isinstance(part, type) and issubclass(part, Node):
                yield from find_options(part, kind, f"{at}.")


def _parts(annotation: Any) -> Iterator[Any]:
    """Return what an annotation is put together of, such as the kinds within `X | None`."""
    for part in get_args(annotation):
        yield part
        yield from _parts(part)


# Hydra's own that are folders stand beside ours.
PATHS = {
    *find_options(Train, Located),
    *find_options(Evaluate, Located),
    "hydra.run.dir",
    "hydra.sweep.dir",
}
