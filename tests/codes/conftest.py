"""Fixtures of the tests of codes."""

from pathlib import Path

import pytest

from latenthash.cache import DiskCache
from latenthash.data.edits.suite import Suite


@pytest.fixture
def suite() -> Suite:
    from albumentations import HorizontalFlip, InvertImg

    edits = {"flip": {"edit": HorizontalFlip(p=1.0)}, "invert": {"edit": InvertImg(p=1.0)}}
    return Suite("test", {"any": edits})


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(folder=str(tmp_path / "cache"), max_bytes=10**7)
