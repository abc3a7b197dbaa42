"""Depth, polarity and colour keys: a file of any kind shows what its twin of 8 bits shows."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from latenthash.data.reading import Reader
from latenthash.system.files import Unusable

HEIGHT, WIDTH = 48, 64
Array = NDArray[Any]


def scene() -> NDArray[np.float64]:
    """Return a smooth random picture of all values from 0 to 1, (H, W, 3)."""
    noise = np.random.default_rng(0).random((HEIGHT, WIDTH, 3))
    smooth = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3))
    low, high = smooth.min((0, 1)), smooth.max((0, 1))
    scaled: NDArray[np.float64] = (smooth - low) / (high - low)
    return scaled


COLOUR = scene()
GREY = COLOUR[..., 0]


def stored(values: Array, bits: int) -> NDArray[np.int64]:
    """Return values in [0, 1] as whole numbers of so many bits."""
    return (values * (2**bits - 1)).round().astype(np.int64)


def packed(values: Array, bits: int, order: str = ">") -> list[bytes]:
    """Pack rows of whole numbers, the first in the highest bits, each row from a new byte on."""
    rows = values.reshape(len(values), -1)
    if bits == 16:
        return [row.astype(f"{order}u2").tobytes() for row in rows]
    digits = (rows[..., None] >> np.arange(bits)[::-1] & 1).reshape(len(rows), -1)
    return [np.packbits(row).tobytes() for row in digits]


def png(values: Array, bits: int, colour_type: int, key: tuple[int, ...] = ()) -> bytes:
    """Build a PNG, with the colour that stands for transparent."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, colour_type, 0, 0, 0)
    body = b"".join(b"\0" + row for row in packed(values, bits))
    named = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)) if key else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + named
        + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    )  # fmt: skip


def tiff(
    values: Array,
    bits: int,
    white: int,
    order: str = "<",
    deflate: bool = False,
    sample: int = 1,
    most: int | None = None,
) -> bytes:
    """Build a grey TIFF.

    White is 0 where 0 stands for white, and 1 where it stands for black; most is named as the
    largest value.
    """
    body = b"".join(packed(values, bits, order))
    body = zlib.compress(body) if deflate else body
    tags = {
        256: WIDTH, 257: HEIGHT, 258: bits, 259: 8 if deflate else 1, 262: white, 273: 0, 277: 1,
        278: HEIGHT, 279: len(body), **({} if most is None else {281: most}), 339: sample,
    }  # fmt: skip
    tags[273] = 14 + 12 * len(tags)
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, v) for tag, v in tags.items())
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}IH", 8, len(tags)) + entries + bytes(4) + body


def written(values: Array, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def saved(values: Array, kind: str, mode: str | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values, mode).save(file, kind, **options)
    return file.getvalue()


def pnm(values: Array, kind: bytes, most: int) -> bytes:
    numbers = (values * most).round().astype(">u2" if most > 255 else "u1")
    return b"%b %d %d %d\n" % (kind, WIDTH, HEIGHT, most) + numbers.tobytes()


def keyed(values: Array) -> Array:
    """Put a block of one colour into a corner, and beside it its neighbour of 16 bits."""
    values = values.copy()
    values[:16, :16] = 0.4
    values[:16, 16:32] = 0.4 + 1 / 65535
    return values


def key(values: Array, bits: int) -> tuple[int, ...]:
    return tuple(np.atleast_1d(stored(keyed(values), bits)[0, 0]).tolist())


def seen(values: Array, bits: int) -> Array:
    """Return what a keyed picture shows on white."""
    numbers = stored(keyed(values), bits)
    shown = numbers / (2**bits - 1)
    shown[(numbers == numbers[0, 0]).reshape(HEIGHT, WIDTH, -1).all(-1)] = 1
    return shown


def half_seen(values: Array) -> Array:
    return values / 2 + 0.5


def with_alpha(values: Array, alpha: float) -> Array:
    values = values if values.ndim == 3 else values[..., None]
    return np.concatenate([values, np.full((HEIGHT, WIDTH, 1), alpha)], 2)


def both(make: Callable[..., bytes], *values: Any, **options: Any) -> dict[str, bytes]:
    return {f" {order}": make(*values, byteorder=order, **options) for order in "<>"}


DEEP, DEEP_COLOUR = stored(GREY, 16).astype(np.uint16), stored(COLOUR, 16).astype(np.uint16)
INKS = 1 - with_alpha(COLOUR, 1)  # no black
# name -> file, and what it shows in [0, 1]
TWINS: dict[str, tuple[bytes, Array]] = {
    **{f"png grey {bits}": (png(stored(GREY, bits), bits, 0), stored(GREY, bits) / (2**bits - 1))
       for bits in (1, 2, 4, 8, 16)},
    **{f"png grey {b} key": (png(stored(keyed(GREY), b), b, 0, key(GREY, b)), seen(GREY, b))
       for b in (1, 2, 4, 8, 16)},
    "png rgb 16": (png(stored(COLOUR, 16), 16, 2), COLOUR),
    **{f"png rgb {b} key": (png(stored(keyed(COLOUR), b), b, 2, key(COLOUR, b)), seen(COLOUR, b))
       for b in (8, 16)},
    "png grey alpha 16": (png(stored(with_alpha(GREY, 0.5), 16), 16, 4), half_seen(GREY)),
    "png rgb alpha 16": (png(stored(with_alpha(COLOUR, 0.5), 16), 16, 6), half_seen(COLOUR)),
    **{f"tiff {bits} {order} {'white' if white == 0 else 'black'} is zero{' deflate' * deflate}":
       (tiff(stored(GREY, bits), bits, white, order, deflate),
        np.abs(stored(GREY, bits) / (2**bits - 1) - (white == 0)))
       for bits in (1, 2, 4, 8, 12, 16) for white in (0, 1) for order in "<>"
       for deflate in (False, True)
       if not (bits == 12 and (white == 0 or order == ">"))  # Pillow knows them not
       and not (bits == 16 and white == 0 and order == ">")},
    **{f"tiff {bits} in 16 {white}":
       (tiff(stored(GREY, bits), 16, white, most=2**bits - 1), np.abs(GREY - (white == 0)))
       for bits in (9, 10, 12, 14, 15) for white in (0, 1)},
    "tiff 12 in 16 >": (tiff(stored(GREY, 12), 16, 1, ">", most=4095), GREY),
    **{f"tiff {bits} with a largest value of {most}":
       (tiff(stored(GREY / 5, bits), bits, 1, most=most), GREY / 5)
       for bits, most in [(8, 51), (8, 63), (16, 13107), (16, 65535), (16, 0), (16, 255),
                          (8, 4095)]},
    **{f"tiff rgb 16{order}": (data, COLOUR)
       for order, data in both(written, DEEP_COLOUR, photometric="rgb").items()},
    **{f"tiff rgb alpha 16{order}": (data, half_seen(COLOUR)) for order, data in both(
        written, stored(with_alpha(COLOUR, 0.5), 16).astype(np.uint16), photometric="rgb",
        extrasamples=["unassalpha"]).items()},
    **{f"tiff rgb premultiplied 16{order}": (data, half_seen(COLOUR)) for order, data in both(
        written, stored(with_alpha(COLOUR / 2, 0.5), 16).astype(np.uint16), photometric="rgb",
        extrasamples=["assocalpha"]).items()},
    **{f"tiff grey premultiplied 8{order}": (data, half_seen(GREY)) for order, data in both(
        written, stored(with_alpha(GREY / 2, 0.5), 8).astype(np.uint8), photometric="minisblack",
        extrasamples=["assocalpha"]).items()},
    "tiff apart 8": (written(stored(COLOUR, 8).astype(np.uint8).transpose(2, 0, 1).copy(),
                             photometric="rgb", planarconfig="separate"), COLOUR),
    "tiff tiled 16": (written(DEEP, tile=(16, 16)), GREY),
    **{f"tiff cmyk {b}": (written(stored(INKS, b).astype(f"u{b // 8}"), photometric="separated"),
                          COLOUR) for b in (8, 16)},
    **{f"pgm {most}": (pnm(GREY, b"P5", most), GREY) for most in (200, 255, 1023, 4095, 65535)},
    **{f"ppm {most}": (pnm(COLOUR, b"P6", most), COLOUR) for most in (200, 1023, 4095, 65535)},
    "jpeg 2000 16": (saved(DEEP, "JPEG2000"), GREY),
    "jpeg cmyk": (saved(stored(INKS, 8).astype(np.uint8), "JPEG", "CMYK", quality=100,
                        subsampling=0), COLOUR),
}  # fmt: skip


@pytest.mark.parametrize("name", TWINS)
def test_every_depth_shows_what_its_twin_of_eight_bits_shows(
    name: str, reader: Reader, tmp_path: Path
) -> None:
    data, shown = TWINS[name]
    (tmp_path / "deep").write_bytes(data)
    twin = np.broadcast_to(shown.reshape(HEIGHT, WIDTH, -1), (HEIGHT, WIDTH, 3))
    (tmp_path / "twin").write_bytes(saved(stored(twin, 8).astype(np.uint8), "PNG"))
    deep, plain = (reader.read(tmp_path / n).pixels.astype(int) for n in ("deep", "twin"))
    assert np.abs(deep - plain).max() <= 2


def test_both_neighbours_of_a_deep_key_would_look_alike_in_eight_bits() -> None:
    block, neighbour = stored(keyed(GREY), 16)[0, [0, 16]]
    assert neighbour == block + 1
    assert block >> 8 == neighbour >> 8


UNKNOWN: dict[str, bytes] = {
    "tiff 16 signed": written((GREY * 32767).astype(np.int16)),
    "tiff 8 signed": written((GREY * 127).astype(np.int8)),
    "tiff 32": written((GREY * 40000).astype(np.uint32)),
    "tiff 32 signed": written((GREY * 40000).astype(np.int32)),
    "tiff 32 float": written(GREY.astype(np.float32)),
    **{f"tiff apart 16{order}": data for order, data in both(
        written, DEEP_COLOUR.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate"
    ).items()},
    "tiff 16 above 12": tiff(stored(GREY, 16), 16, 1, most=4095),
    **{f"tiff rgb 12 in 16{order}": data for order, data in both(
        written, stored(COLOUR, 12).astype(np.uint16), photometric="rgb",
        extratags=[(281, "H", 3, (4095,) * 3, True)]).items()},
    "pfm": b"Pf %d %d -1.0\n" % (WIDTH, HEIGHT) + GREY.astype("<f4").tobytes(),
    "spider": saved(GREY.astype(np.float32), "SPIDER"),
    "fits 16": b"".join(
        f"{name:8}= {value:>20}".ljust(80).encode() for name, value in
        {"SIMPLE": "T", "BITPIX": 16, "NAXIS": 2, "NAXIS1": WIDTH, "NAXIS2": HEIGHT}.items()
    ) + b"END".ljust(2880 - 400) + DEEP.tobytes().ljust(8640),
}  # fmt: skip
RARE: dict[str, bytes] = {  # Pillow's table lacks them
    **{f"tiff {bits}": tiff(stored(GREY, bits), bits, 1) for bits in (6, 10, 14)},
    "tiff 12 white": tiff(stored(GREY, 12), 12, 0),
    "tiff 12 >": tiff(stored(GREY, 12), 12, 1, ">"),
    "tiff 16 white >": tiff(stored(GREY, 16), 16, 0, ">"),
    "tiff 16 float": written(GREY.astype(np.float16)),
    "tiff grey alpha 16": written(stored(with_alpha(GREY, 0.5), 16).astype(np.uint16),
                                  photometric="minisblack", extrasamples=["unassalpha"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        *(pytest.param(data, r"^holds .*save it .*8", id=name) for name, data in UNKNOWN.items()),
        *(pytest.param(data, "TIFF.*save it as PNG", id=name) for name, data in RARE.items()),
    ],
)
def test_what_would_show_something_else_is_refused(
    data: bytes, sentence: str, reader: Reader, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(Unusable, match=sentence):
        reader.read(tmp_path / "a")
