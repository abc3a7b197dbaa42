"""What another program that makes a code must come to, of pictures that anybody can have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray

from latenthash import __version__
from latenthash.codes.latent import Latent
from latenthash.data.detail import has_detail
from latenthash.data.reading import Pixels, Reader
from latenthash.data.reduction import inner_box, reduced
from latenthash.data.samples.sets import photographs
from latenthash.hashing.printable_code import BITS

BORDER = 255
# Height, width, border, px: averaged by whole numbers and others, enlarged, both, bordered, plain.
DRAWN = (
    *((384, 384, 0), (576, 192, 0), (300, 512, 0), (511, 200, 0), (100, 80, 0), (8, 9, 0)),
    *((150, 400, 0), (260, 340, 30), (400, 64, 0), (64, 64, 32)),
)


@dataclass(frozen=True)
class Example:
    """A picture that a port is tried by.

    Attributes:
        source: where it is from: a file of a package, or numbers of the formula.
        pixels: (H, W, 3), decoded.
    """

    source: dict[str, Any]
    pixels: Pixels


def drawn(height: int, width: int, border: int) -> Pixels:
    """Draw a picture by whole numbers alone, so that any program can.

    Its pixel (y, x, c) is (3 x + 5 y + 40 c + floor(x y / 64)) mod 256, and 255 in the border.
    """
    y, x, c = np.ogrid[:height, :width, :3]
    pixels = ((3 * x + 5 * y + 40 * c + x * y // 64) % 256).astype(np.uint8)
    inside = np.zeros((height, width, 1), bool)
    inside[border : height - border, border : width - border] = True
    return np.where(inside, pixels, np.uint8(BORDER))


def examples(reader: Reader) -> list[Example]:
    """Return the drawn pictures, and photographs that packages ship, as a reader decodes them."""
    keys = ("height", "width", "border")
    return [
        *(Example({"drawn": dict(zip(keys, one, strict=True))}, drawn(*one)) for one in DRAWN),
        *(Example({"file": p.name}, p.pixels) for p in photographs(reader)),
    ]


def port_examples(
    latent: Latent,
    reader: Reader,
    shown: Sequence[Example],
    codes: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> dict[str, Any]:
    """Lay out what is made of pictures on the way to their codes, as JSON takes it.

    Args:
        latent: of the code.
        reader: how pictures are decoded for it.
        shown: the pictures.
        codes: views (N, side, side, 3) -> codes (N, 32).
    """
    side = latent.hasher.features.size
    views = np.stack([reduced(one.pixels, side, latent.trim) for one in shown])
    return {
        "latenthash": __version__,
        "pillow": PIL.__version__,
        "opencv": cv2.__version__,
        "tag": latent.tag.hex(),
        "bits": BITS,
        "side": side,
        "trim": latent.trim,
        "working_size": reader.working_size,
        "background": list(reader.background),
        "pictures": [
            _row(one, latent.trim, view, code)
            for one, view, code in zip(shown, views, codes(views), strict=True)
        ],
    }


def _row(one: Example, trim: bool, view: Pixels, code: NDArray[np.uint8]) -> dict[str, Any]:
    detail = has_detail(one.pixels)
    height, width, _ = one.pixels.shape
    rows, columns = inner_box(one.pixels) if trim else (slice(0, height), slice(0, width))
    return {
        **one.source,
        "pixels": {"height": height, "width": width, "sha256": _digest(one.pixels)},
        "kept": {
            "top": rows.start, "bottom": rows.stop, "left": columns.start, "right": columns.stop
        },
        "view_sha256": _digest(view),
        "detail": detail,
        "code": code.tobytes().hex() if detail else None,
    }  # fmt: skip


def _digest(pixels: Pixels) -> str:
    return sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
