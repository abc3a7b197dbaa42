"""The commands on marks: what they write, say and refuse."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from app import Done, call
from latenthash.data.samples.sets import embedded
from latenthash.watermark.registry import Registry
from marks import signed
from project import ROOT


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, a folder with two photographs and a text, and what mark=PATH made of them."""
    folder = tmp_path_factory.mktemp("marking")
    save_pictures(folder)
    done = call("evaluate.py", folder, "keygen=me.pem", 'name="Ann Smith"')
    assert done.code == 0, done.output
    assert "Ann Smith" in done.out
    done = mark(folder)
    assert done.code == 1, done.output
    assert "1 of 3 files were not marked" in " ".join(done.output.split())
    return folder


def save_pictures(folder: Path) -> None:
    (folder / "pictures" / "in").mkdir(parents=True)
    photos = {one.name.rpartition("/")[2]: one.pixels for one in embedded("photos_a")}
    Image.fromarray(photos["chelsea"]).save(folder / "pictures" / "cat.png")
    Image.fromarray(photos["china"]).save(folder / "pictures" / "in" / "china.jpg", quality=95)
    (folder / "pictures" / "notes.txt").write_text("no picture")


def mark(folder: Path, *options: str) -> Done:
    shutil.rmtree(folder / "out", ignore_errors=True)
    return call(
        "evaluate.py", folder, "mark=pictures", "owner=me.pem", "registry=marks.db",
        "hydra.run.dir=out", *options,
    )  # fmt: skip


def verify(folder: Path, path: str, *options: str) -> tuple[Done, list[dict[str, object]]]:
    done = call(
        "evaluate.py", folder, f"verify={path}", "registry=marks.db", "format=jsonl", *options
    )
    return done, [json.loads(line) for line in done.out.splitlines()]


def test_folder_is_marked_and_a_second_time_left_as_it_is(place: Path) -> None:
    marked = place / "pictures" / "marked"
    assert {path.relative_to(marked).as_posix() for path in marked.rglob("*.*")} == {
        "cat.png", "cat.png.latenthash.json", "in/china.jpg", "in/china.jpg.latenthash.json",
    }  # fmt: skip
    before = {path: path.stat().st_mtime_ns for path in marked.rglob("*")}
    done = mark(place)
    assert done.code == 1  # there is the text still
    table = pd.read_csv(place / "out" / "marked.csv", keep_default_na=False)
    assert table["file"].tolist() == ["cat.png", "in/china.jpg", "notes.txt"]
    assert table["note"].tolist()[:2] == ["marked before"] * 2
    assert "is not a picture that can be read" in table["note"][2]
    assert {path: path.stat().st_mtime_ns for path in marked.rglob("*")} == before
    assert len(Registry.open(str(place / "marks.db"))) == 2


def test_copy_of_another_picture_is_not_said_to_be_marked_before(
    place: Path, tmp_path: Path
) -> None:
    for name in ("me.pem", "marks.db", "marks.db.pem"):
        shutil.copy(place / name, tmp_path)
    shutil.copytree(place / "pictures" / "marked", tmp_path / "pictures" / "marked")
    Image.open(place / "pictures" / "in" / "china.jpg").save(tmp_path / "pictures" / "cat.png")
    done = mark(tmp_path)
    assert done.code == 1, done.output
    table = pd.read_csv(tmp_path / "out" / "marked.csv", keep_default_na=False)
    assert table[["file", "id"]].to_numpy().tolist() == [["cat.png", ""]]
    assert "cat.png exists: give another folder" in table["note"][0]


def test_folder_into_itself_is_refused_file_by_file_and_its_copies_are_left_out(
    place: Path, tmp_path: Path
) -> None:
    for name in ("me.pem", "marks.db", "marks.db.pem"):
        shutil.copy(place / name, tmp_path)
    shutil.copytree(place / "pictures" / "marked", tmp_path / "pictures")
    done = mark(tmp_path, "to=pictures")
    assert done.code == 2 and "holds marked copies alone" in " ".join(done.output.split())
    shutil.copy(place / "pictures" / "in" / "china.jpg", tmp_path / "pictures")
    done = mark(tmp_path, "to=pictures")
    assert done.code == 1 and "2 marked copies" in done.output
    table = pd.read_csv(tmp_path / "out" / "marked.csv", keep_default_na=False)
    assert table["file"].tolist() == ["china.jpg"]
    assert "china.jpg exists: give another folder" in table["note"][0]


def test_marked_pictures_are_verified(place: Path) -> None:
    done, rows = verify(place, "pictures/marked")
    assert done.code == 0, done.output
    assert [(row["file"], row["status"]) for row in rows] == [
        ("cat.png", "verified"), ("in/china.jpg", "verified")]  # fmt: skip
    assert str(rows[0]["owner"]).startswith("Ann Smith (key ")
    assert (rows[0]["conflicts"], rows[0]["note"]) == ("", "")
    assert len(str(rows[0]["key"])) == 64 and str(rows[0]["key"])[:8] in str(rows[0]["owner"])
    assert rows[0]["binding"] == "code_registration"
    assert int(str(rows[0]["distance"])) < 40 <= int(str(rows[0]["inliers"]))


def test_all_others_have_a_row_and_the_exit_code_says_so(place: Path) -> None:
    done, rows = verify(place, "pictures", "explain=true", "hydra.run.dir=explained")
    assert done.code == 1
    assert {str(row["file"]): row["status"] for row in rows} == {
        "cat.png": "stripped", "in/china.jpg": "stripped", "notes.txt": "",
        "marked/cat.png": "verified", "marked/in/china.jpg": "verified",
    }  # fmt: skip
    assert "3 of 5 files are not verified" in " ".join(done.output.split())
    figures = sorted(path.name for path in (place / "explained" / "explain").iterdir())
    assert len(figures) == 4 and figures[0].startswith("00_cat")


def test_lineage_is_told_as_text_and_json(place: Path) -> None:
    identity = json.loads(
        (place / "pictures" / "marked" / "cat.png.latenthash.json").read_text()
    )["id"]  # fmt: skip
    told = call("evaluate.py", place, f"lineage={identity}", "registry=marks.db")
    assert told.code == 0 and f"* {identity}  row " in told.out and "Ann Smith" in told.out
    told = call("evaluate.py", place, f"lineage={identity}", "registry=marks.db", "format=jsonl")
    assert json.loads(told.out)["asked"] == identity
    unknown = ("1234567890123e45", "0000000000000012")  # no numbers, though they look like some
    for wrong, reason in (
        *((id_, f"knows no id {id_}") for id_ in unknown),
        ("12", "is no id"),
        ("no-id", "is no id"),
    ):
        told = call("evaluate.py", place, f"lineage={wrong}", "registry=marks.db")
        assert told.code == 2 and reason in " ".join(told.output.split())


def test_registry_is_checked_against_a_head_that_was_kept(place: Path, tmp_path: Path) -> None:
    done = call("evaluate.py", place, "registry=marks.db", "check=true", "head_to=head.json")
    assert done.code == 0, done.output
    assert "sound" in done.out
    again = call("evaluate.py", place, "registry=marks.db", "head_to=head.json")
    assert again.code == 2 and "head.json exists" in again.output
    # Another book under the same name: what the head is of is not in it.
    shutil.copy(place / "me.pem", tmp_path)
    shutil.copy(place / "head.json", tmp_path)
    Registry.open_to_append(str(tmp_path / "marks.db"))
    done = call("evaluate.py", tmp_path, "registry=marks.db", "check=true", "head=head.json")
    assert done.code == 2 and "of another registry" in " ".join(done.output.split())
    cat = place / "pictures" / "marked" / "cat.png"
    for folder, code in ((place, 0), (tmp_path, 2)):
        done, _ = verify(folder, str(cat), "head=head.json")
        assert done.code == code, done.output


def test_copy_of_anothers_picture_is_verified_with_a_conflict_and_fails(
    place: Path, tmp_path: Path
) -> None:
    for name in ("marks.db", "marks.db.pem", "pictures/cat.png"):
        shutil.copy(place / name, tmp_path)
    assert call("evaluate.py", tmp_path, "keygen=thief.pem").code == 0
    done = call(
        "evaluate.py", tmp_path, "mark=cat.png", "owner=thief.pem", "registry=marks.db",
        "parents=none",
    )  # fmt: skip
    assert done.code == 0, done.output
    done, rows = verify(tmp_path, "marked/cat.png", "binding=code")
    assert done.code == 1
    assert "1 of 1 files are verified, but others registered the same before" in " ".join(
        done.output.split()
    )
    assert rows[0]["status"] == "verified" and rows[0]["conflicts"]
    assert "It was compared by its hash alone." in str(rows[0]["sentence"])


def test_rows_of_another_code_are_said_not_to_be_searched(place: Path, tmp_path: Path) -> None:
    for name in ("marks.db", "marks.db.pem"):
        shutil.copy(place / name, tmp_path)
    Registry.open_to_append(str(tmp_path / "marks.db")).append(signed(1))
    done, _ = verify(tmp_path, str(place / "pictures" / "marked" / "cat.png"))
    assert done.code == 0
    said = " ".join(done.output.split())
    assert "1 row of the registry is of another code, and not searched." in said


def test_altered_registry_is_told_with_the_row(place: Path, tmp_path: Path) -> None:
    import sqlite3

    shutil.copy(place / "marks.db", tmp_path)
    with sqlite3.connect(tmp_path / "marks.db") as database:
        database.execute("DROP TRIGGER latenthash_marks_update")
        database.execute("UPDATE latenthash_marks SET added = '2020-01-01T00:00:00Z' WHERE seq = 2")
    database.close()
    done = call("evaluate.py", tmp_path, "registry=marks.db", "check=true")
    assert done.code == 1
    assert "Row 2 was altered" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["mark=pictures"], "owner is not set"),
        (["mark=pictures", "owner=me.pem"], "registry is not set"),
        (["mark=pictures", "owner=bad", "registry=marks.db"], "is no private key in PEM"),
        (["mark=pictures", "owner=me.pem", "registry=bad"], "bad"),
        (["mark=nothing", "owner=me.pem", "registry=marks.db"], "there is nothing"),
        (
            ["mark=pictures", "owner=me.pem", "registry=marks.db", "edits_done=bad"],
            "edits_done=bad is no JSON",
        ),
        (["mark=pictures", "owner=me.pem", "registry=marks.db", "quality=0"], "quality"),
        (["verify=pictures"], "registry is not set"),
        (["verify=pictures", "registry=none.db"], "There is no registry none.db"),
        (["verify=pictures", "registry=bad"], "bad"),
        (["verify=pictures", "registry=marks.db", "binding=identity"], "binding=identity compares"),
        (["verify=nothing", "registry=marks.db"], "there is nothing"),
        (["verify=pictures", "registry=marks.db", "to=out"], "to=out has no effect here"),
        (["registry=marks.db", "head=bad"], "add that"),
        (["registry=marks.db", "check=true", "head=bad"], "The head bad is no JSON"),
        (["registry=bad"], "bad"),
        (["keygen=me.pem"], "never written over"),
        (["keygen=you.pem", 'name="a\tb"'], "cannot be used"),
        (["registry=postgresql://u:sesame@127.0.0.1:1/x"], "cannot be used"),
        (["registry=postgresql://127.0.0.1:1/x?password=sesame"], "behind its question mark"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    place: Path, options: list[str], reason: str
) -> None:
    (place / "bad").write_bytes(b"\0 nothing of the kind \0")
    shutil.rmtree(place / "refused", ignore_errors=True)
    options = [
        f"{name}='{value}'" if "?" in value else f"{name}={value}"
        for name, _, value in (option.partition("=") for option in options)
    ]
    if "postgresql" in options[-1]:
        pytest.importorskip("psycopg", reason="pip install 'latenthash[postgres]'")
    done = call("evaluate.py", place, *options, "hydra.run.dir=refused")
    assert done.code == 2, done.output
    assert reason in " ".join(done.output.split())
    assert "Traceback" not in done.output
    if "?" not in options[-1]:
        assert "sesame" not in done.output


@pytest.mark.slow
def test_two_processes_mark_one_folder_together(place: Path, tmp_path: Path) -> None:
    save_pictures(tmp_path)
    cat = Image.open(tmp_path / "pictures" / "cat.png")
    for i in range(4):
        cat.crop((10 * i, 0, 400 + 10 * i, 300)).save(tmp_path / "pictures" / f"cat_{i}.png")
    (tmp_path / "pictures" / "notes.txt").unlink()
    shutil.copy(place / "me.pem", tmp_path)
    command = [
        sys.executable, str(ROOT / "evaluate.py"), "mark=pictures", "owner=me.pem",
        "registry=marks.db", "parents=none",
    ]  # fmt: skip
    both = [subprocess.Popen([*command, f"hydra.run.dir=out{i}"], cwd=tmp_path) for i in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(list((tmp_path / "pictures" / "marked").rglob("*.latenthash.json"))) == 6
    assert len(Registry.open(str(tmp_path / "marks.db"))) == 6
