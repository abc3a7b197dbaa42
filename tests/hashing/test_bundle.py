"""The bundle: it comes back as it was, appears whole, and refuses every alteration."""

import dataclasses
import hashlib
import json
import math
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from latenthash import __version__
from latenthash.errors import InputError
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.enrolled import Hash
from latenthash.hashing.printable import PrintableHash

FILES = ("hash.json", "weights.safetensors", "config.yaml")


def bundle() -> Bundle:
    generator = torch.Generator().manual_seed(0)
    return Bundle(
        hash=Hash(np.array([0.1, -1 / 3]), math.pi),
        weights={
            "model.a": torch.randn(4, 3, generator=generator),
            "model.odd": torch.tensor([65504.0, -0.0, 1 / 3, 1e-45]),
            "model.turned": torch.randn(2, 5, generator=generator).T,  # not contiguous
            "features.mean": torch.randn(3, generator=generator, dtype=torch.float64),
            "model.steps": torch.tensor(7),
            "model.none": torch.empty(0, 2),
        },
        config="data:\n  signal: bilder/mädchen\n# 'quotes' and \"more\"\r\n",
        run_id="0123abc",
        pictures={"signal": "ab" * 32, "unseen": "cd" * 32},
        provenance={"weights_sha256": "ef" * 32},
        fitted=["ef" * 32, "ab" * 32],
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "runs" / "bundle"
    bundle().save(path)
    return path


def digest(values: dict[str, Any]) -> str:
    bare = {key: value for key, value in values.items() if key != "digest"}
    return hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change hash.json as someone would who knows how its digest is made."""
    path = folder / "hash.json"
    values = json.loads(path.read_bytes())
    change(values)
    path.write_text(json.dumps(values | {"digest": digest(values)}))


def replace(folder: Path, name: str, data: bytes) -> None:
    """Replace a file, and its digest too."""
    (folder / name).write_bytes(data)
    rewrite(folder, lambda v: v["files"].update({name: hashlib.sha256(data).hexdigest()}))


# ---- saving ----


def test_round_trip(folder: Path) -> None:
    before, after = bundle(), Bundle.load(folder)
    assert after.hash.centroid.tobytes() == before.hash.centroid.tobytes()
    assert after.hash.radius.hex() == before.hash.radius.hex()
    assert after.hash.gate is None
    assert after.config == before.config
    assert after.run_id == before.run_id
    assert after.pictures == before.pictures
    assert after.provenance == before.provenance
    assert after.fitted == sorted(before.fitted)
    assert after.weights.keys() == before.weights.keys()
    for name, weight in before.weights.items():
        assert after.weights[name].dtype == weight.dtype
        assert after.weights[name].shape == weight.shape
        assert after.weights[name].numpy().tobytes() == weight.contiguous().numpy().tobytes()


def test_gate_survives_the_round_trip(tmp_path: Path) -> None:
    before = dataclasses.replace(bundle(), hash=Hash(np.array([0.1]), math.pi, 1 / 3))
    before.save(tmp_path / "gated")
    after = Bundle.load(tmp_path / "gated").hash
    assert after.gate is not None
    assert (after.gate.hex(), after.radius.hex()) == ((1 / 3).hex(), math.pi.hex())


def test_bundle_of_before_names_no_fitted_pictures(folder: Path) -> None:
    rewrite(folder, lambda values: values.pop("fitted"))
    assert list(Bundle.load(folder).fitted) == []


@pytest.mark.parametrize("fitted", ["ab", [1], {"ab": 1}])
def test_fitted_pictures_that_are_no_texts_are_refused(folder: Path, fitted: object) -> None:
    rewrite(folder, lambda values: values.update(fitted=fitted))
    with pytest.raises(
        InputError, match=r"fitted.* must be the digests of fitted pictures, as texts"
    ):
        Bundle.load(folder)


def test_round_trip_of_a_module(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.GroupNorm(8, 8))
    Bundle(Hash(np.zeros(1), 1.0), module.state_dict(), "a: 1", "0", {}, {}).save(tmp_path / "b")
    other = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.GroupNorm(8, 8))
    other.load_state_dict(dict(Bundle.load(tmp_path / "b").weights))
    for name, weight in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], weight)


def test_a_copy_of_the_folder_is_as_good(folder: Path, tmp_path: Path) -> None:
    moved = folder.rename(tmp_path / "moved")
    assert Bundle.load(moved).run_id == "0123abc"


def test_bundle_is_three_files_that_say_what_they_are(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]
    values = json.loads((folder / "hash.json").read_bytes())
    assert values["format"] == 2
    assert values["latenthash"] == __version__
    assert values["k"] == 2
    assert values["digest"] == digest(values)
    for name in FILES[1:]:
        assert values["files"][name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_bundle_holds_no_pickle(folder: Path) -> None:
    data = (folder / "weights.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert set(header) - {"__metadata__"} == set(bundle().weights)
    for path in folder.iterdir():
        data = path.read_bytes()
        assert not re.match(rb"\x80[\x01-\x05]", data), f"{path.name} is a pickle"
        assert not data.startswith(b"PK"), f"{path.name} is a zip, as torch.save makes them"


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_folder_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    target = tmp_path / "runs" / "bundle"
    write, calls = Path.write_bytes, []

    def stop(path: Path, data: bytes) -> int:
        calls.append(path)
        assert not target.exists(), "the folder can be seen before it is whole"
        if len(calls) == failing:
            write(path, data[:5])
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", stop)
    with pytest.raises(OSError, match="No space left"):
        bundle().save(target)
    assert len(calls) == failing
    assert not list((tmp_path / "runs").iterdir()), "something was left behind"
    monkeypatch.undo()
    bundle().save(target)
    assert Bundle.load(target).run_id == "0123abc"


@pytest.mark.parametrize("content", [["hash.json"], []])
def test_saving_over_a_folder_is_refused_and_loses_nothing(
    tmp_path: Path, content: list[str]
) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    for name in content:
        (target / name).write_text("mine")
    with pytest.raises(InputError, match=rf"{re.escape(str(target))} exists"):
        bundle().save(target)
    assert [path.name for path in target.iterdir()] == content
    assert all((target / name).read_text() == "mine" for name in content)
    assert list(tmp_path.iterdir()) == [target]


# ---- loading ----


def test_untouched_bundle_survives_a_rewrite_of_the_same_values(folder: Path) -> None:
    # Rewriting is no alteration in itself: the tests below fail for what they change.
    rewrite(folder, lambda values: None)
    replace(folder, "config.yaml", (folder / "config.yaml").read_bytes())
    assert Bundle.load(folder).run_id == "0123abc"


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere is not a folder"):
        Bundle.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=rf"incomplete: {re.escape(name)} is missing"):
        Bundle.load(folder)


def test_all_missing_files_are_named(folder: Path) -> None:
    (folder / "hash.json").unlink()
    (folder / "config.yaml").unlink()
    with pytest.raises(InputError, match=r"incomplete: hash\.json, config\.yaml are missing"):
        Bundle.load(folder)


@pytest.mark.parametrize("name", FILES[1:])
@pytest.mark.parametrize("place", [0, -1])
def test_one_changed_byte_is_refused(folder: Path, name: str, place: int) -> None:
    data = bytearray((folder / name).read_bytes())
    data[place] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(InputError, match=rf"was altered: {re.escape(name)} is not the file"):
        Bundle.load(folder)


@pytest.mark.parametrize("name", FILES[1:])
def test_appended_byte_is_refused(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(InputError, match=rf"was altered: {re.escape(name)} is not the file"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"radius": 3.0},
        {"centroid": [0.1, -0.3]},
        {"run_id": "other"},
        {"pictures": {}},
        {"digest": "0" * 64},
        {"digest": None},
        {"more": 1},
    ],
)
def test_changed_value_is_refused(folder: Path, change: dict[str, object]) -> None:
    path = folder / "hash.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    with pytest.raises(InputError, match=r"hash\.json was altered after it was written"):
        Bundle.load(folder)


@pytest.mark.parametrize("key", ["digest", "radius", "files", "latenthash"])
def test_removed_value_is_refused(folder: Path, key: str) -> None:
    path = folder / "hash.json"
    values = json.loads(path.read_bytes())
    del values[key]
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"hash\.json was altered after it was written"):
        Bundle.load(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["empty", "a pipe", "huge"])
def test_file_that_is_no_file_of_a_bundle_is_refused(folder: Path, name: str, damage: str) -> None:
    (folder / name).unlink()
    if damage == "a pipe":
        os.mkfifo(folder / name)
    else:
        with (folder / name).open("wb") as file:
            file.truncate(2**33 if damage == "huge" else 0)  # takes no room
    with pytest.raises(InputError, match=rf"{re.escape(name)} of the bundle .* (is|has) "):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "data", [b"{", b"not JSON", b"\xff\xfe", b"[" * 100_000, b'{"format": 1} {}']
)
def test_hash_that_is_not_json_is_refused(folder: Path, data: bytes) -> None:
    (folder / "hash.json").write_bytes(data)
    with pytest.raises(InputError, match=r"hash\.json (is not JSON|holds more values)"):
        Bundle.load(folder)


@pytest.mark.parametrize("text", ["[1, 2]", "1", "null", '"format"', "{}", '{"radius": 1}'])
def test_json_of_another_kind_is_refused(folder: Path, text: str) -> None:
    (folder / "hash.json").write_text(text)
    with pytest.raises(InputError, match=r"hash\.json is not the hash\.json of a bundle"):
        Bundle.load(folder)


@pytest.mark.parametrize("number", [0, 1, "1", None])
def test_other_format_is_refused_with_the_version_that_wrote_it(
    folder: Path, number: object
) -> None:
    rewrite(folder, lambda values: values.update({"format": number, "latenthash": "9.9.9"}))
    sentence = rf"format {number}, written by latenthash 9\.9\.9; .* reads format 2"
    with pytest.raises(InputError, match=sentence):
        Bundle.load(folder)


@pytest.mark.parametrize("name", ["../x", "x", "/etc/hostname", ""])
def test_digest_of_another_file_is_refused(folder: Path, name: str) -> None:
    (folder.parent / "x").write_bytes(b"outside")
    (folder / "x").write_bytes(b"outside")
    outside = hashlib.sha256(b"outside").hexdigest()
    rewrite(folder, lambda values: values["files"].update({name: outside}))
    with pytest.raises(InputError, match=r"files.* must be the digests of weights.* and config"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"config.yaml": "0"},
        {"../weights.safetensors": "0", "config.yaml": "0"},
        ["weights.safetensors", "config.yaml"],
        "weights.safetensors",
        None,
        3,
    ],
)
def test_digests_of_another_kind_are_refused(folder: Path, files: object) -> None:
    rewrite(folder, lambda values: values.update(files=files))
    with pytest.raises(InputError, match=r"files.* must be the digests of weights.* and config"):
        Bundle.load(folder)


def test_config_that_is_not_utf8_is_refused(folder: Path) -> None:
    replace(folder, "config.yaml", b"name: \xff\n")
    with pytest.raises(InputError, match=r"cannot be read: .*utf-8.* can't decode byte 0xff"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "data",
    [
        b"not safetensors",
        b"\x80\x04K\x01.",  # a pickle
        struct.pack("<Q", 1 << 60) + b"{}",
        save({"a": torch.zeros(4)})[:-1],
    ],
)
def test_weights_that_are_not_safetensors_are_refused(folder: Path, data: bytes) -> None:
    replace(folder, "weights.safetensors", data)
    with pytest.raises(InputError, match=r"cannot be read: .*(header|metadata)"):
        Bundle.load(folder)


def test_weights_of_a_type_that_torch_lacks_are_refused(folder: Path) -> None:
    header = json.dumps({"a": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}).encode()
    replace(folder, "weights.safetensors", struct.pack("<Q", len(header)) + header + b"\0\0")
    with pytest.raises(InputError, match=r"cannot be read: .*F4"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"centroid": [math.nan, 0.0]},
        {"centroid": []},
        {"centroid": None},
        {"radius": math.inf},
        {"radius": "3"},
        {"radius": True},
    ],
)
def test_hash_that_is_no_hash_is_refused(folder: Path, change: dict[str, object]) -> None:
    rewrite(folder, lambda values: values.update(change))
    with pytest.raises(InputError, match=r"(centroid|radius|k=2).* must be "):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "weight",
    [
        torch.tensor([1e300], dtype=torch.float64),  # infinite for a network, which takes float32
        torch.tensor([math.nan]),
        torch.tensor([1.0]).to(torch.float8_e4m3fn),
        torch.tensor([complex(math.nan, 0)]),
    ],
)
def test_weights_that_are_no_finite_numbers_are_refused(folder: Path, weight: torch.Tensor) -> None:
    replace(folder, "weights.safetensors", save({"a": weight}))
    with pytest.raises(InputError, match="no finite numbers: a"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "data", [b"[" + b"[]," * 2000 + b"1]", b'{"fitted": [' + b"1," * 2_000_000 + b"1]}"]
)
def test_hash_of_too_many_values_is_refused_before_they_are_read(folder: Path, data: bytes) -> None:
    (folder / "hash.json").write_bytes(data)
    with pytest.raises(InputError, match="holds more values"):
        Bundle.load(folder)


def test_negative_radius_is_refused(folder: Path) -> None:
    rewrite(folder, lambda values: values.update(radius=-1.0))
    with pytest.raises(InputError, match=r"hash\.json: radius=-1\.0 must be a number above 0"):
        Bundle.load(folder)


@pytest.mark.parametrize("gate", [0.0, -1.0, math.nan, "3"])
def test_bad_gate_is_refused(folder: Path, gate: object) -> None:
    rewrite(folder, lambda values: values.update(gate=gate))
    with pytest.raises(InputError, match=r"hash\.json: gate=.* must be a number above 0"):
        Bundle.load(folder)


@pytest.mark.parametrize("key", ["run_id", "pictures", "identity"])
def test_bundle_that_does_not_say_where_it_is_from_is_refused(folder: Path, key: str) -> None:
    rewrite(folder, lambda values: values.pop(key))
    with pytest.raises(InputError, match=rf"hash\.json: {key} is missing"):
        Bundle.load(folder)


@pytest.mark.parametrize("pictures", [None, ["signal"], "signal", 3])
def test_pictures_of_another_kind_are_refused(folder: Path, pictures: object) -> None:
    rewrite(folder, lambda values: values.update(pictures=pictures))
    with pytest.raises(InputError, match=r"hash\.json: pictures.* must be the digests of pictures"):
        Bundle.load(folder)


def test_printable_hash_comes_back(tmp_path: Path) -> None:
    printable = PrintableHash("pixels0", np.arange(256) % 3 == 0, np.arange(1024) < 256, 9)
    dataclasses.replace(bundle(), printable=printable).save(tmp_path / "b")
    loaded = Bundle.load(tmp_path / "b").printable
    assert loaded is not None
    assert str(loaded) == str(printable)
    assert json.loads((tmp_path / "b" / "hash.json").read_bytes())["printable"] == str(printable)


def test_bundle_from_before_there_were_printable_hashes_is_read(folder: Path) -> None:
    assert "printable" not in json.loads((folder / "hash.json").read_bytes())
    assert Bundle.load(folder).printable is None


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (3, "printable=3 must be the printable hash, as text"),
        ("LH1-a-b-c", "not as it was printed"),
    ],
)
def test_printable_hash_that_is_none_is_refused(folder: Path, value: object, sentence: str) -> None:
    rewrite(folder, lambda values: values.update(printable=value))
    with pytest.raises(InputError, match=sentence):
        Bundle.load(folder)
