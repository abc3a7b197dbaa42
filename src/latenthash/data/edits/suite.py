"""The suite: named edits in families, and how each is applied the same way everywhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any

import albumentations as A
import cv2
import numpy as np
import PIL

from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.options.moved import FIRST_NAMES

# What edits pixels: other versions, other pixels.
LIBRARIES = tuple(f"{lib.__name__} {lib.__version__}" for lib in (A, cv2, PIL))
CLASS = "__class_fullname__"  # albumentations' key for the class of a transform


@dataclass(frozen=True)
class SuiteEdit:
    """One edit of the suite: a pure function of (version, name, picture).

    Not for several threads at once: its random state is set before each use.

    Attributes:
        version: of the suite, part of every seed.
        name: unique in the suite.
        family: the kind of edit it is.
        strength: how far it goes, in its family's unit; None where the family has no scale.
        transform: what does it, drawn anew from its seed for each picture.
        unit: of the strength, in words; empty where the family has none.
    """

    version: str
    name: str
    family: str
    strength: float | None
    transform: A.Compose
    unit: str = ""

    def apply(self, pixels: Pixels, digest: str) -> Pixels:  # (h, w, 3)
        """Edit a picture; the result depends on nothing but the arguments and the edit.

        Args:
            pixels: (H, W, 3) RGB uint8; stays as it is.
            digest: the picture's digest, part of the seed.

        Returns:
            RGB uint8 of a size that may differ.
        """
        self.transform.set_random_seed(edit_seed(self.version, self.name, digest))
        # A copy: where there is nothing to do, albumentations hands on the picture.
        return np.array(self.transform(image=pixels)["image"])


class Suite:
    """A versioned set of edits.

    Args:
        version: the suite's name, part of every seed; a suite that changes takes a new one.
        families: family -> edit name -> its parts: `edit`, an albumentations transform or a list
            of them in their order, and `strength`, a number in the family's unit. A family's
            strengths run from the mildest edit to the strongest, up or down; a family without a
            scale has none.
        units: family -> what its strengths are measured in.

    Attributes:
        version: as given.
        edits: all edits, in the order given.

    Raises:
        InputError: everything that is wrong with the edits, at once.
    """

    def __init__(
        self,
        version: str,
        families: Mapping[str, Mapping[str, Any]],
        units: Mapping[str, str] | None = None,
    ) -> None:
        units = units or {}
        problems = _problems(families)
        problems += [f"units: there is no family {name}." for name in units if name not in families]
        if problems:
            raise InputError(problems)
        self.version = version
        self.edits: tuple[SuiteEdit, ...] = tuple(
            SuiteEdit(
                version,
                name,
                family,
                parts.get("strength"),
                A.Compose(_chain(parts["edit"])),
                units.get(family, ""),
            )
            for family, edits in families.items()
            for name, parts in edits.items()
        )

    def chosen(self, names: Sequence[str] | None) -> tuple[SuiteEdit, ...]:
        """Return the edits named, in the suite's order.

        Args:
            names: edits or whole families; None takes everything.

        Raises:
            InputError: no name, or names that the suite does not have.
        """
        if names is None:
            return self.edits
        # The command line gives one name as text.
        given = [names] if isinstance(names, str) or not isinstance(names, Sequence) else names
        names = [str(name) for name in given]
        families = list(dict.fromkeys(edit.family for edit in self.edits))
        known = {*families, *(edit.name for edit in self.edits)}
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            what = "No edits are chosen"
            if unknown:
                what = f"No edit or family is called {', '.join(unknown)}"
            edits = ", ".join(edit.name for edit in self.edits)
            raise InputError(f"{what}. Families: {', '.join(families)}. Edits: {edits}.")
        return tuple(edit for edit in self.edits if edit.name in names or edit.family in names)

    @property
    def digest(self) -> str:
        """Identify version, edits and their arguments: sha256 hex, for cache keys.

        Not the code of the edits: whoever changes what one draws changes the version.
        """
        edits = {
            edit.name: [_named_for_good(step.to_dict()["transform"]) for step in edit.transform]
            for edit in self.edits
        }
        known = json.dumps([self.version, edits], sort_keys=True)
        return sha256(known.encode()).hexdigest()


def edit_seed(version: str, name: str, digest: str) -> int:
    """Derive the seed of one edit of one picture, in [0, 2^32)."""
    return int.from_bytes(sha256(f"{version}/{name}/{digest}".encode()).digest()[:4], "big")


def _named_for_good(values: Any) -> Any:
    """Name our classes, in what albumentations lists, by what stays when their modules move.

    That is the bare name; of classes that the first digests knew, it is what they knew.
    """
    if isinstance(values, list):
        return [_named_for_good(value) for value in values]
    if not isinstance(values, dict):
        return values
    arguments = {key: _named_for_good(value) for key, value in values.items()}
    if (name := arguments.get(CLASS, "")).startswith("latenthash."):
        arguments[CLASS] = FIRST_NAMES.get(name, name.rpartition(".")[2])
    return arguments


def _chain(edit: Any) -> list[Any]:
    return list(edit) if isinstance(edit, Sequence) else [edit]


def _problems(families: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say what is wrong with the edits of a suite, a sentence each."""
    names = [name for edits in families.values() for name in edits]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    problems = [f"The edit name {name} is used twice." for name in twice]
    if not names:
        problems.append("The suite has no edits.")
    for family, edits in families.items():
        problems += [
            f"{name} is an edit of {family} and the name of another family."
            for name in edits
            if name in families and name != family
        ]
        for name, parts in edits.items():
            chain = _chain(parts.get("edit"))
            if not chain or not all(isinstance(step, A.BasicTransform) for step in chain):
                problems.append(f"{name} needs `edit`: a transform or a list of transforms.")
            elif any(step.p != 1 for step in chain):
                problems.append(f"{name} must always be applied: give every step of it p: 1.0.")
            if extra := sorted(set(parts) - {"edit", "strength"}):
                problems.append(f"{name} has unknown parts: {', '.join(extra)}.")
        if not _is_scale([parts.get("strength") for parts in edits.values()]):
            problems.append(
                f"The strengths of {family} must all be numbers that rise or fall, or none."
            )
    return problems


def _is_scale(strengths: list[Any]) -> bool:
    if all(strength is None for strength in strengths):
        return True
    if not all(isinstance(strength, int | float) for strength in strengths):
        return False
    steps = [after - before for before, after in pairwise(strengths)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)
