"""The record of a run in its output folder: what is read of one that may come from anybody."""

import json
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from latenthash.errors import InputError
from latenthash.tracking.record import DEEPEST, LARGEST, RECORD, Record
from records import HEAD, METRIC, written

Maker = Callable[[Path], object]


@pytest.mark.parametrize(
    "line",
    [
        *("", "no json", "[]", "[" * 200_000, '{"a":' * 200_000, "3", "null", "{}", '{"file": "a"'),
        *('{"params": {"a": 1}}', '{"params": "abc"}', '{"params": {"a\\n": "b"}}'),
        *('{"metrics": {"a": 1}}', '{"metrics": {"a": "1"}, "step": 0, "time": 0}'),
        *('{"metrics": {"a": 1}, "step": 1e400, "time": 0}', METRIC.replace("0", "9" * 30)),
        *('{"status": "BOGUS"}', '{"status": "RUNNING"}', '{"unknown": "a"}'),
        *('{"run": "../a"}', '{"run": ""}', '{"known": 3}', '{"run": "a", "tags": {}}'),
        *('{"tags": {"mlflow.loggedArtifacts": "5"}}', '{"tags": {"latenthash.process": "../a"}}'),
        *('{"sources": [{"name": "a"}]}', '{"sources": "a"}'),
        json.dumps({"sources": [{"name": "a", "digest": "9" * 37, "source": "a"}]}),
        *('{"file": "../secret"}', '{"file": "/etc/passwd"}', '{"file": "a\\u0000b"}'),
        *('{"file": ""}', '{"folder": "."}', '{"folder": ".."}', '{"table": "a/../../secret"}'),
        *('{"image": "a.png", "key": "a\\nb", "step": 0}', '{"image": "a.png", "key": "a"}'),
    ],
)  # fmt: skip
def test_record_that_we_do_not_write_is_refused(tmp_path: Path, line: str) -> None:
    folder = written(tmp_path / "out", line)
    with pytest.raises(InputError, match=r"out/run\.jsonl holds something else .* in line 2:"):
        Record.read(folder)


NO_RECORDS: dict[str, Maker] = {
    "nothing": lambda path: None,
    "empty": Path.touch,
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to(written(path.parent / "b") / RECORD),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
    "too large": lambda path: path.touch() or os.truncate(path, LARGEST + 1),
    "no end": lambda path: path.write_text(HEAD),
    "no token": lambda path: path.write_text('{"tags": {}}\n'),
    "no beginning": lambda path: path.write_text('{"status": "FAILED"}\n'),
}


@pytest.mark.parametrize("make", NO_RECORDS.values(), ids=NO_RECORDS)
def test_file_that_is_no_record_is_refused(tmp_path: Path, make: Maker) -> None:
    make(tmp_path / RECORD)
    with pytest.raises(InputError, match=r"run\.jsonl .*: only the output folder of a run"):
        Record.read(tmp_path)


def _nested(path: Path) -> None:
    Path(path, *"a" * DEEPEST).mkdir(parents=True)


NO_FILES: dict[str, Maker] = {
    "nothing": lambda path: None,
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to(__file__),
    "link to a folder": lambda path: path.symlink_to(Path(__file__).parent),
    "pipe within": lambda path: path.mkdir() or os.mkfifo(path / "a"),
    "link within": lambda path: path.mkdir() or (path / "a").symlink_to(__file__),
    "too deep": _nested,
}


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
@pytest.mark.parametrize("above", ["", "sub/"])
def test_what_leads_out_of_the_folder_is_not_sent(
    tmp_path: Path, kind: str, make: Maker, above: str
) -> None:
    folder = written(tmp_path / "out", json.dumps({kind: f"{above}x"}))
    (folder / "sub").mkdir()
    make(folder / above / "x")
    with pytest.raises(InputError, match=r"out/run\.jsonl names cannot be logged: "):
        Record.read(folder).check_files()


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"text"])
def test_image_that_cannot_be_decoded_is_refused(tmp_path: Path, data: bytes) -> None:
    folder = written(tmp_path / "out", '{"image": "a.png", "key": "a", "step": 0}')
    (folder / "a.png").write_bytes(data)
    with pytest.raises(InputError, match=r"names cannot be logged: "):
        Record.read(folder).check_files()


def test_line_that_has_no_room_leaves_the_others(tmp_path: Path) -> None:
    record = Record(written(tmp_path))
    path = tmp_path / RECORD
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, before[1]))
    try:
        with pytest.raises(OSError, match="No space left"):
            record.add({"file": "a" * 100})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    record.add({"status": "FAILED"})
    assert path.read_text() == f'{HEAD}\n{{"status": "FAILED"}}\n'


def test_line_without_end_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path) / RECORD
    with path.open("a") as file:
        file.write('{"file": "nowhe')
    record = Record.read(tmp_path)
    record.check_files()
    record.add({"status": "KILLED"})
    assert [next(iter(entry)) for entry in Record.read(tmp_path).entries] == ["tags", "status"]
