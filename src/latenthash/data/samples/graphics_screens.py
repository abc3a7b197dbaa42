"""Pictures of screens: a telephone's, one window, or a desktop with several."""

from random import Random

from PIL import Image, ImageDraw

from latenthash.data.samples.graphics_program import Program, icon
from latenthash.data.samples.graphics_programs import PROGRAMS
from latenthash.data.samples.graphics_tools import (
    BOLD,
    REGULAR,
    Box,
    colour,
    font,
    label,
    mix,
    ramp,
    size,
)

LEAST = 4  # lines of text that a window holds, or nothing is drawn in it


def render_screen(layout: Random, content: Random) -> Image.Image:
    """Render a screen: layout chooses the programs and how they look, content what they show."""
    chance = layout.random()
    if chance < 0.3:
        return _telephone(layout, content)
    if chance < 0.72:
        image = Image.new("RGB", size(layout, layout.choice(("landscape", "landscape", "any"))))
        _window(image, (0, 0, image.width, image.height), layout, content)
        return image
    return _desktop(layout, content)


def _window(image: Image.Image, box: Box, layout: Random, content: Random) -> None:
    """Draw a window with its bars, and a program in it."""
    program = Program(image, layout, content)
    draw, faint = program.draw, program.faint
    left, top, right, bottom = box
    draw.rectangle(box, fill=program.ground, outline=faint)
    bars = layout.choice((0, 1, 1, 2, 3))
    for bar in range(bars):
        deep = round(program.size * layout.uniform(1.6, 2.6))
        fill = layout.choice((program.panel, program.panel, program.ground, program.accent))
        ink = program.on_accent if fill == program.accent else program.ink
        draw.rectangle((left, top, right, top + deep), fill=fill)
        middle = top + deep / 2
        x = left + 8.0
        if bar == 0:
            side = 0.3 * program.size
            buttons = layout.choice((0, 3, 3))
            at_right = layout.random() < 0.5
            for button in range(buttons):
                at = right - 12 - 18 * button if at_right else left + 12 + 14 * button
                place = (at - side, middle - side, at + side, middle + side)
                if at_right:
                    draw.rectangle(place, outline=ink)
                else:
                    draw.ellipse(place, fill=((255, 95, 86), (255, 189, 46), (39, 201, 63))[button])
            x += 0 if at_right else 16 * buttons
            program.text(x, middle, label(content, program.language, 3), REGULAR, ink, "lm")
        elif layout.random() < 0.5:  # menus
            for _ in range(layout.randint(3, 8)):
                text = label(layout, program.language, 1)
                if x < right - 50:
                    x += program.text(x, middle, text, REGULAR, ink, "lm") + program.size
        else:  # tools and a field
            for _ in range(layout.randint(2, 9)):
                place = (x, middle - 0.3 * deep, x + 0.6 * deep, middle + 0.3 * deep)
                icon(draw, place, layout, ink)
                x += 0.9 * deep
            if x < right - 80:
                place = (x, middle - 0.36 * deep, right - 8, middle + 0.36 * deep)
                draw.rounded_rectangle(place, 6, fill=program.ground, outline=faint)
                program.text(x + 6, middle, label(content, program.language, 3), anchor="lm")
        top += deep
        draw.line((left, top, right, top), fill=faint)
    if bottom - top < LEAST * program.size:
        return
    if layout.random() < 0.4:
        low = bottom - 1.6 * program.size
        draw.rectangle((left, low, right, bottom), fill=program.panel)
        program.text(left + 6, low + 2, label(content, program.language, 4))
        program.text(right - 6, low + 2, str(content.randrange(9999)), anchor="ra")
        bottom = low
    if layout.random() < 0.35 and right - left > 200:
        wide = layout.uniform(0.12, 0.3) * (right - left)
        part = (left, top, left + wide, bottom)
        rest = (left + wide, top, right, bottom)
        if layout.random() < 0.25:
            part = (right - wide, top, right, bottom)
            rest = (left, top, right - wide, bottom)
        draw.rectangle(part, fill=program.panel)
        program.tree(part)
        left, top, right, bottom = rest
    layout.choice(PROGRAMS)(program, (left, top, right, bottom))


def _desktop(layout: Random, content: Random) -> Image.Image:
    """Draw windows over a background, icons and a bar with programs."""
    wide, high = size(layout, "landscape")
    shades = [colour(layout, (0.2, 0.9), (0.1, 0.9)) for _ in range(3)]
    image = ramp(wide, high, shades[0], shades[1], layout.random() < 0.5)
    draw = ImageDraw.Draw(image)
    for _ in range(layout.randint(0, 4)):
        x, y, side = (content.uniform(0, wide) for _ in range(3))
        shape = layout.choice((draw.ellipse, draw.rectangle))
        shape((x, y, x + side, y + side), fill=mix(shades[1], shades[2], content.random()))
    face = font("plain", REGULAR, layout.randint(8, 11))
    step = layout.randint(44, 70)
    for column in range(layout.randint(0, 3)):
        for row in range(content.randint(1, high // step)):
            x, y = 10 + column * step, 8 + row * step
            icon(draw, (x + 8, y, x + 0.5 * step, y + 0.5 * step), content, (255, 255, 255))
            name = label(content, 0, 1)
            draw.text((x, y + 0.6 * step), name, fill=(255, 255, 255), font=face)
    for _ in range(layout.randint(1, 4)):
        width, height = layout.uniform(0.35, 0.75) * wide, layout.uniform(0.35, 0.8) * high
        left, top = layout.uniform(0, wide - width), layout.uniform(0, 0.9 * high - height)
        # A part of its own, for nothing may be drawn beyond the window's edge.
        part = Image.new("RGB", (round(width), round(height)))
        _window(part, (0, 0, part.width - 1, part.height - 1), layout, content)
        image.paste(part, (round(left), round(top)))
    deep, below = layout.uniform(14, 32), layout.random() < 0.7
    top = high - deep if below else 0
    draw.rectangle((0, top, wide, top + deep), fill=layout.choice(((20, 20, 24), (235, 235, 240))))
    x = layout.choice((4.0, 0.3 * wide))
    for _ in range(layout.randint(3, 9)):
        icon(draw, (x, top + 0.2 * deep, x + 0.6 * deep, top + 0.8 * deep), layout, shades[2])
        x += deep
    clock = f"{content.randrange(24)}:{content.randrange(60):02d}"
    draw.text((wide - 6, top + deep / 2), clock, fill=(128, 128, 128), font=face, anchor="rm")
    return image


def _telephone(layout: Random, content: Random) -> Image.Image:
    """Draw an upright screen with a status bar, a head, a program and a row of buttons."""
    high = layout.randint(400, 512)
    wide = round(high * layout.uniform(0.46, 0.6))
    image = Image.new("RGB", (wide, high))
    program = Program(image, layout, content)
    program.size = max(program.size, 10)
    draw = program.draw
    draw.rectangle((0, 0, wide, high), fill=program.ground)
    head = layout.choice((program.accent, program.ground, program.panel))
    deep, foot = layout.uniform(0.07, 0.16) * high, layout.choice((0.0, 0.08, 0.1)) * high
    ink = program.on_accent if head == program.accent else program.ink
    draw.rectangle((0, 0, wide, deep), fill=head)
    clock = f"{content.randrange(24)}:{content.randrange(60):02d}"
    draw.text((8, 3), clock, fill=ink, font=font("plain", REGULAR, 9))
    for bar in range(3):
        at = wide - 40 + 10 * bar
        draw.rectangle((at, 4, at + layout.randint(4, 8), 11), fill=ink)
    title = label(content, program.language, 2)
    x = layout.choice((12.0, 0.5 * wide))
    draw.text((x, deep - 8), title, fill=ink,
              font=font(program.family, BOLD, round(1.3 * program.size)),
              anchor="ls" if x < 20 else "ms")  # fmt: skip
    layout.choice(PROGRAMS)(program, (0, deep, wide, high - foot))
    if foot:
        draw.rectangle((0, high - foot, wide, high), fill=program.panel)
        count = layout.randint(3, 5)
        for button in range(count):
            x = (button + 0.5) * wide / count
            place = (x - 9, high - 0.8 * foot, x + 9, high - 0.8 * foot + 18)
            icon(draw, place, layout, program.accent if button == 0 else program.ink)
    return image
