"""Picture of an Earth-like globe seen from space, made of noise evaluated on the sphere."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field: TypeAlias = NDArray[np.float32]

RADIUS = 0.84
LATTICE = 32
SUN = np.array([-0.52, 0.40, 0.755], np.float32)
STARS = 260

# Reflectances in linear light.
ABYSS = np.array([0.006, 0.024, 0.085], np.float32)
SHELF = np.array([0.035, 0.200, 0.300], np.float32)
FOREST = np.array([0.022, 0.062, 0.014], np.float32)
STEPPE = np.array([0.135, 0.150, 0.042], np.float32)
DESERT = np.array([0.480, 0.310, 0.140], np.float32)
ROCK = np.array([0.170, 0.110, 0.070], np.float32)
TUNDRA = np.array([0.160, 0.140, 0.090], np.float32)
SNOW = np.array([0.880, 0.900, 0.930], np.float32)
AIR = np.array([0.160, 0.400, 1.000], np.float32)


class Noise:
    """Fractal noise in space: one periodic lattice read at rotated and scaled points."""

    def __init__(self, rng: np.random.Generator, finest: float) -> None:
        """Draw the lattice.

        Args:
            rng: Source of the lattice values and of the rotation between octaves.
            finest: Spatial frequency above which octaves are left out, because the pixel grid
                could not carry them.
        """
        shape = (LATTICE, LATTICE, LATTICE)
        self.values = rng.uniform(-1.0, 1.0, shape).astype(np.float32)
        # A lattice shows its axes; turning it between octaves hides them.
        self.turn = np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32)
        self.finest = finest

    def __call__(
        self, point: Field, frequency: float, octaves: int, gain: float = 0.5, ridged: bool = False
    ) -> Field:
        """Return noise of about unit range at points of shape (3, height, width)."""
        total = np.zeros(point.shape[1:], np.float32)
        weight = 1.0
        turned = np.tensordot(self.turn, point, 1)
        for octave in range(octaves):
            if frequency > self.finest:
                break
            place = turned * np.float32(frequency) + np.float32(7.3 * (octave + 1))
            cell = np.floor(place)
            part = place - cell
            place = cell + part * part * (3.0 - 2.0 * part)
            sample = ndimage.map_coordinates(self.values, place, order=1, mode="grid-wrap")
            # Folding makes crests, whose mean must stay near zero for a cut-off sum to match.
            total += weight * (0.8 - 2.0 * np.abs(sample) if ridged else sample)
            weight *= gain
            frequency *= 2.03
            turned = np.tensordot(self.turn, turned, 1)
        return total


def _ramp(value: Field, start: float, stop: float) -> Field:
    part = np.clip((value - start) / (stop - start), 0.0, 1.0)
    return np.asarray(part * part * (3.0 - 2.0 * part), np.float32)


def _blend(under: Field, over: Field, share: Field) -> Field:
    return np.asarray(under + (over - under) * share[..., None], np.float32)


def _globe(size: int) -> tuple[Field, Field, Field]:
    """Return the unit surface points (3, size, size), distance from the centre and coverage."""
    line = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2.0 - 1.0) / RADIUS
    x, y = np.meshgrid(line, -line)
    distance = np.hypot(x, y)
    # Outside the disc the rim is continued, so that gradients at the rim have neighbours.
    shrink = 1.0 / np.maximum(distance, 1.0)
    x, y = x * shrink, y * shrink
    z = np.sqrt(np.maximum(1.0 - x * x - y * y, 0.0))
    coverage = np.clip((1.0 - distance) * size * RADIUS / 2.0 + 0.5, 0.0, 1.0)
    return np.stack([x, y, z]), distance, np.asarray(coverage, np.float32)


def _swirl(point: Field, rng: np.random.Generator, count: int) -> Field:
    """Return the points wound round `count` storm centres, which curls noise read there."""
    for _ in range(count):
        latitude = rng.uniform(0.30, 1.0) * rng.choice([-1.0, 1.0])
        longitude = rng.uniform(-1.2, 1.2)
        level = math.cos(latitude)
        axis = np.array(
            [level * math.sin(longitude), math.sin(latitude), level * math.cos(longitude)],
            np.float32,
        )
        reach = rng.uniform(0.07, 0.17)
        along = np.tensordot(axis, point, 1)
        angle = np.sign(latitude) * rng.uniform(1.8, 3.4) * np.exp(-2.0 * (1.0 - along) / reach**2)
        across = np.cross(axis, point, axisb=0, axisc=0)
        centre = axis[:, None, None] * along
        point = centre + (point - centre) * np.cos(angle) + across * np.sin(angle)
    return np.asarray(point, np.float32)


def _stars(size: int, rng: np.random.Generator) -> Field:
    """Return the light of the stars; each keeps its place and energy at every size."""
    sky = np.zeros((size, size, 3), np.float32)
    spread = max(0.75 * size / 512, 0.45)
    for _ in range(STARS):
        across, down = rng.random(2) * size - 0.5
        power = min(0.03 * rng.pareto(1.1), 1.6) * (size / 512 * 0.75 / spread) ** 2
        tint = np.array([1.0, 0.93, 0.86]) + rng.random() * np.array([-0.25, -0.05, 0.14])
        left, top = max(int(across) - 3, 0), max(int(down) - 3, 0)
        rows, columns = np.mgrid[top : min(top + 8, size), left : min(left + 8, size)]
        shape = np.exp(-((rows - down) ** 2 + (columns - across) ** 2) / (2.0 * spread**2))
        sky[top : top + 8, left : left + 8] += (power * shape[..., None] * tint).astype(np.float32)
    return sky


def _ground(point: Field, noise: Noise, size: int) -> tuple[Field, Field, Field]:
    """Return the reflectance of the ground, its slope light factor and the share of water."""
    warp = np.stack([noise(point + shift, 1.3, 4) for shift in (3.1, 5.7, 9.2)])
    place = np.asarray(point + 0.22 * warp, np.float32)
    rough = noise(place + 1.7, 5.0, 8, 0.62)
    crest = noise(place + 4.4, 3.4, 7, 0.55, ridged=True)
    level = noise(place, 1.15, 3, 0.55) + 0.24 * rough
    inside = np.hypot(point[0], point[1]) < 0.98
    # The sea level is set by area, so that every seed shows both land and sea.
    level = np.asarray(level - np.quantile(level[inside], 0.60), np.float32)
    height = np.asarray(level + 0.42 * crest * _ramp(level, 0.02, 0.35), np.float32)

    tilt = 0.35
    latitude = np.arcsin(np.clip(point[1] * math.cos(tilt) + point[2] * math.sin(tilt), -1, 1))
    wet = 0.08 + 0.52 * np.cos(7.0 * latitude) + 0.75 * noise(point + 6.6, 1.9, 5) + 0.22 * rough
    heat = 1.18 - 1.02 * np.abs(latitude) - 0.40 * np.maximum(height, 0.0) + 0.10 * rough

    land = _blend(DESERT * (1.0 + 0.22 * rough[..., None]), STEPPE, _ramp(wet, -0.30, 0.10))
    land = _blend(land, FOREST * (1.0 + 0.35 * rough[..., None]), _ramp(wet, 0.0, 0.42))
    land = _blend(land, ROCK * (1.0 + 0.5 * crest[..., None]), 0.85 * _ramp(height, 0.34, 0.62))
    land = _blend(land, TUNDRA, _ramp(-heat, -0.36, -0.20))
    land = _blend(land, SNOW, np.maximum(_ramp(-heat, -0.18, -0.06), _ramp(height, 0.66, 0.85)))
    sea = _blend(SHELF, ABYSS, _ramp(-level, -0.04, 0.13)) * (1.0 + 0.12 * rough[..., None])
    sea = _blend(sea, SNOW * 0.9, _ramp(-heat, -0.05, 0.01))
    water = 1.0 - _ramp(level, -0.006, 0.006 + 3.0 / size)

    down, across = np.gradient(np.maximum(height, 0.0) * size)
    relief = (across * SUN[0] - down * SUN[1]) * 0.08 * point[2]
    slope = np.clip(1.0 - relief, 0.45, 1.6).astype(np.float32)
    return _blend(land, sea, water), slope, water * (1.0 - _ramp(-heat, -0.05, 0.01))


def _clouds(point: Field, noise: Noise, rng: np.random.Generator) -> Field:
    """Return the opacity of the cloud layer."""
    wound = _swirl(point, rng, 9)
    warp = np.stack([noise(wound + shift, 2.2, 4) for shift in (2.3, 8.1, 4.9)])
    # Winds follow the parallels, so clouds are drawn out along them.
    place = np.asarray(wound * np.array([0.8, 1.5, 0.8], np.float32)[:, None, None], np.float32)
    place = np.asarray(place + 0.20 * warp, np.float32)
    # Storm belts at middle latitudes and a band over the equator, clear skies in between.
    belt = 0.16 * np.cos(7.0 * np.arcsin(np.clip(point[1], -1.0, 1.0)) - 0.6)
    sheet = noise(place, 1.9, 3) + 0.55 * noise(place, 6.0, 7, 0.68) + belt
    sheet = sheet + 0.16 * noise(point, 26.0, 4, 0.7)
    inside = np.hypot(point[0], point[1]) < 0.98
    clear, dense = np.quantile(sheet[inside], (0.60, 0.985))
    return np.asarray(_ramp(sheet, clear, dense), np.float32)


def render_earth(size: int = 512, seed: int = 0) -> NDArray[np.uint8]:
    """Return an RGB picture (size, size, 3) of a globe in space.

    Args:
        size: Height and width in pixels.
        seed: Number of the planet: its continents, clouds and stars.
    """
    rng = np.random.default_rng(seed)
    noise = Noise(rng, finest=size * RADIUS * 0.25)
    point, distance, coverage = _globe(size)
    sky = _stars(size, rng)
    ground, slope, water = _ground(point, noise, size)
    cloud = _clouds(point, noise, rng)
    lean = SUN[:2] * np.array([-1.0, 1.0], np.float32) * size * 0.008
    shadow = ndimage.shift(cloud, (lean[1], lean[0]), order=1, mode="nearest")

    facing = np.tensordot(SUN, point, 1)
    day = _ramp(facing, -0.10, 0.30) * np.clip(facing + 0.12, 0.0, 1.0)
    half = SUN + np.array([0.0, 0.0, 1.0], np.float32)
    glint = np.clip(np.tensordot(half / np.linalg.norm(half), point, 1), 0.0, 1.0)
    shine = water * (0.22 * glint**40 + 0.10 * glint**10)

    light = ground * (slope * (1.0 - 0.55 * shadow))[..., None]
    light = light + shine[..., None] * np.array([1.0, 0.92, 0.80], np.float32)
    down, across = np.gradient(cloud * size)
    puff = np.clip(1.0 - 0.030 * (across * SUN[0] - down * SUN[1]) * point[2], 0.7, 1.25)
    light = _blend(light, SNOW * puff[..., None], 0.97 * cloud)
    haze = 0.025 + 0.60 * (1.0 - point[2]) ** 3.0
    light = _blend(light, AIR * 0.75, haze) * day[..., None]
    # Light that reaches the terminator has crossed much air and lost its blue.
    dusk = _ramp(facing, -0.08, 0.06) * (1.0 - _ramp(facing, 0.04, 0.30))
    light = light * (1.0 + dusk[..., None] * np.array([0.45, 0.02, -0.25], np.float32))

    glow = np.exp(-np.maximum(distance - 1.0, 0.0) / 0.016) * _ramp(facing, -0.25, 0.55)
    sky = sky * (1.0 - 0.9 * np.exp(-np.maximum(distance - 1.0, 0.0) / 0.05))[..., None]
    sky = sky + 0.60 * glow[..., None] * AIR
    light = _blend(sky, light, coverage)
    tone = 1.0 - np.exp(-2.1 * np.maximum(light, 0.0))
    return np.asarray(np.rint(255.0 * tone ** (1.0 / 2.2)), np.uint8)
