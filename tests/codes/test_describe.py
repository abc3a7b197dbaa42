"""The benchmark as a whole: what is described once, what is refused, what is left behind."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut

from app import call, database
from latenthash.benchmark.controls import Thumbnail
from latenthash.benchmark.page import page
from latenthash.cache import DiskCache
from latenthash.codes import peers as module
from latenthash.codes import workers
from latenthash.codes.code import Signs, Vectors
from latenthash.codes.describe import Item, describe
from latenthash.codes.peers import Peer, peers
from latenthash.codes.pictures import list_pictures, quarters, stereo
from latenthash.codes.workers import in_workers
from latenthash.data.edits.suite import Suite, SuiteEdit
from latenthash.data.reading import Picture, Pixels, Reader
from latenthash.data.views import TrimBorders, pipeline
from latenthash.errors import InputError

READER = Reader(512, 10**6, (255, 255, 255))


class Mean:
    """A source that counts how often it is asked."""

    key = "mean"
    side: int | None = 8
    trim = False
    dimensions = 3
    kind = np.float32

    def __init__(self) -> None:
        self.asked = 0

    def describe(self, views: "list[NDArray[np.uint8]]") -> Vectors:  # noqa: D102
        self.asked += len(views)
        return np.stack([view.mean((0, 1)) for view in views]).astype(np.float32)


def photo(i: int) -> Picture:
    pixels = np.ascontiguousarray(astronaut()[40 * i : 40 * i + 64, 100:180])
    return Picture(f"p{i}", pixels, f"digest{i}")


def items(n: int) -> list[Item]:
    return [Item(f"p{i}", f"digest{i}", partial(photo, i)) for i in range(n)]


@pytest.fixture
def suite() -> Suite:
    from albumentations import HorizontalFlip, InvertImg

    edits = {"flip": {"edit": HorizontalFlip(p=1.0)}, "invert": {"edit": InvertImg(p=1.0)}}
    return Suite("test", {"any": edits})


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(folder=str(tmp_path / "cache"), max_bytes=10**7)


# ---- describing ----


def test_descriptions_are_those_of_the_edited_pictures(suite: Suite, cache: DiskCache) -> None:
    described = describe(items(3), suite.edits, suite, [Mean()], cache, READER)["mean"]
    assert described.shape == (3, 3, 3)
    reduce = pipeline([], 8)
    for i, rows in enumerate(described):
        pixels = photo(i).pixels
        for row, expected in zip(rows, (pixels, pixels[:, ::-1], 255 - pixels), strict=True):
            view = reduce(image=np.ascontiguousarray(expected))["image"]
            np.testing.assert_allclose(row, view.mean((0, 1)), atol=0.5)


def test_killed_run_goes_on_where_it_stopped(suite: Suite, cache: DiskCache) -> None:
    whole = Mean()
    expected = describe(items(12), suite.edits, suite, [whole], cache, READER)["mean"]
    assert whole.asked == 12 * 3
    again = Mean()
    np.testing.assert_array_equal(
        describe(items(12), suite.edits, suite, [again], cache, READER)["mean"], expected
    )
    assert again.asked == 0

    fresh = DiskCache(folder=f"{cache.folder}2", max_bytes=10**7)
    first = Mean()
    describe(items(5), suite.edits, suite, [first], fresh, READER)  # as far as the killed run came
    rest = Mean()
    resumed = describe(items(12), suite.edits, suite, [rest], fresh, READER)["mean"]
    assert rest.asked == 7 * 3
    np.testing.assert_array_equal(resumed, expected)


def test_another_suite_edit_or_source_is_described_anew(suite: Suite, cache: DiskCache) -> None:
    describe(items(2), suite.edits, suite, [Mean()], cache, READER)
    source = Mean()
    describe(items(2), suite.edits, suite, [source], cache, Reader(256, 10**6, (255, 255, 255)))
    assert source.asked == 2 * 3, "decoded in another way, they are other pictures"
    other = Suite("test 2", {"any": {"flip": {"edit": suite.edits[0].transform[0]}}})
    for used, name in ((suite, "another"), (other, "mean")):
        source = Mean()
        source.key = name
        describe(items(2), used.edits, used, [source], cache, READER)
        assert source.asked == 2 * (1 + len(used.edits))


def test_only_edits_that_are_missing_are_described(suite: Suite, cache: DiskCache) -> None:
    def ask(edits: tuple[SuiteEdit, ...]) -> tuple[Vectors, int]:
        source = Mean()
        described = describe(items(2), edits, suite, [source], cache, READER)["mean"]
        return described, source.asked

    plain, asked = ask(())
    assert asked == 2
    second, asked = ask(suite.edits[1:])
    assert asked == 2, "the second edit of two pictures"
    whole, asked = ask(suite.edits)
    assert asked == 2, "the first, between the others"
    np.testing.assert_array_equal(plain, whole[:, :1])
    np.testing.assert_array_equal(second, whole[:, [0, 2]])
    fresh = DiskCache(folder=f"{cache.folder}2", max_bytes=10**7)
    expected = describe(items(2), suite.edits, suite, [Mean()], fresh, READER)["mean"]
    np.testing.assert_array_equal(whole, expected)
    for edits in ((), suite.edits[:1], suite.edits):
        again, asked = ask(edits)
        assert asked == 0
        np.testing.assert_array_equal(again, whole[:, : 1 + len(edits)])


def test_parts_that_are_never_edited_take_no_room_for_edits(suite: Suite, cache: DiskCache) -> None:
    describe(items(1), (), suite, [Mean()], cache, READER)
    (path,) = cache.folder.glob("??/*")
    entry = cache.read_array(path.name)
    assert entry is not None
    assert entry.shape == (1, 3)


def test_damaged_entry_is_described_anew(suite: Suite, cache: DiskCache) -> None:
    expected = describe(items(2), suite.edits, suite, [Mean()], cache, READER)["mean"]
    path = next(cache.folder.glob("??/*"))
    path.write_bytes(path.read_bytes()[:-1])
    source = Mean()
    described = describe(items(2), suite.edits, suite, [source], cache, READER)["mean"]
    assert source.asked == 3
    np.testing.assert_array_equal(described, expected)


def test_picture_that_is_gone_is_named_and_nothing_is_lost(suite: Suite, cache: DiskCache) -> None:
    def gone() -> Picture:
        raise ValueError("cannot be opened (No such file or directory)")

    pictures = items(3)
    lost = [Item("lost.png", "a", gone), *pictures, Item("too.png", "b", gone)]
    with pytest.raises(InputError) as caught:
        describe(lost, suite.edits, suite, [Mean()], cache, READER)
    assert [problem.split()[0] for problem in caught.value.problems] == ["lost.png", "too.png"]
    assert "Bring it back or leave it out" in str(caught.value)
    source = Mean()
    describe(pictures, suite.edits, suite, [source], cache, READER)
    assert source.asked == 0


def test_picture_that_changed_meanwhile_is_not_kept_under_its_old_name(
    suite: Suite, cache: DiskCache
) -> None:
    changed = Item("p1", "digest0", partial(photo, 1))
    with pytest.raises(InputError, match="p1 was changed since the run began"):
        describe([changed], suite.edits, suite, [Mean()], cache, READER)
    source = Mean()
    describe(items(1), suite.edits, suite, [source], cache, READER)
    assert source.asked == 3, "nothing of it was kept"


def test_workers_do_without_torch(suite: Suite, cache: DiskCache, tmp_path: Path) -> None:
    workers._workers.cache_clear()  # for this module, which others had to load, needs torch
    photos(tmp_path, 4)
    found = list_pictures(str(tmp_path / "photos"), READER)
    parts = [item for item, _ in (*quarters(found), *stereo(READER))]
    sources = [Thumbnail(), *(code.source for code in peers()[0])]
    describe([*found, *parts], suite.edits, suite, sources, cache, READER)
    asked = ("'torch' in __import__('sys').modules",)
    assert set(in_workers(eval, [asked] * 2 * workers.MOST)) == {False}


def test_what_is_known_is_told_at_the_beginning(
    suite: Suite, cache: DiskCache, caplog: pytest.LogCaptureFixture
) -> None:
    describe(items(1), suite.edits, suite, [Mean()], cache, READER)
    with caplog.at_level("INFO", logger="latenthash"):
        describe(items(2), suite.edits, suite, [Mean()], cache, READER)
    assert "under 2 edits: 3 of 6 views are described already" in caplog.text


def test_peers_are_those_of_their_libraries() -> None:
    import imagehash

    picture = photo(1).pixels
    image = Image.fromarray(picture)
    expected = {
        "ahash-64": imagehash.average_hash(image).hash,
        "dhash-64": imagehash.dhash(image).hash,
        "phash-64": imagehash.phash(image).hash,
        "phash-256": imagehash.phash(image, hash_size=16).hash,
    }
    if find_spec("pdqhash"):
        import pdqhash

        expected["pdq-256"] = pdqhash.compute(picture)[0].astype(bool)
    found, absent = peers()
    assert [code.name for code in found] == list(expected)
    assert len(found) + len(absent) == 5
    for code in found:
        bits = code.source.describe([picture])
        assert set(np.unique(bits)) == {-1, 1}
        np.testing.assert_array_equal(bits[0] > 0, expected[code.name].ravel())
        assert code.size == bits.shape[1] / 8 == int(code.name.split("-")[1]) / 8


def test_peers_share_an_entry_of_bits_and_say_what_each_would(
    suite: Suite, cache: DiskCache
) -> None:
    found = [code.source for code in peers()[0]]
    described = describe(items(2), suite.edits[1:], suite, found, cache, READER)
    assert len(list(cache.folder.glob("??/*"))) == 2, "one of each picture"
    assert set(described) == {source.key for source in found}
    for i, item in enumerate(items(2)):
        pixels = item.read().pixels
        for source in found:
            expected = source.describe([pixels, 255 - pixels])
            np.testing.assert_array_equal(described[source.key][i], expected)
    # An edit more: of bits, those that were not described are told from those that were.
    whole = describe(items(2), suite.edits, suite, found, cache, READER)
    for source in found:
        rows = whole[source.key]
        assert (rows.dtype, rows.shape) == (np.int8, (2, 3, source.dimensions))
        np.testing.assert_array_equal(rows[:, [0, 2]], described[source.key])
        assert set(np.unique(rows)) == {-1, 1}


def test_peer_that_is_new_changes_nothing_of_the_others(suite: Suite, cache: DiskCache) -> None:
    found = [code.source for code in peers()[0]]
    before = describe(items(2), suite.edits, suite, found[1:], cache, READER)
    after = describe(items(2), suite.edits, suite, found, cache, READER)
    assert set(after) - set(before) == {found[0].key}
    for key, rows in before.items():
        np.testing.assert_array_equal(after[key], rows)


def test_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found, absent = peers()
    assert [code.name for code in absent] == ["pdq-256"]
    assert absent[0].reason == "not installed: pip install 'latenthash[peers]'"
    assert all(code.name != "pdq-256" for code in found)


def test_version_of_the_library_is_part_of_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Peer("x", "imagehash", 1, lambda p: p > 0).key
    monkeypatch.setattr(module, "version", lambda name: "99")
    assert Peer("x", "imagehash", 1, lambda p: p > 0).key != before


# ---- borders ----


@pytest.mark.parametrize("colour", [0, 255, 40])
def test_uniform_borders_are_cut_and_nothing_else(colour: int) -> None:
    inner = photo(2).pixels
    framed = np.full((120, 130, 3), colour, np.uint8)
    framed[20:84, 30:110] = inner
    np.testing.assert_array_equal(TrimBorders()(image=framed)["image"], inner)
    np.testing.assert_array_equal(TrimBorders()(image=inner)["image"], inner)


def test_picture_that_is_nearly_all_border_stays_as_it_is() -> None:
    framed = np.zeros((120, 130, 3), np.uint8)
    framed[50:60, 50:60] = photo(2).pixels[:10, :10]
    np.testing.assert_array_equal(TrimBorders()(image=framed)["image"], framed)
    blank = np.full((20, 20, 3), 7, np.uint8)
    np.testing.assert_array_equal(TrimBorders()(image=blank)["image"], blank)


# ---- hard negatives ----


def test_quarters_share_no_pixel_and_make_up_the_picture() -> None:
    parts = quarters(items(2))
    assert [number for _, number in parts] == [0] * 4 + [1] * 4
    assert len({item.digest for item, _ in parts}) == 8
    a, b, c, d = (item.read().pixels for item, _ in parts[:4])
    whole = np.vstack([np.hstack([a, b]), np.hstack([c, d])])
    np.testing.assert_array_equal(whole, photo(0).pixels)


def test_stereo_pair_is_there_and_differs() -> None:
    reader = Reader(512, 100, (255, 255, 255))  # a user's limit is not for it
    (left, first), (right, second) = stereo(reader)
    assert first == second
    assert not np.array_equal(left.read().pixels, right.read().pixels)


# ---- the page ----


def test_page_stands_alone_and_names_are_no_markup() -> None:
    table = pd.DataFrame({"code": ["<script>alert(1)</script>"], "TPR": [0.5]})
    html = page("<b>title</b>", {"Table": "a & b"}, {"Table": table})
    assert "<script>" not in html
    assert "<b>title" not in html
    assert "a &amp; b" in html
    assert "http" not in html.replace("http-equiv", "")


# ---- one command ----


def photos(folder: Path, n: int) -> None:
    (folder / "photos").mkdir()
    whole = astronaut()
    for i in range(n):
        row, column = divmod(i, 3)
        part = whole[110 * row : 110 * row + 160, 110 * column : 110 * column + 160]
        Image.fromarray(part).save(folder / "photos" / f"{i}.png")


def test_code_is_fitted_judged_and_used(tmp_path: Path) -> None:
    photos(tmp_path, 8)
    fitted = call(
        "train.py", tmp_path, "+experiment=code", "data.outliers=photos", "data.views=3",
        "features.weights=random", "features.size=32", "features.layers=[conv1_2,conv2_2]",
        "model.latent_dim=6",
    )  # fmt: skip
    assert fitted.code == 0, fitted.output
    assert "FITTED ON 8 PICTURES ALONE" in fitted.output
    client = MlflowClient(database(tmp_path))
    experiment = client.get_experiment_by_name("latenthash")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.metrics["code/pictures"] == 8
    assert run.data.metrics["code/views"] == 8 * 3 + 8 * 4 * 4  # of pictures, and of quarters

    judged = call(
        "evaluate.py", tmp_path, "benchmark=edits_v1", "pictures=photos", "run=latest",
        "edits=[jpeg,flip_horizontal]", "resamples=20", "fpr=0.05", "hydra.run.dir=out",
    )  # fmt: skip
    assert judged.code == 0, judged.output
    board = pd.read_csv(tmp_path / "out/leaderboard.csv")
    assert {"latent-float", "latent-256", "phash-64", "random-trunk-256"} <= set(board["code"])
    assert "TPR at FPR 0.05" in board.columns
    every = pd.read_csv(tmp_path / "out/every_edit.csv")
    assert every["edit"].tolist() == [
        "jpeg_90", "jpeg_50", "jpeg_20", "jpeg_10", "flip_horizontal"
    ]  # fmt: skip
    html = (tmp_path / "out/benchmark.html").read_text(encoding="utf-8")
    assert "data:image/png" in html
    for text in (html, " ".join(judged.output.split())):
        assert "8 of the 8 pictures are among those that run" in text
    (run,) = client.search_runs([experiment.experiment_id], "tags.`latenthash.kind` = 'benchmark'")
    assert run.data.params["pictures"] == "photos"
    assert run.data.params["edits"] == "['jpeg', 'flip_horizontal']"
    names = {"tpr_at_fpr_0.001", "realised_fpr_0.001", "rank1", "bytes", "ms_per_picture"}
    assert {f"benchmark/phash-64/{name}" for name in names} <= set(run.data.metrics)
    assert run.data.metrics["benchmark/pdq-256/bytes" if "pdq-256" in set(board["code"])
                            else "benchmark/phash-256/bytes"] == 32  # fmt: skip

    used = call("evaluate.py", tmp_path, "run=latest", "pictures=photos", "hydra.run.dir=used")
    assert used.code == 0, used.output
    table = pd.read_csv(tmp_path / "used/codes.csv")
    assert table["code (256 bits)"].str.fullmatch("[0-9a-f]{64}").all()
    assert table["code (256 bits)"].nunique() == 8


def test_killed_benchmark_gives_the_figures_of_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos(tmp_path, 6)
    fitted = call(
        "train.py", tmp_path, "+experiment=code", "data.outliers=photos", "data.views=2",
        "features.weights=random", "features.size=32", "features.layers=[conv1_2,conv2_2]",
        "model.latent_dim=4",
    )  # fmt: skip
    assert fitted.code == 0, fitted.output
    asked: list[int] = []
    last: list[int | None] = [None]
    describe_all = Thumbnail.describe

    def counted(self: Thumbnail, views: Sequence[Pixels]) -> Signs:
        if len(asked) == last[0]:
            raise KeyboardInterrupt
        asked.append(len(views))
        return describe_all(self, views)

    monkeypatch.setattr(Thumbnail, "describe", counted)

    def judge(out: str, *args: str, killed_after: int | None = None) -> int:
        asked.clear()
        last[0] = killed_after
        done = call(
            "evaluate.py", tmp_path, "benchmark=edits_v1", "pictures=photos", "run=latest",
            "edits=[jpeg_50,inversion,rotation_10]", "resamples=20", f"hydra.run.dir={out}", *args,
        )  # fmt: skip
        assert done.code == (130 if killed_after else 0), done.output
        return sum(asked)

    whole = judge("whole", "cache.folder=another")
    kept = judge("killed", killed_after=4)
    assert kept == 4 * (1 + 3)
    assert judge("resumed") == whole - kept
    for name in ("leaderboard", "every_edit", "hard_negatives"):
        one, other = (pd.read_csv(tmp_path / out / f"{name}.csv") for out in ("whole", "resumed"))
        ours = [column for column in one.columns if "ms" not in column.split()]
        pd.testing.assert_frame_equal(one[ours], other[ours])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pictures=nowhere"], "must be a folder of at least 4 pictures"),
        (["pictures=photos", "edits=[nonsense]"], "No edit or family is called nonsense"),
        (["pictures=photos", "fpr=2"], "fpr=2 must be a number above 0 and below 1"),
        (["pictures=photos", "groups=nowhere.csv"], "groups=nowhere.csv cannot be opened"),
        (["pictures=photos"], "holds 3 pictures; at least 4 are needed"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_work(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    photos(tmp_path, 3 if "holds" in sentence else 4)
    done = call("evaluate.py", tmp_path, "benchmark=edits_v1", *arguments)
    assert done.code == 2
    assert sentence in " ".join(done.output.split())


def test_bad_files_are_named_all_at_once(tmp_path: Path) -> None:
    photos(tmp_path, 5)
    (tmp_path / "photos/bad one.jpg").write_bytes(b"nothing")
    (tmp_path / "photos/empty.png").touch()
    done = call("evaluate.py", tmp_path, "benchmark=edits_v1", "pictures=photos")
    assert done.code == 2
    assert "bad one.jpg is not a picture" in done.output
    assert "empty.png is empty" in done.output


def test_files_that_cannot_be_read_are_left_out_when_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos(tmp_path, 4)
    (tmp_path / "photos/notes.txt").write_text("nothing")
    Image.new("RGB", (20, 20)).save(tmp_path / "photos/odd.png", icc_profile=b"none")
    reader = replace(READER, unreadable="skip")
    assert len(list_pictures(str(tmp_path / "photos"), reader)) == 5
    remark, skipped = caplog.messages
    assert remark.startswith("odd.png: a colour profile")
    assert "notes.txt is not a picture" in skipped
    for path in (tmp_path / "photos").glob("*.png"):
        path.unlink()
    with pytest.raises(InputError, match=r"notes\.txt is not a picture"):
        list_pictures(str(tmp_path / "photos"), reader)
