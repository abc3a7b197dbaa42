"""A hash as a value: bits, text, bytes, distance, and what of it counts."""

import pickle

import numpy as np
import pytest

from latenthash import Hash, InputError, Refusal

TAG, OTHER = b"\x12\xab", b"\x00\x07"
ONES = Hash(TAG, b"\xff" * 32)


def differing(*bits: int) -> Hash:
    """Return `ONES` but for some bits."""
    values = np.ones(256, np.uint8)
    values[list(bits)] = 0
    return Hash(TAG, np.packbits(values).tobytes())


def test_bits_are_those_of_the_bytes_the_highest_first() -> None:
    bits = differing(0, 9, 255).bits
    assert bits.shape == (256,)
    assert bits.dtype == bool
    assert np.flatnonzero(~bits).tolist() == [0, 9, 255]


def test_distance_counts_the_bits_that_differ() -> None:
    assert ONES - ONES == 0
    assert ONES - differing(3, 77, 200) == 3
    assert differing(1, 2) - differing(2, 3) == 2


def test_text_and_bytes_are_read_again() -> None:
    one = differing(5, 6)
    assert str(one).startswith("LH2-")
    assert bytes(one) == TAG + one.packed
    assert Hash.parse(str(one)) == Hash.parse(str(one).lower()) == Hash.parse(bytes(one)) == one


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("LH2-AAAA", "LH2-AAAA"),
        (str(ONES)[:-1] + ("A" if str(ONES)[-1] != "A" else "B"), "LH2-"),
        (b"\0" * 33, "has 34 of them, 2 that name its network and 32 of bits, and here are 33"),
        (b"", "here are 0"),
        ("", "The text is empty, as that of a picture without detail"),
        (" \n", "keep such hashes by bytes"),
        (7, "from text or bytes, and not from int"),
    ],
)
def test_what_is_no_hash_is_refused(given: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Hash.parse(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tag", "packed", "sentence"),
    [
        (b"\1", b"", "takes tag of 2 bytes, and not 1 of them"),
        ("12", b"", "takes tag of 2 bytes, and not '12'"),
        (TAG, b"\1" * 31, "takes packed of 0 or 32 bytes, and not 31 of them"),
        (TAG, np.zeros(32, np.uint8), r"takes packed of 0 or 32 bytes, and not array\("),
    ],
)
def test_value_that_no_hash_has_is_refused(tag: object, packed: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Hash(tag, packed)  # type: ignore[arg-type]


def test_hashes_of_two_networks_have_no_distance() -> None:
    with pytest.raises(ValueError, match="12ab and 0007 are not comparable"):
        ONES - Hash(OTHER, ONES.packed)
    with pytest.raises(ValueError, match="12ab and 0007"):
        ONES - Hash(OTHER, b"")
    with pytest.raises(TypeError):
        ONES - 3  # type: ignore[operator]


def test_picture_without_detail_is_like_no_other() -> None:
    plain = Hash(TAG, b"")
    assert ONES.detail
    assert not plain.detail
    assert not plain.bits.any()
    assert plain - ONES == ONES - plain == plain - plain == 256
    assert str(plain) == ""
    assert Hash.parse(bytes(plain)) == plain


def test_hash_is_a_value() -> None:
    floats = np.arange(256, dtype=np.float32)
    one, same = Hash(TAG, ONES.packed, floats, ("odd",)), Hash(TAG, ONES.packed)
    assert {one: "a"}[same] == "a", "numbers and remarks do not count"
    assert one != differing(1)
    with pytest.raises(AttributeError):
        one.tag = OTHER  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert again.remarks == ("odd",)
    np.testing.assert_array_equal(again.floats, floats)


def test_refusal_is_a_sentence() -> None:
    assert str(Refusal("in/a.jpg", "is empty (0 bytes)")) == "in/a.jpg is empty (0 bytes)."
