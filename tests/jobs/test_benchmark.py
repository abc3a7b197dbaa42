"""A benchmark where something is missing: codes, scales, a run, and what a picture costs."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from app import artifact, call, database, runs
from latenthash.benchmark.timing import milliseconds
from latenthash.codes import peers
from latenthash.codes.code import LATENTS, Vectors
from latenthash.codes.latent import Latent
from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.features import weights

COMMAND = ("benchmark=edits_v1", "pictures=photos", "resamples=20", "hydra.run.dir=out")
NO_TRUNK = "No trunk: /home/me/x.pt is damaged (https://a.b/c); give features.weights=<file>."
SHARED_NO_TRUNK = NO_TRUNK.replace("/home/me/", "")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder with as few pictures as can be judged."""
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
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    whole = f"pictures={place / 'photos'}"
    done = call("evaluate.py", place, *COMMAND, whole, "edits=flip_horizontal", "format=csv")
    assert done.code == 0, done.output
    expected = dict.fromkeys(LATENTS, SHARED_NO_TRUNK)
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
def test_code_that_was_named_must_be_there(place: Path) -> None:
    done = call("evaluate.py", place, *COMMAND, "run=code")
    assert done.code == 2
    assert NO_TRUNK in " ".join(done.output.split())


def test_code_that_ships_is_missed_in_no_store(place: Path) -> None:
    done = call("evaluate.py", place, "run=code", "pictures=photos", "hydra.run.dir=out")
    assert done.code == 0, done.output
    assert "is in no store here" not in done.output


def test_latents_that_are_no_numbers_are_refused_before_any_work() -> None:
    class Broken:
        features = SimpleNamespace(size=8, trim=False)

        def encode(self, views: torch.Tensor) -> Vectors:
            return np.full((len(views), 2), np.nan, np.float32)

    with pytest.raises(InputError, match="latents are not finite numbers"):
        Latent("broken", Broken())  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["gallery=many", "resamples=0", "resamples=2.5", "seed=-1"])
def test_numbers_that_cannot_be_used_are_refused_before_any_work(place: Path, option: str) -> None:
    done = call("evaluate.py", place, *COMMAND, "run=code", option)
    assert done.code == 2
    assert option.split("=")[0] + "=" in done.output
    assert "are described already" not in done.output


class Sleeper:
    """A source that takes its time, and notes what it is given."""

    key = "sleeper"
    trim = False
    dimensions = 1
    kind = np.float32

    def __init__(self, side: int | None) -> None:
        self.side = side
        self.given: list[tuple[int, ...]] = []

    def describe(self, views: "list[Pixels]") -> Vectors:  # noqa: D102
        assert torch.get_num_threads() == 1
        self.given.append(np.shape(views))
        time.sleep(0.2 if len(self.given) == 1 else 0.02)
        return np.zeros((len(views), 1), np.float32)


@pytest.mark.parametrize(("side", "shape"), [(None, (1, 60, 70, 3)), (16, (1, 16, 16, 3))])
def test_time_is_of_one_picture_after_the_first(side: int | None, shape: tuple[int, ...]) -> None:
    source = Sleeper(side)
    pictures = [np.zeros((60, 70, 3), np.uint8)] * 5
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        taken = milliseconds([source, source], pictures)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert 20 <= taken["sleeper"] < 150
    assert source.given == [shape] * 6


def test_reducing_a_picture_is_part_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def __call__(self, image: Pixels) -> dict[str, Pixels]:
            time.sleep(0.1)
            return {"image": image}

    monkeypatch.setattr("latenthash.benchmark.timing.pipeline", lambda *_: Slow())
    assert milliseconds([Sleeper(16)], [np.zeros((9, 9, 3), np.uint8)] * 3)["sleeper"] >= 120


def _artifacts(folder: Path, run_id: str, path: str) -> list:  # type: ignore[type-arg]
    from mlflow import MlflowClient

    return list(MlflowClient(database(folder)).list_artifacts(run_id, path))
