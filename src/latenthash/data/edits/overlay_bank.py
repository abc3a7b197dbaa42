"""Pictures to be laid over others, drawn once: writing, bars, watermarks, stickers, screens.

Training edits thousands of pictures a second on an accelerator, where nobody can draw; it takes a
drawing from the bank for each. Words, places and colours are random and of no benchmark's.
"""

from functools import partial
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latenthash.data.edits.random_overlays import WORDS
from latenthash.data.edits.stickers import heart, smiley, star
from latenthash.system.parallel import parallel_map

LARGEST = 0.38  # height of letters as a share of the picture's: large text is what hides most

Colour = tuple[int, ...]


def draw_bank(count: int, side: int) -> NDArray[np.uint8]:
    """Draw overlays (count, side, side, 4), RGBA; the same ones every time."""
    drawn = parallel_map(partial(_overlay, side=side), count, "Drawing overlays")
    return np.stack(list(drawn))


def _overlay(seed: int, side: int) -> NDArray[np.uint8]:
    """Draw one overlay on a transparent square, (side, side, 4)."""
    random = Random(seed)
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    kinds = (_writing, _bars, _watermark, _stickers, _screen)
    (kind,) = random.choices(kinds, weights=(45, 15, 15, 15, 10))
    return np.asarray(kind(random, image))


def _writing(random: Random, image: Image.Image) -> Image.Image:
    """Write one to four lines, up to letters that cover everything."""
    lines = random.randint(1, 4)
    height = random.uniform(0.06, LARGEST) * image.height
    top = random.uniform(0, max(0.0, image.height - lines * height))
    for number in range(lines):
        _line(random, image, top + (number + 0.5) * height, height)
    return image


def _bars(random: Random, image: Image.Image) -> Image.Image:
    """Put bars with a caption above, below, or both."""
    height = random.uniform(0.08, 0.22) * image.height
    paper = (255, 255, 255, 255) if random.random() < 0.6 else (0, 0, 0, 255)
    for top in random.choice(((0.0,), (image.height - height,), (0.0, image.height - height))):
        ImageDraw.Draw(image).rectangle((0, top, image.width, top + height), fill=paper)
        _line(random, image, top + height / 2, 0.6 * height)
    return image


def _watermark(random: Random, image: Image.Image) -> Image.Image:
    """Repeat a faint word over everything, upright or at an angle."""
    font = ImageFont.load_default(random.uniform(0.04, 0.13) * image.height)
    text = random.choice(WORDS) * random.randint(1, 2)
    colour = (*_colour(random), random.randint(60, 190))
    step = random.uniform(0.12, 0.3) * image.height
    draw = ImageDraw.Draw(image)
    for y in np.arange(0, image.height, step):
        for x in np.arange(-0.1 * image.width, image.width, 1.8 * step):
            draw.text((x, y), text, fill=colour, font=font)
    return image.rotate(random.uniform(-45, 45)) if random.random() < 0.6 else image


def _stickers(random: Random, image: Image.Image) -> Image.Image:
    """Stick drawings, discs and rectangles anywhere."""
    for _ in range(random.randint(1, 6)):
        side = max(2, round(random.uniform(0.08, 0.45) * image.width))
        left, top = (round(random.uniform(-0.1, 0.9) * image.width) for _ in range(2))
        kind = random.choice((smiley, heart, star, None, None, None))
        if kind is None:
            sticker = Image.new("RGBA", (side, side), (0, 0, 0, 0))
            draw = ImageDraw.Draw(sticker)
            shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
            shape((0, 0, side - 1, side - 1), fill=(*_colour(random), random.choice((180, 255))))
        else:
            sticker = kind().resize((side, side))
        image.paste(sticker, (left, top), sticker)
    return image


def _screen(random: Random, image: Image.Image) -> Image.Image:
    """Frame the picture as a window or a telephone does: a bar with buttons, a caption, a side."""
    paper = (245, 245, 245, 255) if random.random() < 0.6 else (30, 30, 30, 255)
    draw = ImageDraw.Draw(image)
    width, height = image.size
    bar = random.uniform(0.06, 0.16) * height
    draw.rectangle((0, 0, width, bar), fill=paper)
    for _ in range(random.randint(1, 5)):
        left = random.uniform(0, width)
        right = left + random.uniform(0.02, 0.24) * width
        draw.rectangle((left, 0.3 * bar, right, 0.7 * bar), fill=(128, 128, 128, 255))
    if random.random() < 0.7:
        below = random.uniform(0.05, 0.2) * height
        draw.rectangle((0, height - below, width, height), fill=paper)
        _line(random, image, height - below / 2, 0.4 * below)
    if random.random() < 0.3:
        draw.rectangle((0, 0, random.uniform(0.05, 0.2) * width, height), fill=paper)
    return image


def _line(random: Random, image: Image.Image, middle: float, height: float) -> None:
    """Write a line of outlined words, somewhere across; it may run over the edges."""
    text = " ".join(random.choice(WORDS) for _ in range(random.randint(1, 4)))
    colour = _colour(random)
    ImageDraw.Draw(image).text(
        (random.uniform(0.3, 0.7) * image.width, middle),
        text.upper() if random.random() < 0.6 else text,
        fill=(*colour, 255),
        font=ImageFont.load_default(max(6.0, height)),
        anchor="mm",
        stroke_width=max(1, round(height / 15)),
        stroke_fill=(*(255 - value for value in colour), 255),
    )


def _colour(random: Random) -> Colour:
    """Choose white, black or any colour."""
    anything = tuple(random.randrange(256) for _ in range(3))
    return random.choices(((255, 255, 255), (0, 0, 0), anything), weights=(50, 20, 30))[0]
