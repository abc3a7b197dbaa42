"""Sets of the field as one command, on a dozen pictures of their layouts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps
from skimage.data import astronaut

import own_hashes
from app import call, runs
from rankings import walked

ASKED = ("run=code", "peers=[phash,mine]", "+peer@peers.mine=custom",
         "peers.mine.function=own_hashes.phash", "resamples=20", "hydra.run.dir=out")  # fmt: skip


def _photo(i: int) -> Image.Image:
    return Image.fromarray(astronaut()[60 * i : 60 * i + 160, 100:260])


def _hash(path: Path) -> NDArray[np.bool_]:
    return np.asarray(own_hashes.phash(np.array(Image.open(path).convert("RGB")))).ravel()


def _differ(one: Path, other: Path) -> int:
    return int((_hash(one) != _hash(other)).sum())


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return a folder with a set like DISC21: four queries, one of them of no reference."""
    folder = tmp_path / "disc"
    for part in ("queries", "references", "train"):
        (folder / part).mkdir(parents=True)
    for i in range(4):
        _photo(i).save(folder / f"references/R{i}.png")
        _photo(i).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / f"train/T{i}.png")
    for i, edited in enumerate(
        [_photo(0).rotate(8), ImageOps.grayscale(_photo(1)), _photo(2).crop((40, 40, 160, 160))]
    ):
        edited.save(folder / f"queries/Q{i}.png")
    _photo(5).save(folder / "queries/Q3.png")
    (folder / "truth.csv").write_text("query_id,reference_id\nQ0,R0\nQ1,R1\nQ2,R2\nQ3,\n")
    return tmp_path


def test_disc21_is_judged_by_codes_and_peers(disc: Path) -> None:
    done = call("evaluate.py", disc, "benchmark=disc21", "pictures=disc", *ASKED)
    assert done.code == 0, done.output
    board = pd.read_csv(disc / "out/leaderboard.csv", index_col="code", keep_default_na=False)
    expected = {"latent-float", "latent-256", "phash-64", "mine-64", "random-projection-256"}
    assert expected <= set(board.index)
    assert board.columns[:5].tolist() == [
        "bytes", "micro AP", "recall at P90", "micro AP, normalised", "recall at P90, normalised"
    ]  # fmt: skip
    figures = pd.read_csv(disc / "out/figures.csv", index_col=["code", "figure"])["value"]
    queries = sorted((disc / "disc/queries").iterdir())
    references = sorted((disc / "disc/references").iterdir())
    train = sorted((disc / "disc/train").iterdir())
    # Of 64 bits, their inner product.
    near = np.array([[64 - 2 * _differ(q, r) for r in references] for q in queries])
    background = np.array([[64 - 2 * _differ(q, t) for t in train] for q in queries])
    less = 3 * near - np.sort(background, axis=1)[:, -3:].sum(1, keepdims=True)
    for suffix, scores in (("", near), (", normalised", less)):
        pairs = [(float(scores[q, r]), q == r != 3) for q in range(4) for r in range(4)]
        for code in ("phash-64", "mine-64"):
            of_code = [figures[code, f"{n}{suffix}"] for n in ("micro AP", "recall at P90")]
            assert of_code == pytest.approx(walked(pairs, 0.9))
    page = (disc / "out/benchmark.html").read_text(encoding="utf-8")
    assert "Micro average precision" in page
    (run,) = runs(disc, "benchmark")
    assert run.data.metrics["benchmark/phash-64/micro_ap"] == figures["phash-64", "micro AP"]

    # What was described is kept.
    again = call("evaluate.py", disc, "benchmark=disc21", "pictures=disc", *ASKED[:-1],
                 "hydra.run.dir=again")  # fmt: skip
    assert "12 of 12 views are described already" in again.output
    same = pd.read_csv(disc / "again/figures.csv", index_col=["code", "figure"])["value"]
    pd.testing.assert_series_equal(same, figures)


def test_copydays_is_judged_by_codes_and_peers(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for part in ("original", "strong", "crops/50", "jpegqual/10"):
        (folder / part).mkdir(parents=True)
    for i in range(3):
        _photo(i).save(folder / f"original/000{i}00.png")
        _photo(i).rotate(25).save(folder / f"strong/000{i}01.png")
        _photo(i).crop((30, 30, 140, 140)).save(folder / f"crops/50/000{i}00.png")
        _photo(i).save(folder / f"jpegqual/10/000{i}00.jpg", quality=10)
    done = call("evaluate.py", tmp_path, "benchmark=copydays", "pictures=set", *ASKED)
    assert done.code == 0, done.output
    figures = pd.read_csv(tmp_path / "out/figures.csv", index_col=["code", "figure"])["value"]
    originals = sorted((folder / "original").iterdir())
    for part in ("strong", "crops/50", "jpegqual/10"):
        precision = []
        for i, copy in enumerate(sorted((folder / part).iterdir())):
            away = [_differ(copy, original) for original in originals]
            rank = sum(one <= away[i] for one in away) - 1
            precision.append(1 if rank == 0 else 1 / (2 * (rank + 1)))
        assert figures["phash-64", f"mAP {part}"] == pytest.approx(np.mean(precision))
    board = pd.read_csv(tmp_path / "out/leaderboard.csv", index_col="code")
    assert board.columns[1:4].tolist() == ["mAP strong", "mAP crops", "mAP jpeg"]
    assert "mAP crops/50" in pd.read_csv(tmp_path / "out/every_figure.csv").columns


def test_hash_that_fails_is_left_out_and_others_go_on(disc: Path) -> None:
    done = call("evaluate.py", disc, "benchmark=disc21", "pictures=disc", *ASKED,
                "peers.mine.function=own_hashes.threes", "peers.mine.length=64")  # fmt: skip
    assert done.code == 0, done.output
    board = pd.read_csv(disc / "out/leaderboard.csv", index_col="code", keep_default_na=False)
    assert board.loc["mine-64", "micro AP"].startswith("gave other numbers than 0 and 1")
    assert board.loc["phash-64", "micro AP"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["benchmark=disc21"], "pictures is not set; give the folder that has the set"),
        (["benchmark=disc21", "pictures=nowhere"], "must be a folder with queries/, references/"),
        (["benchmark=copydays", "pictures=nowhere"], "must be a folder with original/"),
        (["benchmark=disc21", "pictures=disc", "edits=[jpeg]"], "edits=[jpeg] has no effect here"),
        (["benchmark=disc21", "job=benchmark"], "names no suite of edits"),
        (["benchmark=disc21", "job=views", "views_to=x"], "names no suite of edits"),
        (["benchmark=edits_v1", "job=field_sets"], "Name a set of the field's, benchmark=disc21"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_work(
    disc: Path, arguments: list[str], sentence: str
) -> None:
    done = call("evaluate.py", disc, *arguments)
    assert done.code == 2
    assert sentence in " ".join(done.output.split())
    assert "are described already" not in done.output
