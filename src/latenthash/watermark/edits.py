"""The edits that led from one picture to another, as their file says: it is not trusted."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from latenthash.errors import InputError
from latenthash.options.checking import find_problems
from latenthash.options.kinds import Node
from latenthash.system.files import Unusable, read_bounded
from latenthash.watermark.canonical import canonical, parse
from latenthash.watermark.manifest import EditDone

MOST_BYTES = 2**18  # of the file: the manifest that holds it has at most 2^20
MOST_EDITS = 256  # of one manifest
CLASS, STEPS = "__class_fullname__", "transforms"  # of albumentations' ReplayCompose
EDITED = "c2pa.edited"  # C2PA's word for what has no word of its own
# Parts of the names of albumentations' transforms -> C2PA's actions; the first that fits.
ACTIONS = {
    "Crop": "c2pa.cropped",
    "Flip": "c2pa.orientation",
    "Rotate": "c2pa.orientation",
    "Transpose": "c2pa.orientation",
    "D4": "c2pa.orientation",
    "Resize": "c2pa.resized",
    "Scale": "c2pa.resized",
    "MaxSize": "c2pa.resized",
    "Compression": "c2pa.transcoded",
    "Blur": "c2pa.filtered",
    "Sharpen": "c2pa.filtered",
    "Color": "c2pa.color_adjustments",
    "Brightness": "c2pa.color_adjustments",
    "Saturation": "c2pa.color_adjustments",
    "Gamma": "c2pa.color_adjustments",
    "Gray": "c2pa.color_adjustments",
}
WAYS = (
    "give JSON: the `replay` of albumentations' ReplayCompose, or a list of "
    '{"action": "c2pa.cropped", "name": "Crop", "parameters": {}}'
)


class _Listed(Node):
    """The file, where it is a list."""

    edits: list[EditDone]


def read_edits(path: Path) -> list[EditDone]:
    """Read the edits that were done.

    Args:
        path: of a JSON file: a list of action, name and parameters, or what ReplayCompose tells.

    Raises:
        InputError: if it is none.
    """
    what = f"edits_done={path}"
    try:
        values = parse(read_bounded(path, MOST_BYTES))
    except (Unusable, ValueError) as error:
        raise InputError(f"{what} {error}; {WAYS}.") from error
    if isinstance(values, Mapping):
        values = list(_replayed(values.get("replay", values)))
        if not values:
            raise InputError(f"{what} tells of no edit that was applied; {WAYS}.")
    if not isinstance(values, list):
        raise InputError(f"{what} is no list; {WAYS}.")
    return edits_of(what, values)


def edits_of(what: str, values: list[Any]) -> list[EditDone]:
    """Return the edits that plain values are.

    Args:
        what: begins the sentences on what is wrong with them.
        values: a mapping an edit.

    Raises:
        InputError: for all that is wrong with them.
    """
    if len(values) > MOST_EDITS:
        raise InputError(f"{what} tells of {len(values):,} edits, and at most {MOST_EDITS} may be.")
    if problems := find_problems(_Listed, {"edits": values}):
        raise InputError([f"{what}: {sentence}" for sentence in problems])
    try:
        canonical([values])
    except ValueError as error:
        raise InputError(f"{what} {error}: leave that out.") from error
    return _Listed.model_validate({"edits": values}).edits


def _replayed(node: object) -> Iterator[dict[str, Any]]:
    """Go through what ReplayCompose tells of the transforms that were applied."""
    if not isinstance(node, Mapping) or not node.get("applied", True):
        return
    steps = node.get(STEPS)
    if isinstance(steps, list):
        for step in steps:
            yield from _replayed(step)
        return
    name = node.get(CLASS)
    if isinstance(name, str):
        name = name.rpartition(".")[2]
        action = next((action for part, action in ACTIONS.items() if part in name), EDITED)
        done = node.get("params")
        yield {"action": action, "name": name, "parameters": done if isinstance(done, dict) else {}}
