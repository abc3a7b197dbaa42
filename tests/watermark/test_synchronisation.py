"""Synchronisation and alignment: known maps are found, from pilots alone."""

import cv2
import numpy as np
import pytest

from latenthash.watermark.alignment import aligned
from latenthash.watermark.frames import warped
from latenthash.watermark.pattern import PERIOD, Floats, Pattern, repeated
from latenthash.watermark.peaks import maxima
from latenthash.watermark.synchronisation import Synchroniser
from latenthash.watermark.whitening import folded, spectrum, whiten

PATTERN = Pattern("of the tests")
SYNCHRONISER = Synchroniser(PATTERN.pilots)


def plane() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 12, (400, 400))
    rough = cv2.GaussianBlur(noise, (0, 0), 1) * 2
    return (128 + rough + 4 * repeated(PATTERN.pilot_tile, (400, 400))).astype(np.float32)


def turn(degrees: float, scale: float) -> Floats:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return scale * np.array([[c, -s], [s, c]])


@pytest.mark.parametrize(
    "matrix",
    [
        turn(0, 1.0),
        turn(33, 1.0),
        turn(90, 0.8),
        turn(-12, 1.3),
        turn(5, 1.0) @ np.diag([1.0, -1.0]),
        turn(3, 1.0) @ np.array([[1.03, 0.04], [0.0, 0.98]]),
    ],
)
def test_map_is_found(matrix: Floats) -> None:
    middle = np.array([200, 200])
    affine = np.column_stack([matrix, middle - matrix @ middle])
    view = cv2.warpAffine(plane(), affine, (400, 400), flags=cv2.INTER_CUBIC)
    first = SYNCHRONISER.candidates(view)[0]
    # Half a turn looks the same in a spectrum.
    error = min(np.abs(sign * first.matrix - matrix).max() for sign in (1, -1))
    assert error < 0.004
    assert first.score > 60


def test_squeezed_picture_is_found_where_aspects_are_tried() -> None:
    view = cv2.resize(plane(), (330, 440), interpolation=cv2.INTER_CUBIC)
    first = SYNCHRONISER.candidates(view, (0.8, 1.25))[0]
    error = min(np.abs(s * first.matrix - np.diag([0.825, 1.1])).max() for s in (1, -1))
    assert error < 0.01


def test_blocks_mend_a_homography() -> None:
    true = np.array([[1.02, 0.01, 3.0], [-0.01, 0.99, -2.0], [4e-5, -3e-5, 1.0]])
    picture = cv2.warpPerspective(plane(), true, (400, 400), flags=cv2.INTER_CUBIC)
    homography = np.eye(3)
    for _ in range(3):
        shown, valid = warped(picture, homography, (400, 400))
        white = whiten(shown, valid)
        place = PATTERN.place(*spectrum(white, PERIOD), near=7)
        better = aligned(white, valid, place, PATTERN.pilot_tile, homography)
        assert better is not None
        homography = better
    corners = np.array([[[40.0, 40], [360, 40], [40, 360], [360, 360]]])
    there = cv2.perspectiveTransform(corners, homography)[0]
    # A mark repeats, so it may be off as a whole by what the pilots' place says.
    known = cv2.perspectiveTransform(corners + np.array(signed(place.shift)), true)[0]
    other = cv2.perspectiveTransform(corners - np.array(signed(place.shift)), true)[0]
    assert min(np.abs(there - known).max(), np.abs(there - other).max()) < 1


def signed(shift: tuple[int, int]) -> list[int]:
    return [(k + PERIOD // 2) % PERIOD - PERIOD // 2 for k in shift]


def test_no_blocks_no_homography() -> None:
    nothing = np.zeros((200, 200), np.float32)
    place = PATTERN.place(*spectrum(nothing, PERIOD))
    valid = np.zeros((200, 200), bool)
    assert aligned(nothing, valid, place, PATTERN.pilot_tile, np.eye(3)) is None
    assert aligned(nothing, ~valid, place, PATTERN.pilot_tile, np.eye(3)) is None


def test_maximum_lies_between_pixels() -> None:
    x, y = np.meshgrid(np.arange(-3, 4), np.arange(-3, 4))
    hill = 10 - (x - 0.3) ** 2 - (y + 1.25) ** 2
    offsets, value = maxima(np.stack([hill, hill.T]))
    assert offsets == pytest.approx(np.array([[0.3, -1.25], [-1.25, 0.3]]))
    assert value == pytest.approx(hill[2, 3])


def test_folding_adds_up_periods() -> None:
    some = np.arange(5 * 7, dtype=np.float32).reshape(5, 7)
    expected = np.zeros((3, 3))
    for i in range(5):
        for j in range(7):
            expected[i % 3, j % 3] += some[i, j]
    assert (folded(some, 3) == expected).all()


def test_whitened_parts_are_alike_however_strong_they_were() -> None:
    rng = np.random.default_rng(3)
    some = rng.normal(0, 30, (200, 400)).astype(np.float32)
    some[:, 200:] *= 4
    white = whiten(some)
    left, right = white[20:-20, 20:180].std(), white[20:-20, 220:380].std()
    assert right / left < 1.5
    # Where the frame shows no picture there is nothing.
    valid = np.zeros(some.shape, bool)
    valid[:, 100:] = True
    assert not whiten(some, valid)[:, :100].any()
