"""The commands that search a gallery: what they find, say, write and refuse."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from skimage.data import data_dir

from app import call
from photographs import save_photos
from postgres_server import PASSWORD, NoServer, postgres_server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of five pictures, two of them of one, and a folder to look for."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "given" / "in").mkdir(parents=True)
    (folder / "asked").mkdir()
    for name, place in (("chelsea", "cat"), ("coffee", "in/coffee"), ("rocket", "rocket")):
        shutil.copy(Path(data_dir, f"{name}.{'jpg' if name == 'rocket' else 'png'}"), folder)
        (found,) = folder.glob(f"{name}.*")
        Image.open(found).convert("RGB").save(folder / "given" / f"{place}.png")
    cat = Image.open(folder / "given" / "cat.png")
    cat.save(folder / "given" / "copy.jpg", quality=80)
    cat.reduce(2).save(folder / "asked" / "small.jpg")
    Image.new("RGB", (90, 90), "teal").save(folder / "given" / "teal.png")
    Image.new("RGB", (90, 90), "red").save(folder / "asked" / "red.png")
    shutil.copy(Path(data_dir, "page.png"), folder / "asked" / "page.png")
    (folder / "asked" / "notes.txt").write_text("no picture")
    done = call("evaluate.py", folder, "gallery=G", "add=given")
    assert done.code == 0, done.output
    return folder


@pytest.fixture
def database() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="pip install 'latenthash[postgres]'")
    try:
        with postgres_server() as uri:
            yield uri
    except NoServer as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


def found(folder: Path, *options: str) -> pd.DataFrame:
    shutil.rmtree(folder / "out", ignore_errors=True)
    done = call("evaluate.py", folder, "gallery=G", *options, "hydra.run.dir=out")
    assert done.code == 0, done.output
    return pd.read_csv(folder / "out" / "found.csv", keep_default_na=False)


def test_copies_are_found_and_the_rest_has_its_sentence(place: Path) -> None:
    table = found(place, "find=asked", "engine=numpy")
    assert table["query"].tolist() == ["notes.txt", "page.png", "red.png", *["small.jpg"] * 2]
    assert table["file"].tolist()[:3] == ["", "", ""]
    assert set(table["file"][3:]) == {"cat.png", "copy.jpg"}  # the one that is nearer first
    assert table["meaning"][0] == "it is not a picture that can be read"
    assert table["meaning"][1].startswith("nothing within")
    assert table["meaning"][2].startswith("no detail")
    assert table["meaning"][3].startswith("the same picture: chance brings one so near in")
    assert [int(d) for d in table["distance"][3:]] == sorted(int(d) for d in table["distance"][3:])
    assert all(0 < float(expected) < 1e-4 for expected in table["false matches"][3:])


def test_one_picture_of_the_gallery_finds_itself(place: Path) -> None:
    done = call(
        "evaluate.py", place, "gallery=G", "find=given/cat.png", "distance=0", "format=jsonl"
    )
    assert done.code == 0, done.output
    (row,) = [json.loads(line) for line in done.out.splitlines()]
    assert (row["query"], row["file"], row["distance"]) == ("cat.png", "cat.png", 0)
    assert "within 0 of 256 bits, among 4 pictures: at most" in " ".join(done.output.split())


def test_postgres_finds_the_same_and_tells_no_password(place: Path, database: str) -> None:
    expected = found(place, "find=asked", "engine=numpy")
    asked = found(place, "find=asked", "engine=postgres", f"database={database}")
    pd.testing.assert_frame_equal(asked, expected)
    for path in (p for p in (place / "out").rglob("*") if p.is_file()):
        for word in (PASSWORD, "sesame"):
            assert word not in path.read_text(), path
    assert (place / "out" / ".hydra" / "overrides.yaml").exists()
    wrong = database.replace("sesame", "barley")
    done = call(
        "evaluate.py", place, "gallery=G", "find=asked", "engine=postgres", f"database={wrong}"
    )
    assert done.code == 2 and "barley" not in done.output
    assert "password authentication failed" in " ".join(done.output.split())


def test_duplicates_are_grouped_for_review(place: Path) -> None:
    before = sorted(path.name for path in (place / "given").rglob("*"))
    shutil.rmtree(place / "out", ignore_errors=True)
    done = call("evaluate.py", place, "gallery=G", "duplicates=true", "hydra.run.dir=out")
    assert done.code == 0, done.output
    table = pd.read_csv(place / "out" / "duplicates.csv", keep_default_na=False)
    assert table["file"].tolist() == ["cat.png", "copy.jpg"]
    assert table["group"].tolist() == [1, 1] and table["chain"].tolist() == ["", ""]
    page = (place / "out" / "duplicates.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    said = " ".join(done.output.split())
    assert "Groups: 1, of 2 files" in said and "of 6 pairs, at most" in said
    assert sorted(path.name for path in (place / "given").rglob("*")) == before


def test_distances_of_the_user_replace_those_that_ship(tmp_path: Path) -> None:
    save_photos(tmp_path, 9)
    done = call("evaluate.py", tmp_path, "gallery=G", "add=photos")
    assert done.code == 0, done.output
    few = call("evaluate.py", tmp_path, "gallery=G", "calibrate=photos", "edits=[jpeg]")
    assert few.code == 2 and "Different pictures: 9. That says too little" in " ".join(
        few.output.split()
    )
    assert not (tmp_path / "G" / "impostors.json").exists()
    other = {"format": 1, "tag": "0102", "of": "others", "pictures": 50, "pairs": 1225}
    (tmp_path / "G" / "impostors.json").write_text(json.dumps(other | {"distances": {"9": 2}}))
    refused = call("evaluate.py", tmp_path, "gallery=G", "duplicates=true")
    said = " ".join(refused.output.split())
    assert refused.code == 2 and "0102" in said and "5921" in said
    taken = call("evaluate.py", tmp_path, "gallery=G", "duplicates=true", "distance=3")
    assert taken.code == 0, taken.output
    assert "nobody measured" in " ".join(taken.output.split()), "they judge other codes"


@pytest.mark.slow
def test_calibration_is_kept_with_the_gallery(tmp_path: Path) -> None:
    from skimage.data import astronaut

    whole = Image.fromarray(astronaut())
    (tmp_path / "own").mkdir()
    for i in range(49):
        row, column = divmod(i, 7)
        part = whole.crop((70 * column, 70 * row, 70 * column + 70, 70 * row + 70))
        part.save(tmp_path / "own" / f"{i}.png")
    assert call("evaluate.py", tmp_path, "gallery=G", "add=own").code == 0
    done = call("evaluate.py", tmp_path, "gallery=G", "calibrate=own", "edits=[jpeg]")
    said = " ".join(done.output.split())
    assert done.code == 0, done.output
    kept = json.loads((tmp_path / "G" / "impostors.json").read_text())
    assert kept["tag"] == "5921" and kept["of"] == "those of own"
    assert kept["pictures"] <= 49 and "support rates down to" in said
    after = call("evaluate.py", tmp_path, "gallery=G", "find=own", "format=csv")
    assert after.code == 0 and "(those of own)" in " ".join(after.output.split())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["find=empty"], "is an empty folder"),
        (["find=asked", "engine=numpy", "false_matches=1e-300"], "no distance is known"),
        (["find=asked", "distance=300"], "from 0 to 256"),
        (["find=asked", "engine=postgres", "database=mysql://a:hush@b/c"], "no URI of PostgreSQL"),
        (["duplicates=true", "engine=postgres"], "in memory"),
        (["duplicates=true", "find=asked"], "has no effect here"),
        (["calibrate=given/cat.png"], "must be a folder"),
        (["find=asked", "run=vgg16_code"], "5921"),
    ],
)
def test_what_cannot_be_done_is_said(place: Path, options: list[str], reason: str) -> None:
    (place / "empty").mkdir(exist_ok=True)
    done = call("evaluate.py", place, "gallery=G", *options)
    assert done.code == 2, done.output
    assert reason in " ".join(done.output.split()) and "hush" not in done.output
