"""The public names: imported late, and no more with them than is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import latenthash
from photographs import save_photos
from project import ROOT

HEAVY = ("torch", "numpy", "PIL")
UNNEEDED = ("albumentations", "hydra", "lightning", "matplotlib", "mlflow", "pytorch_lightning")
PROGRAM = """
import sys
import latenthash
imported = [name for name in {heavy} if name in sys.modules]
code = latenthash.load("code")
found = code.hash(sys.argv[1])
assert found - latenthash.Hash.parse(str(found)) == 0
assert not [*code.hash_many([])]
print(imported, [name for name in {unneeded} if name in sys.modules])
"""


def test_code_makes_hashes_without_what_trains_and_keeps_it(tmp_path: Path) -> None:
    save_photos(tmp_path, 1)
    program = PROGRAM.format(heavy=HEAVY, unneeded=UNNEEDED)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, tmp_path / "photos" / "0.png"],
        capture_output=True, text=True, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[] []\n"
    assert not done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["photos"], "nothing is left behind"


def test_every_public_name_is_there_and_no_other() -> None:
    for name in latenthash.__all__:
        assert getattr(latenthash, name) is not None
    assert set(latenthash.__all__) <= set(dir(latenthash))
    with pytest.raises(AttributeError, match="has no attribute 'hash'"):
        latenthash.hash  # noqa: B018
    with pytest.raises(ImportError):
        exec("from latenthash import nothing")


def test_editors_see_what_is_imported_late() -> None:
    """Type checkers read the imports that are never run."""
    tree = ast.parse((ROOT / "src/latenthash/__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == latenthash._PLACES
    assert {*seen, "__version__"} == set(latenthash.__all__)
