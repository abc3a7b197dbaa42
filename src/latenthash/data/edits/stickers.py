"""The stickers that edits put on pictures, 400 x 400 px on a transparent ground."""

from math import cos, pi, sin

from PIL import Image, ImageDraw


def _blank() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    # Large, because ImageDraw does not smooth edges and the reduction does.
    image = Image.new("RGBA", (400, 400), (255, 255, 255, 0))
    return image, ImageDraw.Draw(image)


def smiley() -> Image.Image:
    """Draw a smiley."""
    image, draw = _blank()
    draw.ellipse((10, 10, 390, 390), fill=(255, 204, 51), outline=(140, 90, 0), width=8)
    for left in (110, 230):
        draw.ellipse((left, 110, left + 60, 190), fill=(70, 45, 10))
    draw.chord((90, 150, 310, 330), 0, 180, fill=(70, 45, 10))
    return image


def heart() -> Image.Image:
    """Draw a heart."""
    image, draw = _blank()
    angles = [2 * pi * step / 200 for step in range(200)]
    draw.polygon(
        [
            (
                200 + 11.5 * 16 * sin(a) ** 3,
                180 - 11.5 * (13 * cos(a) - 5 * cos(2 * a) - 2 * cos(3 * a) - cos(4 * a)),
            )
            for a in angles
        ],
        fill=(221, 46, 68),
    )
    return image


def star() -> Image.Image:
    """Draw a star."""
    image, draw = _blank()
    corners = [((195, 80)[n % 2], pi * n / 5) for n in range(10)]
    points = [(200 + r * sin(a), 210 - r * cos(a)) for r, a in corners]
    draw.polygon(points, fill=(85, 172, 238), outline=(20, 70, 120), width=6)
    return image
