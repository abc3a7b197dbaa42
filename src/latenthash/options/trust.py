"""Whose classes a config may name: the only gate for those that are not the project's.

A bundle comes from anywhere, and to name a class is to run its code. Of other packages it may name
classes only where the user says, on his own command line, that he trusts the package.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from types import ModuleType

from latenthash.errors import InputError

OURS = "latenthash"


@dataclass(frozen=True)
class Origin:
    """Where a config is from, on which depends what it may name.

    Attributes:
        side: px, of the pictures of a user's own run, whose classes are his affair, and whose
            edits are tried; None for what comes from elsewhere, such as a bundle.
        trusted: packages whose classes may be named from elsewhere; see `trusted`.
    """

    side: int | None = None
    trusted: frozenset[str] = frozenset()

    def allows(self, name: object) -> bool:
        """Say whether a name is one of a trusted package."""
        return isinstance(name, str) and name.split(".")[0] in self.trusted

    def find(self, name: str) -> type:
        """Import a class of a trusted package.

        It must be defined in the package, be it in another module of it: what the package has
        imported from elsewhere, such as `mypackage.os.system`, is not the package's.

        Raises:
            ValueError: if there is no such class, as the end of a sentence that begins with what
                names it.
        """
        package, *rest = name.split(".")
        if not self.allows(name) or not rest:
            raise ValueError(f"names {name}, which is of no package that is trusted")
        if not all(re.fullmatch(r"[^\W_]\w*", part) for part in (package, *rest)):
            raise ValueError(f"names {name}, which is no public class")
        try:
            found = located(name, within=package)
        except Exception as error:  # importing runs code, which may raise anything
            raise ValueError(f"names {name}, which cannot be imported: {error}") from error
        if not isinstance(found, type):
            raise ValueError(f"names {name}, which is no class")
        if found.__module__.split(".")[0] != package:
            raise ValueError(f"names {name}, which is {found.__module__}.{found.__qualname__}")
        return found


def located(name: str, within: str | None = None) -> object:
    """Find what a dotted path names, as Hydra does: an attribute hides a module of its name.

    Otherwise one class would be checked and another one built.

    Args:
        name: the path.
        within: the package whose modules alone lead on; None lets anything do so.

    Raises:
        Exception: if there is no such thing; or of any kind, for importing runs code.
    """
    path, *rest = name.split(".")
    found: object = import_module(path)
    for part in rest:
        module = found if isinstance(found, ModuleType) else None
        if within and (module is None or module.__name__.split(".")[0] != within):
            raise ImportError(f"{path} is no module of {within}")
        path = f"{path}.{part}"
        if module and not hasattr(module, part):
            found = import_module(path)
        else:
            found = getattr(found, part)
    return found


def trusted(names: Iterable[str]) -> frozenset[str]:
    """Take the packages that a user trusts.

    Raises:
        InputError: for those that no bundle needs to be trusted with.
    """
    names = list(names)
    problems = [f"trust: {reason}" for name in names if (reason := _refusal(name))]
    if problems:
        raise InputError(problems)
    return frozenset(names)


def trustable(names: Iterable[object]) -> list[str]:
    """List the packages that must be trusted so that something may be built of these classes.

    Packages that cannot be trusted are left out: what is of them is refused in any case.
    """
    named = {str(name).split(".")[0] for name in names}
    return sorted(name for name in named if not _refusal(name))


def untrusted(needed: Iterable[str], given: frozenset[str]) -> str:
    """Say which packages a bundle needs and the user did not name; nothing when there are none."""
    missing = sorted(set(needed) - given)
    if not missing:
        return ""
    if reasons := [reason for name in missing if (reason := _refusal(name))]:
        return f"The bundle needs what it may not: {' '.join(reasons)}"
    some = "the package" if len(missing) == 1 else "the packages"
    return (
        f"The bundle needs {some} {', '.join(missing)}, whose code would run here with what the "
        f"bundle says. If you trust both, add trust=[{','.join(sorted({*missing, *given}))}]."
    )


def _refusal(name: str) -> str:
    """Say why a package cannot be trusted; nothing when it can."""
    if not isinstance(name, str) or not re.fullmatch(r"[^\W\d_]\w*", name):
        return f"{name} is not the name of a package, such as mypackage, without dots."
    if name in sys.stdlib_module_names:
        return f"{name} is a part of Python, of which no bundle may name anything."
    if name == OURS:
        return f"{name} is this package: a bundle may name what it needs of it as it is."
    if name in _dependencies():
        return (
            f"{name} is a package that latenthash is made with, of which no bundle may name more "
            "than it may without."
        )
    return ""


@cache
def _dependencies() -> frozenset[str]:
    """List what can be imported of the distributions that this one requires, and they in turn."""
    found: set[str] = set()
    waiting = [OURS]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # of an extra, or of another system
            continue
        # What others offer beside, nobody here has asked for.
        wanted = [line for line in lines if name == OURS or "extra ==" not in line]
        waiting += [_normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in wanted]
    modules = {
        module
        for module, distributions in packages_distributions().items()
        if any(_normal(name) in found for name in distributions)
    }
    return frozenset({*modules, *(name.replace("-", "_") for name in found)})


def _normal(name: str) -> str:
    """Write the name of a distribution as all its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()
