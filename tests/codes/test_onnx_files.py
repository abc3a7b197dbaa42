"""Networks of others: what they are given, what their codes are, and files that are refused."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from field import network_codes
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut

from app import call
from latenthash.codes import onnx_files
from latenthash.codes.code import Vectors
from latenthash.errors import InputError
from latenthash.hashing.projections import directions

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

BLOCKS = 4  # the tiny network averages over 4 x 4 blocks, and multiplies


def weights(outputs: int) -> Vectors:
    return np.random.default_rng(0).normal(size=(outputs, 3 * BLOCKS**2)).astype(np.float32)


def write(
    path: Path, side: int, outputs: int, batch: int | str = "n", external: bool = False
) -> Path:
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    tensor = onnx.numpy_helper.from_array(weights(outputs), "w")
    block = [side // BLOCKS] * 2
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=block, strides=block),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes, "tiny",
        [helper.make_tensor_value_info("x", kind, [batch, 3, side, side])],
        [helper.make_tensor_value_info("y", kind, [batch, outputs])],
        [tensor],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path, save_as_external_data=external, location="weights.bin", size_threshold=0)
    return path


def pictures() -> list[NDArray[np.uint8]]:
    return [np.ascontiguousarray(astronaut()[:400, 50:350]), astronaut()[100:200, 100:300].copy()]


def by_hand(side: int, outputs: int) -> NDArray[np.float64]:
    """Do what the sources of both networks say, without onnxruntime."""
    rows = []
    for picture in pictures():
        square = np.asarray(Image.fromarray(picture).resize((side, side), Image.BILINEAR))
        x = (square / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        block = side // BLOCKS
        means = x.reshape(BLOCKS, block, BLOCKS, block, 3).mean((1, 3))
        rows.append(weights(outputs) @ means.transpose(2, 0, 1).ravel())
    return np.stack(rows)


@pytest.mark.parametrize("batch", [1, "n"])
def test_sscd_is_what_its_authors_say(tmp_path: Path, batch: int | str) -> None:
    whole, signs = network_codes("sscd", write(tmp_path / "sscd.onnx", 320, 512, batch))
    assert [(c.name, c.size, c.span) for c in (whole, signs)] == [
        ("sscd-float", 2048, 1), ("sscd-256", 32, 256)
    ]  # fmt: skip
    expected = by_hand(320, 512)
    described = whole.source.describe(pictures())
    np.testing.assert_allclose(described, expected, atol=1e-3)
    unit = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    similarity = whole.queries(described) @ whole.references(described).T
    np.testing.assert_allclose(similarity, unit @ unit.T, atol=1e-5)
    bits = signs.queries(described)
    projected = expected @ directions(512, 256)
    sure = np.abs(projected) > 0.01
    np.testing.assert_array_equal((bits > 0)[sure], (projected > 0)[sure])


def test_dinohash_is_what_its_authors_say(tmp_path: Path) -> None:
    (code,) = network_codes("dinohash", write(tmp_path / "dino.onnx", 224, 96))
    assert (code.name, code.size, code.span) == ("dinohash-96", 12, 96)
    expected = by_hand(224, 96)
    described = code.source.describe(pictures())
    np.testing.assert_allclose(described, expected, atol=1e-3)
    sure = np.abs(expected) > 0.01
    np.testing.assert_array_equal(code.queries(described)[sure], np.sign(expected)[sure])
    assert code.queries(np.zeros((1, 96), np.float32)).tolist() == [[1] * 96]


def test_reduction_is_that_of_torchvision(tmp_path: Path) -> None:
    from torchvision import transforms

    (code,) = network_codes("dinohash", write(tmp_path / "dino.onnx", 224, 96))
    steps = transforms.Compose(
        [
            transforms.Resize((224, 224)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    for picture in pictures():
        expected = steps(Image.fromarray(picture)).numpy()
        given = code.source.seen.input(picture)[0]  # type: ignore[attr-defined]
        np.testing.assert_allclose(given, expected, atol=1e-5)


def test_other_process_opens_the_same_file_and_no_other(tmp_path: Path) -> None:
    path = write(tmp_path / "dino.onnx", 224, 96)
    source = network_codes("dinohash", path)[0].source
    copy = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(copy.describe(pictures()), source.describe(pictures()))
    key = source.key
    write(path, 224, 96, batch=1)
    assert network_codes("dinohash", path)[0].source.key != key
    onnx_files._session.cache_clear()
    with pytest.raises(InputError, match="changed while it was used"):
        copy.describe(pictures())


def test_files_that_are_no_such_network_are_refused(tmp_path: Path) -> None:
    for content in (b"not a network", b"\x08\x09" * 50):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(InputError, match="not an ONNX file that can be run"):
            network_codes("sscd", tmp_path / "bad.onnx")
    with pytest.raises(InputError, match=r"takes tensor\(float\).*\[1, 3, 320, 320\] is needed"):
        network_codes("sscd", write(tmp_path / "small.onnx", 224, 512))
    with pytest.raises(InputError, match=r"takes .*\[2, 3, 320, 320\]"):
        network_codes("sscd", write(tmp_path / "two.onnx", 320, 512, batch=2))
    with pytest.raises(InputError, match=r"gives \[1, 96\].*\[1, 512\] are needed"):
        network_codes("sscd", write(tmp_path / "other.onnx", 320, 96))


def test_weights_in_other_files_are_never_followed(tmp_path: Path) -> None:
    path = write(tmp_path / "split.onnx", 320, 512, external=True)
    assert (tmp_path / "weights.bin").exists()
    with pytest.raises(InputError, match="keeps weights in other files"):
        network_codes("sscd", path)
    # Nor from a constant inside a graph.
    model = onnx.load(path, load_external_data=False)
    constant = onnx.helper.make_node("Constant", [], ["w"])
    attribute = constant.attribute.add(name="value", type=onnx.AttributeProto.TENSOR)
    attribute.t.CopyFrom(model.graph.initializer[0])
    model.graph.node.insert(0, constant)
    del model.graph.initializer[:]
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="keeps weights in other files"):
        network_codes("sscd", path)


def test_operators_that_onnxruntime_lacks_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "own.onnx", 320, 512)
    model = onnx.load(path)
    model.graph.node[0].domain = "mine"
    model.opset_import.add(domain="mine", version=1)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="not an ONNX file that can be run"):
        network_codes("sscd", path)


def test_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_files, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'latenthash\[onnx\]'"):
        network_codes("sscd", tmp_path / "sscd.onnx")


def test_given_networks_are_judged_and_bad_ones_refused_together(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for i in range(4):
        part = astronaut()[100 * i : 100 * i + 160, 100:260]
        Image.fromarray(part).save(tmp_path / "photos" / f"{i}.png")
    write(tmp_path / "s.onnx", 320, 512)
    write(tmp_path / "d.onnx", 224, 96)
    command = ("benchmark=edits_v1", "pictures=photos", "edits=[blur]", "resamples=20")
    done = call(
        "evaluate.py", tmp_path, *command, "sscd=s.onnx", "dinohash=d.onnx", "hydra.run.dir=out"
    )
    assert done.code == 0, done.output
    board = pd.read_csv(tmp_path / "out/leaderboard.csv")
    assert {"sscd-float", "sscd-256", "dinohash-96"} <= set(board["code"])
    done = call("evaluate.py", tmp_path, *command, "sscd=d.onnx", "dinohash=nowhere.onnx")
    assert done.code == 2
    assert "sscd=d.onnx takes" in " ".join(done.output.split())
    assert "dinohash=nowhere.onnx cannot be opened" in " ".join(done.output.split())
