"""A code as an ONNX file: the bits of ours, whatever model made them, or no file at all."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latenthash.codes import export
from latenthash.codes.code import printed_code
from latenthash.codes.export import export_code, run_exported
from latenthash.codes.latent import Latent
from latenthash.errors import JobError
from latenthash.features.onnx_runtime import NEEDED
from latenthash.features.pixels import Pixels
from latenthash.hashing.hasher import Hasher
from photographs import READER

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, NEEDED)), reason="an extra that is not installed"
)
SIDE = 8


class Projecting(nn.Module):
    """A model of k numbers that learned no bits."""

    def __init__(self, k: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3 * SIDE**2, k)

    def encode(self, x: Tensor) -> Tensor:  # noqa: D102
        z: Tensor = self.layer(x.flatten(1) - 0.5)
        return z


class Coding(Projecting):
    """A model whose second code has the 256 bits."""

    lengths = (300, 256)

    def __init__(self) -> None:
        super().__init__(300)
        self.short = nn.Linear(300, 256)

    def outputs(self, x: Tensor) -> Tensor:  # noqa: D102
        z = self.encode(x)
        return torch.cat([z, self.short(z)], 1)


class Looking(Projecting):
    """A model that looks at numbers, which an exporter does not have."""

    def encode(self, x: Tensor) -> Tensor:  # noqa: D102
        return super().encode(x) * float(x.numpy().max() + 1)


def latent(model: nn.Module) -> Latent:
    return Latent("key", Hasher(Pixels(size=SIDE, channels=3), model, gated=False))  # type: ignore[arg-type]


def views(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, SIDE, SIDE, 3), np.uint8)


@pytest.mark.parametrize("model", [Projecting(20), Projecting(300), Coding()], ids=str)
def test_bits_and_numbers_are_ours_of_any_count(model: nn.Module) -> None:
    source, shown = latent(model), views(20)
    data = export_code(source, READER, shown)
    described = source.describe(list(shown))
    for some in (slice(0, 1), slice(0, 20), slice(3, 12)):
        code, z = run_exported(data, shown[some])
        assert (code.dtype, code.shape[1]) == (np.uint8, 32)
        np.testing.assert_array_equal(code, printed_code(source).bits(described[some]))
        width = 300 if isinstance(model, Coding) else described.shape[1]
        np.testing.assert_allclose(z, described[some, :width], rtol=0, atol=1e-5)


def test_file_says_what_it_is() -> None:
    import onnx

    source = latent(Projecting(20))
    model = onnx.load_from_string(export_code(source, READER, views(3)))
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["latenthash_tag"] == source.tag.hex()
    assert (said["side"], said["trim"], said["working_size"]) == (str(SIDE), "false", "512")
    assert said["background"] == "255,255,255"
    assert [entry.name for entry in model.graph.input] == ["views"]
    assert [entry.name for entry in model.graph.output] == ["code", "z"]


@pytest.mark.parametrize(("flipped", "kept"), [(2, True), (3, False)])
def test_no_file_is_made_of_other_bits(
    flipped: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(data: bytes, shown: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], object]:
        code, z = run_exported(data, shown)
        code[-1, 5] ^= (1 << flipped) - 1
        return code, z

    monkeypatch.setattr(export, "run_exported", wrong)
    if kept:
        assert export_code(latent(Coding()), READER, views(9))
    else:
        with pytest.raises(JobError, match="3 of 256 bits are others"):
            export_code(latent(Coding()), READER, views(9))


def test_model_that_cannot_be_exported_is_named_in_a_sentence() -> None:
    with pytest.raises(JobError, match=r"cannot be exported, and nothing was written: .+") as error:
        export_code(latent(Looking(20)), READER, views(3))
    assert "\n" not in str(error.value)
