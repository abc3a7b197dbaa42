"""The embedding of a code's network: the numbers, where they come from, and what is refused."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from latenthash.cache import DiskCache
from latenthash.errors import InputError
from latenthash.features.efficientnet import EfficientNetLite0, Head
from latenthash.features.embedding import Embedding
from latenthash.features.interface import is_staged
from latenthash.features.recall import BATCH

SHIPPED = Path(str(files("latenthash") / "shipped" / "code" / "weights.safetensors"))
SIZE = 64


def views(n: int) -> Tensor:
    """Draw blocks of colour: noise of single pixels is nothing to a network of pictures."""
    colours = np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    return torch.from_numpy(colours.repeat(8, 1).repeat(8, 2))


def make(output: str = "pooled", weights: str = "code") -> Embedding:
    return Embedding(weights=weights, output=output, size=SIZE)


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor.float()
        for name, tensor in state.items()
        if name.startswith(prefix)
    }


@pytest.fixture(scope="module")
def shipped() -> dict[str, Tensor]:
    return load_file(SHIPPED)


def test_numbers_are_those_of_the_shipped_network(shipped: dict[str, Tensor]) -> None:
    trunk, head = EfficientNetLite0().eval(), Head(256).eval()
    trunk.load_state_dict(part(shipped, "model.trunk."))
    head.load_state_dict(part(shipped, "model.head."))
    some = views(3)
    with torch.no_grad():
        pooled = trunk(some.permute(0, 3, 1, 2).float() / 255)
        linear, norm = head[0], head[1]
        z = 16 * F.normalize(pooled) @ linear.weight.T + linear.bias
        latent = (z - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    directed = 16 * F.normalize(pooled)
    for output, expected in {"pooled": directed, "latent": latent}.items():
        features = make(output)
        assert features.shape == expected.shape[1:]
        torch.testing.assert_close(features(some), expected, rtol=1e-3, atol=1e-3)
    assert (pooled > 0).all()


def test_bundle_holds_nothing_of_the_network_but_names_it(shipped: dict[str, Tensor]) -> None:
    features = {output: make(output) for output in ("pooled", "latent")}
    digests = {output: made.provenance["weights_sha256"] for output, made in features.items()}
    assert len(set(digests.values())) == 2, "of the tensors that are used"
    for made in features.values():
        assert made.provenance["weights"] == "code"
        assert is_staged(made)
        assert not made.state_dict()
        assert not list(made.parameters())


@pytest.mark.parametrize("name", ["bundle", "bundle/weights.safetensors"])
def test_weights_of_another_bundle(tmp_path: Path, shipped: dict[str, Tensor], name: str) -> None:
    (tmp_path / "bundle").mkdir()
    changed = shipped | {"model.trunk.exponent": torch.tensor(1.0)}
    save_file(changed, tmp_path / "bundle" / "weights.safetensors")
    code, other = make(), make(weights=str(tmp_path / name))
    assert other.provenance["weights"] == Path(name).name
    assert other.provenance["weights_sha256"] != code.provenance["weights_sha256"]
    assert not torch.allclose(other(views(1)), code(views(1)))


def test_what_is_not_used_and_how_numbers_are_kept_change_no_digest(
    tmp_path: Path, shipped: dict[str, Tensor]
) -> None:
    state = {
        key: tensor.float() if tensor.is_floating_point() else tensor + 1
        for key, tensor in shipped.items()
        if not key.startswith("model.short.")
    }
    save_file(state, tmp_path / "x.safetensors")
    for output in ("pooled", "latent"):
        found = make(output, str(tmp_path / "x.safetensors")).provenance["weights_sha256"]
        assert found == make(output).provenance["weights_sha256"]


def test_weights_of_other_models_are_refused(tmp_path: Path, shipped: dict[str, Tensor]) -> None:
    def refusal(output: str, **changes: Tensor | None) -> str:
        state = {key: t for key, t in (shipped | changes).items() if t is not None}
        save_file(state, tmp_path / "x.safetensors")
        with pytest.raises(InputError) as refused:
            make(output, str(tmp_path / "x.safetensors"))
        assert f"features.weights={tmp_path}" in str(refused.value)
        return str(refused.value)

    for odd in (None, torch.zeros(3), torch.tensor(torch.nan)):
        assert "model.trunk.exponent are missing" in refusal(
            "pooled", **{"model.trunk.exponent": odd}
        )
    assert "model.head.0.bias are" in refusal("latent", **{"model.head.0.bias": torch.zeros(64)})
    with pytest.raises(InputError, match="cannot be opened"):
        make(weights=str(tmp_path / "nowhere"))
    (tmp_path / "x.safetensors").write_bytes(SHIPPED.read_bytes()[:-100])
    with pytest.raises(InputError, match="truncated or damaged"):
        make(weights=str(tmp_path / "x.safetensors"))


def test_shape_is_known_without_reading() -> None:
    with torch.device("meta"):
        outline = make("latent", "nowhere")
    assert outline.shape == (256,)
    assert outline.provenance["weights_sha256"] == ""


def test_making_it_leaves_torchs_numbers_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    make("latent")
    assert torch.equal(torch.get_rng_state(), before)


def test_cache_keeps_what_both_outputs_are_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*args: object) -> None:
        raise AssertionError("the network was asked")

    some = views(BATCH + 1)
    for output in ("pooled", "latent"):
        features = make(output)
        expected = features(some)
        features.cache = DiskCache(folder=str(tmp_path), max_bytes=10**8)
        if output == "latent":
            monkeypatch.setattr(features, "_pooled", no_network)
        for rows in (slice(None), [4, 0]):
            torch.testing.assert_close(features(some[rows]), expected[rows], rtol=0, atol=1e-5)


def test_features_of_a_view_depend_on_no_neighbour() -> None:
    features, some = make("latent"), views(5)
    alone = torch.cat([features(view[None]) for view in some])
    torch.testing.assert_close(alone, features(some), rtol=0, atol=1e-4)
