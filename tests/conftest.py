"""The surroundings of every test, and fixtures that several test files share."""

import os
import time
from collections.abc import Iterator

import pytest
import torch

from latenthash.data.reading import Reader

# What the machine needs comes from outside, and nothing else: no job of Slurm, no launcher, no
# store or settings of another project. Here, because libraries read them when tests import them.
MACHINE = (
    *("PATH", "HOME", "XDG_", "TMP", "TEMP", "LANG", "LC_", "LD_", "DYLD_", "SYSTEMROOT"),
    *("PYTHON", "PYTEST", "OMP_", "MKL_", "OPENBLAS_", "CUDA_", "NVIDIA_", "TORCH_HOME"),
    *("SSL_", "REQUESTS_CA_", "HTTPS_PROXY", "https_proxy"),  # of downloads
)
for name in [name for name in os.environ if not name.startswith(MACHINE)]:
    del os.environ[name]
os.environ["TZ"] = "UTC"
time.tzset()
os.umask(0o022)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first: begun last, one would keep a core busy alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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
