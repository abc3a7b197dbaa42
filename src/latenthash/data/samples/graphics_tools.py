"""Fonts, words and colours of rendered pages, screens, drawings and charts.

Every picture is drawn from two sources of chance. `layout` decides what a template fixes, such as
fonts, margins and colours; `content` decides what only this picture shows, such as its words.
Pictures that share a template share `layout`, so it must never be asked how often `content` says.
"""

import colorsys
import functools
import importlib.util
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from random import Random

from PIL import Image, ImageFont

from latenthash.data.edits.random_overlays import WORDS

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom

REGULAR, BOLD, ITALIC = range(3)
FAMILIES = {  # files of regular, bold and italic letters
    "sans": ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"),
    "serif": ("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    "mono": ("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"),
    "stix": ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic"),
    "roman": ("cmr10", "cmb10", "cmti10"),
    "gothic": ("cmss10", "cmb10", "cmti10"),
    "plain": (None, None, None),  # Pillow's own
}
ALPHABETS = (  # consonants and vowels
    ("bcdfghjklmnprstvwz", "aeiouy"),
    ("bcdfgklmnprstvzčšñ", "aeiouäéöü"),
    ("бвгджзклмнпрстфхцчшщ", "аеиоуыэюя"),
    ("βγδζθκλμνξπρστφχψ", "αεηιουω"),
)
LANGUAGES = 24  # the first is English; every sixth of the others is not Latin
VOCABULARY = 700  # words of a language
SPACE = 5.5  # characters per word and space, about


@functools.cache
def _folder() -> Path:
    """Return where matplotlib keeps its fonts; importing it would take a second."""
    spec = importlib.util.find_spec("matplotlib")
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"


@functools.lru_cache(maxsize=400)
def font(family: str, weight: int, size: int) -> ImageFont.FreeTypeFont:
    """Return a font whose letters are so many pixels high."""
    name = FAMILIES[family][weight]
    if name is None:
        default = ImageFont.load_default(size)
        assert isinstance(default, ImageFont.FreeTypeFont)
        return default
    return ImageFont.truetype(
        str(_folder() / f"{name}.ttf"), size, layout_engine=ImageFont.Layout.BASIC
    )


@functools.lru_cache(maxsize=400)
def letter(family: str, weight: int, size: int) -> float:
    """Return the mean width of a letter."""
    return font(family, weight, size).getlength("the mean width of letters") / 25


@functools.cache
def _vocabulary(language: int) -> tuple[Sequence[str], Sequence[float]]:
    """Return words and their cumulated weights: few are frequent, and these are short."""
    random = Random(f"language {language}")
    words: Sequence[str] = WORDS
    if language:
        alphabet = ALPHABETS[language % 2 if language % 6 else 2 + language // 6 % 2]
        consonants = random.sample(alphabet[0], 12)
        vowels = random.sample(alphabet[1], 5)
        syllables = [
            random.choice(("", *consonants)) + random.choice(vowels) + random.choice(ending)
            for ending in itertools.repeat(("", "", *consonants[:6]), 120)
        ]
        made = {
            "".join(random.choices(syllables, k=random.choice((1, 1, 2, 2, 2, 3, 3, 4))))
            for _ in range(VOCABULARY)
        }
        # First by letters: the order of a set is another one in every process.
        words = sorted(sorted(made), key=lambda word: (len(word) + random.uniform(0, 6), word))
    weights = [1 / (rank + 6) for rank in range(len(words))]
    return words, list(itertools.accumulate(weights))


def language(random: Random, family: str) -> int:
    """Choose a language whose letters the family has."""
    chosen = random.randrange(LANGUAGES)
    complete = family in ("sans", "serif", "mono")
    return chosen if complete or chosen == 0 else chosen // 6 * 6 + 2 + chosen % 2 * 2


def words(random: Random, language: int, count: int) -> list[str]:
    """Draw words without punctuation."""
    vocabulary, weights = _vocabulary(language)
    return random.choices(vocabulary, cum_weights=weights, k=count)


def label(random: Random, language: int, most: int = 2) -> str:
    """Draw a short name of one word or more."""
    return " ".join(words(random, language, random.randint(1, most))).capitalize()


def prose(random: Random, language: int, length: float) -> str:
    """Draw running text of at most so many characters, with stops, capitals and numbers."""
    drawn, total, start = [], -1, random.random() < 0.3
    for word in words(random, language, int(length / 3) + 1):
        chance = random.random()
        text = word.capitalize() if start or chance > 0.97 else word
        start = chance < 0.07
        if chance < 0.07:
            text += random.choice("....?!")
        elif chance < 0.14:
            text += random.choice(",,,;:")
        elif chance < 0.165:
            text = str(random.randrange(2000))
        elif chance < 0.175:
            text = f"({text})"
        total += len(text) + 1
        if total > length:
            break
        drawn.append(text)
    return " ".join(drawn) or "a"


def number(random: Random) -> str:
    """Draw a number as tables hold them."""
    value = 10 ** random.uniform(0, 4)
    return random.choice((f"{value:.0f}", f"{value:.2f}", f"{value:,.1f}", f"{value % 100:.0f}%"))


def colour(random: Random, saturation: Point = (0.3, 1.0), value: Point = (0.3, 1.0)) -> Colour:
    """Draw a colour of any hue."""
    share = colorsys.hsv_to_rgb(
        random.random(), random.uniform(*saturation), random.uniform(*value)
    )
    return (round(255 * share[0]), round(255 * share[1]), round(255 * share[2]))


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour that lies so far from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def paper(random: Random, dark: float) -> tuple[Colour, Colour]:
    """Draw a ground and an ink that stands out on it; on a dark ground with the given chance."""
    grey = random.choice((0, 0, 0, 10, 20, 40, 60, 90))
    ink = (grey, grey, grey) if random.random() < 0.75 else colour(random, (0.5, 1), (0.1, 0.5))
    if random.random() < dark:
        light = random.randint(190, 255)
        pale = (light,) * 3 if random.random() < 0.6 else colour(random, (0.1, 0.5), (0.85, 1))
        return colour(random, (0, 0.7), (0.02, 0.25)), pale
    chance = random.random()
    if chance < 0.6:
        return (255, 255, 255), ink
    if chance < 0.9:
        return colour(random, (0.01, 0.12), (0.9, 1)), ink
    return colour(random, (0.1, 0.35), (0.75, 0.95)), ink


def size(random: Random, shape: str = "any") -> tuple[int, int]:
    """Draw a width and a height; shape is portrait, landscape or any."""
    long = random.randint(320, 512)
    short = round(long * random.uniform(0.62, 0.85))
    chance = random.random()
    if shape == "any":
        if chance < 0.15:
            return long, long
        shape = "portrait" if chance < 0.5 else "landscape"
    return (short, long) if shape == "portrait" else (long, short)


def ramp(width: int, height: int, one: Colour, other: Colour, upright: bool) -> Image.Image:
    """Fill a picture with a gradient between two colours."""
    shades = Image.linear_gradient("L")
    shades = (shades if upright else shades.rotate(90)).resize((width, height))
    return Image.composite(
        Image.new("RGB", (width, height), other), Image.new("RGB", (width, height), one), shades
    )


def bezier(points: Sequence[Point], steps: int = 14) -> list[Point]:
    """Return points on the cubic curve that four points control."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    curve = []
    for step in range(steps + 1):
        t = step / steps
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        curve.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return curve


def smooth(points: Sequence[Point], closed: bool = False) -> list[Point]:
    """Return a curve through the points (Catmull-Rom)."""
    if closed:
        points = [points[-1], *points, points[0], points[1]]
    else:
        points = [points[0], *points, points[-1]]
    curve: list[Point] = []
    for before, start, stop, after in zip(points, points[1:], points[2:], points[3:], strict=False):
        first = tuple(s + (e - b) / 6 for b, s, e in zip(before, start, stop, strict=True))
        second = tuple(e - (a - s) / 6 for s, e, a in zip(start, stop, after, strict=True))
        curve += bezier((start, (first[0], first[1]), (second[0], second[1]), stop), 8)
    return curve


def polygon(x: float, y: float, radius: float, corners: int, turn: float = 0.0) -> list[Point]:
    """Return the corners of a regular polygon."""
    angles = [turn + math.tau * corner / corners for corner in range(corners)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
