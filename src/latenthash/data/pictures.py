"""Where the pictures of a run come from: the project's own, or a user's files.

A source is a string: `embedded:<set>`, or the path of a picture or of a folder. All sources
are read, and everything wrong with them collected, before any work begins.
"""

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from latenthash import InputError
from latenthash.cache import DiskCache, cache_key
from latenthash.data.earth import render_earth
from latenthash.data.reading import Picture, Reader, shown
from latenthash.data.sushi import render_sushi

EMBEDDED = "embedded:"
PLATES = 100  # the thesis's count of similar pictures
SINGLE = ("signal", "noise_edited")  # roles that are one picture, not a set
DROPPINGS = ("thumbs.db", "desktop.ini")  # left in picture folders by operating systems
FOREIGN = ("outliers", "unseen")  # roles that must not hold a picture of another role

Pixels = NDArray[np.uint8]


def _photograph(package: str, name: str) -> Pixels:
    """Read a photograph that scikit-image, scikit-learn or Matplotlib ships in its wheel."""
    with as_file(files(package) / name) as path:
        return Reader(512, 10**7, (255, 255, 255)).read(path).pixels


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


def quarter(picture: Picture, corner: int) -> Picture:
    """Cut out one of the four quarters, 0 to 3 by rows, which share no pixel."""
    return Picture(
        f"{picture.name} [{corner}]",
        _cut(picture.pixels, corner),
        f"{picture.digest}/quarter {corner}",
    )


def _cut(pixels: Pixels, corner: int) -> Pixels:
    y, x = (side // 2 for side in pixels.shape[:2])
    row, column = divmod(corner, 2)
    half = pixels[y:] if row else pixels[:y]
    return np.ascontiguousarray(half[:, x:] if column else half[:, :x])


def _cut_photograph(read: Callable[[], Pixels], corner: int) -> Pixels:
    return _cut(read(), corner)


# Painted pictures are cached by name: what has the same name is the same picture in every set.
_SUSHI: list[tuple[str, Callable[[], Pixels]]] = [
    (f"plate_{i:02d}", partial(render_sushi, i)) for i in range(PLATES)
]
_PHOTOS_A = ("chelsea.png", "china.jpg", "hubble_deep_field.jpg", "retina.jpg")
_OUTLIERS = _photographs(
    *_PHOTOS_A, "brick.png", "camera.png", "cell.png", "clock_motion.png", "coins.png",
    "grass.png", "gravel.png", "moon.png", "page.png", "mpl-data/sample_data/grace_hopper.jpg",
)  # fmt: skip
_SETS: dict[str, list[tuple[str, Callable[[], Pixels]]]] = {
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


def load_pictures(
    sources: Mapping[str, str],
    reader: Reader,
    cache: DiskCache | None = None,
    problems: Sequence[str] = (),
) -> dict[str, list[Picture]]:
    """Read the pictures of every role.

    Args:
        sources: role -> `embedded:<set>` or a path; a folder is searched recursively.
        reader: how files are decoded.
        cache: where painted pictures are kept; None paints them anew.
        problems: what is known to be wrong already.

    Raises:
        InputError: everything that is wrong, in all sources at once.
    """
    problems = list(problems)
    found = {role: _find(role, source, problems) for role, source in sources.items()}
    pictures = {
        role: _read(role, sources[role], paths, reader, cache, problems)
        for role, paths in found.items()
    }
    if not problems:
        problems = _shared(pictures)
    if problems:
        raise InputError(problems)
    return pictures


def embedded(name: str) -> list[Picture]:
    """Give the pictures of an embedded set of photographs."""
    return _members(f"{EMBEDDED}{name}", None)


def find_files(path: Path) -> list[Path]:
    """List the files of a folder and of all below it, links followed; hidden ones are left out.

    Links that lead nowhere and folders that cannot be opened are listed too, so that reading
    names them.
    """
    found: list[Path] = []
    seen: set[str] = set()

    def unreadable(error: OSError) -> None:
        found.append(Path(error.filename))

    for folder, folders, names in os.walk(path, followlinks=True, onerror=unreadable):
        inside = os.path.realpath(folder)
        if inside in seen:  # a link back to a folder above would be followed for ever
            folders.clear()
            continue
        seen.add(inside)
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(folder, name)
            for name in names
            if not name.startswith(".") and name.lower() not in DROPPINGS
        ]
    return sorted(found)


def read_files(paths: list[Path], reader: Reader, title: str) -> tuple[list[Picture], list[str]]:
    """Read files with a progress bar; return the pictures and a sentence per bad file."""
    pictures, problems = [], []
    for path in track(paths, title, disable=len(paths) < 10, transient=True):
        try:
            pictures.append(reader.read(path))
        except ValueError as error:
            problems.append(f"{shown(path)} {error}.")
    return pictures, problems


def source_digest(source: str) -> str:
    """Digest what a source holds now, so that a changed file makes a changed job.

    An embedded set is named by its own name: the project's version covers its content.
    """
    path = Path(source)
    if source.startswith(EMBEDDED) or not _exists(path):
        return source
    paths = [path] if path.is_file() else find_files(path)
    # What cannot be opened is named when the pictures are read.
    readable = [p for p in paths if p.is_file() and os.access(p, os.R_OK)]
    return sha256(b"".join(sha256(p.read_bytes()).digest() for p in readable)).hexdigest()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, a folder that may not be entered
        return False


def _find(role: str, source: str, problems: list[str]) -> list[Path]:
    if source.startswith(EMBEDDED):
        if source.removeprefix(EMBEDDED) not in _SETS:
            known = ", ".join(EMBEDDED + name for name in _SETS)
            problems.append(f"data.{role}={source} is not one of {known}.")
        return []
    path = Path(source)
    if not _exists(path):
        problems.append(
            f"data.{role}={source} does not exist (looked in {path.absolute().parent})."
        )
    elif path.is_dir() and role in SINGLE:
        problems.append(f"data.{role}={source} is a folder; give the path of one picture.")
    elif path.is_dir():
        paths = find_files(path)
        if not paths:
            problems.append(f"data.{role}={source} is an empty folder; put pictures into it.")
        return paths
    else:
        return [path]
    return []


def _read(
    role: str,
    source: str,
    paths: list[Path],
    reader: Reader,
    cache: DiskCache | None,
    problems: list[str],
) -> list[Picture]:
    if source.startswith(EMBEDDED):
        return _members(source, cache)
    pictures, bad = read_files(paths, reader, f"Pictures of {role}")
    problems.extend(f"data.{role}: {sentence}" for sentence in bad)
    return pictures


def _members(source: str, cache: DiskCache | None) -> list[Picture]:
    members = _SETS.get(source.removeprefix(EMBEDDED), [])
    pictures = []
    title = f"Pictures of {source}"
    for name, render in track(members, title, disable=len(members) < 10, transient=True):
        pixels = _painted(name, render, cache) if cache else render()
        digest = sha256(pixels.tobytes()).hexdigest()
        pictures.append(Picture(f"{source}/{name}", pixels, digest))
    return pictures


def _painted(name: str, render: Callable[[], Pixels], cache: DiskCache) -> Pixels:
    """Take an embedded picture from the cache, or make it and keep it there."""
    key = cache_key("picture", name, _painters())
    pixels = cache.read_array(key)
    if pixels is None:
        pixels = render()
        cache.write_array(key, pixels)
    return pixels


@functools.cache
def _painters() -> bytes:
    """Read the code that paints, so that no picture outlives a change of it."""
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))


def _shared(pictures: Mapping[str, list[Picture]]) -> list[str]:
    """Say which pictures stand in two roles where that makes the test void.

    The Signal is nobody's noise, and outliers and unseen pictures are in no other set.
    """
    problems = []
    for role, members in pictures.items():
        if role == "signal":
            continue
        others = [other for other in pictures if other != role] if role in FOREIGN else ["signal"]
        elsewhere = {picture.digest: o for o in others for picture in pictures.get(o, [])}
        problems += [
            f"data.{role}: {picture.name} is also a picture of data.{elsewhere[picture.digest]}; "
            "the sets must be disjoint."
            for picture in members
            if picture.digest in elsewhere
        ]
    return problems
