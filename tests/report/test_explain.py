"""Explanations: what moved a verdict, and what lies nearest."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from latenthash import plots
from latenthash.data.splits import ViewSet
from latenthash.features.pixels import Pixels
from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.hashing.hasher import Hasher
from latenthash.jobs import matches
from latenthash.report.explain import _verdict, explain, occlusion


class Corner(nn.Module):
    """Maps a view to how bright its upper left corner is, and nothing else."""

    def encode(self, x: Tensor) -> Tensor:
        """Map pixels (N, 3, size, size) to z (N, 1)."""
        return x[:, :, :2, :2].mean((1, 2, 3))[:, None]


def hasher(size: int) -> Hasher:
    corner = Corner()
    return Hasher(Pixels(size=size, channels=3), corner, gated=False)  # type: ignore[arg-type]


def view(size: int, corner: int) -> Tensor:
    pixels = torch.zeros(size, size, 3, dtype=torch.uint8)
    pixels[:2, :2] = corner
    return pixels


@pytest.mark.parametrize("size", [16, 21, 3])
def test_covering_the_corner_that_matters_changes_the_score_most(size: int) -> None:
    own, other = Hash(np.array([1.0]), 0.5), Hash(np.array([0.0]), 0.5)
    away = occlusion(hasher(size), own, view(size, 255))
    towards = occlusion(hasher(size), other, view(size, 255))
    assert away.shape == (size, size)
    assert away[0, 0] == away.max() > 0, "the corner drew the picture to this Signal"
    assert towards[0, 0] == towards.min() < 0, "and away from the other"
    if size > 3:
        far = away[size // 2 :, size // 2 :]
        np.testing.assert_array_equal(far, 0)


def test_patches_cover_all_and_leave_the_view_as_it_was() -> None:
    seen = view(16, 200)
    before = seen.clone()
    change = occlusion(hasher(16), Hash(np.array([1.0]), 0.5), seen)
    assert np.isfinite(change).all()
    torch.testing.assert_close(seen, before)


def views(*corners: int) -> ViewSet:
    names = tuple(f"corner of {corner}" for corner in corners)
    return ViewSet(torch.stack([view(16, c) for c in corners]), np.arange(len(corners)), names)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[plots.Explanation]]:
    cases: list[plots.Explanation] = []

    def explanation(case: plots.Explanation, *args: object) -> Figure:
        cases.append(case)
        return Figure()

    monkeypatch.setattr(plots, "explanation", explanation)
    yield cases


def test_nearest_views_are_found_by_latent_distance(asked: list[plots.Explanation]) -> None:
    known: Mapping[str, ViewSet] = {
        "signal": views(0, 90, 255), "noise_edited": views(20), "noise_similar": views(200, 130),
        "unseen": views(100),
    }  # fmt: skip
    hash_ = Hash(np.array([1.0]), 0.5)
    assert len(list(explain(hasher(16), hash_, views(100, 10), known))) == 2
    nearest = [{what: name for what, (name, _) in case.nearest.items()} for case in asked]
    assert nearest == [
        {"Signal": "corner of 90", "noise": "corner of 130"},
        {"Signal": "corner of 0", "noise": "corner of 20"},
    ]
    for case in asked:
        for name, pixels in case.nearest.values():
            assert name == f"corner of {pixels[0, 0, 0]}", "the view is the one that is named"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("sub/me.png", "me"),
        ("l" * 247 + ".png", "l" * 100),
        ("é" * 123 + ".png", "é" * 50),  # two bytes each
        ("寿" * 80 + ".png", "寿" * 33),  # three; 100 bytes end within a letter
        (r"\x1b[31m$a b<%.png", "_x1b_31m_a_b__"),
        ("..png", "."),
    ],
)
def test_figures_of_any_name_can_be_written(
    name: str, stem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matches, "explain", lambda *args: iter([Figure()]))
    pictures = ViewSet(torch.zeros(1, 2, 2, 3), np.zeros(1, dtype=np.int64), (name,))
    ((title, _),) = matches.explanations(hasher(2), Hash(np.array([1.0]), 0.5), pictures, {})
    assert title == f"explain/00_{stem}"
    (tmp_path / "explain").mkdir()
    (tmp_path / f"{title}.png").touch()


def test_without_views_of_the_run_there_are_no_nearest(asked: list[plots.Explanation]) -> None:
    assert len(list(explain(hasher(16), Hash(np.array([1.0]), 0.5), views(100), {}))) == 1
    (case,) = asked
    assert case.nearest == {}


@pytest.mark.parametrize(
    ("gate", "text"),
    [(None, "match (d / R = 0.5)"), (4.0, "match (d / R = 0.5, e / E = 0.25)"),
     (0.5, "no match (d / R = 0.5, e / E = 2)")],
)  # fmt: skip
def test_verdict_says_how_far_the_latent_lies(gate: float | None, text: str) -> None:
    row = LatentSet(np.array([[2.0]]), np.zeros(1, int), None if gate is None else np.ones(1))
    assert _verdict(row, Hash(np.array([1.0]), 2.0, gate)) == text
