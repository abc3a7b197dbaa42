"""Edits that draw on a picture or around it, as people and apps do: text, stickers, frames.

What they draw is the same on every picture, so that two pictures with one caption are as hard to
tell apart as they are on the web.
"""

from math import ceil
from typing import Annotated

import albumentations as A
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field

from latenthash.data.edits.stickers import heart, smiley, star
from latenthash.data.edits.text import fitted, write
from latenthash.data.reading import Pixels
from latenthash.data.views import Arguments, Share


class Lines(A.ImageOnlyTransform):  # type: ignore[misc] # albumentations has no types
    """Write lines of white text with a black outline, spread evenly from top to bottom.

    Args:
        lines: the text, one entry a line.
        height: height of the letters as a share of the picture's height; less where a line would
            be wider than the picture.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        lines: Annotated[list[str], Field(min_length=1)]
        height: Share

    def __init__(self, lines: list[str], height: float, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.lines = lines
        self.height = height

    def apply(self, img: Pixels, **params: object) -> Pixels:  # (H, W, 3)
        """Draw on a copy of img, (H, W, 3) uint8."""
        image = Image.fromarray(img)
        for number, line in enumerate(self.lines):
            _, size = fitted(line, self.height * image.height, 0.92 * image.width)
            write(image, image.height * (number + 0.5) / len(self.lines), line, size)
        return np.asarray(image)


class Captions(A.ImageOnlyTransform):  # type: ignore[misc]
    """Put a white bar with a black caption above a picture and another below it.

    Args:
        top: the upper caption.
        bottom: the lower caption.
        bar: height of each bar as a share of the picture's height.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        top: str
        bottom: str
        bar: Share

    def __init__(self, top: str, bottom: str, bar: float, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.top = top
        self.bottom = bottom
        self.bar = bar

    def apply(self, img: Pixels, **params: object) -> Pixels:  # (H + 2 bars, W, 3)
        """Frame img, (H, W, 3) uint8."""
        picture = Image.fromarray(img)
        bar = max(1, round(self.bar * picture.height))
        image = Image.new("RGB", (picture.width, picture.height + 2 * bar), "white")
        image.paste(picture, (0, bar))
        draw = ImageDraw.Draw(image)
        for text, middle in ((self.top, bar / 2), (self.bottom, image.height - bar / 2)):
            font, _ = fitted(text, 0.6 * bar, 0.92 * image.width)
            draw.text((image.width / 2, middle), text, fill="black", font=font, anchor="mm")
        return np.asarray(image)


class Watermark(A.ImageOnlyTransform):  # type: ignore[misc]
    """Tile a picture with a slanting, half transparent line of text, as stock photo sellers do.

    Args:
        text: the line.
        height: height of the letters as a share of the picture's shorter side.
        opacity: 0 (nothing is seen) to 1 (solid).
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        text: Annotated[str, Field(min_length=1)]
        height: Annotated[float, Field(gt=0, le=1)]
        opacity: Share

    def __init__(self, text: str, height: float, opacity: float, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.text = text
        self.height = height
        self.opacity = opacity

    def apply(self, img: Pixels, **params: object) -> Pixels:  # (H, W, 3)
        """Draw on a copy of img, (H, W, 3) uint8."""
        image = Image.fromarray(img)
        size = max(1.0, self.height * min(image.size))
        font = ImageFont.load_default(size)
        alpha = round(255 * self.opacity)
        # A square that covers the picture however it is turned.
        side = ceil((image.width**2 + image.height**2) ** 0.5)
        layer = Image.new("RGBA", (side, side), (255, 255, 255, 0))
        draw = ImageDraw.Draw(layer)
        step = (font.getlength(self.text) + 2 * size, 3 * size)
        for row in range(ceil(side / step[1])):
            for column in range(-1, ceil(side / step[0])):
                draw.text(
                    ((column + row % 2 / 2) * step[0], row * step[1]),
                    self.text,
                    fill=(255, 255, 255, alpha),
                    font=font,
                    stroke_width=max(1, round(size / 20)),
                    stroke_fill=(0, 0, 0, alpha),
                )
        layer = layer.rotate(30, Image.Resampling.BILINEAR)
        left, top = (side - image.width) // 2, (side - image.height) // 2
        layer = layer.crop((left, top, left + image.width, top + image.height))
        return np.asarray(Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB"))


class Stickers(A.ImageOnlyTransform):  # type: ignore[misc]
    """Stick smileys, hearts and stars on a picture, in turn, each anywhere.

    Args:
        count: how many.
        size: side of each as a share of the picture's shorter side.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        count: Annotated[int, Field(ge=0, le=1000)]
        size: Share

    def __init__(self, count: int, size: float, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.count = count
        self.size = size

    def get_params(self) -> dict[str, list[tuple[float, float]]]:
        """Draw where each lies: shares of the room to the left of it and above it."""
        random = self.py_random.random
        return {"places": [(random(), random()) for _ in range(self.count)]}

    def apply(self, img: Pixels, places: list[tuple[float, float]], **params: object) -> Pixels:
        """Draw on a copy of img, (H, W, 3) uint8."""
        image = Image.fromarray(img)
        side = max(1, round(self.size * min(image.size)))
        kinds = (smiley(), heart(), star())
        for number, (across, down) in enumerate(places):
            sticker = kinds[number % len(kinds)].resize((side, side), Image.Resampling.LANCZOS)
            place = round(across * (image.width - side)), round(down * (image.height - side))
            image.paste(sticker, place, sticker)
        return np.asarray(image)


class Screenshot(A.ImageOnlyTransform):  # type: ignore[misc]
    """Show a picture on a web page in a browser's window, with toolbar, margins and page text.

    Args:
        margin: white page to the left and right, as a share of the picture's width.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        margin: Share

    def __init__(self, margin: float, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.margin = margin

    def apply(self, img: Pixels, **params: object) -> Pixels:  # (H + 4 bars, W + 2 margins, 3)
        """Frame img, (H, W, 3) uint8; a bar is a twelfth of the width."""
        picture = Image.fromarray(img)
        margin = max(1, round(self.margin * picture.width))
        width = picture.width + 2 * margin
        bar = max(2, width // 12)
        image = Image.new("RGB", (width, picture.height + 4 * bar), "white")
        image.paste(picture, (margin, 2 * bar))
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, 0, width, bar), fill=(222, 225, 230))
        for number, colour in enumerate(((237, 106, 94), (244, 191, 79), (97, 197, 84))):
            middle = bar * (0.5 + 0.5 * number)
            draw.ellipse((middle - bar / 6, bar / 3, middle + bar / 6, bar * 2 / 3), fill=colour)
        draw.rectangle((2 * bar, bar / 5, width - bar / 2, bar * 4 / 5), fill="white")
        grey, page = (95, 99, 104), image.height
        for text, size, left, middle in (
            ("https://example.org/photos/1024", 0.45, 2.2 * bar, bar / 2),
            ("A photo I like", 0.6, margin, 1.5 * bar),
            ("1,024 likes   56 comments   Share", 0.45, margin, page - 1.5 * bar),
            ("Where was this taken?", 0.45, margin, page - 0.7 * bar),
        ):
            font, _ = fitted(text, size * bar, width - left)
            draw.text((left, middle), text, fill=grey, font=font, anchor="lm")
        return np.asarray(image)
