"""The benchmark as one command: whole, killed, refused, and where something is missing."""

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from PIL import Image
from skimage.data import astronaut

import own_hashes
from app import artifact, call, database, runs
from latenthash.benchmark import results
from latenthash.benchmark.controls import Thumbnail
from latenthash.benchmark.judging import Judgement, judge
from latenthash.codes import peers
from latenthash.codes.code import LATENTS, Code, Described, Signs
from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.features import weights
from latenthash.hashing.bundle import Bundle
from latenthash.hashing.printable_code import PrintableCode
from latenthash.jobs import judged as judged_codes
from latenthash.jobs import open
from photographs import save_photos

COMMAND = ("benchmark=edits_v1", "pictures=photos", "resamples=20", "hydra.run.dir=out")
NO_TRUNK = "No trunk: /home/me/x.pt is damaged (https://a.b/c); give features.weights=<file>."
SHARED_NO_TRUNK = NO_TRUNK.replace("/home/me/", "")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with as few pictures as can be judged."""
    (tmp_path / "photos").mkdir()
    for i in range(4):
        part = astronaut()[100 * i : 100 * i + 160, 100:260]
        Image.fromarray(part).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path


@pytest.fixture
def no_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise InputError(NO_TRUNK)

    monkeypatch.setattr(weights, "_imagenet", refuse)


@pytest.mark.usefixtures("no_trunk")
def test_what_cannot_be_judged_has_a_row_that_says_why(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_pdq(name: str) -> str:
        if name == "pdqhash":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(peers, "version", no_pdq)
    monkeypatch.setattr(open, "SHIPPED", "vgg16_code")  # one that needs weights
    whole = f"pictures={place / 'photos'}"
    done = call("evaluate.py", place, *COMMAND, whole, "edits=flip_horizontal", "format=csv")
    assert done.code == 0, done.output
    expected = dict.fromkeys(LATENTS, SHARED_NO_TRUNK)
    expected |= dict.fromkeys(("vgg16-256", "vgg16-64"), "not asked for: vgg16=true")
    expected["pdq-256"] = "not installed: pip install 'latenthash[peers]'"
    board = pd.read_csv(place / "out/leaderboard.csv", index_col="code", keep_default_na=False)
    assert board.index.is_unique
    assert done.out == (place / "out/leaderboard.csv").read_text(encoding="utf-8")
    assert {"phash-64", "random-trunk-256", "random-projection-256"} <= set(board.index)
    assert dict(board["TPR at FPR 0.001"].tail(len(expected))) == expected
    assert set(board.loc[list(expected), "rank-1"]) == {""}
    (run,) = runs(place, "benchmark")
    logged = json.loads(artifact(place, run, "leaderboard.json").read_text())
    assert set(expected) <= {row[0] for row in logged["data"]}
    html = (place / "out/benchmark.html").read_text(encoding="utf-8")
    for text in (done.output, html):
        assert "latenthash[peers]" in text
        assert "features.weights=" in text

    # One edit has no scale: in place of an empty table and an empty figure stands why.
    assert html.count("of no family were two strengths judged") == 2
    assert html.count("<img") == 2
    assert not (place / "out/how_far_codes_hold.csv").exists()
    figures = [a.path for a in _artifacts(place, run.info.run_id, "figures")]
    assert figures == ["figures/edits.png", "figures/nearest_impostors.png"]
    for text in (html, *(path.read_text() for path in (place / "out").glob("*.csv"))):
        words = text.replace("<", " ").replace(">", " ").replace(",", " ").lower().split()
        assert not {"nan", "inf", "none"} & set(words)
        assert str(place.parent) not in text, "what may be shared tells of the machine"


@pytest.mark.usefixtures("no_trunk")
@pytest.mark.parametrize("asked", [["run=vgg16_code"], ["run=code", "vgg16=true"]])
def test_code_that_was_named_must_be_there(place: Path, asked: list[str]) -> None:
    done = call("evaluate.py", place, *COMMAND, *asked)
    assert done.code == 2
    assert NO_TRUNK in " ".join(done.output.split())


@pytest.mark.usefixtures("no_trunk")
def test_code_that_ships_needs_no_weights_of_others(place: Path) -> None:
    done = call("evaluate.py", place, *COMMAND, "run=code", "edits=flip_horizontal")
    assert done.code == 0, done.output
    board = pd.read_csv(place / "out/leaderboard.csv", index_col="code", keep_default_na=False)
    assert board.loc["latent-256", "bytes"] == "32"
    assert board.loc["latent-64", "bytes"] == "8"


def test_code_that_ships_is_missed_in_no_store(place: Path) -> None:
    done = call("evaluate.py", place, "run=code", "pictures=photos", "hydra.run.dir=out")
    assert done.code == 0, done.output
    assert "is in no store here" not in done.output


@pytest.mark.parametrize("option", ["gallery_size=many", "resamples=0", "resamples=2.5", "seed=-1"])
def test_numbers_that_cannot_be_used_are_refused_before_any_work(place: Path, option: str) -> None:
    done = call("evaluate.py", place, *COMMAND, "run=code", option)
    assert done.code == 2
    assert option.split("=")[0] + "=" in done.output
    assert "are described already" not in done.output


def _artifacts(folder: Path, run_id: str, path: str) -> list:  # type: ignore[type-arg]
    from mlflow import MlflowClient

    return list(MlflowClient(database(folder)).list_artifacts(run_id, path))


def test_code_is_fitted_judged_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []  # the numbers that the benchmark compares unedited pictures by

    def noted(code: Code, described: Described, *args: Any) -> Judgement:
        if code.name == "latent-256":
            compared.append(code.references(described[:, 0]))
        return judge(code, described, *args)

    monkeypatch.setattr(results, "judge", noted)
    save_photos(tmp_path, 8)
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

    # Stands for the code of VGG16's layers, without the weights.
    (made,) = tmp_path.glob("outputs/*/*/bundle")
    monkeypatch.setattr(judged_codes, "shipped_bundle", lambda name: Bundle.load(made))
    judged = call(
        "evaluate.py", tmp_path, "benchmark=edits_v1", "pictures=photos", "run=latest",
        "edits=[jpeg,flip_horizontal]", "resamples=20", "fpr=0.05", "hydra.run.dir=out",
        "vgg16=true",
    )  # fmt: skip
    assert judged.code == 0, judged.output
    board = pd.read_csv(tmp_path / "out/leaderboard.csv")
    rows = board.set_index("code")
    assert {"latent-float", "phash-64", "random-trunk-256"} <= set(rows.index)
    for bits in ("64", "256"):  # the same bundle, under another name
        assert rows.loc[f"vgg16-{bits}", "rank-1"] == rows.loc[f"latent-{bits}", "rank-1"]
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
    judged_bits = [row.tobytes() for row in np.packbits(compared[0] > 0, axis=1)]
    printed = [PrintableCode.parse(text).bits for text in table["code (256 bits)"]]
    assert printed == judged_bits, "what is printed is what is judged"
    assert len(set(judged_bits)) == 8


def judged(place: Path, out: str, *args: str) -> pd.DataFrame:
    """Return the leaderboard of the code that ships, one edit and what else is asked for."""
    asked = ("edits=[jpeg_20,rotation_10]", "run=code", f"hydra.run.dir={out}", *args)
    done = call(
        "evaluate.py", place, "benchmark=edits_v1", "pictures=photos", "resamples=20", *asked
    )
    assert done.code == 0, done.output
    board = pd.read_csv(place / out / "leaderboard.csv", index_col="code", keep_default_na=False)
    return board.drop(columns="ms per picture")


def test_hash_of_ones_own_has_the_row_of_the_same_hash_of_the_field(place: Path) -> None:
    mine = ("+peer@peers.mine=custom", "peers.mine.function=own_hashes.phash")
    board = judged(place, "out", "peers=[phash,mine]", *mine)
    assert not {"ahash-64", "phash-256"} & set(board.index), "those that were not asked for"
    pd.testing.assert_series_equal(board.loc["mine-64"], board.loc["phash-64"], check_names=False)
    times = pd.read_csv(place / "out/leaderboard.csv", index_col="code")["ms per picture"]
    assert float(times["mine-64"]) > 0
    for table in ("figures", "hard_negatives"):
        rows = pd.read_csv(place / f"out/{table}.csv", index_col="code")
        pd.testing.assert_frame_equal(
            rows.loc[["mine-64"]].reset_index(drop=True),
            rows.loc[["phash-64"]].reset_index(drop=True),
        )

    # The same by files, as a program in another language would.
    suite = ("benchmark=edits_v1", "pictures=photos", "edits=[jpeg_20,rotation_10]")
    written = call("evaluate.py", place, *suite, "views_to=views", "hydra.run.dir=written")
    assert written.code == 0, written.output
    index = pd.read_csv(place / "views/index.csv")
    assert set(index["edit"]) == {"original", "jpeg_20", "rotation_10"}
    assert {path.name for path in (place / "views").iterdir()} == {*index["file"], "index.csv"}
    codes = [
        np.packbits(own_hashes.phash(np.array(Image.open(place / "views" / file)))).tobytes()
        for file in index["file"]
    ]
    pd.DataFrame({"file": index["file"], "code": [code.hex() for code in codes]}).to_csv(
        place / "theirs.csv", index=False
    )
    again = judged(place, "again", "peers=[phash]", "codes_from=theirs.csv")
    pd.testing.assert_series_equal(again.loc["theirs-64"], board.loc["phash-64"], check_names=False)
    hard = pd.read_csv(place / "again/hard_negatives.csv", index_col="code")
    assert hard.loc["theirs-64"].tolist() == hard.loc["phash-64"].tolist()

    # Codes of other views are no codes of these.
    done = call(
        "evaluate.py", place, "benchmark=edits_v1", "pictures=photos", "edits=[jpeg_20,blur]",
        "run=code", "codes_from=theirs.csv",
    )  # fmt: skip
    assert done.code == 2
    assert "codes_from=theirs.csv lacks 12 of the views" in done.output


def test_hash_that_fails_is_named_with_the_picture_and_others_go_on(place: Path) -> None:
    failing = {"raising": "raises", "nan": "gives_nan", "other": "OtherLength", "three": "threes"}
    own = [
        text
        for name, function in failing.items()
        for text in (
            f"+peer@peers.{name}=custom", f"peers.{name}.function=own_hashes.{function}"
        )
    ]  # fmt: skip
    board = judged(place, "out", "peers=[phash]", "peers.nan.distance=cosine", *own)
    alone = judged(place, "alone", "peers=[phash]")
    reasons = board["TPR at FPR 0.001"]
    assert reasons["raising-64"].startswith("raised ValueError: it was turned, of ")
    assert reasons["raising-64"].endswith(".png under rotation_10")
    assert reasons["nan-float"].startswith("gave NaN or an infinite number, of ")
    assert reasons["other-64"].startswith("gave 65 numbers in place of 64, of ")
    assert reasons["three-64"].startswith("gave other numbers than 0 and 1")
    kept = [code for code in board.index if code in alone.index]
    assert "phash-64" in kept
    pd.testing.assert_frame_equal(board.loc[kept], alone.loc[kept])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["peers.mine.function=nowhere.f"], "peers.mine.function=nowhere.f cannot be imported"),
        (["peers.mine.function=own_hashes.np"], "own_hashes.np is no function"),
        (["peers.mine.function=own_hashes.phash", "peers.mine.library=nolib"], "is not installed"),
        (["peers.mine.function=own_hashes.phash", "+peer@peers.mine_64=phash"], "called mine-64"),
        (["peers.mine.function=own_hashes.phash", "codes_from=no.csv"], "no.csv cannot be opened"),
    ],
)
def test_hash_of_ones_own_that_cannot_be_had_is_refused(
    place: Path, arguments: list[str], sentence: str
) -> None:
    done = call("evaluate.py", place, *COMMAND, "run=code", "+peer@peers.mine=custom", *arguments)
    assert done.code == 2
    assert sentence in " ".join(done.output.split())
    assert "are described already" not in done.output


def test_killed_benchmark_gives_the_figures_of_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_photos(tmp_path, 6)
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
    save_photos(tmp_path, 3 if "holds" in sentence else 4)
    done = call("evaluate.py", tmp_path, "benchmark=edits_v1", *arguments)
    assert done.code == 2
    assert sentence in " ".join(done.output.split())


def test_bad_files_are_named_all_at_once(tmp_path: Path) -> None:
    save_photos(tmp_path, 5)
    (tmp_path / "photos/bad one.jpg").write_bytes(b"nothing")
    (tmp_path / "photos/empty.png").touch()
    done = call("evaluate.py", tmp_path, "benchmark=edits_v1", "pictures=photos")
    assert done.code == 2
    assert "bad one.jpg is not a picture" in done.output
    assert "empty.png is empty" in done.output
