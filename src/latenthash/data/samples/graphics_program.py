"""What all programs on a screen have in common: colours, letters and the parts they draw."""

from random import Random

from PIL import Image, ImageDraw

from latenthash.data.samples.graphics_tools import (
    BOLD,
    REGULAR,
    Box,
    colour,
    font,
    label,
    language,
    letter,
    mix,
    prose,
    ramp,
)


class Program:
    """A program's look, and the picture it is drawn on."""

    def __init__(self, image: Image.Image, layout: Random, content: Random) -> None:
        """Choose colours, font and whether all its windows have their parts in the same places."""
        self.image, self.layout, self.content = image, layout, content
        self.draw = ImageDraw.Draw(image)
        if layout.random() < 0.4:
            self.ground = colour(layout, (0, 0.5), (0.03, 0.25))
            self.ink = mix((255, 255, 255), self.ground, layout.uniform(0, 0.35))
        else:
            self.ground = colour(layout, (0, 0.05), (0.93, 1))
            self.ink = mix((0, 0, 0), self.ground, layout.uniform(0, 0.35))
        self.panel = mix(self.ground, self.ink, layout.uniform(0.03, 0.2))
        self.faint = mix(self.ground, self.ink, layout.uniform(0.15, 0.4))
        self.accent = colour(layout, (0.4, 1), (0.4, 0.95))
        self.on_accent = (0, 0, 0) if sum(self.accent) > 400 else (255, 255, 255)
        self.family = layout.choice(("sans", "plain", "plain", "plain", "gothic", "mono", "serif"))
        self.size = layout.choice((8, 9, 10, 11, 12, 13, 15))
        self.language = language(layout, self.family)
        self.places = layout if layout.random() < 0.5 else content
        self.rounding = layout.choice((0, 3, 8, 14))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        weight: int = REGULAR,
        fill: tuple[int, int, int] | None = None,
        anchor: str = "la",
    ) -> float:
        """Write a text and return its width."""
        face = font(self.family, weight, self.size)
        self.draw.text((x, y), text, fill=fill or self.ink, font=face, anchor=anchor)
        return face.getlength(text)

    def prose(self, width: float) -> str:
        """Draw text for so many pixels."""
        return prose(self.content, self.language, width / letter(self.family, REGULAR, self.size))

    def picture(self, box: Box) -> None:
        """Put something like a photograph: two shades with shapes before them."""
        left, top, right, bottom = (round(value) for value in box)
        if right - left < 4 or bottom - top < 4:
            return
        one, other = (colour(self.content, (0.1, 0.9), (0.1, 1)) for _ in range(2))
        part = ramp(right - left, bottom - top, one, other, self.content.random() < 0.7)
        draw = ImageDraw.Draw(part)
        for _ in range(self.content.randint(1, 4)):
            x, y = self.content.uniform(-0.2, 0.8), self.content.uniform(-0.1, 0.9)
            side = self.content.uniform(0.2, 0.7) * part.height
            place = (x * part.width, y * part.height, x * part.width + side, y * part.height + side)
            shape = self.content.choice((draw.ellipse, draw.rectangle))
            shape(place, fill=colour(self.content, (0.1, 1), (0.1, 1)))
        self.image.paste(part, (left, top))

    def tree(self, box: Box) -> None:
        """List names at the side, some set in, one of them chosen."""
        left, top, right, bottom = box
        step = self.size * self.layout.uniform(1.4, 2.4)
        chosen, y = self.content.randrange(8), top + 6
        count, squares = 0, self.layout.random() < 0.5
        while y + step < bottom:
            ink = self.on_accent if count == chosen else self.ink
            if count == chosen:
                self.draw.rectangle((left, y - 2, right, y + step - 4), fill=self.accent)
            x = left + 6 + self.places.choice((0, 0, 1)) * self.size
            if squares:
                self.draw.rectangle((x, y + 2, x + 0.6 * self.size, y + 0.6 * self.size + 2),
                                    fill=self.faint)  # fmt: skip
                x += self.size
            room = int((right - x) / letter(self.family, REGULAR, self.size))
            name = label(self.content, self.language)[: max(room - 1, 0)]
            self.text(x, y, name, REGULAR, ink)
            y += step
            count += 1


def icon(draw: ImageDraw.ImageDraw, box: Box, random: Random, ink: tuple[int, int, int]) -> None:
    """Draw a small sign: a disc, a square, a triangle, a letter or bars."""
    left, top, right, bottom = box
    kind = random.randrange(6)
    fill = colour(random) if random.random() < 0.4 else ink
    if kind == 0:
        draw.ellipse(box, fill=fill)
    elif kind == 1:
        draw.rounded_rectangle(box, 3, fill=fill)
    elif kind == 2:
        draw.polygon(((left, bottom), ((left + right) / 2, top), (right, bottom)), fill=fill)
    elif kind == 3:
        draw.ellipse(box, outline=fill, width=2)
        draw.line((right - 3, bottom - 3, right + 1, bottom + 1), fill=fill, width=2)
    elif kind == 4:
        for share in (0.2, 0.5, 0.8):
            y = top + share * (bottom - top)
            draw.line((left, y, right, y), fill=fill, width=2)
    else:
        draw.rectangle(box, fill=fill)
        draw.text((left + 2, top), random.choice("ABCDEFGHKLMNPRSTW+?!"), fill=(255, 255, 255),
                  font=font("sans", BOLD, max(6, round(0.8 * (bottom - top)))))  # fmt: skip
