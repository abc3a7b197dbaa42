"""A pen and paper to draw with.

Drawings are drawn at twice their size and halved, for Pillow's lines have hard edges.
"""

import math
from collections.abc import Sequence
from random import Random

from PIL import Image, ImageDraw

from latenthash.data.samples.graphics_tools import (
    Colour,
    Point,
    colour,
    font,
    language,
    paper,
    size,
    smooth,
)

FINER = 2  # how many times larger a picture is while it is drawn


class Sketch:
    """A picture being drawn with one pen."""

    def __init__(self, layout: Random, content: Random) -> None:
        """Choose paper, pen and hand: what drawings by one person share."""
        self.random = content
        self.ground, self.ink = paper(layout, 0.15)
        if layout.random() < 0.5:
            self.ground, self.ink = (255, 255, 255), (0, 0, 0)
        wide, high = size(layout)
        self.image = Image.new("RGB", (FINER * wide, FINER * high), self.ground)
        self.draw = ImageDraw.Draw(self.image)
        self.width, self.height = self.image.size
        self.side = min(self.image.size)
        self.pen = round(math.exp(layout.uniform(math.log(1.5), math.log(13))))
        self.shake = layout.choice((0.0, 0.0, 0.004, 0.01)) * self.side
        self.filled = layout.choice((0.0, 0.0, 0.0, 0.3, 0.8))  # share of shapes coloured in
        self.language = language(layout, "plain")
        self.varied = layout.random() < 0.3  # pens of several widths and colours

    def stroke(self, points: Sequence[Point], closed: bool = False, plain: bool = False) -> None:
        """Draw a line through the points; a closed one may be coloured in."""
        random, line = self.random, list(points)
        if self.shake and not plain:
            line = [(x + random.gauss(0, self.shake), y + random.gauss(0, self.shake))
                    for x, y in line]  # fmt: skip
        pen, ink = self.pen, self.ink
        if self.varied:
            pen = max(1, round(pen * random.choice((0.5, 1, 1, 2))))
            ink = colour(random) if random.random() < 0.3 else ink
        if closed:
            if not plain and random.random() < self.filled:
                self.draw.polygon(line, fill=colour(random, (0.2, 0.9), (0.5, 1)))
            line = [*line, line[0], line[1]]
        self.draw.line(line, fill=ink, width=pen, joint="curve" if pen > 3 else None)

    def blob(self, x: float, y: float, wide: float, high: float, rough: float = 0.0) -> None:
        """Draw an oval, more or less round."""
        count, points = (16 if rough else 28), []
        for step in range(count):
            angle = math.tau * step / count
            radius = 1 + self.random.uniform(-rough, rough)
            points.append(
                (x + wide * radius * math.cos(angle), y + high * radius * math.sin(angle))
            )
        self.stroke(smooth(points, closed=True) if rough else points, closed=True)

    def somewhere(self, edge: float = 0.05) -> Point:
        """Draw a place on the paper."""
        random = self.random
        return (
            random.uniform(edge, 1 - edge) * self.width,
            random.uniform(edge, 1 - edge) * self.height,
        )

    def text(self, place: Point, text: str, high: float, ink: Colour | None = None) -> None:
        """Write a text around a place."""
        face = font("plain", 0, max(8, round(high)))
        self.draw.text(place, text, fill=ink or self.ink, font=face, anchor="mm")
