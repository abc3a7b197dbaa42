"""Things sushi is served on: tables, plates, bowls and chopsticks."""

from __future__ import annotations

import numpy as np

from latenthash.data.samples.sushi_paint import (
    Field,
    Layer,
    box,
    cloud,
    cut,
    dome,
    field,
    mix,
    paint,
    ramp,
)

Random = np.random.Generator

TABLES = ("planks", "cloth", "mat", "stone", "marble", "plain")
CERAMICS = (0xF2EFE8, 0xE9E4D6, 0x23262B, 0x2E4A6B, 0xA9C2B0, 0x8E3B2C, 0xD9C9A8, 0x5C6A60)
WOODS = (0xB98453, 0x8A5A34, 0x5A3822, 0xD2AA78, 0xC49A6C)
CLOTHS = (0x7E8894, 0xB9AE9C, 0x46566B, 0x8C4038, 0x5E6B52, 0xD8D2C6)
PLAINS = (0x3C4650, 0xC9B79C, 0x7A2E2A, 0x2F4A46, 0xA8B4BC, 0x1E1F22, 0xD98E5F)


def _wood(u: Field, v: Field, code: int, shift: float) -> Field:
    broad = cloud(u, v, (0.02, 0.11), shift)
    fibre = cloud(u, v, (0.05, 1.10), shift)
    rings = np.sin(15.0 * v + 7.0 * broad)
    tone = 1.0 + 0.13 * rings + 0.13 * fibre + 0.10 * broad
    return field(paint(code) * np.clip(tone, 0.3, 1.8))


class Table:
    """Surface under everything."""

    def __init__(self, rng: Random) -> None:
        """Choose material and colour."""
        self.kind = TABLES[rng.integers(len(TABLES))]
        self.shift = rng.uniform(0.0, 9.0)
        codes = {"cloth": CLOTHS, "plain": PLAINS}.get(self.kind, WOODS)
        self.code = codes[rng.integers(len(codes))]
        self.pitch = rng.uniform(0.9, 1.6)

    def __call__(self, u: Field, v: Field) -> Layer:
        """Return the look at points of the table."""
        soft = cloud(u, v, (0.06, 0.06), self.shift)
        full, gloss = np.ones_like(soft), np.full_like(soft, 0.12)
        if self.kind == "planks":
            row = np.floor(v / self.pitch)
            gap = np.abs(v - (row + 0.5) * self.pitch) - 0.5 * self.pitch
            tone = (1.0 + 0.14 * np.sin(5.1 * row)) * (1.0 + 0.08 * soft)
            albedo = _wood(u, field(v + 3.7 * row), self.code, self.shift) * tone
            return Layer(albedo, field(-0.05 * ramp(gap, -0.03, -0.005)), gloss, full)
        if self.kind == "mat":
            number = np.floor(v / 0.17)
            part = v / 0.17 - number
            fibre = cloud(u, field(v + number), (0.05, 0.6), self.shift)
            thread = np.exp(-np.square((u / 1.7 - np.floor(u / 1.7) - 0.5) / 0.018))
            tone = 0.95 + 0.12 * np.sin(number * 12.9) + 0.09 * fibre
            albedo = mix(field(paint(self.code) * tone), paint(0xE8DDC0), field(thread))
            height = 0.12 * np.sqrt(np.maximum(part - part * part, 0.0)) + 0.03 * thread
            return Layer(albedo, field(height), gloss, full)
        fine = cloud(u, v, (0.45, 0.45), self.shift)
        if self.kind == "cloth":
            weave = np.sin(62.0 * u + 0.5 * fine) * np.sin(62.0 * v + 0.5 * soft)
            tone = np.clip(1.0 + 0.06 * fine + 0.05 * soft + 0.20 * weave, 0.3, 1.8)
            return Layer(paint(self.code) * tone, 0.010 * weave + 0.02 * soft, 0.0 * full, full)
        if self.kind == "stone":
            tone = np.clip(1.0 + 0.20 * fine + 0.20 * soft, 0.3, 2.0)
            return Layer(paint(0x4A4C50) * tone, 0.005 * fine, gloss, full)
        if self.kind == "marble":
            bent = field(u + 0.9 * soft), field(v + 0.9 * soft)
            vein = np.abs(cloud(*bent, (0.05, 0.09), self.shift + 0.5))
            share = 0.55 * np.exp(-vein / 0.09) + 0.10 * np.clip(soft, 0.0, 2.0)
            albedo = mix(paint(0xE4E1DC), paint(0x777A80), field(share))
            return Layer(albedo, 0.0 * full, 3.0 * gloss, full)
        tone = np.clip(1.0 + 0.06 * fine + 0.07 * soft, 0.3, 1.8)
        return Layer(paint(self.code) * tone, 0.002 * fine, gloss, full)


class Plate:
    """Dish, board or slate that carries the pieces."""

    def __init__(self, rng: Random) -> None:
        """Choose shape, material and colour."""
        shape = rng.integers(6)
        self.material = ("ceramic", "ceramic", "wood", "slate", "ceramic", "wood")[shape]
        self.long, self.short = rng.uniform(2.7, 3.1), rng.uniform(1.9, 2.25)
        if shape in (0, 4):
            self.long = self.short = rng.uniform(2.45, 2.85)
        round_ = self.short if rng.random() < 0.5 else 0.3
        self.corner = (self.short, round_, 0.12, 0.05, self.short, 0.35)[shape]
        self.lip = rng.uniform(0.10, 0.20) if self.material == "ceramic" else 0.0
        self.rim = 0.42 if self.lip else 0.12
        self.thick = 0.28 if self.material == "wood" else 0.10
        codes = CERAMICS if self.material == "ceramic" else WOODS
        self.code = codes[rng.integers(len(codes))]
        self.accent = CERAMICS[rng.integers(len(CERAMICS))]
        self.decor = rng.integers(4)
        self.shift = rng.uniform(0.0, 9.0)
        self.reach = (self.long + 0.1, self.short + 0.1)

    def depth(self, u: float, v: float) -> float:
        """Return how far inside the outline a point lies."""
        return float(box(field(u), field(v), self.long, self.short, self.corner))

    def __call__(self, u: Field, v: Field) -> Layer:
        """Return the look at points along and across the plate."""
        depth = box(u, v, self.long, self.short, self.corner)
        gloss = np.full_like(depth, 0.16)
        edge = np.sqrt(1.0 - np.square(1.0 - np.clip(depth / 0.07, 0.0, 1.0)))
        if self.material == "wood":
            albedo = _wood(u, v, self.code, self.shift)
            return Layer(albedo, field(self.thick * edge), gloss, cut(depth))
        fine = cloud(u, v, (0.40, 0.40), self.shift)
        soft = cloud(u, v, (0.07, 0.07), self.shift)
        if self.material == "slate":
            depth = field(depth + 0.02 * fine + 0.02 * soft - 0.04)
            flakes = 0.020 * np.round(1.2 * soft) + 0.002 * fine
            tone = np.clip(1.0 + 0.14 * fine + 0.16 * soft, 0.4, 1.8)
            height = self.thick * ramp(depth, 0.0, 0.05) + flakes * ramp(depth, 0.0, 0.1)
            return Layer(paint(0x3A3D42) * tone, field(height), 0.5 * gloss, cut(depth))
        base = paint(self.code)
        if self.decor == 0:
            base = mix(base, paint(self.accent), ramp(depth, 0.34, 0.30) * ramp(depth, 0.02, 0.06))
        elif self.decor == 1:
            base = mix(base, paint(0x3A2A1E), 0.75 * ramp(fine, 1.55, 2.0))
        elif self.decor == 2:
            base = field(base * (1.0 + 0.08 * np.sin(16.0 * depth + 0.7 * soft)))
        else:
            base = mix(base, paint(self.accent), 0.5 * ramp(soft + 0.1 * fine, 0.4, 2.6))
        rise = (self.lip * ramp(depth, 0.46, 0.10) + self.thick) * edge
        return Layer(base, field(rise), 3.0 * gloss, cut(depth))


class Bowl:
    """Small round vessel with a liquid, for soy sauce or tea."""

    def __init__(self, radius: float, tall: float, liquid: int, code: int) -> None:
        """Set the size in units and the colours."""
        self.radius, self.tall, self.liquid, self.code = radius, tall, liquid, code
        self.reach = (radius + 0.05, radius + 0.05)

    def __call__(self, u: Field, v: Field) -> Layer:
        """Return the look at points round the centre."""
        depth = field(self.radius - np.hypot(u, v))
        wall = ramp(depth, 0.0, 0.09) * ramp(depth, 0.26, 0.15)
        pool = cut(field(depth - 0.23))
        height = self.tall * np.maximum(wall, 0.62 * ramp(depth, 0.16, 0.24))
        # The liquid climbs at its border; that bright line is what makes it look wet.
        height = height + 0.05 * np.exp(-np.maximum(depth - 0.23, 0.0) / 0.05) * pool
        albedo = mix(paint(self.code), paint(self.liquid), pool)
        return Layer(albedo, field(height), 0.6 - 0.4 * pool, cut(depth))


class Chopsticks:
    """Pair of tapered sticks."""

    reach = (3.5, 0.42)

    def __init__(self, rng: Random) -> None:
        """Choose the colour and the angle between the two."""
        self.code = (0x1C1514, 0x6E1414, 0xB98A52, 0x4A2A1A)[rng.integers(4)]
        self.spread = rng.uniform(-0.03, 0.03)

    def __call__(self, u: Field, v: Field) -> Layer:
        """Return the look at points along and across the pair."""
        thick = 0.085 - 0.011 * u
        norm = field(np.abs(np.abs(v - self.spread * u) - 0.15) / thick)
        cover = cut(field(0.07 * (1.0 - norm))) * cut(field(3.4 - np.abs(u)))
        albedo = mix(paint(self.code), paint(0xC9A24A), cut(field(0.05 - np.abs(u + 2.2))))
        height = 0.08 + 2.0 * thick * dome(norm, 2.0)
        return Layer(albedo, field(height), np.full_like(norm, 0.7), cover)
