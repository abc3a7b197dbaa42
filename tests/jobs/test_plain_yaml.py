"""The YAML of bundles: values alone, and nothing that is more."""

import pytest

from latenthash.errors import InputError
from latenthash.jobs.plain_yaml import read_yaml

TEXTS = {
    "an interpolation": "a: ${oc.env:HOME}",
    "an interpolation spelt out": 'a: "\\x24{b}"\nb: 1',
    "a relative interpolation": "a: 1\nb: ${..a}",
    "a missing value": "a: ???",
    "an anchor": "a: &x [1]\nb: *x",
    "a tag": "a: !!python/object/apply:os.system [true]",
    "a tag of numbers": "a: !!float 3",
    "a bomb": "a: &a [x]\n" + "".join(f"{c}: &{c} [*{p},*{p}]\n" for p, c in zip("abcdef", "bcdefg",
                                                                             strict=True)),
    "depth": "a: " + "[" * 100 + "]" * 100,
    "many nodes": "a: [" + "1," * 30_000 + "]",
    "many letters": "a: " + "x" * 300_000,
    "no YAML": "a: [",
    "two documents": "a: 1\n---\nb: 2",
    "a key twice": "a: 1\na: 2",
    "a zero byte": "a: \0",
    "a list": "- 1",
    "a number": "5",
    "a name that is a number": "a: {1: 2}",
    "a number without end": f"a: 0x{'f' * 5000}",
    "a time without end": "a: 1" + ":59" * 3000,
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_yaml_that_is_more_than_values_is_refused(case: str) -> None:
    with pytest.raises(InputError, match="The bundle's config cannot be used"):
        read_yaml(TEXTS[case])


def test_plain_yaml_is_read() -> None:
    text = "a: [1, 1e-3, 1.5, true, null]\nb: {c: ä ö, d: '3'}\ne: [[1], {f: no}]\n"
    assert read_yaml(text) == {
        "a": [1, 1e-3, 1.5, True, None], "b": {"c": "ä ö", "d": "3"}, "e": [[1], {"f": False}],
    }  # fmt: skip
