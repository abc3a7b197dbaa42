"""The figure of a verdict, drawn from arrays."""

from dataclasses import replace

import numpy as np
import pytest

from latenthash.plots.verdict import Case, verdict

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (60, 80, 3)).astype(np.uint8)
CASE = Case(
    name="a_picture.jpg",
    status="verified",
    sentence="This is the picture that Ann (key a927eee5) registered on 2026-11-28T10:33:27Z.",
    picture=PICTURE,
    original=PICTURE,
    difference=np.full((60, 80), 3.0),
    reliability=np.where(np.arange(127) < 120, 0.5, -0.1),
    distance=35,
    limits={1e-3: 77, 1e-4: 57},
    conflicts=("0123456789abcdef Bob (key 00112233), 2026-11-28T10:33:27Z",),
    lineage=("* 0123456789abcdef  row 1",) * 40,
)


def texts(case: Case) -> str:
    figure = verdict(case)
    figure.canvas.draw()
    return "\n".join(
        [figure.get_suptitle()]
        + [text.get_text() for axes in figure.axes for text in axes.texts]
        + [axes.get_title() for axes in figure.axes]
        + [axes.get_xlabel() for axes in figure.axes]
    )


def test_figure_says_what_the_verdict_rests_on() -> None:
    said = texts(CASE)
    assert "a_picture.jpg: verified" in said and "This is the picture that Ann" in said
    assert "120 of 127 agree with the id" in said
    assert "35" in said and "77: one stranger in 1,000" in said
    assert "0123456789abcdef Bob" in said and "..." in said
    assert "the registered original, laid on it" in said


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"original": None, "difference": None}, "no registered original"),
        ({"difference": None}, "it could not be laid on it"),
        ({"reliability": None}, "no mark was read"),
        ({"distance": None}, "not compared"),
        ({"lineage": (), "conflicts": ()}, "none is known"),
        ({"name": "$a_{\u4e2d}.png"}, "$a_{"),
    ],
)
def test_what_is_missing_is_said(missing: dict[str, object], words: str) -> None:
    assert words in texts(replace(CASE, **missing))  # type: ignore[arg-type]
