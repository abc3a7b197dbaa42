"""Marking: what is written, what is kept, and what is never lost, whenever the process dies."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import ExifTags, Image, ImageCms

from latenthash import InputError, Marks
from latenthash.data.samples.sets import embedded
from latenthash.watermark.audit import check
from latenthash.watermark.codec import decode
from latenthash.watermark.files import WRITTEN, Format
from latenthash.watermark.marks import KEY, MAX_PIXELS, STRONG, USUAL, WHITE
from latenthash.watermark.registry import Registry
from latenthash.watermark.signed import read_sidecar, sidecar
from latenthash.watermark.similarity import psnr
from latenthash.watermark.tiled import Tiled
from latenthash.watermark.writing import Claimed, claimed, target_of
from marks import owner
from project import ROOT
from shop import Shop, cut, jpeg, pixels_of, plain_code

ANN = owner("Ann")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# What the system is asked for while a picture is marked, and where a process may be killed.
ASKED = ("open", "os.", "sqlite3.")
MOMENTS = range(20)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photograph as a camera leaves it."""
    cat = next(one for one in embedded("photos_a") if one.name.endswith("chelsea"))
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ann"
    path = tmp_path / "cat.jpg"
    Image.fromarray(cat.pixels).save(path, quality=95, exif=exif, icc_profile=PROFILE)
    return path


def opened(folder: Path) -> Marks:
    return Marks.open(folder / "marks.db", plain_code(), append=True)


def rows(folder: Path) -> int:
    return len(Registry.open(str(folder / "marks.db")))


@pytest.mark.parametrize("kind", WRITTEN)
def test_copy_bears_its_id_and_keeps_what_its_file_said(
    photo: Path, tmp_path: Path, kind: Format
) -> None:
    before = photo.read_bytes()
    done = opened(tmp_path).mark(
        photo, ANN, tmp_path / "out", parents="none", kind=kind, quality=90
    )
    assert photo.read_bytes() == before
    assert done.file == target_of(photo, tmp_path / "out", kind)
    assert decode(Tiled(KEY, *USUAL).read(pixels_of(done.file))).identity == done.identity
    with Image.open(done.file) as image:
        assert image.format == kind.upper()
        assert image.info["icc_profile"] == PROFILE
        assert image.getexif()[ExifTags.Base.Artist] == "Ann"
    assert read_sidecar(sidecar(done.file)).id == done.identity
    assert done.psnr == pytest.approx(psnr(pixels_of(photo), pixels_of(done.file)), abs=0.1)
    assert done.psnr > (40 if kind != "jpeg" else 36) and done.ssim > 0.93


def test_quality_of_a_jpeg_is_the_one_that_was_asked_for(photo: Path, tmp_path: Path) -> None:
    marks = opened(tmp_path)
    sizes = [
        marks.mark(photo, ANN, tmp_path / str(quality), parents="none", quality=quality)
        .file.stat()
        .st_size
        for quality in (80, 95)
    ]
    assert sizes[0] < 0.7 * sizes[1]


@pytest.mark.parametrize(
    ("name", "kind", "copy"),
    [
        ("a.JPEG", "jpeg", "a.JPEG"),
        ("a.jpg", "png", "a.jpg.png"),
        ("a.heic", "png", "a.heic.png"),
        ("a.png", "png", "a.png"),
        ("a", "png", "a.png"),
        ("a.gif", "tiff", "a.gif.tif"),
    ],
)
def test_no_two_files_have_one_copy(name: str, kind: Format, copy: str) -> None:
    assert target_of(Path("in", name), Path("out"), kind) == Path("out", copy)
    assert target_of(Path("in", name), None, kind) == Path("in", "marked", copy)


@pytest.mark.parametrize("there", ["picture", "folder", "link"])
def test_nothing_is_written_over(photo: Path, tmp_path: Path, there: str) -> None:
    target = tmp_path / "marked" / "cat.jpg"
    target.parent.mkdir()
    if there == "picture":
        target.write_bytes(b"mine")
    elif there == "folder":
        target.mkdir()
    else:
        target.symlink_to("nowhere")
    with pytest.raises(InputError, match=r"cat\.jpg exists: give another folder with to=DIR"):
        opened(tmp_path).mark(photo, ANN)
    assert rows(tmp_path) == 0
    assert [one.name for one in target.parent.iterdir()] == ["cat.jpg"]


def test_file_that_another_process_writes_is_left_to_it(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "marked").mkdir()
    with (
        claimed(tmp_path / "marked" / "cat.jpg"),
        pytest.raises(Claimed, match="is being written by another process"),
    ):
        opened(tmp_path).mark(photo, ANN)
    opened(tmp_path).mark(photo, ANN, parents="none")
    assert rows(tmp_path) == 1


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.full((300, 300, 3), 90, np.uint8), "no more than one colour"),
        (np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8), "too small"),
    ],
)
def test_picture_that_bears_no_mark_is_refused_and_leaves_nothing(
    tmp_path: Path, pixels: np.ndarray, reason: str
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    with pytest.raises(InputError, match=reason):
        opened(tmp_path).mark(path, ANN)
    assert rows(tmp_path) == 0
    assert not list((tmp_path / "marked").iterdir())


def test_registry_is_open_for_reading_unless_more_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no registry"):
        Marks.open(tmp_path / "marks.db", plain_code())
    with pytest.raises(InputError, match=r"code is what latenthash\.load"):
        Marks.open(tmp_path / "marks.db", "code")  # type: ignore[arg-type]
    unmeasured = plain_code()
    unmeasured.limits = {}
    with pytest.raises(InputError, match="has no measured limits"):
        Marks.open(tmp_path / "marks.db", unmeasured, append=True)
    assert not (tmp_path / "marks.db.pem").exists()


def _killed(folder: Path, photo: Path, moment: int) -> bool:
    """Mark in a process that is killed when it asks the system for the nth thing."""
    process = os.fork()
    if not process:
        left = moment

        def die(event: str, _: tuple[object, ...]) -> None:
            nonlocal left
            if event.startswith(ASKED) and event != "os.kill":
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        marks = opened(folder)
        sys.addaudithook(die)
        try:
            marks.mark(photo, ANN, parents="none")
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status)


def _whole(folder: Path) -> None:
    """Say that no file is half-written, and no mark without its row."""
    registry = Registry.open(str(folder / "marks.db"))
    assert check(registry) == []
    for path in (folder / "marked").glob("[!.]*"):
        if path.suffix == ".jpg":
            identity = decode(Tiled(KEY, *USUAL).read(pixels_of(path))).identity
            assert identity is not None and registry.get(identity) is not None
            assert read_sidecar(sidecar(path)).id == identity
        else:
            read_sidecar(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    "moments",
    [pytest.param([8], id="1"), pytest.param(MOMENTS, id="20", marks=pytest.mark.slow)],
)
def test_process_that_is_killed_leaves_all_whole_and_the_next_one_goes_on(
    photo: Path, tmp_path: Path, moments: list[int]
) -> None:
    outcomes = []
    for moment in moments:
        folder = tmp_path / str(moment)
        folder.mkdir()
        opened(folder)  # the registry is made
        (folder / photo.name).write_bytes(photo.read_bytes())
        outcomes.append(_killed(folder, folder / photo.name, moment))
        if (folder / "marked").exists():
            _whole(folder)
        if not (folder / "marked" / photo.name).exists():
            opened(folder).mark(folder / photo.name, ANN, parents="none")
        _whole(folder)
        assert (folder / "marked" / photo.name).exists()
        assert rows(folder) == 1  # the try that was killed is the one that was finished
    assert outcomes[0] and sum(outcomes) >= len(moments) // 2  # the last ones come too late


def test_interrupted_try_is_gone_on_with(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latenthash.watermark import marks as module

    def full(data: bytes, target: Path) -> None:
        raise OSError("no room")

    marks = opened(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="no room"):
        patch.setattr(module, "put", full)
        marks.mark(photo, ANN)
    begun = read_sidecar(tmp_path / "marked" / "cat.jpg.latenthash.json")
    assert rows(tmp_path) == 1 and not (tmp_path / "marked" / "cat.jpg").exists()
    done = marks.mark(photo, ANN)
    assert (done.identity, done.parents, rows(tmp_path)) == (begun.id, (), 1)


@pytest.mark.parametrize("there", ["Ann's", "another program's"])
def test_manifest_that_is_not_of_this_try_is_kept(photo: Path, tmp_path: Path, there: str) -> None:
    marks = opened(tmp_path)
    beside = tmp_path / "marked" / "cat.jpg.latenthash.json"
    if there == "Ann's":
        marks.mark(photo, ANN, parents="none").file.unlink()
    else:
        beside.parent.mkdir()
        beside.write_text("mine")
    before = beside.read_bytes(), rows(tmp_path)
    with pytest.raises(InputError, match=r"latenthash\.json is of another picture or owner"):
        marks.mark(photo, owner("Bob"), parents="none")
    assert (beside.read_bytes(), rows(tmp_path)) == before


def test_marked_before_is_said_of_the_same_alone(photo: Path, tmp_path: Path) -> None:
    marks = opened(tmp_path)
    assert marks.marked_before(photo, ANN) is None
    done = marks.mark(photo, ANN, parents="none")
    assert marks.marked_before(photo, ANN) == done.identity
    assert marks.marked_before(photo, owner("Bob")) is None
    assert marks.marked_before(photo, ANN, tmp_path / "elsewhere") is None
    other = Marks.open(tmp_path / "other.db", plain_code(), append=True)
    assert other.marked_before(photo, ANN) is None
    pixels = pixels_of(photo)
    for changed in (pixels[:, ::-1], pixels[1:], pixels // 10 * 9):
        Image.fromarray(changed).save(photo, quality=95)
        assert marks.marked_before(photo, ANN) is None
    sidecar(done.file).write_text("{}")
    assert marks.marked_before(photo, ANN) is None


def test_folder_that_may_not_be_written_to_and_long_names_are_refused_in_words(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = opened(tmp_path)
    named = photo.rename(tmp_path / f"{'a' * 236}.jpg")
    with pytest.raises(InputError, match="too long a name"):
        marks.mark(named, ANN)
    assert not (tmp_path / "marked").exists()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    named = named.rename(photo)
    with monkeypatch.context() as patch, pytest.raises(InputError, match="No space left"):
        patch.setattr(os, "fsync", full)
        marks.mark(named, ANN, parents="none")
    assert rows(tmp_path) == 0 and not list((tmp_path / "marked").iterdir())


def test_copy_says_what_it_lacks(tmp_path: Path) -> None:
    cat = Image.fromarray(next(iter(embedded("photos_a"))).pixels).convert("RGBA")
    cat.save(tmp_path / "cat.png")
    done = opened(tmp_path).mark(tmp_path / "cat.png", ANN, parents="none")
    assert len(done.remarks) == 1 and done.remarks[0].startswith("transparency was left out")


def test_marks_are_those_of_the_command() -> None:
    """Marks.open cannot read conf, which is no part of the package."""

    def conf(name: str) -> dict[str, Any]:
        return dict(yaml.safe_load((ROOT / "conf" / f"{name}.yaml").read_text()))

    for name, strength in (("tiled", USUAL), ("tiled_strong", STRONG)):
        carrier = conf(f"carrier/{name}")
        assert (carrier["key"], carrier["psnr"], carrier["ssim"]) == (KEY, *strength)
    reader = conf("reader/default")
    assert (reader["max_pixels"], tuple(reader["background"])) == (MAX_PIXELS, WHITE)


EDITS: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda pixels: cut(pixels, 0.97),
    lambda pixels: np.asarray(Image.fromarray(pixels).rotate(3, Image.Resampling.BICUBIC)),
    lambda pixels: np.clip(pixels * 1.08, 0, 255).astype(np.uint8),
    lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
]


@pytest.mark.slow
def test_five_re_uses_are_told_in_their_order(shop: Shop, tmp_path: Path) -> None:
    marks = shop.copy(tmp_path)
    newest, chain = shop.marked["coffee"].file, [shop.marked["coffee"].identity]
    unmarked = shop.original("coffee")
    for i, edit in enumerate(EDITS):
        path = tmp_path / f"{i}.png"
        Image.fromarray(edit(pixels_of(newest))).save(path)
        done = marks.mark(path, owner(f"Owner {i}"))
        assert done.parents == (chain[-1],)
        unmarked = edit(unmarked)
        newest = done.file
        chain.append(done.identity)
    lineage = marks.lineage(chain[-1])
    assert [step.id for step in lineage.steps] == chain
    assert lineage.conflicts == ()
    assert psnr(unmarked, pixels_of(newest)) > 38  # one mark alone has 40.6
    found = marks.verify(jpeg(pixels_of(newest), 85))
    assert (found.status, found.identity, found.conflicts) == ("verified", chain[-1], ())
