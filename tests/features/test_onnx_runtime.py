"""Networks through ONNX Runtime: the same numbers, exported once, and nothing said."""

import logging
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from latenthash.cache import DiskCache
from latenthash.features.onnx_runtime import NEEDED, through_onnx

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, NEEDED)), reason="an extra that is not installed"
)


def small() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU6(), nn.Flatten(), nn.Linear(4 * 36, 5))
    return layers.eval()


def test_numbers_are_those_of_torch_however_many_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    cache, network = DiskCache(folder=str(tmp_path), max_bytes=10**7), small()
    with caplog.at_level(logging.INFO):
        quick = through_onnx(network, (3, 8, 8), cache)
    assert [record.name for record in caplog.records] == ["latenthash.features.onnx_runtime"]
    for count in (1, 2, 5):
        x = torch.randn(count, 3, 8, 8)
        torch.testing.assert_close(quick(x), network(x).detach(), rtol=0, atol=1e-5)
        # As models hand over what they see.
        other = x.contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(quick(other), quick(x), rtol=0, atol=0)

    exported: list[nn.Module] = []
    export = torch.onnx.export

    def noted(network: nn.Module, *args: object, **kwargs: object) -> object:
        exported.append(network)
        return export(network, *args, **kwargs)  # type: ignore[arg-type, call-overload]

    monkeypatch.setattr(torch.onnx, "export", noted)
    again = through_onnx(network, (3, 8, 8), cache)
    assert exported == [], "it is kept"
    torch.testing.assert_close(again(x), quick(x), rtol=0, atol=0)
    with torch.no_grad():
        network[3].bias += 1  # type: ignore[index, operator]
    changed = through_onnx(network, (3, 8, 8), cache)
    assert exported == [network], "other weights make another network"
    torch.testing.assert_close(changed(x), quick(x) + 1, rtol=0, atol=1e-5)
    assert capfd.readouterr().out == ""
