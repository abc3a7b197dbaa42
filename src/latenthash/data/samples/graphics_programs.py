"""What programs show in their windows: text, tables, messages, pictures, buttons and charts."""

from collections.abc import Callable

from latenthash.data.samples.graphics_pages import statement
from latenthash.data.samples.graphics_program import Program, icon
from latenthash.data.samples.graphics_tools import (
    BOLD,
    REGULAR,
    Box,
    colour,
    font,
    label,
    letter,
    number,
    prose,
)


def _article(program: Program, box: Box) -> None:
    """A web page or a document: headings, text, pictures and links in one column or two."""
    left, top, right, bottom = box
    margin = program.layout.uniform(0.02, 0.15) * (right - left)
    columns = program.layout.choice((1, 1, 1, 2))
    width = (right - left - 2 * margin) / columns
    step = program.size * program.layout.uniform(1.2, 1.7)
    for column in range(columns):
        x, y = left + margin + column * width, top + 8.0
        while y + step < bottom:
            chance = program.places.random()
            if chance < 0.15:
                face = font(program.family, BOLD, round(1.5 * program.size))
                text = prose(program.content, program.language, 0.8 * width / face.size)
                program.draw.text((x, y), text.capitalize(), fill=program.ink, font=face)
                y += 2.2 * program.size
            elif chance < 0.3:
                deep = program.places.uniform(0.15, 0.5) * width
                wide = program.places.choice((0.4, 0.92)) * width
                program.picture((x, y, x + wide, min(y + deep, bottom - 2)))
                y += deep + 6
            elif chance < 0.4:
                name = label(program.content, program.language, 2)
                wide = program.text(x, y, name, BOLD, program.accent)
                program.draw.line((x, y + step, x + wide, y + step), fill=program.accent)
                y += 1.6 * step
            else:
                lines = program.places.randint(2, 6)
                for line in range(lines):
                    if y + step > bottom:
                        break
                    share = program.places.uniform(0.3, 0.9) if line == lines - 1 else 0.92
                    program.text(x, y, program.prose(share * width))
                    y += step
                y += 0.5 * step


def _editor(program: Program, box: Box) -> None:
    """A program's text in colours with numbers of lines."""
    left, top, right, bottom = box
    face = font("mono", REGULAR, program.size)
    step, numbered = program.size * program.layout.uniform(1.2, 1.6), program.layout.random() < 0.7
    inks = [colour(program.layout, (0.3, 0.8), (0.5, 0.9)) for _ in range(4)]
    inks += [program.ink] * 2
    wide, y, depth = face.getlength("m"), top + 4, 0
    first = program.content.randrange(1, 900)
    while y + step < bottom:
        if numbered:
            program.draw.text((left + 4, y), f"{first:3d}", fill=program.faint, font=face)
        first += 1
        depth = max(0, min(4, depth + program.places.choice((-1, 0, 0, 1))))
        x = left + (6 if numbered else 1) * wide + 2 * depth * wide
        if program.places.random() > 0.12:
            for _ in range(program.places.randint(1, 3)):
                text = statement(program.content, program.places.uniform(4, 22))
                text = text[: max(0, int((right - x) / wide))]
                program.draw.text((x, y), text, fill=program.content.choice(inks), font=face)
                x += wide * (len(text) + 1)
        y += step


def _terminal(program: Program, box: Box) -> None:
    """Lines that a computer prints, with prompts."""
    left, top, right, bottom = box
    face = font("mono", REGULAR, program.size)
    prompt = program.layout.choice(("$ ", "> ", "~ % ", "user@host:~$ ", ">>> "))
    step, wide, y = 1.25 * program.size, face.getlength("m"), top + 4
    room = (right - left) / wide - 2
    columns = program.layout.random() < 0.4
    while y + step < bottom:
        if program.places.random() < 0.2:
            program.draw.text((left + 4, y), prompt, fill=program.accent, font=face)
            text = " " * len(prompt) + statement(program.content, 0.4 * room)
        elif columns:
            text = f"{program.content.randrange(99999):7d}  {number(program.content):>9}  "
            text += label(program.content, program.language, 3).lower()
        else:
            length = program.places.uniform(0.1, 1) * room
            text = prose(program.content, program.language, length)
        program.draw.text((left + 4, y), text[: int(room)], fill=program.ink, font=face)
        y += step


def _spreadsheet(program: Program, box: Box) -> None:
    """Cells with numbers and words between lines."""
    left, top, right, bottom = box
    step, wide = program.size * program.layout.uniform(1.5, 2.2), program.layout.uniform(38, 95)
    draw, filled = program.draw, program.layout.uniform(0.4, 1)
    draw.rectangle((left, top, right, top + step), fill=program.panel)
    draw.rectangle((left, top, left + 24, bottom), fill=program.panel)
    wordy = [program.layout.random() < 0.35 for _ in range(20)]
    room = max(1, int(wide / letter(program.family, REGULAR, program.size)) - 1)
    for column in range(min(20, int((right - left - 24) / wide) + 1)):
        x, y, row = left + 24 + column * wide, top, 0
        draw.line((x, top, x, bottom), fill=program.faint)
        while y + step <= bottom:
            if row == 0:
                program.text(x + wide / 2, y + 2, "ABCDEFGHIJKLMNOPQRST"[column], anchor="ma")
            elif program.places.random() < filled:
                named = wordy[column] or row == 1
                text = (
                    label(program.content, program.language) if named else number(program.content)
                )
                if program.content.random() < 0.04:
                    draw.rectangle((x + 1, y + 1, x + wide, y + step), fill=program.accent)
                program.text(x + 3, y + 2, text[:room], BOLD if row == 1 else REGULAR)
            y += step
            row += 1
    y, row = top + step, 1
    while y + step <= bottom:
        draw.line((left, y, right, y), fill=program.faint)
        program.text(left + 3, y + 2, str(row))
        y, row = y + step, row + 1


def _chat(program: Program, box: Box) -> None:
    """Messages in bubbles at both sides."""
    left, top, right, bottom = box
    step, y = 1.4 * program.size, top + 8
    widest = program.layout.uniform(0.5, 0.8) * (right - left)
    faces, other = program.layout.random() < 0.5, program.layout.choice((program.panel, None))
    while y + 2 * step < bottom:
        mine, lines = program.places.random() < 0.45, program.places.choice((1, 1, 1, 2, 3, 4))
        wide = widest if lines > 1 else program.places.uniform(0.3, 1) * widest
        if y + lines * step + 8 > bottom:
            break
        start = right - wide - 8 if mine else left + (30 if faces else 8)
        wide = min(wide, right - start - 4)
        place = (start, y, start + wide, y + lines * step + 8)
        program.draw.rounded_rectangle(place, min(program.rounding, 12), outline=program.faint,
                                       fill=program.accent if mine else other)  # fmt: skip
        if faces and not mine:
            shade = colour(program.content)
            program.draw.ellipse((left + 6, y, left + 26, y + 20), fill=shade)
        for line in range(lines):
            share = program.places.uniform(0.3, 0.85) if line == lines - 1 else 0.9
            text = program.prose(share * wide - 8)
            ink = program.on_accent if mine else program.ink
            program.text(start + 6, y + 4 + line * step, text, REGULAR, ink)
        y += lines * step + 8 + program.places.uniform(4, 18)


def _list(program: Program, box: Box) -> None:
    """Entries below each other: letters, songs, posts or settings with a picture and a switch."""
    left, top, right, bottom = box
    deep = program.size * program.layout.uniform(2, 6)
    style, lines = program.layout.randrange(4), max(1, int(deep / program.size / 1.5))
    round_face, rules, y = program.layout.random() < 0.5, program.layout.random() < 0.7, top
    while y + deep <= bottom:
        x = left + 10
        if style in (0, 1):
            side = 0.7 * deep
            place = (x, y + 0.15 * deep, x + side, y + 0.85 * deep)
            if round_face:
                program.draw.ellipse(place, fill=colour(program.content))
            else:
                program.picture(place)
            x += side + 8
        for line in range(lines):
            share = program.places.uniform(0.3, 0.8)
            weight = BOLD if line == 0 and program.content.random() < 0.7 else REGULAR
            at = y + 0.12 * deep + line * 1.4 * program.size
            program.text(x, at, program.prose(share * (right - x - 30)), weight)
        if style == 2:
            on, middle = program.content.random() < 0.5, y + deep / 2
            place = (right - 40, middle - 7, right - 14, middle + 7)
            fill = program.accent if on else program.faint
            program.draw.rounded_rectangle(place, 7, fill=fill)
            at = right - 26 if on else right - 39
            program.draw.ellipse((at, middle - 6, at + 12, middle + 6), fill=program.ground)
        elif style == 1:
            program.text(right - 8, y + 4, number(program.content), anchor="ra")
        if rules:
            program.draw.line((left, y + deep, right, y + deep), fill=program.faint)
        y += deep


def _tiles(program: Program, box: Box) -> None:
    """Files, programs or pictures in rows, with names below."""
    left, top, right, bottom = box
    side = program.layout.uniform(40, 130)
    kind, gap = program.layout.randrange(3), program.layout.uniform(6, 24)
    high = side * program.layout.uniform(0.7, 1.2)
    shades = [colour(program.layout) for _ in range(program.layout.choice((2, 3, 8)))]
    y = top + gap
    while y + high < bottom:
        x = left + gap
        while x + side < right:
            place = (x, y, x + side, y + high)
            if kind == 0:
                program.picture(place)
            elif kind == 1:  # a folder or a sheet
                fill = program.content.choice(shades)
                program.draw.rectangle((x, y, x + 0.4 * side, y + 0.2 * high), fill=fill)
                program.draw.rectangle((x, y + 0.12 * high, x + side, y + high), fill=fill)
                mark = (x + 0.3 * side, y + 0.35 * high, x + 0.7 * side, y + 0.75 * high)
                icon(program.draw, mark, program.content, program.ground)
            else:
                fill = program.content.choice(shades)
                program.draw.rounded_rectangle(place, program.rounding, fill=fill)
                sign = program.content.choice("ABCDEFGHKLMNPQRSTUVXYZ#&@+")
                face = font("sans", BOLD, round(0.5 * min(side, high)))
                middle = (x + side / 2, y + high / 2)
                program.draw.text(middle, sign, fill=program.ground, font=face, anchor="mm")
            name = label(program.content, program.language, 2)
            room = int(side / letter(program.family, REGULAR, program.size))
            program.text(x, y + high + 3, name[:room])
            x += side + gap
        y += high + gap + 1.2 * program.size


def _dashboard(program: Program, box: Box) -> None:
    """Cards with large numbers and small charts."""
    left, top, right, bottom = box
    columns, rows = program.layout.randint(2, 4), program.layout.randint(2, 4)
    wide, high = (right - left) / columns, (bottom - top) / rows
    for cell in range(columns * rows):
        x, y = left + cell % columns * wide + 4, top + cell // columns * high + 4
        end, low = x + wide - 8, y + high - 8
        program.draw.rounded_rectangle((x, y, end, low), program.rounding, fill=program.panel,
                                       outline=program.faint)  # fmt: skip
        program.text(x + 6, y + 4, label(program.content, program.language)[: int(wide / 8)])
        kind, base = program.layout.randrange(4), y + 1.6 * program.size
        values = [program.content.uniform(0.05, 1) for _ in range(10)]
        room = (end - x - 12) / 10
        if low - base < 14:
            continue
        if kind == 0:
            face = font(program.family, BOLD, round(min(40, 0.5 * (low - base))) + 4)
            program.draw.text(
                (x + 8, base), number(program.content), fill=program.accent, font=face
            )
        elif kind == 1:
            for at, value in enumerate(values):
                start, peak = x + 6 + at * room, low - 4 - value * (low - base - 6)
                program.draw.rectangle((start, peak, start + 0.7 * room, low - 4), program.accent)
        elif kind == 2:
            points = [(x + 6 + at * room, low - 4 - value * (low - base - 6))
                      for at, value in enumerate(values)]  # fmt: skip
            program.draw.line(points, fill=program.accent, width=2)
        else:
            side = min(low - base, end - x) - 8
            place, turn = (x + 8, base + 2, x + 8 + side, base + 2 + side), 0.0
            for value in values[:4]:
                program.draw.pieslice(place, turn, 360, fill=colour(program.content))
                turn += value * 120


def _form(program: Program, box: Box) -> None:
    """Fields, boxes to tick, sliders and buttons with their names."""
    left, top, right, bottom = box
    step, y = program.size * program.layout.uniform(2.2, 3.4), top + 10
    across = left + program.layout.uniform(0.2, 0.45) * (right - left)
    while y + step < bottom:
        kind = program.places.randrange(5)
        name = label(program.content, program.language, 3)
        program.text(left + 12, y + 4, name[: int((across - left) / program.size * 1.5)])
        end = across + program.places.uniform(0.3, 0.95) * (right - across)
        low = y + 0.75 * step
        middle = (y + low) / 2
        if kind == 0:
            place = (across, y, across + low - y, low)
            fill = program.accent if program.content.random() < 0.5 else None
            program.draw.rectangle(place, outline=program.ink, fill=fill)
        elif kind == 1:
            at = program.content.uniform(across, end)
            program.draw.line((across, middle, end, middle), fill=program.faint, width=3)
            program.draw.ellipse((at - 7, middle - 7, at + 7, middle + 7), fill=program.accent)
        else:
            button = kind == 2
            fill = program.accent if button else program.panel
            place = (across, y, max(end, across + 20), low)
            program.draw.rounded_rectangle(place, min(program.rounding, 8), fill=fill,
                                           outline=program.faint)  # fmt: skip
            text = program.prose(end - across - 12)
            ink = program.on_accent if button else program.ink
            program.text(across + 6, middle, text, REGULAR, ink, "lm")
        y += step


PROGRAMS: tuple[Callable[[Program, Box], None], ...] = (
    _article, _article, _editor, _terminal, _spreadsheet, _chat, _list, _list, _tiles,
    _dashboard, _form,
)  # fmt: skip
