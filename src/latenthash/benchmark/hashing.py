"""Describing every picture under every edit, on all cores, once.

What a source says of one picture under all edits is one entry of the cache, so a run that was
killed goes on where it stopped, and pixels are held for a few pictures at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import albumentations
import cv2
import numpy as np
import PIL
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from rich.progress import track

from latenthash.benchmark.codes import Floats, Pixels, Source
from latenthash.benchmark.suite import Suite, SuiteEdit
from latenthash.cache import DiskCache, cache_key
from latenthash.data.reading import Picture, Reader
from latenthash.data.views import pipeline

LIBRARIES = (albumentations, cv2, PIL)  # what edits pixels; other versions, other pixels
CHUNK = 8  # pictures in memory at once, under all their edits


@dataclass(frozen=True)
class Item:
    """A picture to be described.

    Attributes:
        name: as in tables.
        digest: of its bytes.
        read: gives the picture.
    """

    name: str
    digest: str
    read: Callable[[], Picture]


def describe(
    items: Sequence[Item],
    edits: Sequence[SuiteEdit],
    suite: Suite,
    sources: Sequence[Source],
    cache: DiskCache,
    reader: Reader,
) -> dict[str, NDArray[np.float32]]:
    """Describe pictures as they are and under each edit.

    Args:
        items: P pictures.
        edits: E edits of the suite.
        suite: applies them.
        sources: those with the same identity are asked once.
        cache: where descriptions are kept.
        reader: how the pictures are decoded.

    Returns:
        identity of the source -> (P, 1 + E, D); the picture itself comes first.
    """
    distinct = {source.identity: source for source in sources}
    edit_names = "\n".join(edit.name for edit in edits)
    made_by = [repr(reader), *(library.__version__ for library in LIBRARIES)]
    described: dict[str, list[Floats | None]] = {identity: [] for identity in distinct}
    keys = {
        identity: [
            cache_key("code", identity, suite.digest, edit_names, *made_by, i.digest) for i in items
        ]
        for identity in distinct
    }
    for identity, rows in described.items():
        rows += [cache.read_array(key) for key in keys[identity]]
    missing = [i for i in range(len(items)) if any(rows[i] is None for rows in described.values())]
    chunks = [missing[i : i + CHUNK] for i in range(0, len(missing), CHUNK)]
    with Parallel(min(cpu_count(), CHUNK)) as workers:
        for chunk in track(chunks, "Pictures under all edits", transient=True):
            wanted = {
                identity: source
                for identity, source in distinct.items()
                if any(described[identity][i] is None for i in chunk)
            }
            whole = {k: s for k, s in wanted.items() if s.side is None}
            kinds = {(s.side, s.trim) for s in wanted.values() if s.side is not None}
            results = workers(delayed(_edited)(items[i], edits, suite, whole, kinds) for i in chunk)
            for i, (of_whole, views) in zip(chunk, results, strict=True):
                for identity, source in wanted.items():
                    if source.side is None:
                        made = of_whole[identity]
                    else:
                        made = source.describe(list(views[source.side, source.trim]))
                    described[identity][i] = made
                    cache.write_array(keys[identity][i], made)
    return {
        identity: np.stack([row for row in rows if row is not None])
        for identity, rows in described.items()
    }


def _edited(
    item: Item,
    edits: Sequence[SuiteEdit],
    suite: Suite,
    whole: Mapping[str, Source],
    kinds: set[tuple[int, bool]],
) -> tuple[dict[str, Floats], dict[tuple[int, bool], NDArray[np.uint8]]]:
    """Edit a picture, and describe or reduce what comes out."""
    picture = item.read()
    pictures: list[Pixels] = [
        picture.pixels,
        *(suite.apply(picture.pixels, picture.digest, edit) for edit in edits),
    ]
    described = {identity: source.describe(pictures) for identity, source in whole.items()}
    views = {}
    for side, trim in kinds:
        reduce = pipeline([], side, trim)
        views[side, trim] = np.stack([reduce(image=pixels)["image"] for pixels in pictures])
    return described, views
