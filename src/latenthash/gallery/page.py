"""One offline page of groups of pictures, to look through."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from latenthash.codes.workers import in_workers
from latenthash.data.reading import Reader
from latenthash.gallery.copies import Group
from latenthash.gallery.entries import Entries
from latenthash.system.files import Unusable
from latenthash.system.paths import path_text
from latenthash.system.terminal import escaped

GROUPS, FILES = 500, 12  # on the page at most, and of a group: more is not looked through
SIDE = 160  # px of a thumbnail
QUALITY = 80  # of its JPEG
AT_ONCE = 8  # pictures that are handed to a worker
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem }
section { border-top: 1px solid #ccc }
div { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0; width: 10rem } figcaption { font-size: 13px; overflow-wrap: anywhere }
img { max-width: 100% } b { color: #b00 }
"""
CHAIN = (
    "<p><b>A chain</b>: some of these are further apart than the threshold, and hang together by "
    "others. They may show two pictures.</p>"
)


def write_page(
    path: Path, entries: Entries, found: Sequence[Group], said: Sequence[str], reader: Reader
) -> None:
    """Write a page that needs nothing but itself, whole or not at all; a group is held at a time.

    Args:
        path: of the page.
        entries: of the gallery.
        found: the groups.
        said: sentences at its head.
        reader: that decodes thumbnails; files are untrusted, and may be gone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder, path.name)
        with whole.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(_parts(entries, found, said, reader))
        whole.replace(path)


def _parts(
    entries: Entries, found: Sequence[Group], said: Sequence[str], reader: Reader
) -> Iterator[str]:
    title = "Groups of the same picture"
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f"<style>{STYLE}</style><h1>{title}</h1>"
    shown = found[:GROUPS]
    less = [] if len(shown) == len(found) else [f"The first {GROUPS} of {len(found):,} groups."]
    for sentence in (*said, *less):
        yield f"<p>{escape(escaped(sentence))}</p>"
    names = [entries.files[row] for group in shown for row in group.rows[:FILES].tolist()]
    tasks = ((Path(entries.root, name), reader) for name in names)
    thumbnails = zip(names, _made(tasks, len(names)), strict=True)
    for number, group in enumerate(shown, 1):
        yield f"<section><h2>Group {number}: {len(group.rows):,} files</h2>"
        yield f"{CHAIN if group.chain else ''}<div>"
        for distance in group.distances[:FILES].tolist():
            name, (uri, reason) = next(thumbnails)
            label = escape(path_text(Path(name)), quote=True)
            inside = f'<img loading="lazy" alt="{label}" src="{uri}">' if uri else ""
            why = f"<br>{escape(escaped(reason))}" if reason else ""
            yield f"<figure>{inside}<figcaption>{label}<br>{distance} bits{why}</figcaption>"
            yield "</figure>"
        left = len(group.rows) - FILES
        yield f"</div>{f'<p>And {left:,} more.</p>' if left > 0 else ''}</section>"
    yield "</html>"


def _made(tasks: Iterable[tuple[Path, Reader]], count: int) -> Iterator[tuple[str, str]]:
    """Make thumbnails, on all cores where there are many."""
    if count <= 4 * AT_ONCE:  # other processes take seconds to start
        return (thumbnail(*task) for task in tasks)
    return in_workers(thumbnail, tasks, AT_ONCE)


def thumbnail(path: Path, reader: Reader) -> tuple[str, str]:
    """Return a picture as a URI that holds it; or nothing, and why."""
    try:
        pixels = reader.read(path).pixels
    except Unusable as error:
        return "", str(error)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}", ""
