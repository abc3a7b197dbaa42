"""The printable code: exact as text, refused when mistyped, compared bit by bit."""

import base64
import re
import string
from collections.abc import Callable

import numpy as np
import pytest

from latenthash.errors import InputError
from latenthash.hashing import printable_code
from latenthash.hashing.printable_code import (
    MEASURED,
    CodeComparison,
    PrintableCode,
    compare_codes,
    crc24,
    print_codes,
)
from printables import TAG, example, example_code

LETTERS = string.ascii_uppercase + string.digits + "-"
BASE32 = string.ascii_uppercase + "234567"


# ---- text ----


@pytest.mark.parametrize("seed", range(5))
def test_text_comes_back_as_it_was(seed: int) -> None:
    code = example_code(seed)
    assert PrintableCode.parse(str(code)) == code


def test_text_is_64_letters() -> None:
    assert re.fullmatch(r"LH2-[A-Z2-7]{60}", str(example_code()))


def test_text_is_fixed_for_ever() -> None:
    text = str(PrintableCode(b"\x88\x88", b"\xaa" * 32))
    # In fives, 10001 00010 00100 "RCE", then 01010 10101 and its turns, "KV".
    assert text.startswith("LH2-RCEKVKVKVKVKVKVKVKVKV")
    check = crc24(b"LH2" + b"\x88\x88" + b"\xaa" * 32).to_bytes(3, "big")
    assert base64.b32decode(text[4:] + "====") == b"\x88\x88" + b"\xaa" * 32 + check


def test_check_is_that_of_openpgp() -> None:
    assert crc24(b"") == 0xB704CE
    assert crc24(b"123456789") == 0x21CF02  # of the catalogue of CRC algorithms


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda text: f"  {text}\n",
        lambda text: " ".join(text[i : i + 8] for i in range(0, len(text), 8)),
    ],
)
def test_white_space_and_small_letters_do_no_harm(change: Callable[[str], str]) -> None:
    assert PrintableCode.parse(change(str(example_code()))) == example_code()


def test_every_mistyped_character_is_refused() -> None:
    text = str(example_code())
    for i, right in enumerate(text):
        for wrong in LETTERS.replace(right, ""):
            with pytest.raises(InputError, match=r"Copy it|read it with the version|give one of"):
                PrintableCode.parse(text[:i] + wrong + text[i + 1 :])


def test_every_other_last_letter_is_refused() -> None:
    """The last letter carries one bit in five: others must not read alike."""
    text = str(example_code())
    for letter in BASE32.replace(text[-1], ""):
        with pytest.raises(InputError, match="not as it was printed"):
            PrintableCode.parse(text[:-1] + letter)


@pytest.mark.parametrize("seed", range(5))
def test_swapped_neighbours_are_refused(seed: int) -> None:
    text = str(example_code(seed))
    for i in range(len(text) - 1):
        if text[i] != text[i + 1]:
            with pytest.raises(InputError):
                PrintableCode.parse(text[:i] + text[i + 1] + text[i] + text[i + 2 :])


def test_cut_or_longer_text_is_refused() -> None:
    text = str(example_code())
    for other in [*(text[:i] for i in range(len(text))), f"{text}A", f"{text}-A", text * 2]:
        with pytest.raises(InputError):
            PrintableCode.parse(other)


@pytest.mark.parametrize("text", ["", "-", "LH2-", "LH2", "LH2-A-B", "hallo", "LH2-\u017f"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a printable hash|not as it was printed"):
        PrintableCode.parse(text)


def test_other_version_is_named() -> None:
    with pytest.raises(InputError, match=r"version LH3.*reads LH1 and LH2.*that printed it"):
        PrintableCode.parse(str(example_code()).replace("LH2", "LH3"))
    with pytest.raises(InputError, match="is of version LH1; give one of LH2"):
        PrintableCode.parse(str(example()))


def test_packed_codes_are_printed_in_their_order() -> None:
    bits = np.arange(64, dtype=np.uint8).reshape(2, 32)
    texts = print_codes(TAG, bits)
    assert [PrintableCode.parse(text) for text in texts] == [
        PrintableCode(TAG, bytes(range(32))),
        PrintableCode(TAG, bytes(range(32, 64))),
    ]


# ---- comparing ----


def test_distance_counts_bits_that_differ() -> None:
    one = PrintableCode(TAG, bytes(32))
    other = PrintableCode(TAG, b"\x01" + bytes(30) + b"\xf0")
    found = compare_codes(one, other)
    assert found.distance == 5
    assert found.share == 251 / 256
    assert compare_codes(one, PrintableCode(TAG, b"\xff" * 32)).share == 0


@pytest.mark.parametrize(
    ("distance", "fpr", "limit", "verdict"),
    [
        (0, 1e-6, 50, "yes"),
        (50, 1e-6, 50, "yes"),
        (51, 1e-4, 60, "yes"),
        (70, 1e-3, 70, "yes"),
        (71, 1e-3, 70, "no"),
    ],
)
def test_verdict_names_the_smallest_rate_at_which_it_holds(
    distance: int, fpr: float, limit: int, verdict: str
) -> None:
    found = CodeComparison(distance, {1e-3: 70, 1e-4: 60, 1e-6: 50})
    assert (found.fpr, found.limit, found.verdict) == (fpr, limit, verdict)


def test_codes_that_were_not_measured_have_no_verdict() -> None:
    assert TAG.hex() not in MEASURED
    found = compare_codes(example_code(), example_code())
    assert (found.distance, found.fpr, found.limit, found.verdict) == (
        0,
        None,
        None,
        "not measured",
    )


def test_limits_are_those_of_the_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printable_code, "MEASURED", {TAG.hex(): {1e-3: 70}})
    assert compare_codes(example_code(), example_code()).limits == {1e-3: 70}


def test_limits_fall_with_the_rate() -> None:
    for limits in MEASURED.values():
        assert sorted(limits, reverse=True) == [1e-3, 1e-4, 1e-6]
        assert 128 > limits[1e-3] > limits[1e-4] > limits[1e-6] > 0


def test_codes_of_other_models_are_not_compared() -> None:
    with pytest.raises(InputError, match=r"models 0a1b and ffff are not comparable.*same run="):
        compare_codes(example_code(), example_code(tag=b"\xff\xff"))
