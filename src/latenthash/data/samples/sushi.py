"""Pictures of plates of sushi, one to every number: layout, light and camera."""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from latenthash.data.samples.sushi_nigiri import TOPPINGS, Nigiri
from latenthash.data.samples.sushi_paint import Field, box, field, mix
from latenthash.data.samples.sushi_rolls import FILLINGS, ROLLS, Ginger, Roll, Wasabi
from latenthash.data.samples.sushi_scene import CANVAS, Light, Scene
from latenthash.data.samples.sushi_ware import Bowl, Chopsticks, Plate, Table

Piece: TypeAlias = Nigiri | Roll | Wasabi | Ginger


class Arrangement:
    """Pieces on one plate, none of which touches another or hangs over the rim."""

    def __init__(self, plate: Plate, rng: np.random.Generator) -> None:
        """Choose what is on the menu of this plate."""
        self.plate, self.rng = plate, rng
        self.pieces: list[tuple[Piece, float, float, float]] = []
        self.discs: list[tuple[float, float, float]] = []
        self.toppings = rng.choice(TOPPINGS, rng.integers(2, 6), replace=False)
        self.rolls = []
        for kind in rng.choice(ROLLS, rng.integers(1, 4), replace=False):
            count = {"hosomaki": 1, "futomaki": 4}.get(str(kind), int(rng.integers(2, 4)))
            fillings = rng.choice(len(FILLINGS), count, replace=False)
            self.rolls.append((str(kind), tuple(int(filling) for filling in fillings)))

    def nigiri(self) -> Nigiri:
        """Return a nigiri from the menu."""
        return Nigiri(str(self.rng.choice(self.toppings)), self.rng)

    def roll(self) -> Roll:
        """Return a slice of a roll from the menu."""
        return Roll(*self.rolls[self.rng.integers(len(self.rolls))], self.rng)

    def put(self, piece: Piece, x: Field, y: Field, angle: Field) -> int | None:
        """Add the piece at the first of some places with room and return its number."""
        if isinstance(piece, Nigiri):
            radius = 0.46
            steps = field([-0.66, -0.22, 0.22, 0.66, 1.1 if piece.kind == "shrimp" else 0.0])
        else:
            radius, steps = piece.reach[1] * 0.95, field([0.0])
        u = x[:, None] + steps * np.cos(angle)[:, None]
        v = y[:, None] + steps * np.sin(angle)[:, None]
        depth = box(u, v, self.plate.long, self.plate.short, self.plate.corner)
        fits = np.all(depth - self.plate.rim > 0.85 * radius, axis=1)
        for a, b, other in self.discs:
            fits &= np.all(np.hypot(u - a, v - b) > radius + other, axis=1)
        if not fits.any():
            return None
        first = int(np.argmax(fits))
        self.discs += [(a, b, radius) for a, b in zip(u[first], v[first], strict=True)]
        self.pieces.append((piece, float(x[first]), float(y[first]), float(angle[first])))
        return first

    def scatter(self, piece: Piece, lean: float, outermost: bool = False) -> None:
        """Add the piece at a random place, if one of some tries finds room."""
        x = field(self.rng.uniform(-self.plate.long, self.plate.long, 80))
        y = field(self.rng.uniform(-self.plate.short, self.plate.short, 80))
        if outermost:
            order = np.argsort(-np.hypot(x, y))
            x, y = x[order], y[order]
        self.put(piece, x, y, field(lean + self.rng.normal(0.0, 0.3, 80)))

    def line_up(self) -> None:
        """Fill the plate with rows of nigiri standing side by side and rows of rolls."""
        lean = math.pi / 2 + self.rng.uniform(-0.3, 0.3)
        free = 2.0 * (self.plate.short - self.plate.rim)
        rows: list[float] = []
        while free > 1.1:
            rows.append(2.15 if free > 2.15 and self.rng.random() < 0.75 else 1.15)
            free -= rows[-1]
        line = field(np.arange(-self.plate.long, self.plate.long, 0.06))
        gap = int(self.rng.integers(0, 4))
        y = -sum(rows) / 2
        for deep in rows:
            level = np.full_like(line, y + deep / 2)
            start: int | None = 0
            while start is not None:
                piece = self.nigiri() if deep > 2.0 else self.roll()
                angle = np.full_like(line, lean + self.rng.normal(0.0, 0.04))
                step = self.put(piece, line[start:], level[start:], angle[start:])
                start = None if step is None else start + step + gap
            y += deep

    def ring(self) -> None:
        """Put rolls along the rim and nigiri in the middle."""
        turn = self.rng.uniform(0.0, math.pi)
        lean = field([turn])
        for side in (-0.5, 0.5):
            x, y = field(-side * np.sin(lean)), field(side * np.cos(lean))
            self.put(self.nigiri(), x, y, lean)
        count = int(self.rng.integers(9, 12))
        for step in range(count):
            angle = turn + step * 2.0 * math.pi / count
            inset = field(np.arange(0.8, 1.5, 0.1))
            x = (self.plate.long - inset) * math.cos(angle)
            y = (self.plate.short - inset) * math.sin(angle)
            self.put(self.roll(), x, y, np.full_like(x, angle))

    def arrange(self) -> None:
        """Add garnish and pieces in one of several styles."""
        for garnish in (Wasabi(self.rng), Ginger(self.rng)):
            if self.rng.random() < 0.75:
                self.scatter(garnish, self.rng.uniform(0.0, math.pi), outermost=True)
        style = self.rng.random()
        if style < 0.6:
            self.line_up()
        elif style < 0.8 and self.plate.short > 2.3:
            self.ring()
        lean = self.rng.uniform(0.0, math.pi)
        for _ in range(int(self.rng.integers(6, 12))):
            self.scatter(self.nigiri() if self.rng.random() < 0.6 else self.roll(), lean)


def _surround(scene: Scene, plate: Plate, turn: float, rng: np.random.Generator) -> None:
    """Put bowls and chopsticks where the table shows beside the plate."""
    half = CANVAS / 2 / scene.unit
    taken: list[tuple[float, float, float]] = []

    def free(x: float, y: float, radius: float) -> bool:
        u = x * math.cos(turn) + y * math.sin(turn)
        v = y * math.cos(turn) - x * math.sin(turn)
        clear = all(math.hypot(x - a, y - b) > radius + r for a, b, r in taken)
        return clear and plate.depth(u, v) < -radius

    sticks = Chopsticks(rng)
    for _ in range(30):
        x, y = rng.uniform(-1.05, 1.05, 2) * half
        angle = rng.choice((0.0, math.pi / 2, turn)) + rng.normal(0.0, 0.08)
        points = [
            (x + s * math.cos(angle), y + s * math.sin(angle)) for s in np.arange(-3.2, 3.4, 0.4)
        ]
        if all(free(a, b, 0.3) for a, b in points):
            scene.stamp(sticks, (x, y), angle, sticks.reach, 0.0)
            taken += [(a, b, 0.3) for a, b in points]
            break
    soy = Bowl(rng.uniform(0.62, 0.85), 0.32, 0x1E0B06, 0xEDE8DC)
    tea = Bowl(rng.uniform(0.75, 0.95), 0.85, 0x8E9A3A, 0x54604F)
    for bowl in (soy, tea):
        for _ in range(30):
            x, y = rng.uniform(-1.0, 1.0) * half, rng.uniform(-1.1, 0.9) * half
            if free(x, y, bowl.radius + 0.08):
                scene.stamp(bowl, (x, y), 0.0, bowl.reach, 0.0)
                taken.append((x, y, bowl.radius))
                break


def _light(rng: np.random.Generator) -> Light:
    """Return lamp, sky and camera angle; the lamp stands behind or beside the plate."""
    warmth = rng.uniform(-0.4, 1.0)
    power = rng.uniform(0.95, 1.20)
    return Light(
        azimuth=rng.uniform(-0.98, -0.02) * math.pi,
        elevation=rng.uniform(0.65, 1.05),
        sun=power * field([[[1.0]], [[1.0 - 0.09 * warmth]], [[1.0 - 0.25 * warmth]]]),
        sky=rng.uniform(0.24, 0.38)
        * field([[[1.0 - 0.07 * warmth]], [[1.0]], [[1.0 + 0.10 * warmth]]]),
        tilt=rng.uniform(0.45, 0.80),
    )


def _develop(light: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the picture with perspective, depth of field, vignette, tone and grain."""
    inset = rng.uniform(0.03, 0.07) * CANVAS
    near = CANVAS - 1.0
    lens = cv2.getPerspectiveTransform(
        field([[0, 0], [near, 0], [inset, near], [near - inset, near]]),
        field([[0, 0], [near, 0], [0, near], [near, near]]),
    )
    line = np.linspace(-1.0, 1.0, CANVAS, dtype=np.float32)
    fade = 1.0 - rng.uniform(0.08, 0.20) * (line[:, None] ** 2 + line**2)
    view = cv2.warpPerspective(cv2.merge(list(light * fade)), lens, (CANVAS, CANVAS))
    blur = np.clip(1.5 * np.abs(line - rng.uniform(0.0, 0.3)) - 0.7, 0.0, 1.0)[:, None, None]
    view = mix(field(view), field(cv2.GaussianBlur(view, (0, 0), 2.0)), blur)
    tone = np.sqrt(1.0 - np.exp(view * -rng.uniform(1.5, 1.9)))
    tone *= 0.90 + 0.10 * tone
    grain = 0.07 * (rng.random((CANVAS, CANVAS), np.float32) - 0.5)
    tone += cv2.merge([grain, grain, grain])
    return np.asarray(np.clip(255.0 * tone + 0.5, 0.0, 255.0), np.uint8)


def render_sushi(index: int, size: int = 512) -> NDArray[np.uint8]:
    """Return an RGB picture (size, size, 3) of a plate of sushi.

    Args:
        index: Number of the plate, 0 or more; every number gives another plate.
        size: Height and width in pixels.
    """
    rng = np.random.default_rng((2024, index))
    light = _light(rng)
    plate = Plate(rng)
    unit = CANVAS / (2.0 * plate.long * rng.uniform(1.0, 1.2))
    scene = Scene(unit, light.tilt, Table(rng), rng.uniform(0.0, math.pi))
    turn = rng.normal(0.0, 0.35)
    shift = rng.normal(0.0, 0.12, 2)
    _surround(scene, plate, turn, rng)
    scene.stamp(plate, (shift[0], shift[1]), turn, plate.reach, 0.0)
    arrangement = Arrangement(plate, rng)
    arrangement.arrange()
    cos, sin = math.cos(turn), math.sin(turn)
    for piece, u, v, angle in arrangement.pieces:
        place = shift[0] + u * cos - v * sin, shift[1] + u * sin + v * cos
        scene.stamp(piece, place, turn + angle, piece.reach)
    picture = _develop(scene.photograph(light), rng)
    way = cv2.INTER_AREA if size < CANVAS else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (size, size), interpolation=way), np.uint8)
