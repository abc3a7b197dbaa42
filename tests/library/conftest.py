"""What the tests of the library share: the code that ships, and ten small pictures."""

from pathlib import Path

import pytest

import latenthash
from latenthash import Code
from photographs import save_photos


@pytest.fixture(scope="session")
def code() -> Code:
    return latenthash.load("code")


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("library")
    save_photos(folder, 10)
    return sorted((folder / "photos").iterdir())
