"""Small photographs that tests of codes share."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

from latenthash.codes.describe import Item
from latenthash.data.reading import Picture, Reader

READER = Reader(512, 10**6, (255, 255, 255))


def photo(i: int) -> Picture:
    pixels = np.ascontiguousarray(astronaut()[40 * i : 40 * i + 64, 100:180])
    return Picture(f"p{i}", pixels, f"digest{i}")


def items(n: int) -> list[Item]:
    return [Item(f"p{i}", f"digest{i}", partial(photo, i)) for i in range(n)]


def save_photos(folder: Path, n: int) -> None:
    (folder / "photos").mkdir()
    whole = astronaut()
    for i in range(n):
        row, column = divmod(i, 3)
        part = whole[110 * row : 110 * row + 160, 110 * column : 110 * column + 160]
        Image.fromarray(part).save(folder / "photos" / f"{i}.png")
