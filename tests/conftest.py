"""Fixtures that several test files share."""

from collections.abc import Iterator

import pytest
import torch

from latenthash.data.reading import Reader


@pytest.fixture
def reader() -> Reader:
    return Reader(working_size=512, max_pixels=10**6, background=(255, 255, 255))


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small spend their time waiting when threads share them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
