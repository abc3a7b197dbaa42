"""Rendered pages of text, screens, drawings and posters, one to every number.

A code that learns from photographs alone cannot tell such pictures apart. Many of them come in
groups of a template, as pages of one book do, since these are the hardest to tell apart.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latenthash.data.samples.graphics_documents import render_page
from latenthash.data.samples.graphics_drawings import render_drawing
from latenthash.data.samples.graphics_posters import render_poster
from latenthash.data.samples.graphics_screens import render_screen

GROUP = 32  # consecutive numbers are of one kind, and may share a template
FAINTEST = 8.0  # standard deviation of grey, below which a picture counts as empty
TRIES = 4
STEP = 5  # per cent, of which shares are multiples
STRIDE = 7  # from turn to turn, so that kinds alternate; it divides no number of turns


class Kind(NamedTuple):
    """How pictures of a kind are drawn, and how often."""

    render: Callable[[Random, Random], Image.Image]
    share: int  # per cent of all pictures
    grouped: float  # share of its groups that have one template


KINDS = {
    "page": Kind(render_page, 35, 0.6),
    "screen": Kind(render_screen, 25, 0.5),
    "drawing": Kind(render_drawing, 25, 0.25),
    "poster": Kind(render_poster, 15, 0.25),
}


def render_graphic(number: int) -> NDArray[np.uint8]:
    """Render the picture of a number, (height, width, 3), sides of 180 to 512 px.

    One that is nearly empty is rendered with another template, a few times.
    """
    kind, template = choose(number)
    for attempt in range(TRIES):
        layout, content = Random(template), Random(f"graphic {number} {attempt}")
        image = KINDS[kind].render(layout, content)
        if np.asarray(image.convert("L")).std() >= FAINTEST:
            break
        template += " again"  # its ink may be as light as its paper
    return np.asarray(image)


def choose(number: int) -> tuple[str, str]:
    """Return the kind of a number's picture and the name of its template."""
    group = number // GROUP
    random = Random(f"group {group}")
    # In turns, so that a few groups have the shares, too.
    turns = [name for name, kind in KINDS.items() for _ in range(kind.share // STEP)]
    kind = turns[group * STRIDE % len(turns)]
    shared = random.random() < KINDS[kind].grouped
    return kind, f"template {group}" if shared else f"template {group} {number}"
