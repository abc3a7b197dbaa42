"""A line of text, as an edit and as what other edits draw with."""

import albumentations as A
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from latenthash.data.reading import Pixels
from latenthash.data.views import Arguments, Share

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def write(image: Image.Image, middle: float, text: str, size: float, colour: str = "white") -> None:
    """Write an outlined line of text on an image, in the middle of its width.

    Args:
        image: is drawn upon.
        middle: px from the top, of the line.
        text: the line.
        size: px, of the built-in font.
        colour: white with a black outline, or black with a white one.
    """
    ImageDraw.Draw(image).text(
        (image.width / 2, middle),
        text,
        fill=colour,
        font=ImageFont.load_default(size),
        anchor="mm",
        stroke_width=max(1, round(size / 15)),
        stroke_fill="black" if colour == "white" else "white",
    )


def fitted(text: str, height: float, width: float) -> tuple[Font, float]:
    """Fit the built-in font: height px, or less so that text is at most width px; and its size."""
    size = max(1.0, height)
    length = ImageFont.load_default(size).getlength(text)
    size = max(1.0, size * min(1.0, width / length))
    return ImageFont.load_default(size), size


class Text(A.ImageOnlyTransform):  # type: ignore[misc] # albumentations has no types
    """Write one line of white text with a black outline across the lower part of a picture.

    Args:
        text: the line.
        height: height of the letters as a share of the picture's height.
        p: probability of being applied.
    """

    class InitSchema(Arguments):
        """What may be asked for."""

        text: str
        height: Share

    def __init__(self, text: str, height: float, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.text = text
        self.height = height

    def apply(self, img: Pixels, **params: object) -> Pixels:
        """Draw on a copy of img, (H, W, 3) uint8."""
        image = Image.fromarray(img)
        write(image, image.height * 0.85, self.text, max(1.0, self.height * image.height))
        return np.asarray(image)
