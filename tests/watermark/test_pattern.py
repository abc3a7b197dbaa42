"""The pattern: the same from one key for ever, and found wherever it lies."""

from hashlib import sha256

import numpy as np
import pytest

from latenthash.watermark.pattern import (
    HIGH,
    LOW,
    PERIOD,
    PILOTS,
    Pattern,
    Place,
    laid,
    repeated,
)
from latenthash.watermark.whitening import spectrum

PATTERN = Pattern("of the tests")
WORD = np.random.default_rng(0).integers(0, 2, 127)
SIGNS = 2.0 * WORD - 1


def digest(*arrays: np.ndarray) -> str:
    return sha256(b"".join(array.astype("<i8").tobytes() for array in arrays)).hexdigest()[:16]


def test_pattern_is_the_one_that_marked_pictures_have() -> None:
    # Whoever changes what a key draws no longer reads what is marked: call it another carrier.
    drawn = (PATTERN.pilots, PATTERN._data, PATTERN._owner, PATTERN._sign)
    phases = np.rint(np.angle(PATTERN._phase) * 1000)
    assert digest(*drawn, phases) == "13a0ee5cf739df09"


def test_pilots_lie_in_all_directions() -> None:
    angles = np.sort(np.arctan2(PATTERN.pilots[:, 1], PATTERN.pilots[:, 0]))
    assert len(angles) == PILOTS
    assert np.diff(angles).max() < 2 * np.pi / PILOTS + 1e-9


def test_every_bit_has_as_many_parts_in_the_band() -> None:
    assert len(set(np.bincount(PATTERN._owner, minlength=127))) == 1
    radius = np.hypot(*PATTERN._data.T) / PERIOD
    assert radius.min() >= LOW
    assert radius.max() < HIGH
    together = np.concatenate([PATTERN.pilots, PATTERN._data])
    assert len(np.unique(together, axis=0)) == len(together)


def test_tiles_have_unit_strength() -> None:
    assert PATTERN.pilot_tile.std() == pytest.approx(1, rel=1e-5)
    assert PATTERN.bits_tile(SIGNS).std() == pytest.approx(1, rel=0.02)
    assert (PATTERN.bits_tile(-2 * SIGNS) == -2 * PATTERN.bits_tile(SIGNS)).all()


@pytest.mark.parametrize(
    "place",
    [Place(0, (0, 0), False, 1), Place(0, (5, 100), False, -1), Place(0, (77, 3), True, 1)],
)
def test_pattern_is_found_where_it_is_laid(place: Place) -> None:
    tile = PATTERN.bits_tile(SIGNS) + PATTERN.pilot_tile
    plane = repeated(laid(tile, place), (400, 400))
    noisy = plane + np.random.default_rng(1).normal(0, 3, plane.shape).astype(np.float32)
    found, noise = spectrum(noisy, PERIOD)
    seen = PATTERN.place(found, noise)
    assert (seen.shift, seen.turned, seen.sign) == (place.shift, place.turned, place.sign)
    assert seen.peak > 6
    soft = PATTERN.soft(found, noise, seen)
    assert (soft * SIGNS > 0).mean() > 0.95
    straight = PATTERN.responses(found, noise, seen)
    assert np.corrcoef(straight, soft)[0, 1] > 0.9


def test_noise_shows_no_pilots() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        noise = rng.normal(size=(400, 400)).astype(np.float32)
        assert PATTERN.place(*spectrum(noise, PERIOD)).peak < 6


def test_only_near_places_are_taken_where_one_says_so() -> None:
    plane = repeated(laid(PATTERN.pilot_tile, Place(0, (60, 4), False, 1)), (256, 256))
    found, noise = spectrum(plane, PERIOD)
    assert PATTERN.place(found, noise).shift == (60, 4)
    shift = PATTERN.place(found, noise, near=7).shift
    assert all(min(k, PERIOD - k) <= 7 for k in shift)
