"""DISC21: its layout, and its figures by hand and pair by pair."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from latenthash.benchmark.controls import Thumbnail
from latenthash.benchmark.disc21 import DISC21, MICRO, RECALL, FoundDISC21
from latenthash.codes.code import Code, Vectors
from latenthash.errors import InputError
from photographs import READER, photo
from rankings import walked

TRUTH = "query_id,reference_id\nQ0,R0\nQ1,R1\nQ2,\n"


def _unchanged(described: Vectors) -> Vectors:
    return described


def _near(queries: Vectors, references: Vectors) -> Vectors:
    return -np.abs(queries - references.T)


PLACES = Code("places", Thumbnail(), 4, _unchanged, _unchanged, 0.0, _near)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder as the challenge lays it out, of three pictures each."""
    for part, letter in (("queries", "Q"), ("references", "R"), ("train", "T")):
        (tmp_path / part).mkdir()
        for i in range(3):
            Image.fromarray(photo(i).pixels).save(tmp_path / part / f"{letter}{i}.png")
    (tmp_path / "truth.csv").write_text(TRUTH)
    return tmp_path


def found(folder: Path, resamples: int = 20) -> FoundDISC21:
    return DISC21().find(folder, READER, resamples, 0)


def places(*numbers: float) -> NDArray[np.float32]:
    return np.array(numbers, np.float32)[:, None]


def test_figures_by_hand(folder: Path) -> None:
    # Q2 has no reference, and R2 is as near to it as R0 is to Q0: it comes first.
    described = places(0, 10, 5, 1, 12, 4, 5, 5, 5)
    figures = found(folder).judge(PLACES, described)
    values = {name: figure.rate.value for name, figure in figures.items()}
    assert values == pytest.approx(
        {
            MICRO: (1 / 2 + 2 / 3) / 2, RECALL: 0,
            # Of Q2 alone the background is at hand, which takes it down.
            f"{MICRO}, normalised": 1, f"{RECALL}, normalised": 1,
        }
    )  # fmt: skip
    assert list(values) == list(found(folder).columns)
    # Two queries have a reference: of what never failed in two trials nothing is known.
    assert figures[f"{MICRO}, normalised"].rate.low == 0


def test_figures_and_draws_are_those_of_all_pairs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latenthash.benchmark.disc21.CELLS", 12)  # two queries at once
    judged = found(folder, 30)
    for seed in range(5):
        described = np.random.default_rng(seed).integers(0, 4, (9, 1)).astype(np.float32)
        figures = judged.judge(PLACES, described)
        near = _near(described[:3], described[3:6])
        background = np.sort(_near(described[:3], described[6:]), axis=1).mean(1, keepdims=True)
        for suffix, similarity in (("", near), (", normalised", np.round(near - background, 4))):
            for draw, counts in enumerate([np.ones(3, int), *judged.bootstrap.counts]):
                pairs = [
                    (float(similarity[q, r]), q == r != 2)
                    for q in range(3)
                    for r in range(3)
                    for _ in range(counts[q])
                ]
                of_draw = [
                    figures[name + suffix].rate.value
                    if draw == 0
                    else figures[name + suffix].drawn[draw - 1]
                    for name in (MICRO, RECALL)
                ]
                if any(true for _, true in pairs):
                    assert of_draw == pytest.approx(walked(pairs, 0.9))
                else:
                    assert np.isnan(of_draw).all()


def test_without_train_nothing_is_normalised(folder: Path) -> None:
    for path in (folder / "train").iterdir():
        path.unlink()
    (folder / "train").rmdir()
    judged = found(folder)
    assert list(judged.columns) == [MICRO, RECALL]
    assert list(judged.judge(PLACES, places(0, 10, 5, 1, 12, 4))) == [MICRO, RECALL]
    assert "Without train/" in judged.note


@pytest.mark.parametrize(
    ("truth", "queries"),
    [
        ("query_id,reference_id\nQ0,R0\n", 3),  # all others have none
        ("Q0,R0\n", 3),  # as the challenge's reader takes it
        ("query_id,reference_id\nQ0,R0\nQ2,\n", 2),  # those named are judged
    ],
)
def test_ground_truth_says_which_queries_are_judged(folder: Path, truth: str, queries: int) -> None:
    (folder / "truth.csv").write_text(truth)
    judged = found(folder)
    assert (judged.queries, judged.pairs.tolist()) == (queries, [[0, 0]])


def _remove(part: str) -> Callable[[Path], object]:
    return lambda folder: (folder / part).rename(folder / f"{part}_elsewhere")


def _truth(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "truth.csv").write_text(text)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_remove("queries"), "queries/ must be a folder of pictures."),
        (_remove("references"), "references/ must be a folder of pictures."),
        (_remove("truth.csv"), "must have one CSV, query_id,reference_id."),
        (lambda f: (f / "b.csv").write_text(TRUTH), "one CSV, query_id,reference_id: it has b.csv"),
        (lambda f: (f / "train/T0.png").unlink(), "train/ needs at least 3 pictures"),
        (lambda f: (f / "queries/Q0.jpg").write_bytes(b"x"), "two pictures called Q0."),
        (lambda f: (f / "queries/Q0.png").write_bytes(b"x"), "Q0.png is not a picture"),
        (_truth("query_id,reference_id\nQ0,\n"), "names no pair of a query and its reference"),
        (_truth("Q0,R0\nQ0,R0\n"), "names pairs twice: Q0,R0."),
        (_truth("Q0,R0\nQ1\n"), "must have rows query_id,reference_id; not so line 2."),
        (_truth("Q9,R0\n"), "its CSV names pictures that queries/ lacks: Q9."),
        (_truth("Q0,R9\n"), "its CSV names pictures that references/ lacks: R9."),
    ],
)
def test_folder_of_another_layout_is_refused(
    folder: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    damage(folder)
    with pytest.raises(InputError) as refusal:
        found(folder)
    assert sentence in str(refusal.value)


def test_no_folder_is_refused_with_its_layout(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a folder with queries/, references/ and one CSV"):
        found(tmp_path / "nowhere")
