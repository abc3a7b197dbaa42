"""Random edits that draw on a picture or around it, for models that learn what to overlook.

Of the kinds that `fixed_overlays` has for the benchmark, with other words, places and colours.
"""

from random import Random
from typing import Annotated

import albumentations as A
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field

from latenthash.data.edits.text import write
from latenthash.data.reading import Pixels
from latenthash.data.views import Arguments, Share

WORDS = (
    "after", "all", "before", "blue", "city", "day", "first", "good", "home", "light", "look",
    "love", "morning", "never", "new", "night", "old", "people", "photo", "sale", "share", "stone",
    "summer", "this", "time", "today", "trust", "water", "what", "when", "wind", "with", "you",
)  # fmt: skip
SMALLEST = 4.0  # px, of letters


class Writing(A.ImageOnlyTransform):  # type: ignore[misc] # albumentations has no types
    """Write lines of outlined words anywhere, from a caption to letters that cover everything.

    Args:
        lines: fewest and most lines.
        height: least and largest height of a line as a share of the picture's; less where a line
            would be wider than the picture, or all of them higher.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        lines: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=100)]]
        height: tuple[Share, Share]

    def __init__(self, lines: tuple[int, int], height: tuple[float, float], p: float = 1.0) -> None:
        super().__init__(p=p)
        self.lines = lines
        self.height = height

    def get_params(self) -> dict[str, object]:
        """Draw the words and where they go."""
        random = self.py_random
        texts = [_words(random, 3) for _ in range(random.randint(*self.lines))]
        return {
            "texts": [text.upper() for text in texts] if random.random() < 0.5 else texts,
            "height": random.uniform(*self.height),
            "top": random.random(),
            "colour": "black" if random.random() < 0.25 else "white",
        }

    def apply(
        self,
        img: Pixels,
        texts: list[str],
        height: float,
        top: float,
        colour: str,
        **params: object,
    ) -> Pixels:  # (H, W, 3)
        """Draw on a copy of img, (H, W, 3) uint8."""
        image = Image.fromarray(img)
        line = min(height, 0.9 / len(texts)) * image.height
        first = top * (image.height - line * len(texts))
        for number, text in enumerate(texts):
            length = ImageFont.load_default(line).getlength(text) if line >= SMALLEST else 0
            size = max(SMALLEST, line * min(1.0, 0.92 * image.width / max(length, 1)))
            write(image, first + line * (number + 0.5), text, size, colour)
        return np.asarray(image)


class Page(A.ImageOnlyTransform):  # type: ignore[misc]
    """Put a picture on a plain page with a bar and lines of text: memes, posts, screenshots."""

    def __init__(self, p: float = 1.0) -> None:
        super().__init__(p=p)

    def get_params(self) -> dict[str, object]:
        """Draw margins (shares of width and height), colours, and where text goes."""
        random = self.py_random
        side = [random.uniform(0, 0.15) if random.random() < 0.7 else 0.0 for _ in range(2)]
        return {
            "margins": (*side, random.uniform(0.05, 0.3), random.uniform(0.05, 0.3)),
            "paper": random.choice((255, 255, 20, random.randint(0, 255))),
            "bar": random.randint(150, 255) if random.random() < 0.5 else None,
            "texts": [
                (_words(random, 6), random.random(), random.random(), random.uniform(0.25, 0.8))
                for _ in range(random.randint(1, 5))
            ],
        }

    def apply(
        self,
        img: Pixels,
        margins: tuple[float, float, float, float],
        paper: int,
        bar: int | None,
        texts: list[tuple[str, float, float, float]],
        **params: object,
    ) -> Pixels:  # (H + above + below, W + left + right, 3)
        """Frame img, (H, W, 3) uint8."""
        height, width = img.shape[:2]
        left, right = (round(share * width) for share in margins[:2])
        above, below = (round(share * height) for share in margins[2:])
        page = Image.new("RGB", (width + left + right, height + above + below), (paper,) * 3)
        draw = ImageDraw.Draw(page)
        if bar is not None:
            draw.rectangle((0, 0, page.width, above // 2), fill=(bar,) * 3)
        page.paste(Image.fromarray(img), (left, above))
        for number, (text, across, down, size) in enumerate(texts):
            start, room = ((0, above), (above + height, below))[number % 2]
            if size * room / 2 < SMALLEST:
                continue
            draw.text(
                (0.5 * across * page.width, start + 0.7 * down * room),
                text,
                fill="black" if paper > 127 else "white",
                font=ImageFont.load_default(size * room / 2),
            )
        return np.asarray(page)


class Shapes(A.ImageOnlyTransform):  # type: ignore[misc]
    """Stick coloured discs and rounded squares on a picture, each with an eye, each anywhere."""

    MOST = 6

    def __init__(self, p: float = 1.0) -> None:
        super().__init__(p=p)

    def get_params(self) -> dict[str, object]:
        """Draw centres (shares of width and height), sides (of the shorter one), colours, kinds."""
        random = self.py_random
        return {
            "shapes": [
                (
                    random.random(),
                    random.random(),
                    random.uniform(0.1, 0.35),
                    tuple(random.randint(0, 255) for _ in range(3)),
                    random.random() < 0.5,
                )
                for _ in range(random.randint(1, self.MOST))
            ]
        }

    def apply(
        self,
        img: Pixels,
        shapes: list[tuple[float, float, float, tuple[int, int, int], bool]],
        **params: object,
    ) -> Pixels:  # (H, W, 3)
        """Draw on a copy of img, (H, W, 3) uint8."""
        image = Image.fromarray(img)
        draw = ImageDraw.Draw(image)
        shorter = min(image.size)
        for across, down, share, colour, disc in shapes:
            side = share * shorter
            x, y = across * image.width - side / 2, down * image.height - side / 2
            shape = draw.ellipse if disc else draw.rounded_rectangle
            edge = tuple(value // 2 for value in colour)
            shape(
                (x, y, x + side, y + side), fill=colour, outline=edge, width=max(1, shorter // 80)
            )
            eye = (x + 0.3 * side, y + 0.3 * side, x + 0.4 * side, y + 0.4 * side)
            draw.ellipse(eye, fill=edge)
        return np.asarray(image)


def _words(random: Random, most: int) -> str:
    """Draw up to so many words."""
    return " ".join(random.choice(WORDS) for _ in range(random.randint(1, most)))
