"""Galleries: their files as pyarrow reads them, and what is added, changed and removed."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from latenthash import Gallery, InputError
from latenthash.codes import stream
from latenthash.gallery import adding, shards
from latenthash.gallery.about import About
from latenthash.library.code import Code
from latenthash.system.files import Unusable
from quick_code import quick_code, save_blocks

COUNT = 12


@pytest.fixture
def code() -> Code:
    return quick_code()


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, NDArray[np.uint8]]:
    """Pictures in two folders, and the code of each."""
    names = [f"{'in/' if i % 3 == 0 else ''}{i:02d}.png" for i in range(COUNT)]
    return {name: save_blocks(tmp_path / "photos" / name, i) for i, name in enumerate(names)}


def rows(folder: Path) -> dict[str, dict[str, object]]:
    """Read a gallery without the project: the rows of all shards, in their order."""
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        for row in parquet.read_table(path).to_pylist():
            found[row["file"]] = row
    return found


def test_shards_hold_what_the_files_say(
    tmp_path: Path, code: Code, photos: dict[str, NDArray[np.uint8]]
) -> None:
    folder = tmp_path / "photos"
    Image.new("RGB", (50, 40), "teal").save(folder / "teal.png")
    (folder / "notes.txt").write_text("no picture")
    odd = os.fsdecode(b"caf\xe9.png")
    photos[odd] = save_blocks(folder / odd, 77)
    (folder / "gone.png").symlink_to(tmp_path / "nowhere")
    gallery = Gallery.open(tmp_path / "G")
    done = gallery.add(code, folder)
    assert (done.added, done.unchanged, done.plain, done.errors) == (COUNT + 2, 0, 1, 2)

    (shard,) = (tmp_path / "G").glob("*.parquet")
    schema = parquet.read_schema(shard)
    assert schema.names == ["file", "bytes", "mtime_ns", "sha256", "code", "detail", "error"]
    assert schema.field("code").type == schema.field("sha256").type == pa.binary(32)
    said = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    assert said.pop("latenthash.version")
    assert said == {
        "latenthash.format": "1", "latenthash.kind": "rows", "latenthash.bits": "256",
        "latenthash.precision": "float32", "latenthash.tag": "1234",
        "latenthash.bundle": "bundle 1234",
    }  # fmt: skip
    assert parquet.ParquetFile(shard).metadata.row_group(0).column(4).compression == "ZSTD"
    found = rows(tmp_path / "G")
    for name, bits in photos.items():
        path = folder / name
        row = found.pop(name if name != odd else r"caf\xe9.png")
        assert row["code"] == bits.tobytes()
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).digest()
        assert (row["bytes"], row["mtime_ns"]) == (path.stat().st_size, path.stat().st_mtime_ns)
        assert (row["detail"], row["error"]) == (True, None)
    teal, notes, gone = found["teal.png"], found["notes.txt"], found["gone.png"]
    assert (teal["code"], teal["detail"], teal["error"]) == (None, False, None)
    assert notes["error"] == "is not a picture that can be read"
    assert (notes["sha256"], notes["detail"], notes["bytes"]) == (None, False, 10)
    assert gone["error"] == "cannot be opened (No such file or directory)"
    assert (gone["bytes"], gone["mtime_ns"]) == (-1, 0)

    entries = gallery.entries()
    assert list(entries.files) == sorted(entries.files)
    assert set(entries.files) == {*photos, "teal.png", "notes.txt", "gone.png"}
    for i, name in enumerate(entries.files):
        assert entries.usable[i] == (name in photos)
        np.testing.assert_array_equal(entries.codes[i], photos.get(name, np.zeros(32)))
        assert bool(entries.errors[i]) == (name in ("notes.txt", "gone.png"))
        digest = b"" if entries.errors[i] else hashlib.sha256((folder / name).read_bytes()).digest()
        assert entries.sha256[i] == digest.rstrip(b"\0")
    assert (entries.tag, entries.bundle, entries.root) == (code.tag, code.bundle, str(folder))
    contents = gallery.contents()
    assert (contents.files, contents.findable, contents.plain, contents.errors) == (16, 13, 1, 2)
    assert (contents.shards, contents.bytes) == (1, shard.stat().st_size)


def test_only_files_that_changed_are_read_again(
    tmp_path: Path, code: Code, photos: dict[str, NDArray[np.uint8]]
) -> None:
    folder, gallery = tmp_path / "photos", Gallery.open(tmp_path / "G")
    (folder / "broken.png").write_bytes(b"broken")
    gallery.add(code, folder)
    again = gallery.add(code, folder)
    assert (again.added, again.unchanged, again.errors) == (0, COUNT, 1), "it is tried again"
    assert gallery.contents().shards == 1, "and the row that says why is there"
    changed = {"01.png": 101, "in/00.png": 100, "new.png": 102, "broken.png": 103}
    for name, seed in changed.items():
        photos[name] = save_blocks(folder / name, seed)
    status = (folder / "02.png").stat()
    os.utime(folder / "02.png", ns=(0, status.st_mtime_ns + 1))
    third = gallery.add(code, folder)
    assert (third.added, third.unchanged, third.errors) == (5, COUNT - 3, 0)
    newest = max((tmp_path / "G").glob("*.parquet"))
    assert set(parquet.read_table(newest)["file"].to_pylist()) == {*changed, "02.png"}
    entries = gallery.entries()
    assert len(entries) == COUNT + 2
    for i, name in enumerate(entries.files):
        np.testing.assert_array_equal(entries.codes[i], photos[name])


def test_removed_files_are_forgotten_and_can_come_back(
    tmp_path: Path, code: Code, photos: dict[str, NDArray[np.uint8]]
) -> None:
    folder, gallery = tmp_path / "photos", Gallery.open(tmp_path / "G")
    gallery.add(code, folder)
    (folder / "01.png").unlink()
    assert gallery.remove(folder / "01.png") == 1
    assert gallery.remove(folder / "in") == 4
    kept = {name for name in photos if name != "01.png" and not name.startswith("in/")}
    assert set(gallery.entries().files) == kept
    with pytest.raises(InputError, match=r"knows no file of .*01\.png"):
        gallery.remove(folder / "01.png")
    with pytest.raises(InputError, match="lies outside"):
        gallery.remove(tmp_path / "01.png")
    assert gallery.compact().shards == 1
    assert set(rows(tmp_path / "G")) == set(gallery.entries().files) == kept
    back = gallery.add(code, folder)
    assert (back.added, back.unchanged) == (4, COUNT - 5)
    assert set(gallery.entries().files) == set(photos) - {"01.png"}
    assert gallery.remove(folder) == COUNT - 1
    assert len(gallery.entries()) == 0
    assert gallery.compact().shards == 0
    assert gallery.add(code, folder).added == COUNT - 1


def test_compacted_gallery_holds_the_same(
    tmp_path: Path, code: Code, monkeypatch: pytest.MonkeyPatch,
    photos: dict[str, NDArray[np.uint8]],
) -> None:  # fmt: skip
    monkeypatch.setattr(adding, "ROWS", 5)
    folder, gallery = tmp_path / "photos", Gallery.open(tmp_path / "G")
    gallery.add(code, folder)
    save_blocks(folder / "05.png", 500)
    gallery.add(code, folder)
    before = gallery.entries()
    assert gallery.contents().shards == 4
    gallery.compact()
    after = gallery.entries()
    assert list(after.files) == list(before.files)
    np.testing.assert_array_equal(after.codes, before.codes)
    assert gallery.add(code, folder).unchanged == COUNT
    assert gallery.contents().shards == 1


def test_files_are_named_within_one_root(
    tmp_path: Path, code: Code, monkeypatch: pytest.MonkeyPatch,
    photos: dict[str, NDArray[np.uint8]],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    gallery = Gallery.open("G")
    gallery.add(code, "photos/in")
    with pytest.raises(InputError, match=r"lies outside of .*/photos/in"):
        gallery.add(code, "photos")
    with pytest.raises(InputError, match=r"and not within root=.*/photos"):
        gallery.add(code, "photos/in", root="photos")
    with pytest.raises(InputError, match="lies outside"):
        Gallery.open("other").add(code, ["photos/01.png"], root="photos/in")
    assert not Path("other").exists(), "nothing was begun"
    wide = Gallery.open("photos/G")  # it does not hash itself
    assert wide.add(code, "photos/in", root=".").added == 4
    assert wide.add(code, "photos").added == COUNT - 4
    assert wide.add(code, iter(["photos/01.png", tmp_path / "photos/02.png"])).unchanged == 2
    assert set(wide.entries().files) == {f"photos/{name}" for name in photos}


def test_code_of_another_network_is_refused_by_both_names(
    tmp_path: Path, code: Code, photos: dict[str, NDArray[np.uint8]]
) -> None:
    gallery = Gallery.open(tmp_path / "G")
    gallery.add(code, tmp_path / "photos")
    with pytest.raises(InputError, match=r"network 1234 \(bundle 1234\).* is beef \(bundle beef\)"):
        gallery.add(quick_code(b"\xbe\xef"), tmp_path / "photos")


def test_what_is_no_gallery_is_refused(tmp_path: Path, code: Code) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is not a folder; a gallery is one"):
        Gallery.open(tmp_path / "file")
    with pytest.raises(InputError, match="is no gallery, and holds other things"):
        Gallery.open(tmp_path)
    gallery = Gallery.open(tmp_path / "G")
    for ask in (gallery.entries, gallery.contents, gallery.compact):
        with pytest.raises(InputError, match=r"is no gallery: it holds no gallery\.json"):
            ask()
    with pytest.raises(InputError, match="does not exist; add a picture or a folder"):
        gallery.add(code, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is an empty folder; put pictures into it"):
        gallery.add(code, tmp_path / "empty")
    assert not (tmp_path / "G").exists()


def test_what_was_in_the_way_may_be_gone(
    tmp_path: Path, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, gallery = tmp_path / "a.png", Gallery.open(tmp_path / "G")
    bits = save_blocks(picture, 1)
    with monkeypatch.context() as less:
        less.setattr("latenthash.data.reading.Reader.read", refusing)
        assert gallery.add(code, picture).errors == 1
        less.setattr(stream, "_read", lambda *_: stream._ended(picture, None))
        assert gallery.add(code, picture).errors == 1
        assert list(gallery.entries().errors) == [stream.ENDS]
        assert gallery.add(code, picture).unchanged == 1, "it would end this process, too"
    os.utime(picture, ns=(0, 0))
    assert gallery.add(code, picture).added == 1
    np.testing.assert_array_equal(gallery.entries().codes[0], bits)


def refusing(*_: object) -> None:
    raise Unusable("is refused")


def test_root_is_chosen_anew_until_there_are_pictures(
    tmp_path: Path, code: Code, photos: dict[str, NDArray[np.uint8]]
) -> None:
    gallery, folder = Gallery.open(tmp_path / "G"), tmp_path / "photos"
    About(str(folder / "in"), "beef", "bundle beef").write(tmp_path / "G")
    about = About(str(tmp_path), "1234", "bundle 1234").write(tmp_path / "G")
    assert gallery.about == about
    assert gallery.add(code, folder / "in").added == 4
    assert gallery.about == about, "it was asked for, and holds the pictures"
    About(str(folder), "1234", "bundle 1234").write(tmp_path / "G")
    assert gallery.about == about, "pictures are named within it"


def test_rows_of_another_root_are_not_mixed(tmp_path: Path) -> None:
    first = About("/a", "1234", "bundle 1234").write(tmp_path / "G")
    About("/b", "1234", "bundle 1234").write(tmp_path / "G")
    with pytest.raises(InputError, match="was begun anew with another root"):
        shards.write(tmp_path / "G", first, named(["x.png"]))


def named(names: list[str]) -> pa.Table:
    rows = [{"file": name, "bytes": 1, "mtime_ns": 1, "detail": False} for name in names]
    return pa.Table.from_pylist(rows, shards.SCHEMA)


def test_no_row_is_missed_while_another_process_compacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "G"
    about = About("/a", "1234", "bundle 1234").write(folder)
    for i in range(3):
        shards.write(folder, about, named([f"{i}.png"]))
    listing, asked = shards.shards, []

    def passing(place: Path) -> list[shards.Shard]:
        """List as a process does that compaction overtakes: neither old shards nor the new one."""
        found = listing(place)
        asked.append(found)
        if len(asked) == 1:
            monkeypatch.setattr(shards, "shards", listing)
            Gallery(place).compact()
            monkeypatch.setattr(shards, "shards", passing)
            return []
        return found

    monkeypatch.setattr(shards, "shards", passing)
    assert list(Gallery(folder).entries().files) == ["0.png", "1.png", "2.png"]
    monkeypatch.setattr(shards, "shards", vanishing(listing, folder))
    assert Gallery(folder).contents().shards == 1


def vanishing(
    listing: Callable[[Path], list[shards.Shard]], folder: Path
) -> Callable[[Path], list[shards.Shard]]:
    """List a shard, once in three times, that is gone when it is looked at."""
    gone = shards.Shard(folder / f"{9:012d}-{'0' * 32}.parquet", 9)
    times = iter(range(100))
    return lambda place: [*listing(place), *([] if next(times) % 3 else [gone])]


def test_compacted_shards_are_such_as_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "G"
    about = About("/a", "1234", "bundle 1234").write(folder)
    names = [f"{i:03d}{'x' * 100}.png" for i in range(90)]
    for at in range(0, 90, 10):
        shards.write(folder, about, named(names[at : at + 10]))
    monkeypatch.setattr(shards, "MOST_BYTES", 8000)
    assert 1 < Gallery(folder).compact().shards < 9
    assert list(Gallery(folder).entries().files) == names
    before = sorted(folder.glob("*.parquet"))
    other = pa.Table.from_pylist([], shards.SCHEMA)
    write = shards.write
    monkeypatch.setattr(shards, "write", lambda f, a, t, **k: write(f, a, other, **k))
    with pytest.raises(InputError, match="does not hold what was written to it"):
        Gallery(folder).compact()
    assert sorted(folder.glob("*.parquet")) == before


def test_names_that_are_too_long_together_are_refused(
    tmp_path: Path, code: Code, monkeypatch: pytest.MonkeyPatch,
    photos: dict[str, NDArray[np.uint8]],
) -> None:  # fmt: skip
    monkeypatch.setattr(adding, "ROWS", 5)
    gallery = Gallery.open(tmp_path / "G")
    gallery.add(code, tmp_path / "photos")

    def overflow(_: object) -> None:
        raise pa.ArrowInvalid("offset overflow while concatenating arrays")

    monkeypatch.setattr(pa.compute, "sort_indices", overflow)
    for ask in (gallery.entries, gallery.contents, gallery.compact):
        with pytest.raises(InputError, match="more than 2 GB together"):
            ask()


def test_many_shards_are_mentioned(
    tmp_path: Path, code: Code, monkeypatch: pytest.MonkeyPatch,
    photos: dict[str, NDArray[np.uint8]], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(adding, "MANY_SHARDS", 2)
    caplog.set_level("INFO")
    gallery = Gallery.open(tmp_path / "G")
    gallery.add(code, tmp_path / "photos/01.png", root=tmp_path)
    assert "shards" not in caplog.text
    gallery.add(code, tmp_path / "photos/02.png")
    assert "has 2 shards: compact=true makes this faster" in caplog.text
