"""Pages of text: articles, books, letters, forms, listings, slides and others."""

import functools
import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from latenthash.data.samples.graphics_tools import (
    BOLD,
    ITALIC,
    REGULAR,
    colour,
    font,
    label,
    language,
    letter,
    mix,
    number,
    paper,
    prose,
    size,
    smooth,
    words,
)

Block = Callable[[float, float, float, float], float]  # x, y, width and bottom to the new y


class Page:
    """A page being filled from top to bottom."""

    def __init__(
        self, layout: Random, content: Random, shape: str, sizes: tuple[float, float]
    ) -> None:
        """Choose what the template fixes: paper, fonts, margins and spacing.

        Args:
            layout: decides what the template fixes.
            content: decides the words and, in half of the templates, also where blocks go.
            shape: portrait, landscape or any.
            sizes: least and largest height of letters, px.
        """
        self.content = content
        self.family = layout.choice(("sans", "serif", "serif", "stix", "stix", "roman", "plain"))
        self.family = layout.choice((self.family, self.family, self.family, "mono", "gothic"))
        self.language = language(layout, self.family)
        self.heads = layout.choice((self.family, self.family, "sans"))
        self.size = round(math.exp(layout.uniform(*(math.log(value) for value in sizes))))
        self.leading = round(self.size * layout.uniform(1.15, 1.6))
        self.ground, self.ink = paper(layout, 0.06)
        deep = (0.7, 1.0) if sum(self.ground) < 380 else (0.2, 0.8)  # to be seen on this paper
        self.accent = colour(layout, (0.3, 1), deep) if layout.random() < 0.4 else self.ink
        self.image = Image.new("RGB", size(layout, shape), self.ground)
        self.draw = ImageDraw.Draw(self.image)
        self.width, self.height = self.image.size
        self.left, self.right, self.top, self.low = (
            layout.uniform(0.03, 0.14) * side
            for side in (self.width, self.width, self.height, self.height)
        )
        self.justified = layout.random() < 0.4
        self.indent = layout.choice((0, 0, 1.5, 2.5)) * self.size
        self.gap = layout.choice((0.0, 0.3, 0.6, 1.0)) * self.leading
        self.faint = mix(self.ground, self.ink, layout.uniform(0.08, 0.4))
        self.ruled = layout.random()  # how much tables are ruled
        # Either all pages of a template have their blocks in the same places, or each its own.
        self.places = layout if layout.random() < 0.6 else content

    def write(
        self,
        x: float,
        y: float,
        text: str,
        weight: int = REGULAR,
        scale: float = 1.0,
        anchor: str = "la",
    ) -> float:
        """Write a text and return the width it took."""
        family = self.heads if scale > 1.05 else self.family
        face = font(family, weight, max(5, round(scale * self.size)))
        fill = self.accent if scale > 1.05 else self.ink
        self.draw.text((x, y), text, fill=fill, font=face, anchor=anchor)
        return face.getlength(text)

    def line(
        self, x: float, y: float, width: float, weight: int = REGULAR, justified: bool = False
    ) -> None:
        """Write a line of prose."""
        text = prose(self.content, self.language, width / letter(self.family, weight, self.size))
        face = font(self.family, weight, self.size)
        parts = text.split(" ")
        if not justified or len(parts) < 3:
            self.draw.text((x, y), text, fill=self.ink, font=face)
            return
        lengths = [face.getlength(part) for part in parts]
        space = (width - sum(lengths)) / (len(parts) - 1)
        for part, length in zip(parts, lengths, strict=True):
            self.draw.text((x, y), part, fill=self.ink, font=face)
            x += length + space

    def paragraph(
        self, x: float, y: float, width: float, bottom: float, weight: int = REGULAR
    ) -> float:
        """Write lines, of which the last ends somewhere."""
        lines = min(self.places.randint(2, 11), int((bottom - y) / self.leading))
        last = self.places.uniform(0.15, 0.95)
        for count in range(lines):
            indent = self.indent if count == 0 else 0
            if count == lines - 1:
                self.line(x, y, width * last, weight)
            else:
                self.line(x + indent, y, width - indent, weight, self.justified)
            y += self.leading
        return y + self.gap

    def emphasis(self, x: float, y: float, width: float, bottom: float) -> float:
        """Write a paragraph in bold or italic letters, set in."""
        weight = self.places.choice((BOLD, ITALIC))
        inset = self.places.uniform(0, 0.12) * width
        end = self.paragraph(x + inset, y, width - 2 * inset, bottom, weight)
        if inset > 0.06 * width:
            self.draw.line((x, y, x, end - self.gap), fill=self.accent, width=2)
        return end

    def heading(self, x: float, y: float, width: float, bottom: float) -> float:
        """Write a heading."""
        scale, length = self.places.choice((1.1, 1.3, 1.6)), self.places.uniform(0.2, 0.8)
        y += 0.5 * self.leading
        high = scale * self.leading
        if y + high > bottom:
            return bottom
        letters = length * width / letter(self.heads, BOLD, round(scale * self.size))
        self.write(x, y, prose(self.content, self.language, letters).capitalize(), BOLD, scale)
        return y + high + 0.2 * self.leading

    def items(self, x: float, y: float, width: float, bottom: float) -> float:
        """Write a list."""
        mark = self.places.choice(("-", "*", "1", "a", "box"))
        for count in range(self.places.randint(2, 7)):
            lines = self.places.choice((1, 1, 1, 2))
            if y + lines * self.leading > bottom:
                break
            room = width - 2.2 * self.size
            if mark == "box":
                side = 0.6 * self.size
                self.draw.rectangle((x, y + 3, x + side, y + 3 + side), outline=self.ink)
            else:
                text = {"1": f"{count + 1}.", "a": f"{'abcdefg'[count]})"}.get(mark, mark)
                self.write(x + 2, y, text)
            for _ in range(lines):
                self.line(x + 2 * self.size, y, room * self.places.uniform(0.3, 1))
                y += self.leading
        return y + self.gap

    def table(self, x: float, y: float, width: float, bottom: float) -> float:
        """Write a table of words and numbers."""
        columns = self.places.randint(2, 6)
        rows = min(self.places.randint(3, 14), int((bottom - y) / (1.15 * self.leading)))
        edges = [0.0, *sorted(self.places.uniform(0.2, 0.9) for _ in range(columns - 1)), 1.0]
        words_in = [self.places.random() < 0.4 for _ in range(columns)]
        deep = 1.15 * self.leading
        for row in range(rows):
            if row % 2 and self.ruled < 0.3:
                band = mix(self.ground, self.ink, 0.07)
                self.draw.rectangle((x, y, x + width, y + deep), fill=band)
            for column in range(columns):
                room = (edges[column + 1] - edges[column]) * width
                letters = int(room / letter(self.family, REGULAR, self.size)) - 1
                wordy = column == 0 or row == 0 or words_in[column]
                text = label(self.content, self.language) if wordy else number(self.content)
                weight = BOLD if row == 0 else REGULAR
                self.write(x + edges[column] * width + 3, y + 1, text[: max(letters, 0)], weight)
            if self.ruled > 0.5 or row == 0:
                self.draw.line((x, y + deep, x + width, y + deep), fill=self.faint)
            y += deep
        if self.ruled > 0.75:
            for edge in edges:
                at = x + edge * width
                self.draw.line((at, y - rows * deep, at, y), fill=self.faint)
        return y + self.leading

    def figure(self, x: float, y: float, width: float, bottom: float) -> float:
        """Draw a box with a curve, bars or a shade in it, and a caption below."""
        deep = self.places.uniform(0.3, 0.8) * min(width, 260)
        kind = self.places.randrange(4)
        if y + deep + 2 * self.leading > bottom:
            return self.paragraph(x, y, width, bottom)
        fill = mix(self.ground, self.ink, self.content.uniform(0.1, 0.7)) if kind == 0 else None
        self.draw.rectangle((x, y, x + width, y + deep), outline=self.ink, fill=fill)
        steps = 12
        heights = [self.content.uniform(0.1, 0.9) * deep for _ in range(steps)]
        ends = [x + (step + 0.5) * width / steps for step in range(steps)]
        if kind == 1:
            points = [(end, y + high) for end, high in zip(ends, heights, strict=True)]
            self.draw.line(smooth(points), fill=self.accent, width=2)
        elif kind == 2:
            for end, high in zip(ends, heights, strict=True):
                self.draw.rectangle((end, y + high, end + 0.3 * width / steps, y + deep), self.ink)
        elif kind == 3:
            for _ in range(5):
                across, side = self.content.uniform(0, 0.7), self.content.uniform(0.1, 0.3) * deep
                down = self.content.uniform(0, 0.7) * deep
                place = (x + across * width, y + down, x + across * width + side, y + down + side)
                self.draw.ellipse(place, outline=self.ink, fill=self.accent)
        self.line(x + 0.1 * width, y + deep + 4, 0.8 * width, ITALIC)
        return y + deep + 1.5 * self.leading + self.gap

    def equation(self, x: float, y: float, width: float, bottom: float) -> float:
        """Write a row of symbols with indices, fractions and brackets, as formulas look."""
        y += 0.5 * self.leading
        end = x + self.places.uniform(0.4, 0.8) * width
        x += self.places.uniform(0.05, 0.2) * width
        if y + 1.6 * self.leading > bottom:
            return bottom
        upright, slanted = (font("stix", weight, self.size + 2) for weight in (REGULAR, ITALIC))
        small = font("stix", ITALIC, max(5, self.size - 2))
        signs = "abcdfghknpqrstuvwxyz"
        while x < end:
            kind = self.content.random()
            text = self.content.choice("=+÷=<∑∫∂(∈→√" if kind < 0.35 else signs + "αβγλμπσφω")
            face = upright if kind < 0.35 else slanted
            if kind > 0.8:
                below = self.content.choice(signs) + self.content.choice("²₁+nk")
                self.draw.text((x, y - 0.55 * self.size), text, fill=self.ink, font=face)
                self.draw.text((x, y + 0.75 * self.size), below, fill=self.ink, font=face)
                middle = y + 0.75 * self.size
                self.draw.line((x - 1, middle, x + 1.4 * self.size, middle), fill=self.ink)
                x += 1.8 * self.size
                continue
            self.draw.text((x, y), text, fill=self.ink, font=face)
            x += face.getlength(text) + 0.15 * self.size
            if kind > 0.6:
                lift = self.content.choice((-0.3, 0.5)) * self.size
                index = self.content.choice("ijkn12t")
                self.draw.text((x, y + lift), index, fill=self.ink, font=small)
                x += 0.6 * self.size
        return y + 2 * self.leading

    def code(self, x: float, y: float, width: float, bottom: float) -> float:
        """Write lines of a program, with indents."""
        face = font("mono", REGULAR, max(6, self.size - 1))
        room, depth = width / face.getlength("m"), 0
        for _ in range(self.places.randint(4, 14)):
            if y + self.leading > bottom:
                break
            depth = max(0, min(4, depth + self.places.choice((-1, 0, 0, 1))))
            length = self.places.uniform(0.1, 0.9) * (room - 3 * depth)
            self.draw.text((x + 2 * face.size * depth, y), statement(self.content, length),
                           fill=self.ink, font=face)  # fmt: skip
            y += self.leading
        return y + self.gap

    def flow(self, x: float, y: float, width: float, bottom: float, *blocks: Block) -> None:
        """Fill a column with blocks drawn from those given."""
        while y + self.leading <= bottom:
            y = self.places.choice(blocks)(x, y, width, bottom)

    def columns(self, top: float, count: int, *blocks: Block, line: bool = False) -> None:
        """Fill columns between the margins."""
        space = 1.6 * self.size
        bottom = self.height - self.low
        width = (self.width - self.left - self.right - (count - 1) * space) / count
        for column in range(count):
            x = self.left + column * (width + space)
            self.flow(x, top, width, bottom, *blocks)
            if line and column:
                at = x - space / 2
                self.draw.line((at, top, at, bottom), fill=self.faint)


@functools.cache
def _calls() -> tuple[str, ...]:
    return (" = {}({})", ".{}({})", "({}, {})", " += {}[{}]", " {}: {}", " == {} and {}")


def statement(random: Random, length: float) -> str:
    """Draw a line that looks like a program's."""
    text = random.choice(("", "", "if ", "for ", "return ", "def ", "# ", "let ", "print"))
    while len(text) < length:
        first, second, third = words(random, 1 + 2 * random.randrange(2), 3)
        text += first + random.choice(_calls()).format(second, third) + random.choice(" ,;")
    return text[: max(3, int(length))]
