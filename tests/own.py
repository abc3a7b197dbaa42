"""The package of docs/extending.md, as its author would have it on his disk."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from project import ROOT

PAGE = ROOT / "docs" / "extending.md"
FILE = re.compile(r"`(mypackage/[\w/.]+)`:\n\n((?: {4}.*\n|\n(?= {4}|\n))+)")


@contextmanager
def own_package(folder: Path) -> Iterator[Path]:
    """Write the package into a folder, and let it be imported from there, within the context."""
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # The command that ends a block of options is no part of the file.
        path.write_text(dedent(text).partition("\npython ")[0])
    (folder / "mypackage" / "__init__.py").write_text("")
    before = _taken()  # of another folder, within whose context this one may be
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        try:
            yield folder
        finally:
            _taken()
            sys.modules.update(before)


def _taken() -> dict[str, ModuleType]:
    """Take the package out of what is imported, and return it."""
    names = [name for name in sys.modules if name.split(".")[0] == "mypackage"]
    return {name: sys.modules.pop(name) for name in names}
