"""Fixtures that several test files share."""

import pytest

from latenthash.data.reading import Reader


@pytest.fixture
def reader() -> Reader:
    return Reader(working_size=512, max_pixels=10**6, background=(255, 255, 255))
