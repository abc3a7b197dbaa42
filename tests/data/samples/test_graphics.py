"""Tests of the rendered pages, screens, drawings and posters."""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys
from hashlib import sha256
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from latenthash.data.samples import graphics
from latenthash.data.samples.graphics import GROUP, KINDS, Kind, choose, render_graphic
from latenthash.data.samples.graphics_tools import FAMILIES, LANGUAGES, font, language, words

COUNT = 16
FIRST = [GROUP * group for group in (0, 1, 2, 3, 4, 5)]  # of each kind one or more
NUMBERS = [first + i for first in FIRST for i in range(COUNT)]


@functools.cache
def graphic(number: int) -> NDArray[np.uint8]:
    """Return the picture, rendered once for all tests."""
    return render_graphic(number)


def shared(kind: str) -> list[int]:
    """Return the numbers of the first group of a kind that has one template."""
    for first in itertools.count(0, GROUP):
        group = list(range(first, first + GROUP))
        if len({choose(number) for number in group}) == 1 and choose(first)[0] == kind:
            return group
    raise AssertionError


def test_is_an_rgb_picture_of_moderate_size() -> None:
    for number in NUMBERS:
        picture = graphic(number)
        assert picture.dtype == np.uint8 and picture.shape[2:] == (3,)
        assert 320 <= max(picture.shape[:2]) <= 512, number
        assert min(picture.shape[:2]) >= 180, number
    assert len({graphic(number).shape for number in NUMBERS}) > COUNT / 4


@pytest.mark.parametrize("kind", KINDS)
def test_same_number_gives_same_bytes_whatever_came_before(kind: str) -> None:
    number = shared(kind)[1]
    first = render_graphic(number).tobytes()
    graphic(number + 1)
    assert render_graphic(number).tobytes() == first


def test_every_picture_differs_from_every_other() -> None:
    assert len({graphic(number).tobytes() for number in NUMBERS}) == len(NUMBERS)


def test_picture_that_is_nearly_empty_is_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    blank, inked = Image.new("RGB", (320, 200), "white"), Image.radial_gradient("L").convert("RGB")
    rendered = iter((blank, blank, inked))
    kind = Kind(lambda layout, content: next(rendered), 100, 0.0)
    monkeypatch.setattr(graphics, "KINDS", {"page": kind})
    np.testing.assert_array_equal(render_graphic(0), np.asarray(inked))


@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_process_renders_the_same(seed: str) -> None:
    script = (
        "from hashlib import sha256\n"
        "from latenthash.data.samples.graphics import render_graphic\n"
        f"print(*(sha256(render_graphic(n).tobytes()).hexdigest() for n in {FIRST}))"
    )
    environment = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [sha256(graphic(n).tobytes()).hexdigest() for n in FIRST]


def test_kinds_have_their_shares_in_every_twenty_groups() -> None:
    for first in (0, 20, 100):
        seen = [choose(GROUP * group)[0] for group in range(first, first + 20)]
        assert {kind: 5 * seen.count(kind) for kind in KINDS} == {
            "page": 35, "screen": 25, "drawing": 25, "poster": 15,
        }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_groups_of_one_template_and_groups_of_many(kind: str) -> None:
    counts = {
        len({choose(number)[1] for number in range(first, first + GROUP)})
        for first in range(0, 100 * GROUP, GROUP)
        if choose(first)[0] == kind
    }
    assert counts == {1, GROUP}


def test_pages_of_a_template_share_paper_and_margins_and_differ_in_their_words() -> None:
    pages = [graphic(number) for number in shared("page")]
    assert len({page.shape for page in pages}) == 1
    assert len({page[0, 0].tobytes() for page in pages}) == 1
    for one, other in itertools.combinations(pages, 2):
        assert 0.005 < (one != other).any(axis=2).mean() < 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_lays_out_alike_whatever_the_content(kind: str) -> None:
    # How often the template is asked must not depend on the content: the next draw shows it.
    for number in range(25):
        nexts = set()
        for content in range(2):
            layout = Random(f"layout {number}")
            KINDS[kind].render(layout, Random(content))
            nexts.add(layout.random())
        assert len(nexts) == 1, number


@pytest.mark.parametrize("family", FAMILIES)
def test_fonts_have_the_letters_of_the_languages_chosen_for_them(family: str) -> None:
    face, random = font(family, 0, 20), Random(0)
    missing = bytes(face.getmask("\uffff"))
    chosen = {language(random, family) for _ in range(10 * LANGUAGES)}
    letters = {letter for each in chosen for word in words(random, each, 300) for letter in word}
    assert [letter for letter in sorted(letters) if bytes(face.getmask(letter)) == missing] == []


@pytest.mark.slow
def test_every_picture_that_a_training_takes_can_be_rendered() -> None:
    for number in range(4000):
        assert render_graphic(number).std() > 0, number
