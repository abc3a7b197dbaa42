"""The pictures that come with the project, in named sets: photographs and paintings.

The photographs are those that scikit-image, scikit-learn and Matplotlib ship in their wheels;
Earth and the plates of sushi are painted by code, and cached.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path

from latenthash.cache import DiskCache, cache_key
from latenthash.data.reading import READING, Picture, Pixels, Reader, cut
from latenthash.data.samples.earth import render_earth
from latenthash.data.samples.sushi import render_sushi
from latenthash.system.terminal import track

PREFIX = "embedded:"  # of a source that is not a path
SHIPPED_PIXELS = 10**7  # that files of our own may have, whatever the user allows
PLATES = 100  # the thesis's count of similar pictures


def _photograph(package: str, name: str) -> Pixels:
    """Read a photograph that scikit-image, scikit-learn or Matplotlib ships in its wheel."""
    with as_file(files(package) / name) as path:
        return Reader(512, SHIPPED_PIXELS, (255, 255, 255)).read(path).pixels


def _photographs(*names: str) -> list[tuple[str, Callable[[], Pixels]]]:
    packages = {
        "china.jpg": "sklearn.datasets.images",
        "flower.jpg": "sklearn.datasets.images",
        "mpl-data/sample_data/grace_hopper.jpg": "matplotlib",
    }
    return [
        (Path(name).stem, partial(_photograph, packages.get(name, "skimage.data"), name))
        for name in names
    ]


def _cut_photograph(read: Callable[[], Pixels], corner: int) -> Pixels:
    return cut(read(), corner)


# Painted pictures are cached by name: what has the same name is the same picture in every set.
_SUSHI: list[tuple[str, Callable[[], Pixels]]] = [
    (f"plate_{i:02d}", partial(render_sushi, i)) for i in range(PLATES)
]
_PHOTOS_A = ("chelsea.png", "china.jpg", "hubble_deep_field.jpg", "retina.jpg")
_OUTLIERS = _photographs(
    *_PHOTOS_A, "brick.png", "camera.png", "cell.png", "clock_motion.png", "coins.png",
    "grass.png", "gravel.png", "moon.png", "page.png", "mpl-data/sample_data/grace_hopper.jpg",
)  # fmt: skip
SETS: dict[str, list[tuple[str, Callable[[], Pixels]]]] = {
    "girl": _photographs("astronaut.png"),
    "earth": [("earth", partial(render_earth, seed=2))],
    "sushi": _SUSHI,
    "plate": _SUSHI[:1],
    "plates_a": _SUSHI[1::2],  # the others, half and half
    "plates_b": _SUSHI[2::2],
    "photos_a": _photographs(*_PHOTOS_A),
    "photos_b": _photographs(
        "coffee.png", "flower.jpg", "ihc.png", "motorcycle_left.png", "rocket.jpg"
    ),
    # Quarters count as pictures: training needs many that differ, and few can be shipped.
    "outliers": _OUTLIERS
    + [(f"{n}_{i}", partial(_cut_photograph, read, i)) for n, read in _OUTLIERS for i in range(4)],
    "stereo_left": _photographs("motorcycle_left.png"),  # in photos_b too: not beside it
    "stereo_right": _photographs("motorcycle_right.png"),
}


def embedded(name: str, cache: DiskCache | None = None) -> list[Picture]:
    """Return the pictures of a set.

    Args:
        name: one of SETS.
        cache: where pictures are kept; None reads and paints them anew.

    Raises:
        KeyError: there is no such set.
    """
    members = SETS[name]
    pictures = []
    title = f"Pictures of {PREFIX}{name}"
    for member, render in track(members, title, disable=len(members) < 10):
        pixels = _kept(member, render, cache) if cache else render()
        digest = sha256(pixels.tobytes()).hexdigest()
        pictures.append(Picture(f"{PREFIX}{name}/{member}", pixels, digest))
    return pictures


def photographs(reader: Reader) -> list[Picture]:
    """Read the photographs that come along, whole, by a reader.

    Each is named by the package that ships it, and its file there: `skimage.data/astronaut.png`.
    """
    rendered = [render for members in SETS.values() for _, render in members]
    places = dict.fromkeys(
        (str(package), str(name))
        for render in rendered
        if isinstance(render, partial) and render.func is _photograph
        for package, name in [render.args]
    )
    pictures = []
    for package, name in places:
        with as_file(files(package) / name) as path:
            picture = replace(reader, max_pixels=SHIPPED_PIXELS).read(path)
        pictures.append(replace(picture, name=f"{package}/{name}"))
    return pictures


def _kept(name: str, render: Callable[[], Pixels], cache: DiskCache) -> Pixels:
    """Take an embedded picture from the cache, or make it and keep it there."""
    key = cache_key("picture", name, READING, _painters())
    pixels = cache.read_array(key)
    if pixels is None:
        pixels = render()
        cache.write_array(key, pixels)
    return pixels


@functools.cache
def _painters() -> bytes:
    """Read the code that paints, so that no painting outlives a change of it."""
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
