"""What drawings show: scenes, faces, animals, things, plans and maps."""

import math
from collections.abc import Callable

from latenthash.data.samples.graphics_sketch import Sketch
from latenthash.data.samples.graphics_tools import Point, bezier, label, polygon, smooth


def _doodle(sketch: Sketch) -> None:
    """A few long curves or many short ones."""
    random, count = sketch.random, round(math.exp(sketch.random.uniform(1.1, 3.7)))
    reach = random.uniform(0.1, 0.7) * sketch.side
    for _ in range(count):
        x, y = sketch.somewhere(0.0)
        points = [(x, y)]
        for _ in range(3 * random.randint(1, 3)):
            points.append((x + random.uniform(-reach, reach), y + random.uniform(-reach, reach)))
        for first in range(0, len(points) - 3, 3):
            sketch.stroke(bezier(points[first : first + 4], 20), plain=True)


def _polylines(sketch: Sketch) -> None:
    """Straight strokes, open and closed."""
    random, reach = sketch.random, sketch.random.uniform(0.1, 0.5) * sketch.side
    for _ in range(random.randint(3, 22)):
        x, y = sketch.somewhere()
        points = [(x + random.uniform(-reach, reach), y + random.uniform(-reach, reach))
                  for _ in range(random.randint(2, 7))]  # fmt: skip
        sketch.stroke(points, closed=len(points) > 2 and random.random() < 0.4)


def _hatching(sketch: Sketch) -> None:
    """Shapes filled with parallel strokes."""
    random = sketch.random
    for _ in range(random.randint(3, 12)):
        x, y = sketch.somewhere()
        radius, angle = random.uniform(0.08, 0.35) * sketch.side, random.uniform(0, math.pi)
        across, along = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
        step = random.uniform(2, 6) * sketch.pen + 4
        at = -radius
        while at < radius:
            half = math.sqrt(radius * radius - at * at) * random.uniform(0.85, 1.05)
            middle = (x + at * across[0], y + at * across[1])
            ends = [(middle[0] + sign * half * along[0], middle[1] + sign * half * along[1])
                    for sign in (-1, 1)]  # fmt: skip
            sketch.stroke(ends)
            at += step
        if random.random() < 0.6:
            sketch.stroke(polygon(x, y, radius, random.choice((4, 5, 6, 40)), angle), closed=True)


def _tree(sketch: Sketch, x: float, y: float, high: float, angle: float, depth: int) -> None:
    random = sketch.random
    end = (x + high * math.cos(angle), y + high * math.sin(angle))
    sketch.stroke([(x, y), end])
    if depth:
        for _ in range(random.choice((2, 2, 3))):
            turn = random.uniform(-0.7, 0.7)
            _tree(sketch, *end, high * random.uniform(0.5, 0.8), angle + turn, depth - 1)


def _outdoors(sketch: Sketch) -> None:
    """Peaks or waves, clouds, birds, boats, bare trees and grass."""
    random, wide, high = sketch.random, sketch.width, sketch.height
    horizon = random.uniform(0.35, 0.7) * high
    for _ in range(random.randint(1, 3)):
        jag = random.uniform(0.03, 0.25) * high
        count = random.randint(4, 14)
        ridge = [(wide * step / count, horizon - random.uniform(0, jag))
                 for step in range(count + 1)]  # fmt: skip
        sketch.stroke(ridge if random.random() < 0.5 else smooth(ridge))
        horizon += random.uniform(0.02, 0.2) * high
    for _ in range(random.randint(0, 4)):  # clouds
        x, y, side = random.uniform(0, wide), random.uniform(0.03, 0.3) * high, 0.05 * wide
        lumps = [(x + step * side, y - random.uniform(0.3, 1.2) * side * (step % 2))
                 for step in range(random.choice((5, 7, 9)))]  # fmt: skip
        sketch.stroke(smooth(lumps), closed=True)
    for _ in range(random.randint(0, 9)):  # birds
        x, y, side = random.uniform(0, wide), random.uniform(0, 0.5) * high, random.uniform(12, 45)
        wing = [(0, 0), (0.5, -0.7), (1, -0.5)]
        for sign in (-1, 1):
            sketch.stroke(smooth([(x + sign * a * side, y + b * side) for a, b in wing]))
    for _ in range(random.randint(0, 3)):  # trees
        x, y = random.uniform(0, wide), random.uniform(0.7, 1) * high
        _tree(sketch, x, y, random.uniform(0.08, 0.22) * high, -math.pi / 2, 4)
    for _ in range(random.randint(0, 3)):  # boats
        x, y, side = *sketch.somewhere(), random.uniform(0.05, 0.2) * wide
        hull = [(x - side, y), (x + side, y), (x + 0.6 * side, y + 0.4 * side),
                (x - 0.6 * side, y + 0.4 * side)]  # fmt: skip
        sketch.stroke(hull, closed=True)
        sketch.stroke([(x, y), (x, y - 1.5 * side), (x + 0.8 * side, y - 0.2 * side), (x, y)])
    for _ in range(random.choice((0, 20, 60))):
        x, y = random.uniform(0, wide), random.uniform(0.65, 1) * high
        sketch.stroke([(x, y), (x + random.uniform(-9, 9), y - random.uniform(10, 45))])


def _street(sketch: Sketch) -> None:
    """Buildings side by side with rows of windows."""
    random, x, low = sketch.random, 0.0, sketch.random.uniform(0.75, 0.98) * sketch.height
    while x < sketch.width:
        wide = random.uniform(0.08, 0.3) * sketch.width
        top = low - random.uniform(0.2, 0.9) * low
        sketch.stroke([(x, low), (x, top), (x + wide, top), (x + wide, low)], closed=True)
        columns, rows = random.randint(1, 5), random.randint(1, 9)
        across, down = wide / columns, (low - top) / rows
        arched, share = random.random() < 0.3, random.uniform(0.3, 0.7)
        for cell in range(columns * rows):
            left = x + (cell % columns + 0.5 * (1 - share)) * across
            over = top + (cell // columns + 0.5 * (1 - share)) * down
            right, under = left + share * across, over + share * down
            corners = [(left, under), (left, over), (right, over), (right, under)]
            if arched:
                corners.insert(2, ((left + right) / 2, over - 0.3 * share * down))
            sketch.stroke(corners, closed=True)
        x += wide * random.uniform(0.9, 1.3)


def _plan(sketch: Sketch) -> None:
    """Rooms with walls, doors and names."""
    random, margin = sketch.random, 0.07 * sketch.side
    rooms = [(margin, margin, sketch.width - margin, sketch.height - margin)]
    for _ in range(random.randint(3, 10)):
        rooms.sort(key=lambda room: (room[2] - room[0]) * (room[3] - room[1]))
        left, top, right, bottom = rooms.pop()
        share = random.uniform(0.3, 0.7)
        if right - left > bottom - top:
            cut = left + share * (right - left)
            rooms += [(left, top, cut, bottom), (cut, top, right, bottom)]
        else:
            cut = top + share * (bottom - top)
            rooms += [(left, top, right, cut), (left, cut, right, bottom)]
    for left, top, right, bottom in rooms:
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        sketch.stroke(corners, closed=True)
        door = random.uniform(0.1, 0.3) * min(right - left, bottom - top)
        x = random.uniform(left, right - 2 * door)
        sketch.draw.line((x, top, x + door, top), fill=sketch.ground, width=sketch.pen + 3)
        arc = [(x + door * math.cos(turn / 8), top + door * math.sin(turn / 8))
               for turn in range(13)]  # fmt: skip
        sketch.stroke([(x, top), *reversed(arc)])
        if random.random() < 0.6:
            sketch.text(
                ((left + right) / 2, (top + bottom) / 2), label(random, sketch.language, 1), 26
            )
        if random.random() < 0.5:
            sketch.blob(random.uniform(left, right), (top + bottom) / 2, door, 0.6 * door)


def _flow(sketch: Sketch) -> None:
    """Boxes with words, joined by arrows; or parts of a circuit."""
    random = sketch.random
    columns, rows = random.randint(2, 5), random.randint(2, 5)
    across, down = sketch.width / columns, sketch.height / rows
    cells = random.sample(range(columns * rows), random.randint(3, columns * rows))
    middles = []
    for cell in cells:
        x, y = (place + random.uniform(0.35, 0.65) for place in (cell % columns, cell // columns))
        middles.append((x * across, y * down))
    for one in range(len(middles) - 1):
        for _ in range(random.choice((1, 1, 2))):
            (ax, ay), (bx, by) = middles[one], random.choice(middles[one + 1 :])
            bent = random.random() < 0.6
            points = [(ax, ay), (bx, ay), (bx, by)] if bent else [(ax, ay), (bx, by)]
            sketch.stroke(points, plain=True)
    wide, high = random.uniform(0.2, 0.38) * across, random.uniform(0.15, 0.32) * down
    for x, y in middles:
        kind = random.randrange(5)
        outline = {
            0: [(x - wide, y - high), (x + wide, y - high), (x + wide, y + high),
                (x - wide, y + high)],
            1: [(x - wide, y), (x, y - high), (x + wide, y), (x, y + high)],
            2: polygon(x, y, min(wide, high), 36),
            3: [(x - 0.7 * wide, y - high), (x + wide, y - high), (x + 0.7 * wide, y + high),
                (x - wide, y + high)],
            4: [(x - wide + wide * step / 4, y + (-1) ** step * 0.5 * high) for step in range(9)],
        }[kind]  # fmt: skip
        sketch.draw.polygon(outline, fill=sketch.ground)
        sketch.stroke(outline, closed=kind != 4)
        if kind != 4:
            sketch.text((x, y), label(random, sketch.language, 1), 0.4 * wide)


def _face(sketch: Sketch, x: float, y: float, side: float) -> None:
    random = sketch.random
    sketch.blob(x, y, side * random.uniform(0.7, 1), side, random.choice((0.0, 0.06)))
    apart, level = random.uniform(0.25, 0.45) * side, y - random.uniform(0.1, 0.4) * side
    eye = random.uniform(0.06, 0.2) * side
    for sign in (-1, 1):
        sketch.blob(x + sign * apart, level, eye, eye * random.uniform(0.6, 1.3))
        pupil = (x + sign * apart + random.uniform(-0.3, 0.3) * eye, level, 0.4 * eye)
        sketch.draw.circle(pupil[:2], pupil[2], fill=sketch.ink)
        if random.random() < 0.6:
            lift = level - 1.6 * eye
            sketch.stroke([(x + sign * apart - eye, lift + random.uniform(-9, 9)),
                           (x + sign * apart + eye, lift + random.uniform(-9, 9))])  # fmt: skip
        if random.random() < 0.5:  # ears, of people or of animals
            ear = random.uniform(0.2, 0.6) * side
            top = [(x + sign * 0.4 * side, y - 0.8 * side), (x + sign * 0.8 * side, y - side - ear),
                   (x + sign * 0.85 * side, y - 0.4 * side)]  # fmt: skip
            sketch.stroke(top)
    mouth, bow = y + random.uniform(0.3, 0.6) * side, random.uniform(-0.3, 0.4) * side
    half = random.uniform(0.2, 0.5) * side
    sketch.stroke(smooth([(x - half, mouth), (x, mouth + bow), (x + half, mouth)]))
    nose = random.uniform(-0.2, 0.2) * side
    sketch.stroke([(x, level), (x + nose, y + 0.15 * side), (x, y + 0.2 * side)])
    for _ in range(random.choice((0, 6, 20, 40))):  # hair
        angle = random.uniform(-math.pi, 0)
        start = (x + 0.8 * side * math.cos(angle), y + 0.95 * side * math.sin(angle))
        sketch.stroke([start, (start[0] + random.gauss(0, 0.2) * side, start[1] - 0.3 * side)])


def _faces(sketch: Sketch) -> None:
    """Heads of people and animals, some with bodies."""
    random, count = sketch.random, sketch.random.choice((1, 1, 2, 3, 5))
    for number in range(count):
        side = random.uniform(0.5, 1) * min(0.4 * sketch.height, 0.45 * sketch.width / count)
        x = (number + 0.5) * sketch.width / count
        y = random.uniform(0.3, 0.6) * sketch.height
        if random.random() < 0.5:
            body = random.uniform(0.7, 1.4) * side
            sketch.blob(x, y + side + body, 0.7 * body, body)
            for sign in (-1, 1):
                hand = (x + sign * random.uniform(1, 2) * side, y + random.uniform(0.5, 2.5) * side)
                sketch.stroke([(x + sign * 0.6 * body, y + side + 0.6 * body), hand])
        _face(sketch, x, y, side)


def _beasts(sketch: Sketch) -> None:
    """Animals and insects: a body, a head, legs and a tail."""
    random = sketch.random
    for _ in range(random.randint(1, 5)):
        x, y = sketch.somewhere(0.2)
        long = random.uniform(0.1, 0.28) * sketch.side
        high, way = long * random.uniform(0.35, 0.8), random.choice((-1, 1))
        for leg in range(random.choice((0, 2, 4, 4, 6, 8))):
            start = x + random.uniform(-0.8, 0.8) * long
            foot = (start + random.uniform(-0.3, 0.3) * long, y + high * random.uniform(1.5, 2.6))
            knee = (start + random.uniform(-0.2, 0.2) * long, y + 1.1 * high)
            sketch.stroke([(start, y + 0.4 * high), knee, foot])
            if leg % 2:
                sketch.stroke([foot, (foot[0] + way * 0.12 * long, foot[1])])
        sketch.blob(x, y, long, high, random.choice((0, 0.08, 0.15)))
        head = random.uniform(0.25, 0.6) * long
        neck = (x + way * long * random.uniform(0.9, 1.3), y - high * random.uniform(0, 1.6))
        sketch.stroke([(x + way * 0.7 * long, y - 0.3 * high), neck])
        sketch.blob(*neck, head, head * random.uniform(0.5, 1))
        sketch.draw.circle((neck[0] + way * 0.3 * head, neck[1] - 0.2 * head), 4 + sketch.pen / 2,
                           fill=sketch.ink)  # fmt: skip
        tail = [(x - way * long * (0.9 + 0.25 * step), y + random.uniform(-1, 1) * high)
                for step in range(4)]  # fmt: skip
        sketch.stroke(smooth(tail))
        for spot in range(random.choice((0, 0, 5, 9))):
            at = x + (spot / 5 - 0.8) * 0.6 * long
            sketch.blob(at, y + random.uniform(-0.5, 0.5) * high, 0.1 * long, 0.1 * long)


def _things(sketch: Sketch) -> None:
    """Cups, bottles, wheels, books, flowers, lamps and stars."""
    random = sketch.random
    for _ in range(random.randint(2, 14)):
        x, y = sketch.somewhere(0.08)
        side, kind = random.uniform(0.05, 0.22) * sketch.side, random.randrange(7)
        if kind == 0:  # a cup
            sketch.stroke([(x - side, y - side), (x + side, y - side), (x + 0.7 * side, y + side),
                           (x - 0.7 * side, y + side)], closed=True)  # fmt: skip
            sketch.stroke(smooth([(x + side, y - 0.6 * side), (x + 1.6 * side, y - 0.3 * side),
                                  (x + 0.8 * side, y + 0.5 * side)]))  # fmt: skip
        elif kind == 1:  # a bottle
            half = [(0.15, -1.6), (0.15, -0.8), (0.5, -0.3), (0.5, 1.2)]
            right = [(x + a * side, y + b * side) for a, b in half]
            sketch.stroke([*right, *[(2 * x - a, b) for a, b in reversed(right)]], closed=True)
        elif kind == 2:  # a wheel
            sketch.blob(x, y, side, side)
            sketch.blob(x, y, 0.3 * side, 0.3 * side)
            for rim in polygon(x, y, side, random.randint(4, 14), random.random()):
                sketch.stroke([(x, y), rim])
        elif kind == 3:  # a flower
            for petal in polygon(x, y, 0.6 * side, random.randint(4, 9), random.random()):
                sketch.blob(*petal, 0.35 * side, 0.35 * side)
            sketch.stroke(
                smooth([(x, y + side), (x + 0.2 * side, y + 2 * side), (x, y + 3 * side)])
            )
        elif kind == 4:  # a star
            outer, inner = polygon(x, y, side, 5, 0.3), polygon(x, y, 0.4 * side, 5, 0.93)
            points = [point for pair in zip(outer, inner, strict=True) for point in pair]
            sketch.stroke(points, closed=True)
        elif kind == 5:  # a spiral
            turns = [(side * step / 60, step / 4) for step in range(61)]
            sketch.stroke([(x + r * math.cos(turn), y + r * math.sin(turn)) for r, turn in turns])
        else:  # a box in perspective
            a, b = random.uniform(0.2, 0.6) * side, random.uniform(0.2, 0.6) * side
            front = [
                (x - side, y - side),
                (x + side, y - side),
                (x + side, y + side),
                (x - side, y + side),
            ]
            back = [(px + a, py - b) for px, py in front]
            sketch.stroke(front, closed=True)
            sketch.stroke(back, closed=True)
            for pair in zip(front, back, strict=True):
                sketch.stroke(pair)


def _map(sketch: Sketch) -> None:
    """Roads, streams, parks and names."""
    random, wide, high = sketch.random, sketch.width, sketch.height
    for _ in range(random.randint(0, 4)):
        x, y = sketch.somewhere()
        sketch.blob(x, y, random.uniform(0.05, 0.2) * wide, random.uniform(0.05, 0.2) * high, 0.25)
    for road in range(random.randint(4, 16)):
        start, end = random.uniform(0, 1), random.uniform(0, 1)
        bow = [random.uniform(-0.15, 0.15) for _ in range(3)]
        curve: list[Point] = []
        for step, bend in enumerate((0, *bow, 0)):
            along, beside = step / 4, start + (end - start) * step / 4 + bend
            if road % 2:
                along, beside = beside, along
            curve.append((along * wide, beside * high))
        curve = smooth(curve)
        if random.random() < 0.4:
            sketch.draw.line(curve, fill=sketch.ink, width=3 * sketch.pen + 8, joint="curve")
            sketch.draw.line(curve, fill=sketch.ground, width=sketch.pen + 8, joint="curve")
        else:
            sketch.stroke(curve)
    for _ in range(random.randint(0, 12)):
        sketch.text(sketch.somewhere(), label(random, sketch.language, 2), random.uniform(16, 40))


SUBJECTS: dict[Callable[[Sketch], None], int] = {
    _doodle: 14, _polylines: 7, _hatching: 7, _outdoors: 13, _street: 8, _plan: 8, _flow: 10,
    _faces: 11, _beasts: 9, _things: 12, _map: 9,
}  # fmt: skip
