"""Manifests: an id commits to all of it, and what users give is checked."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latenthash.errors import InputError
from latenthash.watermark import keys
from latenthash.watermark.manifest import EditDone, Enrolled, checked
from latenthash.watermark.signed import Signed, read_sidecar, sidecar, sign, write_sidecar
from marks import BUNDLE, content, manifest, owner, saved, signed

ANN = owner("Ann")
Values = dict[str, Any]


def values() -> Values:
    found: Values = json.loads(signed(3, (bytes(8),)).text)
    return found


def test_id_is_of_text_and_signature() -> None:
    one = signed(1)
    assert one.is_sound
    # Written out: a tag, then parts behind their lengths.
    parts = (b"latenthash id 1", one.text, one.signature)
    whole = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    assert one.id == hashlib.sha256(whole).digest()[:8]
    assert one.id != signed(2).id
    assert one.id != signed(1, name="Bob").id
    assert one.id == signed(1).id  # Ed25519 signs the same text in the same way


def test_sidecar_is_read_back(tmp_path: Path) -> None:
    picture = tmp_path / "Zürich.png"
    made = sign(
        manifest(
            owner("Zoë"),
            hash=content(bytes(range(32))),
            edits=[EditDone(action="c2pa.color_adjustments", parameters={"a": [0.1, None, 1e-9]})],
        ),
        owner("Zoë"),
    )
    path = sidecar(picture)
    assert path.name == "Zürich.png.latenthash.json"
    write_sidecar(made, path)
    assert read_sidecar(path) == made
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    np.testing.assert_array_equal(made.manifest.hash.packed, np.arange(32))


def test_enrolled_hash_keeps_its_numbers(tmp_path: Path) -> None:
    enrolled = Enrolled(bundle=BUNDLE, centroid=[0.1, -2.0, 1e-30], radius=0.7)
    hash_ = content(bytes(32)).model_copy(update={"enrolled": enrolled})
    write_sidecar(sign(manifest(ANN, hash=hash_), ANN), tmp_path / "x.json")
    assert read_sidecar(tmp_path / "x.json").manifest.hash.enrolled == enrolled


def altered(change: Callable[[Values], object]) -> bytes:
    one = signed(1)
    whole = {
        "id": one.id.hex(), "signature": one.signature.hex(), "manifest": json.loads(one.text),
    }  # fmt: skip
    change(whole)
    return json.dumps(whole).encode()


ALTERED: dict[str, tuple[Callable[[Values], object], str]] = {
    "size": (lambda v: v["manifest"].update(size=[641, 480]), "was altered"),
    "owner": (lambda v: v["manifest"]["owner"].update(name="Bob"), "was altered"),
    "bits": (lambda v: v["manifest"]["hash"].update(bits="01" * 32), "was altered"),
    "id": (lambda v: v.update(id="00" * 8), "was altered"),
    "signature": (lambda v: v.update(signature="00" * 64), "was altered"),
    "signature's digits": (lambda v: v.update(signature="0G" * 64), "128 hexadecimal digits"),
    "signature's kind": (lambda v: v.update(signature=7), "128 hexadecimal digits"),
    "more": (lambda v: v.update(more=1), "and no more"),
    "less": (lambda v: v.pop("id"), "and no more"),
    "version": (lambda v: v["manifest"].update(v=2), "is of version 2, and latenthash"),
    "no version": (lambda v: v["manifest"].pop("v"), "names no version"),
    "no mapping": (lambda v: v.update(manifest=[1]), "names no version"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_altered_sidecar_is_refused(what: str, tmp_path: Path) -> None:
    change, sentence = ALTERED[what]
    with pytest.raises(InputError, match=sentence):
        read_sidecar(saved(tmp_path / "x.json", altered(change)))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"\xff\xd8\xff", "is not UTF-8"),
        (b"[]", "must hold id, signature and manifest"),
        (b'{"id":1,"id":2}', "names a key twice"),
        (b" " * (2**21 + 1), "over the limit"),
    ],
)
def test_file_that_is_no_manifest_is_refused(data: bytes, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        read_sidecar(saved(tmp_path / "x.json", data))


WRONG: dict[str, tuple[Callable[[Values], object], str]] = {
    "more": (lambda v: v.update(more=1), "more is no option"),
    "missing": (lambda v: v.pop("size"), "size is missing"),
    "digits": (lambda v: v["hash"].update(bits="AB" * 32), "hash.bits"),
    "length": (lambda v: v["hash"].update(bits="ab" * 31), "hash.bits"),
    "size": (lambda v: v.update(size=[1, 2, 3]), "size"),
    "half a pixel": (lambda v: v.update(size=[1.5, 2]), "size"),
    "true": (lambda v: v.update(size=[True, 2]), "size"),
    "base64": (lambda v: v.update(thumbnail="/9j"), "thumbnail"),
    "long": (lambda v: v.update(thumbnail="AAAA" * 2**17 + "AAAA"), "thumbnail"),
    "name": (lambda v: v["owner"].update(name="a\u202eb"), "owner.name"),
    "key": (lambda v: v["owner"].update(key="00"), "owner.key"),
    "relation": (lambda v: v["parents"][0].update(relation="sonOf"), "parents.0.relation"),
    "parent": (lambda v: v["parents"][0].update(id="00"), "parents.0.id"),
    "distance": (lambda v: v["parents"][0].update(distance=257), "parents.0.distance"),
    "parents": (lambda v: v.update(parents=v["parents"] * 65), "parents"),
    "edits": (lambda v: v["edits"][0].update(action="rm -rf"), "edits.0.action"),
    "time": (lambda v: v.update(created="2026-02-30T00:00:00Z"), "created"),
    "zone": (lambda v: v.update(created="2026-01-31T12:00:00+09:00"), "created"),
    "short year": (lambda v: v.update(created="26-01-31T12:00:00Z"), "created"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_values_are_named(what: str) -> None:
    change, sentence = WRONG[what]
    wrong = values()
    change(wrong)
    with pytest.raises(InputError) as caught:
        checked("M", wrong)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(f"M: {sentence}")


def test_kept_text_must_be_canonical() -> None:
    one = signed(1)
    assert Signed.of("M", one.text, one.signature) == one
    with pytest.raises(InputError, match="not written in canonical JSON"):
        Signed.of("M", one.text + b" ", one.signature)


def test_nobody_signs_for_another() -> None:
    with pytest.raises(InputError, match="another owner's key than that of Bob"):
        sign(manifest(ANN), owner("Bob"))


def test_signature_of_something_else_is_not_one_of_a_manifest() -> None:
    one = signed(1)
    other = Signed(one.manifest, one.text, ANN.sign(b"row 1", one.text))
    assert not other.is_sound
    assert keys.is_signed(ANN.public, other.signature, b"row 1", one.text)


@pytest.mark.parametrize("value", [float("inf"), np.float32(1), [0] * 20_001, "\ud800"])
def test_edits_that_json_cannot_hold_are_refused(value: object) -> None:
    edit = EditDone(action="c2pa.edited", parameters={"x": value})
    with pytest.raises(InputError, match="leave that out of the edits"):
        sign(manifest(ANN, edits=[edit]), ANN)


def test_manifest_that_no_reader_takes_is_not_signed() -> None:
    edit = EditDone(action="c2pa.edited", parameters={"x": "a" * 2**20})
    with pytest.raises(InputError, match="tell less of the edits"):
        sign(manifest(ANN, edits=[edit]), ANN)
