"""The gate for classes of others: what can be trusted, and what a trusted package may give."""

from collections.abc import Callable, Iterator

import pytest
from hydra.utils import get_class

from latenthash.errors import InputError
from latenthash.options.checking import packages_of
from latenthash.options.kinds import find_class
from latenthash.options.trust import Origin, trusted, untrusted

FILES = {
    "__init__.py": (
        "import os\n"
        "from subprocess import Popen\n"
        "from trusted_too import Theirs\n"
        "from . import Hidden, tools\n"
        "from .Hidden import Hidden\n"
        "import subprocess as tools\n"
    ),
    "Hidden.py": "class Hidden: pass\nclass Other: pass\n",
    "tools.py": "class Popen: pass\nclass Own: pass\n",
    "__main__.py": "raise SystemExit('main ran')\n",
    "good.py": (
        "import functools, os, torch\n"
        "from torch.nn import Linear\n"
        "class Good:\n"
        "    class Inner: pass\n"
        "    @classmethod\n"
        "    def made(cls): return cls()\n"
        "class _Hidden: pass\n"
        "def function(): pass\n"
        "part = functools.partial(os.system, 'true')\n"
    ),
    "again.py": "from .good import Good as Better\n",
    "broken.py": "raise RuntimeError('it is broken')\n",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("packages")
    for name, text in FILES.items():
        (folder / "trustworthy").mkdir(exist_ok=True)
        (folder / "trustworthy" / name).write_text(text)
    (folder / "trusted_too.py").write_text("class Theirs: pass\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield "trustworthy"


@pytest.mark.parametrize("name", ["good.Good", "again.Better"])
def test_class_of_a_trusted_package_is_found(package: str, name: str) -> None:
    origin = Origin(trusted=frozenset([package]))
    assert origin.find(f"{package}.{name}").__name__ == "Good"


@pytest.mark.parametrize(
    ("name", "reason"),
    {
        "os.system": "of no package that is trusted",
        "builtins.eval": "of no package that is trusted",
        "torch.nn.Linear": "of no package that is trusted",
        "trusted_too.Theirs": "of no package that is trusted",
        "trustworthy": "of no package that is trusted",
        "trustworthyx.good.Good": "of no package that is trusted",
        "trustworthy.os.system": "cannot be imported",
        "trustworthy.os": "is no class",
        "trustworthy.good.os.system": "cannot be imported",
        "trustworthy.good.torch.load": "cannot be imported",
        "trustworthy.Popen": "which is subprocess.Popen",
        "trustworthy.Theirs": "which is trusted_too.Theirs",
        "trustworthy.good.Linear": "which is torch.nn.modules.linear.Linear",
        "trustworthy.good.function": "is no class",
        "trustworthy.good.part": "is no class",
        "trustworthy.good.Good.made": "cannot be imported",
        "trustworthy.good.Good.Inner": "cannot be imported",
        "trustworthy.good._Hidden": "is no public class",
        "trustworthy.__main__.X": "is no public class",
        "trustworthy.good.Good.__class__": "is no public class",
        "trustworthy..good.Good": "is no public class",
        "trustworthy.good.": "is no public class",
        "trustworthy.good:Good": "is no public class",
        "trustworthy.good.Absent": "cannot be imported",
        "trustworthy.broken.X": "cannot be imported: it is broken",
        "trustworthy.tools.Popen": "trustworthy.tools is no module of trustworthy",
        "trustworthy.Hidden.Other": "trustworthy.Hidden is no module of trustworthy",
    }.items(),
)
def test_anything_else_is_refused(package: str, name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Origin(trusted=frozenset([package])).find(name)


@pytest.mark.parametrize(
    "name",
    [
        *("good.Good", "again.Better", "good.Good.Inner", "Hidden", "Hidden.Hidden"),
        *("Hidden.Other", "tools.Popen", "tools.Own", "Popen", "good.Linear", "good.Absent"),
        *("good.function", "good", "broken.X", "good:Good", "good..Good", "good.", ""),
    ],
)
def test_class_that_is_checked_is_the_one_that_hydra_builds(package: str, name: str) -> None:
    def found(by: Callable[[str], type]) -> type | None:
        try:
            return by(f"{package}.{name}")
        except Exception:  # each has errors of its own
            return None

    built = found(get_class)
    assert found(find_class) is built
    assert found(Origin(trusted=frozenset([package])).find) in (built, None)


@pytest.mark.parametrize(
    ("name", "reason"),
    {
        **dict.fromkeys(["os", "builtins", "subprocess", "sys", "pickle"], "is a part of Python"),
        **dict.fromkeys(
            ["torch", "numpy", "pandas", "albumentations", "hydra", "mlflow", "yaml", "PIL",
             "cv2", "pytorch_lightning", "joblib", "fsspec", "pytest"],
            "is a package that latenthash is made with",
        ),
        "latenthash": "is this package",
        **dict.fromkeys(
            ["mypackage.models", "", "__main__", "_private", "1", "a b", "../x"],
            "is not the name of a package",
        ),
    }.items(),
)  # fmt: skip
def test_package_that_nobody_needs_to_trust_is_refused(name: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        trusted(["mypackage", name])


def test_packages_are_listed_and_those_that_are_missing_are_named() -> None:
    values = {
        "model": {"_target_": "one.Model", "inner": {"_target_": "two.Part"}},
        "features": {"_target_": "latenthash.features.pixels.Pixels"},
        "edits": {"a": {"_target_": "os.system"}, "b": {"_target_": "albumentations.ToGray"},
                  "c": {"_target_": "x.A", "transforms": [{"_target_": "y.B"}]}},
    }  # fmt: skip
    assert packages_of(values) == ["one", "two", "x", "y"]
    assert untrusted(["one"], trusted(["one", "two"])) == ""
    said = untrusted(["two", "one"], trusted(["x"]))
    assert "needs the packages one, two, whose code would run here" in said
    assert "trust=[one,two,x]" in said
    said = untrusted(["one", "os"], trusted(["one"]))
    assert "os is a part of Python" in said
    assert "trust=" not in said
