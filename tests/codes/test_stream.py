"""Files into descriptions: in their order, each with its sentence, no more than is under way."""

from collections.abc import Iterator, Sequence
from multiprocessing import current_process
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latenthash.codes import stream
from latenthash.codes.code import Vectors
from latenthash.codes.stream import BATCH, DescribedFile, describe_files
from latenthash.codes.workers import AHEAD, most_at_once
from latenthash.data.reading import Pixels
from latenthash.data.sources import Unread
from photographs import READER, photo

KINDS = ("here", "in workers")


class Mean:
    """A source that says the mean colour of a view, and counts what it was asked."""

    key = "mean"
    side: int | None = 8
    trim = False
    dimensions = 3
    kind = np.float32

    def __init__(self) -> None:
        self.asked: list[int] = []

    def describe(self, views: Sequence[Pixels]) -> Vectors:  # noqa: D102
        self.asked.append(len(views))
        return np.stack([view.mean((0, 1)) for view in views]).astype(np.float32)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files in this process, or in workers, however few they are."""
    monkeypatch.setattr(stream, "FEW", 10**6 if request.param == "here" else 0)


def save(folder: Path, numbers: Sequence[int]) -> list[Path]:
    """Save a photograph for each number; the same number is the same photograph."""
    paths = [folder / f"{i:03d}.png" for i in range(len(numbers))]
    for path, number in zip(paths, numbers, strict=True):
        Image.fromarray(photo(number).pixels).save(path)
    return paths


@pytest.mark.usefixtures("place")
def test_each_file_has_its_answer_in_the_order_of_the_files(tmp_path: Path) -> None:
    numbers = [i % 10 for i in range(2 * BATCH + 5)]
    paths = save(tmp_path, numbers)
    Image.new("RGB", (90, 70), "teal").save(paths[3])
    paths[4].write_bytes(paths[5].read_bytes()[:200])
    Image.new("RGB", (1, 400)).save(paths[BATCH])
    Image.new("RGB", (5, 5)).save(paths[BATCH + 1])
    results = list(describe_files(paths, tmp_path, READER, Mean()))
    assert [result.name for result in results] == [path.name for path in paths]
    unread = {r.name: r.reason for r in results if isinstance(r, Unread)}
    assert list(unread) == [paths[i].name for i in (4, BATCH, BATCH + 1)]
    damaged, narrow, tiny = unread.values()
    assert damaged.startswith("is truncated or damaged")
    assert narrow == "is 1 x 400 px; both sides must be at least 8 px"
    assert tiny == "is 5 x 5 px; both sides must be at least 8 px"
    for path, number, result in zip(paths, numbers, results, strict=True):
        if isinstance(result, Unread):
            continue
        if path == paths[3]:
            assert result.described is None, "it would match every picture of one colour"
            continue
        # Reduced by area, a view has the picture's mean.
        mean = photo(number).pixels.mean((0, 1))
        np.testing.assert_allclose(result.described, mean, atol=1)


@pytest.mark.usefixtures("place")
def test_files_without_one_picture_are_answered(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing")
    Image.new("RGB", (90, 70)).save(tmp_path / "b.png")
    source = Mean()
    paths = [tmp_path / "a.txt", tmp_path / "b.png"]
    first, second = describe_files(paths, tmp_path, READER, source)
    assert isinstance(first, Unread)
    assert isinstance(second, DescribedFile)
    assert second.described is None
    assert source.asked == [], "there is nothing to describe"


def test_no_more_is_read_than_what_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FEW", 0)
    drawn: list[int] = []

    class Paths(list[Path]):
        def __iter__(self) -> Iterator[Path]:
            for i, path in enumerate(super().__iter__()):
                drawn.append(i)
                yield path

    (path,) = save(tmp_path, [0])
    results = describe_files(Paths([path] * 2000), tmp_path, READER, Mean())
    next(results)
    cores = most_at_once()
    assert len(drawn) <= (cores + 1) * BATCH + AHEAD * cores * stream.HANDED + stream.HANDED
    results.close()  # type: ignore[attr-defined] # it is a generator


def none(*args: object) -> None:
    raise AssertionError("processes take two seconds to start")


def test_one_picture_is_read_without_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "in_workers", none)
    (path,) = save(tmp_path, [0])
    (result,) = describe_files([path], path, READER, Mean())
    assert isinstance(result, DescribedFile)
    assert result.name == "000.png"
    (result,) = describe_files([path], None, READER, Mean())
    assert result.name == str(path), "it was found in no folder"


def test_process_that_may_start_no_others_reads_many_pictures_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "in_workers", none)
    monkeypatch.setattr(stream, "FEW", 0)
    monkeypatch.setattr(current_process(), "_config", {"daemon": True})
    paths = save(tmp_path, range(2))
    results = list(describe_files(iter(paths), tmp_path, READER, Mean()))
    assert [result.name for result in results] == ["000.png", "001.png"]
