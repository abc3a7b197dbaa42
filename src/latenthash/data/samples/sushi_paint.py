"""Colours, shapes and textures that the sushi pictures are built from.

Colours have their three planes first, so that a plane of shares or tones applies to all three.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.float32]

TILE = 512
GRAIN_PERIOD = 4.0
SHARPNESS = 100.0


def field(values: Any) -> Field:
    """Return the values as a float32 array."""
    return np.asarray(values, np.float32)


def paint(code: int) -> Field:
    """Return the linear reflectance, shape (3, 1, 1), of a colour written as 0xRRGGBB."""
    return field([[[((code >> shift & 255) / 255.0) ** 2.2]] for shift in (16, 8, 0)])


def ramp(value: Field, start: float, stop: float) -> Field:
    """Return a smooth step that is 0 at `start` and 1 at `stop`."""
    part = np.clip((value - start) * (1.0 / (stop - start)), 0.0, 1.0)
    return field(part * part * (3.0 - 2.0 * part))


def mix(under: Field, over: Field, share: Field) -> Field:
    """Return the blend of two fields with a share for every point."""
    return field(under + (over - under) * share)


def cut(depth: Field) -> Field:
    """Return the coverage of a depth in units, softened over about one pixel."""
    return field(np.clip(depth * SHARPNESS + 0.5, 0.0, 1.0))


def egg(u: Field, v: Field, length: float, width: float, power: float) -> Field:
    """Return the superellipse norm: 1 on the outline, 0 in the centre."""
    total = np.abs(u * (1.0 / length)) ** power + np.abs(v * (1.0 / width)) ** power
    return field(total ** (1.0 / power))


def dome(norm: Field, power: float) -> Field:
    """Return a rounded profile: 1 in the middle and 0 where the norm reaches 1."""
    return field(np.sqrt(1.0 - np.clip(norm, 0.0, 1.0) ** power))


def box(u: Field, v: Field, length: float, width: float, corner: float) -> Field:
    """Return the depth inside a rounded rectangle, negative outside."""
    across, along = np.abs(u) - (length - corner), np.abs(v) - (width - corner)
    outer = np.hypot(np.maximum(across, 0.0), np.maximum(along, 0.0))
    return field(corner - outer - np.minimum(np.maximum(across, along), 0.0))


@dataclass(frozen=True)
class Layer:
    """Look of one thing at every point of a patch; lengths are in scene units."""

    albedo: Field
    height: Field
    gloss: Field
    cover: Field

    def topped(self, albedo: Field, height: Field, gloss: Field | float, share: Field) -> Layer:
        """Return the look with another one laid over it where the share says so."""
        return Layer(
            mix(self.albedo, albedo, share),
            mix(self.height, height, share),
            mix(self.gloss, field(gloss), share),
            np.maximum(self.cover, share),
        )


@functools.cache
def cloud_tile() -> Field:
    """Return a periodic tile of fractal noise with unit variance."""
    rng = np.random.default_rng(11)
    frequency = np.fft.fftfreq(TILE) * TILE
    radius = np.hypot(*np.meshgrid(frequency, frequency))
    wave = np.fft.fft2(rng.normal(size=(TILE, TILE))) / np.maximum(radius, 3.0) ** 1.25
    tile = np.real(np.fft.ifft2(wave))
    return field((tile - tile.mean()) / tile.std())


@functools.cache
def heap_tile(count: int, length: float, width: float) -> Field:
    """Return a periodic tile of the heights, 0 to 1, of a heap of ellipsoids lying at random."""
    rng = np.random.default_rng(5)
    heap = np.zeros((TILE, TILE), np.float32)
    reach = math.ceil(length) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    for _ in range(count):
        x, y = rng.integers(0, TILE, 2)
        angle = rng.uniform(0.0, math.pi)
        along = columns * math.cos(angle) + rows * math.sin(angle)
        across = rows * math.cos(angle) - columns * math.sin(angle)
        bulge = 1.0 - (along / length) ** 2 - (across / width) ** 2
        body = rng.uniform(0.35, 0.65) + 0.35 * np.sqrt(np.maximum(bulge, 0.0))
        place = np.ix_((rows[:, 0] + y) % TILE, (columns[0] + x) % TILE)
        heap[place] = np.maximum(heap[place], np.where(bulge > 0.0, body, 0.0))
    return field(cv2.GaussianBlur(heap, (0, 0), 0.8))


def grains(u: Field, v: Field) -> Field:
    """Return the relief of rice grains at points in units."""
    return read(heap_tile(4200, 12.0, 5.2), u / GRAIN_PERIOD, v / GRAIN_PERIOD)


def beads(u: Field, v: Field) -> Field:
    """Return the relief of fish roe at points in units."""
    return read(heap_tile(2600, 10.0, 10.0), u / GRAIN_PERIOD, v / GRAIN_PERIOD)


def cloud(u: Field, v: Field, scale: tuple[float, float], shift: float) -> Field:
    """Return fractal noise at points in units; the scales are tiles per unit."""
    return read(cloud_tile(), u * scale[0] + shift, v * scale[1] + 0.37 * shift)


def read(tile: Field, u: Field, v: Field) -> Field:
    """Return the values of a periodic tile at points given in tile widths."""
    x, y = field((u - np.floor(u)) * TILE), field((v - np.floor(v)) * TILE)
    return field(cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def rice(u: Field, v: Field, fall: Field, shift: float) -> tuple[Field, Field]:
    """Return the colour and relief of rice whose surface has fallen from its crown."""
    # Moving outwards by the fall keeps the grains from being stretched down the sides.
    reach = 1.0 + 0.8 * fall / np.maximum(np.hypot(u, v), 0.15)
    grain = grains(field(u * reach + shift), field(v * reach + 0.6 * shift))
    tone = 0.66 + 0.36 * ramp(grain, 0.45, 0.85)
    return field(paint(0xF4F0E6) * tone), field(0.075 * (np.maximum(grain, 0.5) - 0.7))


def nori(u: Field, v: Field, shift: float) -> Field:
    """Return the colour of seaweed."""
    tone = 0.9 + 0.22 * cloud(u, v, (0.5, 0.5), shift)
    return field(paint(0x1C261C) * np.clip(tone, 0.35, 1.5))
