"""The code that ships gives the bits that were kept, whatever computes it."""

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from golden import golden, pictures, shipped, views
from numpy.typing import NDArray
from torch import Tensor

from latenthash.cache import DiskCache
from latenthash.features.onnx_runtime import NEEDED
from latenthash.hashing.hasher import Hasher
from latenthash.models.components.code_network import CodeNetwork

MOST = 2  # of 256 bits that may differ: numbers near 0 change their sign by rounding
PHOTOGRAPHS = ("girl", "photos_a", "photos_b", "plate")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> DiskCache:
    return DiskCache(folder=str(tmp_path_factory.mktemp("cache")), max_bytes=10**9)


@pytest.fixture(scope="module")
def hasher(kept: DiskCache) -> Hasher:
    return shipped(kept)


@pytest.fixture(scope="module")
def seen(hasher: Hasher) -> tuple[Tensor, NDArray[np.bool_]]:
    """Return views of some embedded pictures, and the bits that are kept of them, (N, 256)."""
    shown, bits = pictures(PHOTOGRAPHS), golden()
    expected = np.stack([bits[name] for name in shown]).astype(bool)
    return torch.from_numpy(views(shown, hasher)), expected


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def far(numbers: NDArray[np.float64], expected: NDArray[np.bool_]) -> int:
    """Count the bits that differ, of the picture where most do."""
    assert numbers.shape[0] == len(expected)
    return int(np.count_nonzero((numbers[:, :256] > 0) != expected, axis=1).max())


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("threads_used", "batch"), [(1, 1), (1, 7), (2, 7)])
def test_bits_are_those_that_were_kept(
    hasher: Hasher, seen: tuple[Tensor, NDArray[np.bool_]], threads_used: int, batch: int
) -> None:
    torch.set_num_threads(threads_used)
    shown, expected = seen
    made = np.concatenate([hasher.outputs(part) for part in torch.split(shown, batch)])
    assert far(made, expected) <= MOST


@torch.no_grad()
def test_network_as_it_is_trained_gives_the_same_bits(
    hasher: Hasher, seen: tuple[Tensor, NDArray[np.bool_]]
) -> None:
    shown, expected = seen
    assert isinstance(hasher.model, CodeNetwork)
    plain = hasher.eval().model.to("cpu").forward(hasher.features(shown))  # batch norms apart
    assert far(plain.double().numpy(), expected) <= MOST


@pytest.mark.skipif(not all(map(find_spec, NEEDED)), reason="an extra that is not installed")
def test_onnx_runtime_gives_the_same_bits_until_weights_change(
    kept: DiskCache, seen: tuple[Tensor, NDArray[np.bool_]]
) -> None:
    shown, expected = seen
    hasher = shipped(kept)
    model = hasher.model.to("cpu")
    assert isinstance(model, CodeNetwork)
    by_torch = model.outputs(hasher.features(shown))
    model.hasten(kept)
    quick = [model.outputs(hasher.features(part)) for part in torch.split(shown, 7)]
    assert far(torch.cat(quick).double().numpy(), expected) <= MOST
    assert not torch.equal(torch.cat(quick), by_torch), "it was torch again"
    torch.testing.assert_close(torch.cat(quick), by_torch, rtol=0, atol=1e-3)
    changed = {
        name: w + 0.1 if name == "head.0.bias" else w for name, w in model.state_dict().items()
    }
    model.load_state_dict(changed)
    assert not torch.allclose(model.outputs(hasher.features(shown[:1])), by_torch[:1], atol=1e-3)


def test_kept_bits_differ_between_pictures() -> None:
    bits = golden()
    assert len(bits) > 150
    assert {len(row) for row in bits.values()} == {256}
    assert len({row.tobytes() for row in bits.values()}) == len(bits)
