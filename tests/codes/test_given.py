"""Codes that another program computed: read as they are written, and refused where they are odd."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latenthash.codes.given import GivenCodes, given_code, refuse_missing
from latenthash.codes.view_files import ViewNames
from latenthash.data.edits.suite import Suite
from latenthash.errors import InputError
from photographs import READER, items


def files(suite: Suite) -> list[str]:
    """List the views of two pictures under two edits."""
    names = ViewNames(suite, READER)
    return [names.of(item, edit) for item in items(2) for edit in (None, *suite.edits)]


def read(path: Path, suite: Suite) -> tuple[str, int, np.ndarray]:  # type: ignore[type-arg]
    """Return name, bytes and what is said of all views."""
    code = given_code(path, ViewNames(suite, READER))
    assert isinstance(code.source, GivenCodes)
    return code.name, code.size, code.source.of(items(2), suite.edits)


CODES = ["00", "ff", "0f", "80", "0x01", "A5"]
BITS = [[int(bit) for bit in f"{int(code, 16):08b}"] for code in CODES]


def test_hexadecimal_codes_are_bits_in_their_order(suite: Suite, tmp_path: Path) -> None:
    path = tmp_path / "my hash.csv"
    table = pd.DataFrame({"file": [f"some/place/{f}" for f in files(suite)], "code": CODES})
    table.sample(frac=1, random_state=0).to_csv(path, index=False)
    name, size, described = read(path, suite)
    assert (name, size) == ("my_hash-8", 1)
    np.testing.assert_array_equal(described, 2 * np.reshape(BITS, (2, 3, 8)) - 1)
    table.to_parquet(tmp_path / "b.parquet")
    np.testing.assert_array_equal(read(tmp_path / "b.parquet", suite)[2], described)


def test_floats_are_columns_or_lists(suite: Suite, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(6, 3))
    columns = pd.DataFrame(numbers, columns=["x", "y", "z"])
    columns.insert(1, "file", files(suite))
    columns.to_csv(tmp_path / "a.csv", index=False)
    columns.to_parquet(tmp_path / "a.parquet")
    lists = pd.DataFrame({"file": files(suite), "code": list(numbers)})
    lists.to_parquet(tmp_path / "list.parquet")
    for path in tmp_path.iterdir():
        name, size, described = read(path, suite)
        assert (name, size) == (f"{path.stem}-float", 12)
        np.testing.assert_allclose(described, numbers.reshape(2, 3, 3), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("file,code\n", "names no file"),
        ("name,code\na.png,00\n", "its columns are name, code"),
        ("file\na.png\n", "its columns are file"),
        ("file,code\na.png\n", "line 2: it has not as many cells"),
        ("file,code\na.png,00\nx/a.png,01\n", "names files twice: a.png"),
        ("file,code\na.png,00\nb.png,0\n", "the code of a.png has 8 bits; of another length b.png"),
        ("file,code\na.png,00\nb.png,zz\n", "must give a hexadecimal code for every file"),
        ("file,code\na.png,\n", "must give a hexadecimal code for every file; not so a.png"),
        ("file,x,y\na.png,1,nan\n", "must give finite numbers for every file; not so a.png"),
        ("file,x\na.png,1e300\n", "must give finite numbers"),
        ("file,x\na.png,one\n", "must give finite numbers"),
        ("file,c\xf6de\na.png,00\n".encode("latin-1"), "cannot be read"),
        (b"PAR1 and nothing else", "cannot be read"),
    ],
)
def test_odd_table_is_refused(
    text: str | bytes, sentence: str, suite: Suite, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as caught:
        given_code(path, ViewNames(suite, READER))
    assert str(caught.value).startswith(f"codes_from={path}")
    assert sentence in str(caught.value)


def test_odd_parquet_is_refused(suite: Suite, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"file": ["a", "b"], "code": [[1.0, 2.0], [1.0]]}).to_parquet(path)
    with pytest.raises(InputError, match="a has 2 numbers; of another length b"):
        given_code(path, ViewNames(suite, READER))
    pd.DataFrame({"file": ["a", "b"], "code": [[1.0, 2.0], None]}).to_parquet(path)
    with pytest.raises(InputError, match="finite numbers for every file; not so b"):
        given_code(path, ViewNames(suite, READER))


def test_views_that_are_missing_are_named(suite: Suite, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"file": files(suite)[:-1], "code": CODES[:-1]}).to_csv(path, index=False)
    source = given_code(path, ViewNames(suite, READER)).source
    assert isinstance(source, GivenCodes)
    refuse_missing("codes_from=a.csv", source, [(items(2), suite.edits[:1])])
    with pytest.raises(InputError, match=rf"a.csv lacks 1 .*: {files(suite)[-1]}\."):
        refuse_missing("codes_from=a.csv", source, [(items(2), suite.edits)])
