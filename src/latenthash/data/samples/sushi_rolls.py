"""Rolls and garnish, as functions from coordinates to their look."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from latenthash.data.samples.sushi_paint import (
    Field,
    Layer,
    beads,
    cloud,
    cut,
    dome,
    egg,
    field,
    grains,
    mix,
    nori,
    paint,
    ramp,
    rice,
)

Random = np.random.Generator

ROLLS = ("hosomaki", "futomaki", "uramaki", "roe")
SALMON, TUNA, OMELETTE, RADISH = (paint(c) for c in (0xF0662C, 0xA81A26, 0xF2B52E, 0xF0BE1A))
CUCUMBER, AVOCADO, CRAB = (paint(c) for c in (0xB3D27A, 0xC9D06A, 0xF4E4DA))
FILLINGS = (SALMON, TUNA, CUCUMBER, AVOCADO, RADISH, CRAB, OMELETTE)
# The skin or rim that the eye expects round some fillings.
SKINS = {2: paint(0x2F6B22), 3: paint(0x6F9A33), 5: paint(0xDD3A24)}


class Roll:
    """Slice of a roll standing on the plate with its cut side up."""

    def __init__(self, kind: str, fillings: tuple[int, ...], rng: Random) -> None:
        """Choose the shape of one slice; `fillings` are indices into FILLINGS."""
        self.kind, self.fillings = kind, fillings
        self.seed = int(rng.integers(1 << 32))
        self.radius = {"hosomaki": 0.44, "futomaki": 0.62, "uramaki": 0.56, "roe": 0.52}[kind]
        self.radius *= rng.uniform(0.96, 1.05)
        self.squeeze = 0.74 if kind == "roe" else rng.uniform(0.92, 1.0)
        self.tall = rng.uniform(0.54, 0.68)
        self.turn = rng.uniform(0.0, math.pi)
        self.reach = (self.radius + 0.05, self.radius + 0.05)

    def __call__(self, u: Field, v: Field) -> Layer:
        """Return the look at points round the centre of the slice."""
        norm = egg(u, v, self.radius, self.radius * self.squeeze, 2.15)
        norm = field(norm + 0.012 * np.sin(3.0 * np.arctan2(v, u) + self.turn))
        cover = cut(self.radius * (1.0 - norm))
        seaweed, rim = nori(u, v, self.turn), cut(self.radius * (norm - 0.93))
        if self.kind == "roe":
            wall = self.tall * dome(norm, 24.0)
            scale = 1.4 if self.fillings[0] % 2 else 2.4
            ball = beads(scale * u + self.turn, scale * v)
            egg_ = mix(paint(0xB8280A), paint(0xFF8A2A), ramp(ball, 0.45, 0.95))
            mound = wall + 0.16 / scale * (ball - 0.45) + 0.07 * (1.0 - norm * norm)
            look = Layer(egg_, field(mound), np.full_like(norm, 0.9), cover)
            return replace(look.topped(seaweed, wall + 0.015, 0.25, rim), cover=cover)
        inside_out = self.kind == "uramaki"
        wall = self.tall * (dome(norm, 4.0) ** 1.4 if inside_out else dome(norm, 24.0))
        albedo, relief = rice(u, v, self.tall - wall, self.turn)
        look = Layer(albedo, wall + relief, np.full_like(norm, 0.06), cover)
        if inside_out:
            look = self._coat(u, v, look, norm)
            ring = cut(self.radius * (0.05 - np.abs(norm - 0.58)))
            look = look.topped(seaweed, look.height, 0.25, ring)
        else:
            look = look.topped(seaweed, wall + 0.015, 0.25, rim)
        return replace(self._filled(u, v, look), cover=cover)

    def _coat(self, u: Field, v: Field, look: Layer, norm: Field) -> Layer:
        outside = ramp(norm, 0.74, 0.84)
        reach = 1.0 + 0.8 * (self.tall - look.height) / np.maximum(np.hypot(u, v), 0.15)
        x, y = field(u * reach), field(v * reach)
        if self.fillings[0] % 2:
            ball = beads(2.6 * x + self.turn, 2.6 * y)
            colour = mix(paint(0xA83208), paint(0xFF8426), ramp(ball, 0.4, 0.9))
            return look.topped(colour, look.height + 0.03 * ball, 0.6, outside)
        seed = ramp(grains(1.9 * x, 1.9 * y + self.turn), 0.93, 0.96)
        return look.topped(paint(0x2A221B), look.height + 0.02, 0.2, outside * seed)

    def _filled(self, u: Field, v: Field, look: Layer) -> Layer:
        rng = np.random.default_rng(self.seed)
        count = len(self.fillings)
        spread = 0.0 if count == 1 else self.radius * (0.25 if self.kind == "uramaki" else 0.34)
        size = {1: 0.46, 2: 0.26, 3: 0.24}.get(count, 0.25) * self.radius
        for order, filling in enumerate(self.fillings):
            angle = self.turn + order * 2.0 * math.pi / count
            x, y = u - spread * math.cos(angle), v - spread * math.sin(angle)
            lean = rng.uniform(0.0, math.pi)
            along, across = (
                x * math.cos(lean) + y * math.sin(lean),
                y * math.cos(lean) - x * math.sin(lean),
            )
            slim = size * rng.uniform(0.8, 1.0)
            norm = egg(along, across, size * 1.15, slim, rng.uniform(2.3, 4.0))
            fine = cloud(u, v, (0.6, 0.6), self.turn + order)
            colour = FILLINGS[filling] * np.clip(1.0 + 0.12 * fine, 0.6, 1.4)
            if filling in SKINS:
                colour = mix(colour, SKINS[filling], ramp(norm, 0.62, 0.86))
            lift = self.tall + 0.02 + 0.05 * dome(norm, 3.0) + 0.005 * fine
            look = look.topped(colour, lift, 0.5, cut(slim * (1.0 - norm)))
        return look


class Wasabi:
    """Lump of green paste."""

    reach = (0.46, 0.46)

    def __init__(self, rng: Random) -> None:
        """Choose the shape of the lump."""
        self.shift = rng.uniform(0.0, 9.0)

    def __call__(self, u: Field, v: Field) -> Layer:
        """Return the look at points round the centre of the lump."""
        rough = cloud(u, v, (0.35, 0.35), self.shift)
        norm = field(egg(u, v, 0.36, 0.31, 2.0) + 0.06 * rough)
        height = 0.30 * dome(norm, 1.6) + 0.03 * rough
        albedo = paint(0x9DBB52) * np.clip(1.0 + 0.10 * rough, 0.7, 1.3)
        return Layer(albedo, height, np.full_like(norm, 0.12), cut(0.3 * (1.0 - norm)))


class Ginger:
    """Heap of thin pink slices."""

    reach = (0.72, 0.72)

    def __init__(self, rng: Random) -> None:
        """Choose how the slices lie."""
        self.slices = [
            (rng.normal(0.0, 0.12), rng.normal(0.0, 0.12), rng.uniform(0.0, 6.3)) for _ in range(8)
        ]

    def __call__(self, u: Field, v: Field) -> Layer:
        """Return the look at points round the centre of the heap."""
        bare = np.zeros(np.broadcast_shapes(u.shape, v.shape), np.float32)
        look = Layer(paint(0xF0A592), bare, bare + 0.5, bare)
        for order, (x, y, angle) in enumerate(self.slices):
            along = (u - x) * math.cos(angle) + (v - y) * math.sin(angle)
            across = (v - y) * math.cos(angle) - (u - x) * math.sin(angle)
            ripple = np.sin(9.0 * across + 5.0 * along * along + 2.0 * angle)
            norm = field(egg(field(along), field(across), 0.36, 0.23, 2.1) + 0.06 * ripple)
            colour = mix(paint(0xEF9C88), paint(0xF9D3BC), ramp(norm, 0.35, 1.0))
            lift = 0.05 + 0.035 * order + 0.05 * ripple * norm + 0.04 * norm
            look = look.topped(colour, field(lift), 0.5, cut(0.23 * (1.0 - norm)))
        return look
