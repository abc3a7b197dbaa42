"""What a wheel carries: every file that ships, and no more than one pattern names."""

import tomllib

from project import ROOT

PACKAGE = ROOT / "src" / "latenthash"


def test_wheel_carries_what_ships() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = config["tool"]["setuptools"]["package-data"]["latenthash"]
    carried = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    shipped = {path for path in (PACKAGE / "shipped").rglob("*") if path.is_file()}
    assert shipped <= carried
    names = {path.relative_to(PACKAGE).as_posix() for path in carried}
    assert {"py.typed", "shipped/code/weights.safetensors", "shipped/golden/code.json"} <= names
