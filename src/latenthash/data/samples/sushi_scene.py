"""Table-top scene of colour, height and gloss maps: stamping, light and camera."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from latenthash.data.samples.sushi_paint import Field, Layer, field, mix, ramp

Thing: TypeAlias = Callable[[Field, Field], Layer]

CANVAS = 640


@dataclass(frozen=True)
class Light:
    """Direction and colours of the light and the tilt of the camera from the vertical."""

    azimuth: float
    elevation: float
    sun: Field
    sky: Field
    tilt: float


def _turned(across: Field, down: Field, angle: float) -> tuple[Field, Field]:
    cos, sin = math.cos(angle), math.sin(angle)
    return across * cos + down * sin, down * cos - across * sin


class Scene:
    """Ground plan of the table; what is stamped on it can be lit and photographed."""

    def __init__(self, unit: float, tilt: float, table: Thing, angle: float) -> None:
        """Make the bare table.

        Args:
            unit: Pixels to one scene unit, half the length of a nigiri.
            tilt: Angle of the camera from the vertical; the plan is as deep as it can see.
            table: Surface under everything.
            angle: Direction of the long axis of the table.
        """
        self.unit = unit
        self.rows = math.ceil(CANVAS / math.cos(tilt)) + 4
        self.axes = (
            field((np.arange(CANVAS) - CANVAS / 2) / unit)[None, :],
            field((np.arange(self.rows) - self.rows / 2) / unit)[:, None],
        )
        look = table(*_turned(*self.axes, angle))
        self.albedo = np.array(np.broadcast_to(look.albedo, (3, self.rows, CANVAS)))
        self.height = field(look.height * unit)
        self.gloss = field(look.gloss)

    def stamp(
        self,
        thing: Thing,
        place: tuple[float, float],
        angle: float,
        reach: tuple[float, float],
        base: float | None = None,
    ) -> None:
        """Lay a thing on what is already there.

        Args:
            thing: What to lay.
            place: Offset of its centre from the middle of the plan, in units.
            angle: Direction of its long axis.
            reach: Half of its length and width, in units.
            base: Height it stands at; without it the height found under its centre.
        """
        # A scalar of double precision would drag every field of the thing along with it.
        x, y = float(place[0]), float(place[1])
        cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
        wide, deep = cos * reach[0] + sin * reach[1], sin * reach[0] + cos * reach[1]
        left, right = np.searchsorted(self.axes[0][0], (x - wide, x + wide))
        top, bottom = np.searchsorted(self.axes[1][:, 0], (y - deep, y + deep))
        if left >= right or top >= bottom:
            return
        if base is None:
            column = min(int(np.searchsorted(self.axes[0][0], x)), CANVAS - 1)
            row = min(int(np.searchsorted(self.axes[1][:, 0], y)), self.rows - 1)
            base = float(self.height[row, column]) / self.unit
        window = slice(top, bottom), slice(left, right)
        look = thing(*_turned(self.axes[0][:, left:right] - x, self.axes[1][top:bottom] - y, angle))
        standing = field((base + look.height) * self.unit)
        self.height[window] = mix(self.height[window], standing, look.cover)
        self.gloss[window] = mix(self.gloss[window], look.gloss, look.cover)
        for plane, colour in zip(self.albedo, look.albedo, strict=True):
            plane[window] = mix(plane[window], colour, look.cover)

    def _shadow(self, light: Light) -> Field:
        """Return the share of direct light that reaches every point, with soft borders."""
        small = cv2.resize(self.height, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        rise = math.tan(light.elevation)
        block = np.zeros_like(small)
        for step in range(1, 15):
            far = 1.5 * step + 0.13 * step * step
            move = field(
                [
                    [1.0, 0.0, math.cos(light.azimuth) * far],
                    [0.0, 1.0, math.sin(light.azimuth) * far],
                ]
            )
            seen = cv2.warpAffine(
                small,
                move,
                (small.shape[1], small.shape[0]),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            # A blocker counts more the nearer it is, which widens the penumbra with distance.
            excess = (field(seen) - small - 2.0 * far * rise) / (2.0 + 0.9 * far)
            block = np.maximum(block, excess)
        soft = cv2.GaussianBlur(np.minimum(block, 1.0), (0, 0), 1.6)
        return 1.0 - field(cv2.resize(soft, (CANVAS, self.rows)))

    def _openness(self) -> Field:
        """Return the share of the sky that every point sees, less in hollows and beside walls."""
        small = cv2.resize(self.height, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        near = cv2.GaussianBlur(small, (0, 0), 0.05 * self.unit)
        wide = cv2.GaussianBlur(small, (0, 0), 0.12 * self.unit)
        around = cv2.resize(field(0.5 * near + 0.5 * wide), (CANVAS, self.rows))
        return field(np.clip(1.0 - 2.1 * (around - self.height) / self.unit, 0.25, 1.15))

    def shade(self, light: Light) -> Field:
        """Return the lit ground plan in linear light."""
        down = cv2.Sobel(self.height, cv2.CV_32F, 0, 1, scale=0.125)
        across = cv2.Sobel(self.height, cv2.CV_32F, 1, 0, scale=0.125)
        up = field(1.0 / np.sqrt(1.0 + across * across + down * down))
        flat = math.cos(light.elevation)
        way = (
            math.cos(light.azimuth) * flat,
            math.sin(light.azimuth) * flat,
            math.sin(light.elevation),
        )
        facing = up * (way[2] - across * way[0] - down * way[1])
        eye = math.sin(light.tilt), math.cos(light.tilt)
        seen = up * (eye[1] - down * eye[0])
        # Where the mirrored line of sight meets the lamp, a glossy surface shows the lamp.
        mirror = field(2.0 * seen * facing - (eye[0] * way[1] + eye[1] * way[2]))
        reach = self._shadow(light)
        direct = np.clip((facing + 0.18) / 1.18, 0.0, None) * reach
        wide = np.square(np.clip(mirror, 0.0, 1.0))
        lamp = 0.75 * ramp(mirror, 0.88, 0.97) + 0.20 * wide * wide
        rim = 0.30 * np.square(1.0 - np.clip(seen, 0.0, 1.0))
        shine = self.gloss * (lamp * (0.25 + 0.75 * reach) + rim)
        ambient = self._openness() * (0.55 + 0.45 * up)
        # Plane by plane, which keeps the working set small.
        planes = [
            colour * (direct * sun + ambient * sky) + shine * sun
            for colour, sun, sky in zip(self.albedo, light.sun, light.sky, strict=True)
        ]
        return field(planes)

    def photograph(self, light: Light) -> Field:
        """Return the lit scene as the tilted camera sees it, shape (3, CANVAS, CANVAS)."""
        slant = np.arange(self.rows, dtype=np.float32)[:, None] * math.cos(light.tilt)
        screen = slant - self.height * math.sin(light.tilt)
        # From near to far, a point is hidden when a nearer one already reached higher.
        edge = np.minimum.accumulate(screen[::-1], axis=0)[::-1].T.astype(np.float64)
        rows = np.arange(self.rows, dtype=np.float64)
        target = np.arange(CANVAS, dtype=np.float64)
        source = np.empty((CANVAS, CANVAS), np.float32)
        for column in range(CANVAS):
            source[column] = np.interp(target, edge[column], rows)
        columns = np.tile(np.arange(CANVAS, dtype=np.float32), (CANVAS, 1))
        source = np.ascontiguousarray(source.T)
        planes = [cv2.remap(p, columns, source, cv2.INTER_LINEAR) for p in self.shade(light)]
        return field(planes)
