"""Kinds of documents: which blocks a page holds, and where."""

from collections.abc import Callable
from random import Random

from PIL import Image

from latenthash.data.samples.graphics_pages import Page, statement
from latenthash.data.samples.graphics_tools import (
    BOLD,
    ITALIC,
    REGULAR,
    colour,
    font,
    label,
    mix,
    number,
    prose,
    smooth,
    words,
)

USUAL = (6.0, 14.0)  # px, height of letters


def render_page(layout: Random, content: Random) -> Image.Image:
    """Render a page of a kind that layout chooses."""
    kinds: dict[Callable[[Random, Random], Page], int] = {
        _article: 20, _book: 22, _plain: 16, _closeup: 14, _letter: 8, _newspaper: 8, _form: 8,
        _invoice: 7, _receipt: 5, _slide: 9, _listing: 9, _contents: 6, _poem: 5, _dictionary: 5,
        _mathematics: 6, _tables: 6,
    }  # fmt: skip
    (kind,) = layout.choices(list(kinds), weights=list(kinds.values()))
    return kind(layout, content).image


def _title(page: Page, y: float, scale: float, centred: bool, weight: int = BOLD) -> float:
    """Write one or two lines of a title and return where they end."""
    width = page.width - page.left - page.right
    letters = width / (0.62 * scale * page.size)
    for _ in range(page.places.choice((1, 1, 2))):
        text = prose(page.content, page.language, letters * page.places.uniform(0.5, 1))
        x = page.width / 2 if centred else page.left
        page.write(x, y, text.capitalize(), weight, scale, "ma" if centred else "la")
        y += 1.3 * scale * page.size
    return y + page.leading * 0.4


def _article(layout: Random, content: Random) -> Page:
    """Title, authors, and columns of anything."""
    page = Page(layout, content, layout.choice(("portrait", "portrait", "any")), USUAL)
    centred, columns = layout.random() < 0.6, layout.choice((1, 1, 2, 2, 3))
    scale, line, weight = layout.uniform(1.3, 2.5), layout.random() < 0.3, layout.choice((0, 1))
    blocks = [page.paragraph] * 5 + [page.heading] * layout.randint(1, 3)
    blocks += layout.sample((page.items, page.table, page.figure, page.equation, page.code,
                             page.emphasis), layout.randint(0, 4))  # fmt: skip
    y = page.top
    if layout.random() < 0.7:
        y = _title(page, y, scale, centred, weight)
        names = ", ".join(label(content, page.language).title() for _ in range(3))
        x = page.width / 2 if centred else page.left
        page.write(x, y, names, ITALIC, 1.0, "ma" if centred else "la")
        y += 2 * page.leading
    page.columns(y, columns, *blocks, line=line)
    return page


def _book(layout: Random, content: Random) -> Page:
    """Paragraphs only, with a running head and the number of the page."""
    page = Page(layout, content, "portrait", (7.0, 15.0))
    y, head, foot = page.top, layout.random() < 0.6, layout.random() < 0.7
    chapter, spread = layout.random() < 0.2, layout.random() < 0.15
    if head:
        running = prose(layout, page.language, 20)  # the same on all pages of a book
        page.write(page.width / 2, y - 1.5 * page.leading, running, ITALIC, 1.0, "ma")
    if chapter:
        y = _title(page, y + 0.1 * page.height, 2.0, True)
    page.columns(y, 2 if spread else 1, page.paragraph)
    if foot:
        low = page.height - page.low + 0.6 * page.leading
        page.write(page.width / 2, low, str(content.randrange(9, 500)), REGULAR, 1.0, "ma")
    return page


def _plain(layout: Random, content: Random) -> Page:
    """Nothing but lines, set solid or with ends of paragraphs, as text files print."""
    page = Page(layout, content, layout.choice(("portrait", "any")), (6.0, 17.0))
    ends, solid = layout.uniform(0, 0.3), layout.random() < 0.3
    least, width, y = layout.uniform(0.3, 0.95), page.width - page.left - page.right, page.top
    while y + page.leading < page.height - page.low:
        short = 0.9 if solid else page.places.uniform(least, 1)
        blank = page.places.random() < ends
        page.line(page.left, y, width * (short * 0.5 if blank else short), REGULAR, page.justified)
        y += page.leading * (1.7 if blank and not solid else 1)
    return page


def _closeup(layout: Random, content: Random) -> Page:
    """A part of a page with large letters, cut anywhere."""
    page = Page(layout, content, "any", (18.0, 64.0))
    page.left, page.right = layout.uniform(-0.3, 0.1) * page.width, -0.2 * page.width
    page.top, page.low = layout.uniform(-1.5, 1) * page.size, -2.0 * page.size
    blocks = [page.paragraph] * 4 + [page.heading, page.emphasis, page.items]
    page.columns(page.top, 1, *blocks[: layout.choice((1, 5, 7))])
    return page


def _letter(layout: Random, content: Random) -> Page:
    """Sender, address, date, paragraphs and a signature."""
    page = Page(layout, content, "portrait", (7.0, 13.0))
    y, right, logo = page.top, layout.random() < 0.5, layout.random() < 0.5
    if logo:
        side = layout.uniform(20, 60)
        page.draw.ellipse((page.left, y, page.left + side, y + side), fill=colour(layout))
    for count in range(layout.randint(2, 4)):
        text = label(content, page.language, 3).title() + f" {content.randrange(999)}"
        weight = BOLD if count == 0 else REGULAR
        x = page.width - page.right if right else page.width / 2
        page.write(x, y, text, weight, 1.0, "ra" if right else "ma")
        y += page.leading
    y += layout.uniform(1, 3) * page.leading
    for _ in range(layout.randint(2, 4)):
        page.write(page.left, y, label(content, page.language, 3).title())
        y += page.leading
    y += layout.uniform(1, 2) * page.leading
    page.write(page.left, y, label(content, page.language, 4) + ",", BOLD)
    y += 1.6 * page.leading
    width = page.width - page.left - page.right
    for _ in range(layout.randint(2, 5)):
        y = page.paragraph(page.left, y, width, page.height - page.low - 4 * page.leading)
        y += 0.5 * page.leading
    points = [(page.left + 9 * step, y + content.uniform(0, 25)) for step in range(9)]
    page.draw.line(smooth(points), fill=colour(layout, (0.6, 1), (0.2, 0.6)), width=2)
    page.write(page.left, y + 32, label(content, page.language, 2).title())
    return page


def _newspaper(layout: Random, content: Random) -> Page:
    """A name across the page, and narrow columns of short articles."""
    page = Page(layout, content, layout.choice(("portrait", "any")), (5.5, 9.0))
    name, columns, line = label(layout, page.language), layout.randint(3, 5), layout.random() < 0.6
    face = font(page.heads, BOLD, 30)
    face = font(page.heads, BOLD, round(30 * 0.8 * page.width / face.getlength(name)) // 2 + 12)
    page.draw.text((page.width / 2, 8), name, fill=page.ink, font=face, anchor="ma")
    y = 20.0 + face.size
    page.draw.line((page.left, y, page.width - page.right, y), fill=page.ink, width=2)
    y = _title(page, y + 5, layout.uniform(1.8, 3.6), layout.random() < 0.5)
    blocks = (page.paragraph, page.paragraph, page.paragraph, page.heading, page.figure)
    page.columns(y, columns, *blocks, line=line)
    return page


def _form(layout: Random, content: Random) -> Page:
    """Labels with boxes or lines to fill in, some filled."""
    page = Page(layout, content, "portrait", (7.0, 12.0))
    boxed, columns, step = layout.random() < 0.6, layout.randint(1, 3), layout.uniform(1.8, 3)
    pen = colour(layout, (0.6, 1), (0.2, 0.6))
    y = _title(page, page.top, layout.uniform(1.2, 2), layout.random() < 0.5)
    width = (page.width - page.left - page.right) / columns
    while y + step * page.leading < page.height - page.low:
        if page.places.random() < 0.15:
            page.draw.rectangle(
                (page.left, y, page.width - page.right, y + page.leading), fill=page.faint
            )
            page.write(page.left + 4, y, label(content, page.language, 3), BOLD)
            y += 1.4 * page.leading
        for column in range(columns):
            x, low = page.left + column * width, y + step * page.leading * 0.8
            wide = width * page.places.choice((0.6, 0.9, 0.9))
            page.write(x, y, label(content, page.language)[: int(wide / page.size * 1.6)])
            place = (x, y + page.leading, x + wide, low)
            if boxed and place[3] > place[1]:
                page.draw.rectangle(place, outline=page.ink)
            else:
                page.draw.line((x, low, x + wide, low), fill=page.ink)
            if content.random() < 0.6:
                text = label(content, page.language)
                face = font(page.family, ITALIC, page.size)
                page.draw.text((x + 4, low - 1), text[:18], fill=pen, font=face, anchor="ls")
        y += step * page.leading
    return page


def _invoice(layout: Random, content: Random) -> Page:
    """Two addresses, a table and totals."""
    page = Page(layout, content, "portrait", (7.0, 11.0))
    y = _title(page, page.top, layout.uniform(1.6, 3), False)
    if layout.random() < 0.5:
        page.draw.rectangle((0, 0, page.width, 0.4 * page.top), fill=colour(layout))
    for _ in range(layout.randint(3, 5)):
        page.write(page.left, y, label(content, page.language, 3).title())
        page.write(page.width - page.right, y, f"{content.randrange(99999):05d}", anchor="ra")
        y += page.leading
    width = page.width - page.left - page.right
    for _ in range(layout.randint(1, 2)):
        y = page.table(page.left, y + page.leading, width, page.height - 0.2 * page.height)
    for weight in (REGULAR, REGULAR, BOLD):
        page.write(page.left + 0.6 * width, y, label(content, page.language, 1), weight)
        page.write(page.left + width, y, number(content), weight, 1.0, "ra")
        y += page.leading
    page.paragraph(page.left, y + page.leading, width, page.height - 0.3 * page.low)
    return page


def _receipt(layout: Random, content: Random) -> Page:
    """A narrow strip of goods and prices on a table."""
    page = Page(layout, content, "portrait", (9.0, 13.0))
    table, width = colour(layout, (0.1, 0.7), (0.2, 0.8)), layout.uniform(0.55, 0.9) * page.width
    left, top = (page.width - width) / 2, layout.uniform(-20, 30)
    page.draw.rectangle((0, 0, page.width, page.height), fill=table)
    page.draw.rectangle((left, top, left + width, page.height - layout.randint(-20, 40)),
                        fill=page.ground)  # fmt: skip
    page.family, page.heads = "mono", "mono"
    y, low = top + 14.0, page.height - 60
    for scale in (1.4, 1.0, 1.0):
        text = label(content, page.language, 2).upper()
        page.write(page.width / 2, y, text[: int(width / page.size)], BOLD, scale, "ma")
        y += page.leading * scale
    while y + page.leading < low:
        if page.places.random() < 0.12:
            for dash in range(round(left) + 10, round(left + width) - 10, 6):
                page.draw.line((dash, y + 6, dash + 3, y + 6), fill=page.ink)
        else:
            name = label(content, page.language, 2)[: int(0.6 * width / page.size)]
            page.write(left + 10, y, name)
            price = f"{content.uniform(0.1, 99):.2f}"
            page.write(left + width - 10, y, price, anchor="ra")
        y += page.leading
    x = left + 20.0
    while x < left + width - 20:
        bar = content.randint(1, 4)
        page.draw.rectangle((x, y + 4, x + (bar - 1), y + 34), fill=page.ink)
        x += bar + content.randint(1, 4)
    return page


def _slide(layout: Random, content: Random) -> Page:
    """A large title with a few points, and sometimes a figure beside them."""
    page = Page(layout, content, "landscape", (11.0, 20.0))
    band, split = layout.random() < 0.4, layout.random() < 0.5
    if band:
        fill = colour(layout, (0.3, 1), (0.5, 0.9))
        page.draw.rectangle((0, 0, page.width, page.top + 3 * page.size), fill=fill)
    y = _title(page, page.top, layout.uniform(1.3, 2), layout.random() < 0.4) + page.leading
    width = (page.width - page.left - page.right) * (0.5 if split else 1)
    page.flow(page.left, y, width, page.height - page.low, page.items, page.heading)
    if split:
        x = page.left + width + 10
        page.figure(x, y, width - 10, page.height)
    return page


def _listing(layout: Random, content: Random) -> Page:
    """A printed program with numbered lines."""
    page = Page(layout, content, layout.choice(("portrait", "any")), (6.0, 13.0))
    numbered, first, y, depth = layout.random() < 0.6, content.randrange(900), page.top, 0
    face = font("mono", REGULAR, page.size)
    room = (page.width - page.left) / face.getlength("m") - 6
    inks = [page.ink, page.ink, page.accent, mix(page.ink, page.ground, 0.4)]
    while y + page.leading < page.height - page.low:
        if numbered:
            text = f"{first:4d}"
            page.draw.text((page.left, y), text, fill=inks[3], font=face)
        first += 1
        depth = max(0, min(5, depth + page.places.choice((-1, 0, 0, 0, 1))))
        if page.places.random() > 0.12:
            text = " " * (6 + 3 * depth) + statement(content, page.places.uniform(0.1, 0.8) * room)
            page.draw.text((page.left, y), text, fill=content.choice(inks), font=face)
        y += page.leading
    return page


def _contents(layout: Random, content: Random) -> Page:
    """Names with numbers of pages, in one column or more."""
    page = Page(layout, content, "portrait", (7.0, 14.0))
    columns, dots, nested = layout.choice((1, 1, 2, 3)), layout.random() < 0.6, layout.random()
    top = _title(page, page.top, 1.6, layout.random() < 0.5)
    width = (page.width - page.left - page.right) / columns
    for column in range(columns):
        x, y = page.left + column * width, top
        while y + page.leading < page.height - page.low:
            inset = 1.5 * page.size if page.places.random() < nested else 0.0
            weight = BOLD if inset == 0 and nested > 0.5 else REGULAR
            letters = int(0.75 * width / page.size)
            name = label(content, page.language, 4)[:letters]
            end = x + inset + page.write(x + inset, y, name, weight)
            stop = x + width - 1.2 * page.size
            page.write(stop, y, str(content.randrange(400)), anchor="ra")
            if dots:
                count = int((stop - 2 * page.size - end) / (0.6 * page.size))
                page.write(end + 3, y, " ." * (count * 2 // 3))
            y += page.leading
    return page


def _poem(layout: Random, content: Random) -> Page:
    """Verses of short lines."""
    page = Page(layout, content, layout.choice(("portrait", "any")), (8.0, 17.0))
    centred, lines = layout.random() < 0.5, layout.choice((2, 3, 4, 4, 6, 8))
    weight, scale = layout.choice((REGULAR, ITALIC)), layout.uniform(1.1, 2)
    y, count = _title(page, page.top, scale, centred), 0
    while y + page.leading < page.height - page.low:
        text = prose(content, page.language, page.places.uniform(14, 38))
        x = page.width / 2 if centred else page.left
        page.write(x, y, text, weight, 1.0, "ma" if centred else "la")
        count += 1
        y += page.leading * (2 if count % lines == 0 else 1)
    return page


def _dictionary(layout: Random, content: Random) -> Page:
    """Words in bold, each with what it means."""
    page = Page(layout, content, "portrait", (6.0, 10.0))
    columns = layout.choice((1, 2, 2, 3))

    def entry(x: float, y: float, width: float, bottom: float) -> float:
        word = words(content, page.language, 1)[0]
        for count in range(page.places.randint(1, 6)):
            if y + page.leading > bottom:
                break
            indent = page.write(x, y, word, BOLD) + 4 if count == 0 else page.size
            page.line(x + indent, y, width - indent)
            y += page.leading
        return y + page.gap / 3

    page.columns(page.top, columns, entry, line=layout.random() < 0.5)
    return page


def _mathematics(layout: Random, content: Random) -> Page:
    """Short paragraphs with formulas between them."""
    page = Page(layout, content, layout.choice(("portrait", "any")), (7.0, 15.0))
    blocks = [page.paragraph, page.equation, page.equation, page.heading, page.emphasis]
    page.columns(page.top, layout.choice((1, 1, 2)), *blocks[: layout.randint(2, 5)])
    return page


def _tables(layout: Random, content: Random) -> Page:
    """Tables from top to bottom."""
    page = Page(layout, content, "any", (6.0, 13.0))
    y = _title(page, page.top, layout.uniform(1.1, 2), layout.random() < 0.5)
    page.columns(y, 1, page.table, *([page.paragraph] if layout.random() < 0.4 else []))
    return page
