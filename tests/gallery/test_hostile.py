"""Shards and gallery.json that are damaged, foreign or made to harm: a sentence names the file."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from latenthash import Gallery, InputError
from latenthash.gallery import shards
from quick_code import quick_code, save_blocks

Change = Callable[[pa.Table], Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for i in range(4):
        save_blocks(folder / "photos" / f"{i}.png", i)
    Gallery.open(folder / "G").add(quick_code(), folder / "photos")
    return folder / "G"


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "G"))


def said(key: str, value: str) -> Change:
    name = f"latenthash.{key}".encode()
    return lambda table: table.replace_schema_metadata(
        {**table.schema.metadata, name: value.encode()}
    )


def cell(column: str, value: object) -> Change:
    def changed(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        rows[1][column] = value
        schema = pa.schema(
            [field.with_nullable(True) for field in table.schema], table.schema.metadata
        )
        return pa.Table.from_pylist(rows, schema)

    return changed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table.drop_columns("error"), "has other columns"),
        (lambda table: table.append_column("x", table["file"]), "has other columns"),
        (lambda table: table.replace_schema_metadata(None), "has format None"),
        (said("format", "2"), "has format 2, and format 1 is read"),
        (said("tag", "beef"), r"codes of the network beef \(bundle 1234\), .* are of 1234"),
        (said("bundle", "bundle x"), r"codes of the network 1234 \(bundle x\)"),
        (said("bits", "64"), "not comparable"),
        (said("kind", "other"), "does not say whether its files are added or removed"),
        (cell("file", "../../etc/passwd"), "has other columns"),
    ],
)
def test_foreign_shard_is_named(copy: Path, change: Change, sentence: str) -> None:
    (path,) = copy.glob("*.parquet")
    parquet.write_table(change(parquet.read_table(path)), path)
    for ask in (
        Gallery.open(copy).entries,
        Gallery.open(copy).contents,
        Gallery.open(copy).compact,
    ):
        with pytest.raises(InputError, match=sentence) as refusal:
            ask()
        assert path.name in str(refusal.value)
    assert path.exists()


@pytest.mark.parametrize("name", ["../x.png", "/etc/passwd", "a/../../b", "", "a//b", "a\0b", ".."])
def test_names_that_lead_out_of_the_root_are_refused(copy: Path, name: str) -> None:
    (path,) = copy.glob("*.parquet")
    table = parquet.read_table(path)
    names = pa.array([name, *table["file"].to_pylist()[1:]])
    parquet.write_table(table.set_column(0, table.schema.field(0), names), path)
    with pytest.raises(InputError, match="names files outside of the gallery's root"):
        Gallery.open(copy).entries()


def test_dots_in_names_are_no_way_out(copy: Path) -> None:
    (path,) = copy.glob("*.parquet")
    table = parquet.read_table(path)
    names = pa.array(["a..b/c.png", "...png", "a/..b", "b../a."])
    parquet.write_table(table.set_column(0, table.schema.field(0), names), path)
    assert set(Gallery.open(copy).entries().files) == set(names.to_pylist())


def test_codes_and_detail_must_agree(copy: Path) -> None:
    (path,) = copy.glob("*.parquet")
    table = parquet.read_table(path)
    plain = pa.array([False] * len(table))
    parquet.write_table(table.set_column(5, table.schema.field(5), plain), path)
    with pytest.raises(InputError, match="with detail and no code, or the other way round"):
        Gallery.open(copy).entries()


def test_texts_that_are_not_utf8_are_refused(copy: Path) -> None:
    (path,) = copy.glob("*.parquet")
    table = parquet.read_table(path)
    names = pa.array([b"\xff\xfe", b"b", b"c", b"d"], pa.binary()).view(pa.string())
    parquet.write_table(table.set_column(0, table.schema.field(0), names), path)
    with pytest.raises(InputError, match="is damaged or no Parquet file"):
        Gallery.open(copy).entries()


def test_damaged_shards_are_named(copy: Path) -> None:
    (path,) = copy.glob("*.parquet")
    data = path.read_bytes()
    for cut in (b"", data[:4], data[: len(data) // 2], b"PAR1" + bytes(100) + b"PAR1", data[50:]):
        path.write_bytes(cut)
        with pytest.raises(InputError, match=path.name):
            Gallery.open(copy).entries()
    for at in range(0, len(data), 97):  # any byte: it is refused, or the rows are of their kinds
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            entries = Gallery.open(copy).entries()
        except InputError as error:
            assert path.name in str(error)
        else:
            assert len(list(entries.files)) == len(entries.codes)


def test_shards_that_hold_too_much_are_not_read(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MOST_ROWS", 3)
    with pytest.raises(InputError, match="holds more than 3 rows"):
        Gallery.open(copy).entries()


def test_parquet_of_others_is_named(copy: Path) -> None:
    parquet.write_table(pa.table({"x": [1]}), copy / "mine.parquet")
    with pytest.raises(InputError, match=r"mine\.parquet is not named as a shard"):
        Gallery.open(copy).entries()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read"),
        ("[" * 10**5, "cannot be read"),
        ("[]", r"is not the gallery\.json of a gallery"),
        (json.dumps({"format": 2}), "has format 2, and latenthash .* reads format 1"),
        (json.dumps({"format": 1, "root": "here", "tag": "1234", "bundle": "b"}), "names no root"),
        (json.dumps({"format": 1, "root": "/a", "tag": "12", "bundle": "b"}), "names no root"),
        (json.dumps({"format": 1, "root": "/a", "tag": "1234", "bundle": "\n"}), "names no root"),
    ],
)
def test_gallery_json_is_checked(copy: Path, text: str, sentence: str) -> None:
    (copy / "gallery.json").write_text(text)
    with pytest.raises(InputError, match=sentence):
        Gallery.open(copy).entries()
