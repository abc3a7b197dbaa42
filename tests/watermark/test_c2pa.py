"""C2PA: what is written is read back, and every change and every stranger shows."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latenthash.errors import InputError
from latenthash.watermark import c2pa as credentials
from latenthash.watermark.c2pa import Credentials, attach, read
from latenthash.watermark.certificates import Chain, issue
from latenthash.watermark.signed import Signed
from marks import owner, signed

ANN, BOB = owner("Ann"), owner("Bob Müller")
FIRST = signed(5)


def file(kind: str = "PNG", seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), np.uint8)
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, kind)
    return made.getvalue()


@pytest.fixture(scope="module")
def chain() -> Chain:
    pytest.importorskip("c2pa", reason="needs the extra c2pa")
    return issue(ANN)


def understood(picture: bytes, kind: str = "PNG", anchors: str = "") -> Credentials:
    found = read(picture, kind, anchors)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_both_bindings_are_read_back_and_pixels_stay(kind: str, chain: Chain) -> None:
    plain = file(kind)
    made = attach(plain, kind, FIRST, ANN, chain, (file(), "PNG"))
    with Image.open(io.BytesIO(plain)) as before, Image.open(io.BytesIO(made)) as after:
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))
    found = understood(made, kind)
    assert found.bindings == {
        "org.latenthash.tiled": FIRST.id,
        "org.latenthash.code-256": (5).to_bytes(32, "big"),
    }
    assert len(made) - len(plain) < 20_000  # no picture of the original is in it
    assert found.state == "Valid"
    assert found.problems == ("signingCredential.untrusted",)
    assert found.actions == ("c2pa.opened", "c2pa.watermarked.bound")
    assert found.parents == ("original",)


def test_owner_is_trusted_where_the_anchor_is_given(chain: Chain) -> None:
    made = attach(file(), "PNG", FIRST, ANN, chain, (file(), "PNG"))
    assert understood(made, anchors=chain.anchor).state == "Trusted"
    assert understood(made, anchors=issue(BOB).anchor).state == "Valid"
    # Another issuer of the same name is another one.
    assert understood(made, anchors=issue(ANN).anchor).state == "Valid"


def test_parent_is_named(chain: Chain) -> None:
    parent = attach(file(), "PNG", FIRST, ANN, chain, (file(), "PNG"))
    child: Signed = signed(6, (FIRST.id,), "Bob Müller")
    bobs = issue(BOB)
    made = attach(file(seed=1), "PNG", child, BOB, bobs, (parent, "PNG"))
    found = understood(made, anchors=bobs.anchor + chain.anchor)
    assert found.state == "Trusted"
    assert found.parents == (FIRST.id.hex(),)
    assert found.actions == ("c2pa.opened", "c2pa.cropped", "c2pa.watermarked.bound")
    assert found.bindings["org.latenthash.tiled"] == child.id


def test_altered_pixels_are_seen(chain: Chain) -> None:
    made = bytearray(attach(file(), "PNG", FIRST, ANN, chain, (file(), "PNG")))
    made[-200] ^= 1
    assert understood(bytes(made), anchors=chain.anchor).state == "Invalid"


def test_picture_that_was_saved_anew_has_none(chain: Chain) -> None:
    made = attach(file(), "PNG", FIRST, ANN, chain, (file(), "PNG"))
    again = io.BytesIO()
    with Image.open(io.BytesIO(made)) as image:
        image.save(again, "PNG")
    assert read(again.getvalue(), "PNG") is None


def test_damaged_file_is_refused(chain: Chain) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(b"hello", "PNG")
    with pytest.raises(InputError, match="cannot be put into this PNG file"):
        attach(b"hello", "PNG", FIRST, ANN, chain, (file(), "PNG"))
    with pytest.raises(InputError, match="PNG, JPEG, WEBP, TIFF alone, and this is BMP"):
        attach(file("BMP"), "BMP", FIRST, ANN, chain, (file(), "PNG"))


@pytest.mark.parametrize(
    "store",
    [
        [],
        {},
        {"active_manifest": 3, "manifests": []},
        {"active_manifest": "a", "manifests": {"a": {"assertions": [None, {"label": 1}]}}},
        {"active_manifest": "a", "manifests": {"a": {"ingredients": 7, "assertions": [
            {"label": "c2pa.soft-binding", "data": {"alg": 1, "blocks": [{"value": "?"}]}},
            {"label": "c2pa.actions.v2", "data": {"actions": {"a": 1}}},
        ]}}},
    ],
)  # fmt: skip
def test_store_of_a_stranger_is_taken_apart_with_care(store: Any) -> None:
    found = credentials._credentials(store)
    assert (found.bindings, found.parents, found.actions) == ({}, (), ())


def test_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "c2pa", None)
    with pytest.raises(InputError, match=r"pip install 'latenthash\[c2pa\]'"):
        read(file(), "PNG")
