"""JSON with one way to write each value (RFC 8785), so that what is signed is the same bytes."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn

DEEPEST = 16  # levels of mappings and lists
MOST_PARTS = 20_000  # of one text: mappings, lists and commas
MOST_WHOLE = 2**53 - 1  # a reader that takes numbers for doubles keeps these
FIXED = range(-6, 21)  # decimal exponents of numbers that ECMAScript writes without one


def canonical(value: object) -> bytes:
    """Write plain values as canonical JSON.

    Args:
        value: mappings of text, lists, texts, numbers, true, false and null.

    Raises:
        ValueError: it holds anything else, such as no finite number.
    """
    return "".join(_written(value, 0)).encode()  # lone surrogates are a ValueError as well


def parse(data: bytes) -> Any:
    """Read JSON that may be hostile.

    Raises:
        ValueError: it is no JSON, too deep or of too many parts, or names a key twice; the end of
            a sentence that begins with a name.
    """
    if data.count(b"[") + data.count(b"{") + data.count(b",") > MOST_PARTS:
        raise ValueError(f"holds more than {MOST_PARTS:,} values")
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_distinct,
            parse_constant=_no_number,
            parse_int=_whole,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ValueError("is no JSON: it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error}") from error
    _refuse_depth(value, 0)
    return value


def _written(value: object, depth: int) -> list[str]:
    if depth > DEEPEST:
        raise ValueError("is nested too deeply")
    if value is None or isinstance(value, bool | str):
        return [json.dumps(value, ensure_ascii=False)]
    if isinstance(value, int):
        if abs(value) > MOST_WHOLE:
            raise ValueError(f"holds a number over {MOST_WHOLE:,}")
        return [str(value)]
    if isinstance(value, float):
        return [_number(value)]
    if isinstance(value, list | tuple):
        parts = [_written(part, depth + 1) for part in value]
        return ["[", *_joined(parts), "]"]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        # The RFC sorts by units of UTF-16.
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        parts = [[*_written(k, depth), ":", *_written(value[k], depth + 1)] for k in keys]
        return ["{", *_joined(parts), "}"]
    raise ValueError(f"holds a {type(value).__name__}, which JSON has no word for")


def _joined(parts: list[list[str]]) -> list[str]:
    return [text for i, part in enumerate(parts) for text in ([",", *part] if i else part)]


def _number(value: float) -> str:
    """Write a float as ECMAScript does: the fewest digits that read back as the same number."""
    if not isfinite(value):
        raise ValueError("holds a number that is not finite")
    if value == 0:
        return "0"
    # Python's shortest digits are the same; where it puts the point is not.
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    before, _, after = mantissa.partition(".")
    digits = (before + after).lstrip("0")
    point = len(before) + int(power or 0) - (len(before + after) - len(digits))
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if point - 1 not in FIXED:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{point - 1:+d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("names a key twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"holds {name}, which is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"holds {text[:20]}, which no number here can be")
    return value


def _whole(text: str) -> int | float:
    # Longer ones are doubles to others, and Python would take long over thousands of digits.
    value = _finite(text)
    return int(text) if abs(value) <= MOST_WHOLE else value


def _refuse_depth(value: object, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("is nested too deeply")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        _refuse_depth(part, depth + 1)
