"""Make pictures that are no photographs, to judge a code by what it did not learn from.

Command: .venv/bin/python benchmarks/kinds.py FOLDER [COUNT]      four folders of COUNT pictures
then, of each: .venv/bin/python evaluate.py benchmark=edits_v1 run=code pictures=FOLDER/pages

plates: rendered plates of sushi, all alike; drawings: line drawings of random scenes; screens:
windows with buttons and lists; pages: typeset text, of licences that installed packages carry.
"""

import sys
from importlib.metadata import distributions
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from latenthash.data.edits.random_overlays import WORDS
from latenthash.data.samples.sushi import render_sushi

COUNT = 100  # the thesis's number of similar pictures
WIDTH, HEIGHT = 512, 384  # px
LINES = 34  # of a page
LICENCES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")


def main() -> None:
    """Write the folders."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else COUNT
    lines = licences()
    for kind in ("plates", "drawings", "screens", "pages"):
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            random = Random(f"{kind} {number}")
            if kind == "plates":
                picture = Image.fromarray(render_sushi(number))
            elif kind == "drawings":
                picture = drawing(random)
            elif kind == "screens":
                picture = screen(random)
            else:
                first = random.randrange(len(lines) - LINES)
                picture = page(lines[first : first + LINES])
            picture.save(place / f"{number:03d}.png")


def licences() -> list[str]:
    """Return the lines of all licences, each text once."""
    texts = {
        path.read_text(encoding="utf-8", errors="replace")
        for package in distributions()
        for file in package.files or ()
        if file.name.upper().startswith(LICENCES) and (path := Path(str(file.locate()))).is_file()
    }
    return [line[:90] for text in sorted(texts) for line in text.splitlines() if line.strip()]


def page(lines: list[str]) -> Image.Image:
    """Typeset a page."""
    image = Image.new("RGB", (HEIGHT, WIDTH), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(9)
    for number, line in enumerate(lines):
        draw.text((24, 20 + 14 * number), line, fill=(20, 20, 20), font=font)
    return image


def drawing(random: Random) -> Image.Image:
    """Draw a scene with a pen: hills, a sun, houses, trees and paths."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    pen = random.randint(1, 4)
    for _ in range(random.randint(1, 3)):
        middle = random.uniform(0.3, 0.8) * HEIGHT
        points = [(x, middle + random.uniform(-40, 40)) for x in range(0, WIDTH + 1, 64)]
        draw.line(points, fill="black", width=pen, joint="curve")
    for _ in range(random.randint(2, 8)):
        x, y, side = random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(20, 130)
        if random.random() < 0.3:  # a house
            draw.rectangle((x, y, x + side, y + 0.7 * side), outline="black", width=pen)
            roof = ((x, y), (x + side / 2, y - 0.5 * side), (x + side, y))
            draw.line(roof, fill="black", width=pen)
        elif random.random() < 0.5:  # a tree
            draw.line((x, y, x, y + side), fill="black", width=pen)
            draw.ellipse((x - side / 3, y - side / 2, x + side / 3, y), outline="black", width=pen)
        else:  # a sun, or a pond
            draw.ellipse(
                (x, y, x + side, y + random.uniform(0.4, 1) * side), outline="black", width=pen
            )
    return image


def screen(random: Random) -> Image.Image:
    """Draw a window of a program."""
    dark = random.random() < 0.3
    ground, ink = ("#202124", "#e8eaed") if dark else ("#ffffff", "#202124")
    image = Image.new("RGB", (WIDTH, HEIGHT), ground)
    draw = ImageDraw.Draw(image)
    accent = tuple(random.randrange(256) for _ in range(3))
    draw.rectangle((0, 0, WIDTH, 28), fill=accent)
    side = random.choice((0, 90, 140))
    draw.rectangle((0, 28, side, HEIGHT), fill="#3c4043" if dark else "#f1f3f4")
    for number in range(random.randint(4, 9)):
        draw.text((8, 40 + 26 * number), random.choice(WORDS) if side else "", fill=ink)
    y = 40.0
    while y < HEIGHT - 40:
        kind, left = random.random(), side + 16
        if kind < 0.5:
            text = " ".join(random.choice(WORDS) for _ in range(random.randint(3, 9)))
            draw.text(
                (left, y), text, fill=ink, font=ImageFont.load_default(random.choice((9, 11, 16)))
            )
            y += 22
        elif kind < 0.75:
            draw.rounded_rectangle(
                (left, y, left + random.randint(60, 160), y + 22), 6, fill=accent
            )
            y += 32
        else:
            height = random.randint(40, 120)
            fill = tuple(random.randrange(256) for _ in range(3))
            draw.rectangle((left, y, left + random.randint(80, 320), y + height), fill=fill)
            y += height + 10
    return image


if __name__ == "__main__":
    main()
