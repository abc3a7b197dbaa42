"""Flat graphics: charts, logos, signs, posters, patterns, shapes on gradients, comic strips."""

import itertools
import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from latenthash.data.samples.graphics_sketch import FINER
from latenthash.data.samples.graphics_tools import (
    BOLD,
    FAMILIES,
    Colour,
    colour,
    font,
    label,
    language,
    mix,
    paper,
    polygon,
    prose,
    ramp,
    size,
    smooth,
)


class Poster:
    """A picture of few flat colours being drawn."""

    def __init__(self, layout: Random, content: Random) -> None:
        """Choose what a series of posters shares: colours, letters and shape."""
        self.layout, self.random = layout, content
        self.ground, self.ink = paper(layout, 0.2)
        if layout.random() < 0.3:
            self.ground = colour(layout, (0.3, 1), (0.3, 1))
            self.ink = (0, 0, 0) if sum(self.ground) > 380 else (255, 255, 255)
        self.shades = [colour(layout, (0.2, 1), (0.25, 1)) for _ in range(layout.randint(2, 7))]
        self.family = layout.choice(list(FAMILIES))
        self.language = language(layout, self.family)
        wide, high = size(layout)
        self.image = Image.new("RGB", (FINER * wide, FINER * high), self.ground)
        self.draw = ImageDraw.Draw(self.image)
        self.width, self.height = self.image.size
        self.side = min(self.image.size)

    def shade(self) -> Colour:
        """Draw one of the colours."""
        return self.random.choice(self.shades)

    def somewhere(self, edge: float = 0.0) -> tuple[float, float]:
        """Draw a place."""
        return (
            self.random.uniform(edge, 1 - edge) * self.width,
            self.random.uniform(edge, 1 - edge) * self.height,
        )

    def text(self, x: float, y: float, text: str, high: float, anchor: str = "mm") -> None:
        """Write bold letters."""
        face = font(self.family, BOLD, max(10, round(high)))
        self.draw.text((x, y), text, fill=self.ink, font=face, anchor=anchor)

    def shape(self, x: float, y: float, side: float, fill: Colour) -> None:
        """Draw one of many figures around a place."""
        random, draw = self.random, self.draw
        kind = random.randrange(9)
        place = (x - side, y - side, x + side, y + side)
        if kind == 0:
            draw.ellipse(place, fill=fill)
        elif kind == 1:
            draw.rounded_rectangle(place, random.choice((0, 0.4)) * side, fill=fill)
        elif kind == 2:
            draw.ellipse(place, outline=fill, width=round(random.uniform(0.1, 0.6) * side) + 1)
        elif kind == 3:
            draw.polygon(polygon(x, y, side, random.randint(3, 7), random.uniform(0, 3)), fill=fill)
        elif kind == 4:
            draw.pieslice(place, random.uniform(0, 180), random.uniform(200, 360), fill=fill)
        elif kind == 5:
            corners = random.randint(4, 9)
            outer = polygon(x, y, side, corners, 0.3)
            inner = polygon(x, y, random.uniform(0.3, 0.6) * side, corners, 0.3 + math.pi / corners)
            star = [point for pair in zip(outer, inner, strict=True) for point in pair]
            draw.polygon(star, fill=fill)
        elif kind == 6:
            ring = [(x + random.uniform(0.5, 1) * (px - x), y + random.uniform(0.5, 1) * (py - y))
                    for px, py in polygon(x, y, side, 9)]  # fmt: skip
            draw.polygon(smooth(ring, closed=True), fill=fill)
        elif kind == 7:
            arm = random.uniform(0.15, 0.45) * side
            draw.rectangle((x - side, y - arm, x + side, y + arm), fill=fill)
            draw.rectangle((x - arm, y - side, x + arm, y + side), fill=fill)
        else:
            face = font("sans", BOLD, max(12, round(1.6 * side)))
            sign = random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789&?!@§♥♦♣♠★☀☂☎✈✂✔✖♫⚑⚙")
            draw.text((x, y), sign, fill=fill, font=face, anchor="mm")


def render_poster(layout: Random, content: Random) -> Image.Image:
    """Render flat graphics: layout chooses the kind and the colours."""
    kinds: dict[Callable[[Poster], None], int] = {
        _bars: 10, _curves: 9, _pie: 8, _scatter: 8, _logo: 10, _signs: 10, _type: 12, _shapes: 12,
        _pattern: 10, _comic: 10,
    }  # fmt: skip
    poster = Poster(layout, content)
    (kind,) = layout.choices(list(kinds), weights=list(kinds.values()))
    kind(poster)
    return poster.image.reduce(FINER)


def _frame(poster: Poster) -> tuple[float, float, float, float]:
    """Draw a title, axes, a grid and names along them; return where the chart goes."""
    layout, random = poster.layout, poster.random
    left, top = (
        layout.uniform(0.08, 0.16) * poster.width,
        layout.uniform(0.06, 0.18) * poster.height,
    )
    right, bottom = 0.95 * poster.width, layout.uniform(0.8, 0.92) * poster.height
    faint = mix(poster.ground, poster.ink, 0.25)
    high = layout.uniform(16, 28)
    if layout.random() < 0.8:
        poster.text(poster.width / 2, top / 2, prose(random, poster.language, 26), 1.6 * high)
    lines, names = layout.randint(3, 9), layout.randint(3, 9)
    grid, closed = layout.random() < 0.6, layout.random() < 0.5
    for line in range(lines):
        y = bottom - line / lines * (bottom - top)
        if grid:
            poster.draw.line((left, y, right, y), fill=faint, width=2)
        poster.text(left - 10, y, f"{line * random.choice((1, 5, 10))}", high, "rm")
    for name in range(names):
        x = left + (name + 0.5) / names * (right - left)
        poster.text(x, bottom + 8, label(random, poster.language, 1)[:6], high, "ma")
    poster.draw.line((left, top, left, bottom, right, bottom), fill=poster.ink, width=3)
    if closed:
        poster.draw.rectangle((left, top, right, bottom), outline=poster.ink, width=3)
    return left, top, right, bottom


def _bars(poster: Poster) -> None:
    """Bars, upright or lying, one or several for each name."""
    flat, series = poster.layout.random() < 0.3, poster.layout.randint(1, 3)
    share = poster.layout.uniform(0.5, 1)
    left, top, right, bottom = _frame(poster)
    count = poster.random.randint(3, 16) * series
    for bar in range(count):
        value, fill = (
            poster.random.uniform(0.03, 1),
            poster.shades[bar % series % len(poster.shades)],
        )
        if flat:
            y, step = top + bar * (bottom - top) / count, (bottom - top) / count
            end = left + value * (right - left)
            poster.draw.rectangle((left, y, end, y + share * step), fill=fill)
        else:
            x, step = left + bar * (right - left) / count, (right - left) / count
            peak = bottom - value * (bottom - top)
            poster.draw.rectangle((x + 0.1 * step, peak, x + share * step, bottom), fill=fill)


def _curves(poster: Poster) -> None:
    """Curves over time, some with the area below or with marks."""
    pen, marks = poster.layout.randint(2, 12), poster.layout.random() < 0.4
    area = poster.layout.random() < 0.3
    left, top, right, bottom = _frame(poster)
    for series in range(poster.random.randint(1, 5)):
        fill = poster.shades[series % len(poster.shades)]
        count, value, points = poster.random.randint(5, 50), poster.random.random(), []
        for step in range(count + 1):
            value = min(1, max(0, value + poster.random.gauss(0, 0.6 / math.sqrt(count))))
            x = left + step / count * (right - left)
            points.append((x, bottom - value * (bottom - top)))
        if area:
            poster.draw.polygon([(left, bottom), *points, (right, bottom)], fill=fill)
        poster.draw.line(points, fill=fill, width=pen, joint="curve")
        for point in points if marks and count < 25 else ():
            poster.draw.circle(point, pen + 5, fill=fill)


def _pie(poster: Poster) -> None:
    """A disc or ring cut into shares, with a legend."""
    layout, random = poster.layout, poster.random
    ring, side = layout.choice((0, 0, 0.5)), layout.uniform(0.25, 0.42) * poster.side
    x, y = layout.uniform(0.35, 0.65) * poster.width, layout.uniform(0.45, 0.58) * poster.height
    shares = [random.uniform(0.1, 1) for _ in range(random.randint(2, 9))]
    turn = random.uniform(0, 360)
    place = (x - side, y - side, x + side, y + side)
    for rank, share in enumerate(shares):
        angle = 360 * share / sum(shares)
        fill = mix(poster.shades[rank % len(poster.shades)], poster.ink, rank // 4 * 0.3)
        poster.draw.pieslice(place, turn, turn + angle, fill=fill, outline=poster.ground, width=4)
        turn += angle
        at = (20, 20 + 40 * rank, 44, 44 + 40 * rank)
        poster.draw.rectangle(at, fill=fill)
        poster.text(54, 32 + 40 * rank, label(random, poster.language, 1), 26, "lm")
    if ring:
        hole = (x - ring * side, y - ring * side, x + ring * side, y + ring * side)
        poster.draw.ellipse(hole, fill=poster.ground)


def _scatter(poster: Poster) -> None:
    """Groups of dots or bubbles."""
    least = poster.layout.uniform(3, 14)
    most = least * poster.layout.choice((1, 1, 5))
    left, top, right, bottom = _frame(poster)
    for group in range(poster.random.randint(2, 6)):
        x = left + poster.random.uniform(0.1, 0.9) * (right - left)
        y = top + poster.random.uniform(0.1, 0.9) * (bottom - top)
        spread = poster.random.uniform(0.03, 0.25) * poster.side
        for _ in range(poster.random.randint(10, 70)):
            dot = (poster.random.gauss(x, spread), poster.random.gauss(y, spread))
            if left < dot[0] < right and top < dot[1] < bottom:
                radius = poster.random.uniform(least, most)
                poster.draw.circle(dot, radius, fill=poster.shades[group % len(poster.shades)])


def _logo(poster: Poster) -> None:
    """A sign of a few figures around one place, with a name."""
    layout, random = poster.layout, poster.random
    x, y = layout.uniform(0.35, 0.65) * poster.width, layout.uniform(0.3, 0.55) * poster.height
    side = layout.uniform(0.18, 0.4) * poster.side
    for _ in range(random.randint(3, 6)):
        away = random.choice((0.0, 0.0, 0.6)) * side
        angle = random.uniform(0, math.tau)
        part = side * random.uniform(0.3, 1)
        poster.shape(x + away * math.cos(angle), y + away * math.sin(angle), part, poster.shade())
    name = label(random, poster.language, 2)
    high = min(0.5 * side, 1.2 * poster.width / len(name))
    poster.text(x, y + 1.35 * side, name.upper() if layout.random() < 0.5 else name, high)


def _signs(poster: Poster) -> None:
    """Many signs in rows."""
    columns, rows = poster.layout.randint(2, 8), poster.layout.randint(2, 8)
    across, down = poster.width / columns, poster.height / rows
    boxed, side = (
        poster.layout.random() < 0.4,
        poster.layout.uniform(0.25, 0.42) * min(across, down),
    )
    for cell in range(columns * rows):
        x, y = (cell % columns + 0.5) * across, (cell // columns + 0.5) * down
        if boxed:
            place = (x - 1.15 * side, y - 1.15 * side, x + 1.15 * side, y + 1.15 * side)
            poster.draw.rounded_rectangle(place, 0.3 * side, fill=poster.shades[0])
        fill = poster.ink if boxed else poster.shade()
        poster.shape(x, y, 0.8 * side, fill)
        if poster.random.random() < 0.5:
            poster.shape(x, y, 0.4 * side, poster.shade())


def _type(poster: Poster) -> None:
    """Large letters with bands or figures behind."""
    layout, random = poster.layout, poster.random
    for _ in range(layout.randint(0, 4)):
        poster.shape(*poster.somewhere(), random.uniform(0.1, 0.5) * poster.side, poster.shade())
    if layout.random() < 0.4:
        top, deep = layout.uniform(0, 0.8) * poster.height, layout.uniform(0.1, 0.4)
        poster.draw.rectangle((0, top, poster.width, top + deep * poster.height),
                              fill=poster.shades[0])  # fmt: skip
    y, upper, centred = 0.03 * poster.height, layout.random() < 0.5, layout.random() < 0.6
    while y < 0.9 * poster.height:
        text = label(random, poster.language, random.choice((1, 1, 2, 4)))
        high = random.uniform(0.04, 0.24) * poster.height
        high = min(high, 1.35 * poster.width / len(text))
        x = poster.width / 2 if centred else 0.06 * poster.width
        poster.text(x, y, text.upper() if upper else text, high, "ma" if centred else "la")
        y += high * random.uniform(1.2, 2.2)


def _shapes(poster: Poster) -> None:
    """Figures on a gradient."""
    one, other = poster.shades[:2]
    shades = ramp(poster.width, poster.height, one, other, poster.layout.random() < 0.6)
    poster.image.paste(shades)
    for _ in range(poster.random.randint(2, 24)):
        side = math.exp(poster.random.uniform(-3.5, -1)) * poster.side
        fill = poster.random.choice((poster.shade(), poster.ground, poster.ink))
        poster.shape(*poster.somewhere(), side, fill)


def _pattern(poster: Poster) -> None:
    """Tiles, waves or dots all over, of which some differ."""
    layout, random = poster.layout, poster.random
    side, kind = layout.uniform(0.06, 0.22) * poster.side, layout.randrange(4)
    for row in range(int(poster.height / side) + 1):
        for column in range(int(poster.width / side) + 1):
            x, y = column * side, row * side
            place, fill = (x, y, x + side, y + side), poster.shade()
            chance = random.random()
            if kind == 0:  # quarters of discs
                corner_x, corner_y = x + side * (chance < 0.5), y + side * (0.25 < chance < 0.75)
                box = (corner_x - side, corner_y - side, corner_x + side, corner_y + side)
                start = {(0, 0): 0, (1, 0): 90, (1, 1): 180, (0, 1): 270}[
                    (int(chance < 0.5), int(0.25 < chance < 0.75))
                ]
                poster.draw.pieslice(box, start, start + 90, fill=fill)
            elif kind == 1:  # halves of squares
                corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
                del corners[int(4 * chance)]
                poster.draw.polygon(corners, fill=fill)
            elif kind == 2:  # dots of several sizes
                poster.draw.circle((x + side / 2, y + side / 2), chance * side / 2, fill=fill)
            elif chance < 0.5:  # a maze
                poster.draw.line((x, y, x + side, y + side), fill=poster.ink, width=round(side / 6))
            else:
                poster.draw.line((x + side, y, x, y + side), fill=poster.ink, width=round(side / 6))
            if kind == 2 and chance > 0.9:
                poster.draw.rectangle(place, fill=fill)


def _comic(poster: Poster) -> None:
    """Panels with figures, outlined people and words in bubbles."""
    layout, random = poster.layout, poster.random
    gap, pen = layout.uniform(0.01, 0.03) * poster.side, layout.randint(3, 9)
    rows = layout.randint(1, 4)
    for row in range(rows):
        edges = [0.0, *sorted(layout.uniform(0.2, 0.8) for _ in range(layout.randint(0, 2))), 1.0]
        for start, stop in itertools.pairwise(edges):
            left, right = start * poster.width + gap, stop * poster.width - gap
            top, bottom = row * poster.height / rows + gap, (row + 1) * poster.height / rows - gap
            wide, high = round(right - left), round(bottom - top)
            if wide < 60 or high < 60:
                continue
            panel = Image.new("RGB", (wide, high), mix(poster.shade(), (255, 255, 255), 0.5))
            draw = ImageDraw.Draw(panel)
            low = random.uniform(0.5, 0.9) * high
            draw.rectangle((0, low, wide, high), fill=poster.shade())
            for _ in range(random.randint(1, 3)):
                x, head = random.uniform(0.15, 0.85) * wide, random.uniform(0.08, 0.2) * high
                y = random.uniform(0.4, 0.7) * high
                body = (x - head, y + 0.7 * head, x + head, y + 4 * head)
                draw.rounded_rectangle(body, 0.5 * head, poster.shade(), "black", pen)
                face = colour(random, (0.2, 0.5), (0.5, 1))
                draw.circle((x, y), head, face, "black", pen)
                for sign in (-1, 1):
                    draw.circle((x + sign * 0.35 * head, y - 0.15 * head), 0.13 * head, "black")
                bow = random.choice(((20, 160), (200, 340)))
                smile = (x - 0.4 * head, y + 0.2 * head, x + 0.4 * head, y + 0.6 * head)
                draw.arc(smile, *bow, fill="black", width=pen)
            if random.random() < 0.75:
                text = prose(random, poster.language, random.uniform(6, 26))
                words_font = font(poster.family, BOLD, max(12, round(0.08 * high)))
                across = min(words_font.getlength(text) + 30, 0.95 * wide)
                x, deep = random.uniform(0, wide - across), 0.2 * high
                bubble = (x, 0.03 * high, x + across, 0.03 * high + deep)
                draw.rounded_rectangle(bubble, 0.4 * deep, "white", "black", pen)
                draw.text((x + 14, 0.03 * high + deep / 2), text, fill="black", font=words_font,
                          anchor="lm")  # fmt: skip
            draw.rectangle((0, 0, wide - 1, high - 1), outline="black", width=pen)
            poster.image.paste(panel, (round(left), round(top)))
