"""Canonical JSON, against the vectors of RFC 8785, and hostile JSON."""

import json
import struct
import sys
from typing import Any

import numpy as np
import pytest

from latenthash.watermark.canonical import canonical, parse

# Appendix B of the RFC: the bits of a double, and how it is written.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}
BROKEN: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "is no JSON"),
    "no UTF-8": (b'"\xff"', "is not UTF-8"),
    "key twice": (b'{"a":1,"a":2}', "names a key twice"),
    "NaN": (b"[NaN]", "holds NaN"),
    "endless": (b"[-Infinity]", "holds -Infinity"),
    "too large": (b"[1e999]", "holds 1e999"),
    "many digits": (b"9" * 10_000, "holds 9"),
    "deep": (b"[" * 18 + b"]" * 18, "too deeply"),
    "very deep": (b"[" * 15_000 + b"]" * 15_000, "too deeply"),
    "wide": (b"[" + b"0," * 20_001 + b"0]", "more than 20,000 values"),
}


@pytest.mark.parametrize("bits", NUMBERS)
def test_numbers_are_written_as_the_rfc_says(bits: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value) == NUMBERS[bits].encode()


def test_numbers_read_back_as_they_were() -> None:
    rng = np.random.default_rng(0)
    for bits in rng.integers(0, 2**64, 2000, dtype=np.uint64):
        value = float(bits.view(np.float64))
        if np.isfinite(value):
            text = canonical(value)
            assert float(text) == value
            assert canonical(parse(text)) == text


def test_example_of_the_rfc() -> None:
    value = {  # section 3.2.2
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert canonical(value).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_by_units_of_utf_16() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]  # section 3.2.3
    assert list(json.loads(canonical(dict.fromkeys(keys, 0)))) == [
        "\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [float("nan"), 2**53, b"a", {1: 2}, "\ud800", [np.float32(1)]])
def test_what_json_has_no_word_for_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"holds|surrogates"):
        canonical(value)


@pytest.mark.parametrize("broken", BROKEN)
def test_hostile_json_is_refused(broken: str) -> None:
    data, sentence = BROKEN[broken]
    with pytest.raises(ValueError, match=sentence):
        parse(data)


def test_deep_values_are_refused_before_python_gives_up() -> None:
    value: list[Any] = []
    for _ in range(sys.getrecursionlimit() * 2):
        value = [value]
    with pytest.raises(ValueError, match="too deeply"):
        canonical(value)
