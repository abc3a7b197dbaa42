"""Drawings with a pen: scenes and things, and what is written or constructed by hand."""

import math
from collections.abc import Callable
from random import Random

from PIL import Image

from latenthash.data.samples.graphics_sketch import FINER, Sketch
from latenthash.data.samples.graphics_subjects import SUBJECTS
from latenthash.data.samples.graphics_tools import Point, polygon, smooth


def render_drawing(layout: Random, content: Random) -> Image.Image:
    """Render a drawing: layout chooses the kind of subject, the pen and the paper."""
    sketch = Sketch(layout, content)
    subjects = SUBJECTS | WRITTEN
    (subject,) = layout.choices(list(subjects), weights=list(subjects.values()))
    subject(sketch)
    return sketch.image.reduce(FINER)


def _handwriting(sketch: Sketch) -> None:
    """Lines of loops that look like quick writing."""
    random = sketch.random
    high = random.uniform(0.022, 0.07) * sketch.height
    left, y = random.uniform(0.03, 0.12) * sketch.width, random.uniform(0.05, 0.15) * sketch.height
    lean, step = random.uniform(-0.2, 0.7) * high, random.uniform(0.35, 0.6) * high
    end = sketch.width - left
    while y < 0.95 * sketch.height:
        x, stop = left, end if random.random() < 0.8 else random.uniform(0.3, 0.9) * end
        while x < stop:
            points: list[Point] = []
            for _ in range(random.randint(2, 9)):
                rise = random.choice((0.5, 0.5, 0.5, 1.2)) * high
                fall = random.choice((0, 0, 0, 0.6)) * high
                points.append((x + lean * rise / high, y - rise))
                points.append((x + step * random.uniform(-0.2, 0.5), y + fall))
                x += step * random.uniform(0.7, 1.3)
            sketch.stroke(smooth(points)[::2], plain=True)
            x += 1.2 * high
        y += random.uniform(2.2, 3) * high


def _music(sketch: Sketch) -> None:
    """Staves with notes, beams and bars."""
    random = sketch.random
    gap = random.uniform(0.008, 0.022) * sketch.height
    left, right, top = 0.06 * sketch.width, 0.94 * sketch.width, 0.08 * sketch.height
    while top + 4 * gap < 0.95 * sketch.height:
        for line in range(5):
            y = top + line * gap
            sketch.draw.line((left, y, right, y), fill=sketch.ink, width=max(1, sketch.pen // 3))
        clef = [(left + gap * (1.5 + math.sin(step)), top + gap * (5 - step)) for step in range(6)]
        sketch.stroke(smooth(clef), plain=True)
        x, beam = left + 4 * gap, None
        while x < right:
            y = top + random.randint(-2, 9) * gap / 2
            if random.random() < 0.12:
                sketch.draw.line((x, top, x, top + 4 * gap), fill=sketch.ink, width=3)
                beam = None
            else:
                head = (x - 0.65 * gap, y - 0.45 * gap, x + 0.65 * gap, y + 0.45 * gap)
                full = random.random() < 0.75
                fill = sketch.ink if full else None
                sketch.draw.ellipse(head, fill=fill, outline=sketch.ink, width=3)
                tip = (x + 0.6 * gap, y - 3.2 * gap)
                sketch.draw.line((x + 0.6 * gap, y, *tip), fill=sketch.ink, width=3)
                if beam is not None and random.random() < 0.5:
                    sketch.draw.line((*beam, *tip), fill=sketch.ink, width=round(gap / 2) + 1)
                    beam = None
                else:
                    beam = tip
            x += random.uniform(1.8, 5) * gap
        top += random.uniform(9, 12) * gap


def _geometry(sketch: Sketch) -> None:
    """Circles, chords, tangents and triangles with letters at their corners."""
    random, dots = sketch.random, []
    for _ in range(random.randint(1, 5)):
        x, y = sketch.somewhere(0.25)
        radius = random.uniform(0.08, 0.4) * sketch.side
        corners = polygon(x, y, radius, random.choice((3, 3, 4, 5, 6)), random.uniform(0, 3))
        kind = random.random()
        if kind < 0.6:
            sketch.blob(x, y, radius, radius)
        if kind > 0.3:
            sketch.stroke(corners, closed=True)
        dots += [(x, y), *corners]
    for _ in range(random.randint(1, 9)):
        (ax, ay), (bx, by) = random.sample(dots, 2)
        share = random.choice((0.0, 0.0, 0.5))
        sketch.stroke([(ax - share * (bx - ax), ay - share * (by - ay)),
                       (bx + share * (bx - ax), by + share * (by - ay))], plain=True)  # fmt: skip
    for name, (x, y) in zip("ABCDEFGHKLMNPQR", dots, strict=False):
        radius = 3 + sketch.pen
        sketch.draw.circle((x, y), radius, fill=sketch.ink)
        sketch.text((x + 22, y - 22), name, 34)


def _axes(sketch: Sketch) -> None:
    """Graphs of functions between axes."""
    random = sketch.random
    x0, y0 = random.uniform(0.08, 0.5) * sketch.width, random.uniform(0.5, 0.92) * sketch.height
    sketch.stroke([(0.03 * sketch.width, y0), (0.97 * sketch.width, y0)], plain=True)
    sketch.stroke([(x0, 0.03 * sketch.height), (x0, 0.97 * sketch.height)], plain=True)
    for tick in range(1, 20):
        x = tick * sketch.width / 20
        sketch.stroke([(x, y0 - 9), (x, y0 + 9)], plain=True)
    for _ in range(random.randint(1, 5)):
        waves = [(random.uniform(-0.25, 0.25) / rank, random.uniform(0, 4) * rank, random.random())
                 for rank in (1, 1, 2, 3)]  # fmt: skip
        middle = random.uniform(0.25, 0.75)
        points = []
        for step in range(81):
            t = step / 80
            value = sum(a * math.sin(math.tau * (f * t + phase)) for a, f, phase in waves)
            points.append((t * sketch.width, (middle + value) * sketch.height))
        sketch.stroke(points, plain=True)


def _network(sketch: Sketch) -> None:
    """Knots, each joined to those nearest."""
    random = sketch.random
    knots = [sketch.somewhere() for _ in range(random.randint(8, 70))]
    radius = random.uniform(0.006, 0.035) * sketch.side
    joined = random.randint(1, 4)
    for x, y in knots:
        for other in sorted(knots, key=lambda knot: math.dist(knot, (x, y)))[1 : joined + 1]:
            sketch.stroke([(x, y), other], plain=True)
    for x, y in knots:
        ring = [x - radius, y - radius, x + radius, y + radius]
        full = random.random() < 0.5
        sketch.draw.ellipse(ring, fill=sketch.ink if full else sketch.ground, outline=sketch.ink,
                            width=sketch.pen)  # fmt: skip


def _rosette(sketch: Sketch) -> None:
    """A curve turned around a centre many times, as ornaments are."""
    random, (x, y) = sketch.random, sketch.somewhere(0.4)
    turns = random.randint(4, 16)
    for _ in range(random.randint(2, 6)):
        inner = random.uniform(0.03, 0.4) * sketch.side
        outer = random.uniform(0.2, 0.48) * sketch.side
        swing, mirrored = random.uniform(-1, 1), random.random() < 0.6
        for turn in range(turns):
            for sign in (1, -1)[: 1 + mirrored]:
                base = math.tau * turn / turns
                curve = []
                for step in range(4):
                    radius = inner + (outer - inner) * step / 3
                    angle = base + sign * swing * math.sin(step)
                    curve.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
                sketch.stroke(smooth(curve)[::2], plain=True)
        if random.random() < 0.5:
            sketch.blob(x, y, inner, inner)


def _technical(sketch: Sketch) -> None:
    """A part of a machine: steps, holes, centre lines and measures."""
    random = sketch.random
    for _ in range(random.randint(1, 3)):
        left, top = sketch.somewhere(0.1)
        right = min(0.93 * sketch.width, left + random.uniform(0.3, 0.7) * sketch.width)
        middle = top + random.uniform(0.05, 0.2) * sketch.height
        steps = sorted(random.uniform(left, right) for _ in range(random.randint(1, 5)))
        upper, half = [], random.uniform(0.04, 0.15) * sketch.height
        for start, stop in zip((left, *steps), (*steps, right), strict=True):
            upper += [(start, middle - half), (stop, middle - half)]
            half = random.uniform(0.03, 0.18) * sketch.height
        outline = [*upper, *[(x, 2 * middle - y) for x, y in reversed(upper)]]
        sketch.stroke(outline, closed=True, plain=True)
        for x, y in upper[::2]:
            sketch.stroke([(x, y), (x, 2 * middle - y)], plain=True)
        x = left - 30
        while x < right + 30:
            sketch.stroke([(x, middle), (x + 30, middle)], plain=True)
            x += 44
        for _ in range(random.randint(0, 6)):
            hole = random.uniform(6, 40)
            sketch.blob(random.uniform(left, right), middle, hole, hole)
        low = middle + 0.2 * sketch.height
        sketch.stroke([(left, low), (right, low)], plain=True)
        sketch.text(((left + right) / 2, low - 22), f"{random.uniform(1, 400):.1f}", 30)


WRITTEN: dict[Callable[[Sketch], None], int] = {
    _handwriting: 10, _music: 5, _geometry: 8, _axes: 6, _network: 6, _rosette: 6, _technical: 6,
}  # fmt: skip
