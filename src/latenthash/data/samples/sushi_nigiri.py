"""Nigiri: rice pillows with a topping, as functions from coordinates to their look."""

from __future__ import annotations

import numpy as np

from latenthash.data.samples.sushi_paint import (
    Field,
    Layer,
    cloud,
    cut,
    dome,
    egg,
    field,
    mix,
    nori,
    paint,
    ramp,
    rice,
)

Random = np.random.Generator

TOPPINGS = ("salmon", "tuna", "shrimp", "omelette", "toro", "bream", "eel", "squid", "mackerel")
SALMON, TUNA, OMELETTE = paint(0xF0662C), paint(0xA81A26), paint(0xF2B52E)


def _stripes(phase: Field, width: float) -> Field:
    """Return thin bright lines, one to each unit of phase."""
    return field(np.exp(-np.square((phase - np.floor(phase) - 0.5) / width)))


def _flesh(kind: str, u: Field, v: Field, rng: Random) -> tuple[Field, Field, float]:
    """Return the colour, relief and gloss of the upper side of a topping."""
    shift = rng.uniform(0.0, 9.0)
    soft = cloud(u, v, (0.16, 0.16), shift)
    fine = cloud(u, v, (0.40, 0.40), shift + 0.5)
    slant = rng.uniform(0.5, 1.1) * (1.0 if rng.random() < 0.5 else -1.0)
    bend, pitch = rng.uniform(0.5, 1.3), rng.uniform(3.6, 5.0)
    phase = field((u + slant * v + bend * v * v + 0.035 * soft) * pitch)
    damp = 0.0015 * fine + 0.010 * soft
    if kind == "salmon":
        lines = _stripes(phase, 0.14)
        base = mix(SALMON, paint(0xF5803E), ramp(soft, -1.0, 1.5))
        return mix(base, paint(0xFACBA2), 0.85 * lines), damp - 0.012 * lines, 0.75
    if kind == "tuna":
        lines = _stripes(phase * 1.3, 0.16) * ramp(soft, -1.0, 1.2)
        base = mix(TUNA, paint(0x7E0F1B), ramp(soft, -0.8, 2.0))
        return mix(base, paint(0xD2545A), 0.45 * lines), damp - 0.006 * lines, 0.70
    if kind == "toro":
        lines = _stripes(field(phase * 1.2 + 0.15 * fine), 0.20)
        base = mix(paint(0xDE666E), paint(0xC63E4A), ramp(v, -0.4, 0.4))
        return mix(base, paint(0xF5D0C8), 0.8 * lines), damp, 0.75
    if kind == "shrimp":
        bands = ramp(np.sin(6.5 * u + 2.2 * np.abs(v) + 0.35 * soft), -0.1, 0.75)
        fade = bands * (0.45 + 0.55 * ramp(np.abs(v), 0.02, 0.34))
        seam = np.exp(-np.square(v / 0.022))
        base = mix(paint(0xFBE6D6), paint(0xEE6A2E), fade)
        return base * (1.0 - 0.30 * seam), 0.03 * bands - 0.05 * seam, 0.55
    if kind == "omelette":
        base = mix(OMELETTE, paint(0xB9772A), 0.7 * ramp(soft + 0.4 * fine, 0.9, 2.8))
        layers = _stripes(field(v * 7.0 + 0.12 * soft), 0.10)
        return base * (1.0 - 0.10 * layers), damp, 0.25
    if kind == "bream":
        lines = _stripes(phase * 0.9, 0.15)
        base = mix(paint(0xF0D2BE), paint(0xD4505A), 0.85 * ramp(v + 0.03 * soft, 0.10, 0.36))
        return mix(base, paint(0xFFF6EE), 0.55 * lines), damp - 0.008 * lines, 0.70
    if kind == "eel":
        ribs = _stripes(field(v * 3.2 + 0.5), 0.10)
        char = ramp(soft + 0.7 * np.sin(15.0 * u + soft), 0.2, 1.6)
        base = mix(paint(0x9A4A16), paint(0x371407), char)
        return mix(base, paint(0x5A260C), 0.6 * ribs), 0.009 * fine - 0.02 * ribs, 1.0
    if kind == "squid":
        lines = np.maximum(_stripes(phase, 0.09), _stripes(phase - 2.0 * pitch * slant * v, 0.09))
        base = mix(paint(0xF4EFE8), paint(0xE2D6D0), ramp(soft, -1.0, 2.0))
        return base * (1.0 - 0.14 * lines), damp - 0.02 * lines, 0.65
    lattice = ramp(np.sin(26.0 * u + 14.0 * v + 2.5 * soft), 0.1, 0.8) * ramp(v, 0.0, 0.25)
    base = mix(paint(0xC97F78), paint(0xB0BDC6), ramp(v + 0.05 * soft, -0.20, 0.04))
    return mix(base, paint(0x2B3F52), 0.85 * lattice), damp, 0.95


class Nigiri:
    """Pillow of rice under a slice of fish, omelette or shellfish."""

    def __init__(self, kind: str, rng: Random) -> None:
        """Choose the shape of one piece of the given kind."""
        self.kind, self.seed = kind, int(rng.integers(1 << 32))
        self.length = rng.uniform(1.02, 1.12)
        self.width = rng.uniform(0.41, 0.45)
        self.phase = rng.uniform(0.0, 6.0)
        self.rise = rng.uniform(0.44, 0.52)
        self.thick = 0.24 if kind == "omelette" else rng.uniform(0.10, 0.14)
        self.reach = (1.62 if kind == "shrimp" else 1.16, 0.58)
        self.belt = kind in ("omelette", "eel") or (kind == "squid" and rng.random() < 0.5)

    def __call__(self, u: Field, v: Field) -> Layer:
        """Return the look at points along and across the piece."""
        norm = egg(u, v, 0.97, 0.51, 3.0)
        body = self.rise * dome(norm, 4.5) ** 1.3
        albedo, relief = rice(u, v, self.rise - body, self.phase)
        look = Layer(albedo, body + relief, np.full_like(norm, 0.06), cut(0.5 * (1.0 - norm)))

        square = self.kind == "omelette"
        narrow = self.width * (1.0 + 0.05 * np.sin(2.3 * u + self.phase))
        if self.kind == "shrimp":
            narrow = narrow * (1.05 - 0.45 * ramp(u, 0.35, 1.1))
        side = field(v + (0.0 if square else 0.035) * np.sin(1.9 * u + 2.0 * self.phase))
        outline = egg(u, field(side / narrow), self.length, 1.0, 7.0 if square else 3.6)
        flesh, bump, shine = _flesh(self.kind, u, side, np.random.default_rng(self.seed))
        bow = np.square(np.square(np.minimum(np.abs(u) / 1.25, 1.0)))
        drop = 1.0 - (0.15 if square else 0.90) * bow
        drop = drop - (0.0 if square else 0.22) * np.square(side / narrow)
        slab = np.maximum(self.rise * drop + self.thick * dome(outline, 7.0) + bump, 0.05)
        look = look.topped(flesh, field(slab), shine, cut(0.45 * (1.0 - outline)))
        if self.kind == "shrimp":
            look = self._tail(u, v, look)
        return self._belted(u, v, look) if self.belt else look

    def _tail(self, u: Field, v: Field, look: Layer) -> Layer:
        lobes = np.minimum(
            egg(u - 1.26 - 0.3 * v, v - 0.12 - 0.25 * (u - 1.2), 0.27, 0.10, 2.2),
            egg(u - 1.26 + 0.3 * v, v + 0.12 + 0.25 * (u - 1.2), 0.27, 0.10, 2.2),
        )
        shell = mix(paint(0xF08030), paint(0xB02A16), ramp(u, 1.1, 1.4))
        return look.topped(
            shell, 0.20 + 0.09 * dome(lobes, 2.0), 0.7, cut(field(0.12 * (1.0 - lobes)))
        )

    def _belted(self, u: Field, v: Field, look: Layer) -> Layer:
        over = cut(0.16 * (1.0 - egg(u, v, 0.16, 0.54, 12.0)))
        wall = self.rise * 1.05 * dome(field(np.abs(v) / 0.54), 5.0)
        rise = np.maximum(wall, look.height * (np.abs(v) < 0.52)) + 0.025
        return look.topped(nori(u, v, self.phase), rise, 0.30, over)
