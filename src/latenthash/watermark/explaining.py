"""What a figure of a verdict shows, put together."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.plots.verdict import Case, verdict
from latenthash.watermark.codec import known, to_word
from latenthash.watermark.registration import read_thumbnail
from latenthash.watermark.registry import Registry
from latenthash.watermark.tracing import trace
from latenthash.watermark.verdict import Verdict, owner

SIDE = 640  # px of the longer side that is drawn


@dataclass(frozen=True)
class _Laid:
    """The original, laid on a picture where that can be.

    Attributes:
        pixels: (H, W, 3); None where there is no original.
        difference: (H, W) in grey levels; None where it could not be laid on the picture.
    """

    pixels: Pixels | None
    difference: NDArray[np.float64] | None


def explain(
    name: str, pixels: Pixels, found: Verdict, registry: Registry, limits: Mapping[float, int]
) -> Figure:
    """Draw a verdict.

    Args:
        name: of the picture.
        pixels: (H, W, 3).
        found: the verdict.
        registry: where the lineage is looked up.
        limits: false-positive rate -> most bits in which codes of one picture differ.
    """
    small = _reduced(pixels)
    laid = _laid(small, pixels.shape[:2], found)
    agreement, row = found.agreement, found.row
    lines = trace(registry, row.id).text().split("\n") if row is not None else []
    conflicts = [f"{one.id.hex()} {owner(one)}, {one.added}" for one in found.conflicts]
    case = Case(
        name, found.status, found.sentence, small,
        laid.pixels,
        laid.difference,
        _reliability(found),
        None if agreement is None else agreement.distance,
        limits, conflicts, lines,
    )  # fmt: skip
    return verdict(case)


def _reduced(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    factor = SIDE / max(height, width)
    if factor >= 1:
        return pixels
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _laid(small: Pixels, size: tuple[int, ...], found: Verdict) -> _Laid:
    """Lay the thumbnail of the registered original on the picture as it is drawn."""
    agreement, row = found.agreement, found.row
    if agreement is None or row is None or row.signed is None:
        return _Laid(None, None)
    homography, manifest = agreement.registration.homography, row.signed.manifest
    try:
        thumbnail = read_thumbnail(manifest.jpeg)
    except InputError:  # its owner signed what is no picture
        return _Laid(None, None)
    if homography is None:
        return _Laid(thumbnail, None)
    if agreement.registration.negative:
        thumbnail = 255 - thumbnail
    (height, width), (tall, wide) = small.shape[:2], size
    there = _reducing(width / wide, height / tall) @ homography
    here = _reducing(thumbnail.shape[1] / manifest.size[0], thumbnail.shape[0] / manifest.size[1])
    matrix = there @ np.linalg.inv(here)
    white = (255, 255, 255)
    pixels = cv2.warpPerspective(thumbnail, matrix, (width, height), borderValue=white)
    where = cv2.warpPerspective(np.ones_like(thumbnail[..., 0]), matrix, (width, height)) > 0
    # The thumbnail is less sharp than the picture: what is compared is smoothed alike.
    blur = max(1.0, width / thumbnail.shape[1])
    first, second = (
        cv2.GaussianBlur(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.float64), (0, 0), blur)
        for one in (small, np.asarray(pixels, np.uint8))
    )
    return _Laid(np.asarray(pixels, np.uint8), np.abs(first - second) * where)


def _reducing(x: float, y: float) -> NDArray[np.float64]:
    """Return the way from px of a picture to px of a smaller one, from the first's middle."""
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _reliability(found: Verdict) -> NDArray[np.float64] | None:
    """Return how surely each bit was read, as shares of the surest."""
    if found.identity is None or found.way in ("", "content"):
        return None
    identity = found.identity
    best = max(found.reading.attempts, key=lambda one: float(known([one], [identity])[0]))
    signed = (2.0 * to_word(identity) - 1) * best.soft
    most = float(np.abs(signed).max()) or 1.0
    return np.asarray(signed / most, np.float64)
