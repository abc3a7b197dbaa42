"""What a bundle says of pictures: their codes, whether they match, and why."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from omegaconf import DictConfig

from latenthash.data.detail import has_detail
from latenthash.data.reading import Picture, Reader, Unreadable
from latenthash.data.sources import Unread, find_files, is_folder, read_files, refused
from latenthash.data.splits import ViewSet
from latenthash.data.views import pipeline
from latenthash.errors import InputError
from latenthash.hashing.enrolled import Hash
from latenthash.hashing.hasher import Hasher
from latenthash.hashing.printable import compare_texts
from latenthash.hashing.projections import directions
from latenthash.jobs.build import build
from latenthash.report.explain import explain

CODE_BITS = 256
STEM = 100  # bytes of a name; file systems allow 255, with what is put before and behind it
EXPLAINED = 20  # pictures at most: a figure of each takes a second or more


@dataclass(frozen=True)
class Given:
    """Pictures that verdicts are asked of.

    Attributes:
        views: one of each.
        plain: (N,) whether a picture has no detail, so that its code tells it from no other.
        skipped: files that could not be read.
    """

    views: ViewSet
    plain: Sequence[bool]
    skipped: Sequence[Unread]

    def noted(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add to a table with a row a picture what is odd, and a row for each skipped file."""
        table = table.assign(note=["no detail" if plain else "" for plain in self.plain])
        if not self.skipped:
            return table
        rows = pd.DataFrame([{"file": file.name, "note": file.reason} for file in self.skipped])
        rows = rows.reindex(columns=table.columns, fill_value="")
        return pd.concat([table, rows], ignore_index=True)


def read_given(path: Path, config: DictConfig, explained: bool, unreadable: Unreadable) -> Given:
    """Read the picture at a path, or all of a folder, a view each.

    Args:
        path: of the picture, or of the folder.
        config: the bundle's.
        explained: whether a figure of each is wanted.
        unreadable: what is done with files that cannot be read.

    Raises:
        InputError: if any cannot be read and none may be skipped, there is none, or there are too
            many to be explained.
    """
    paths = find_files(path) if is_folder(path) else [path]
    if not paths:
        raise InputError(f"pictures={path} is an empty folder; put pictures into it.")
    if explained and len(paths) > EXPLAINED:
        raise InputError(
            f"explain=true draws a figure of each picture, of {EXPLAINED} at most, and "
            f"pictures={path} holds {len(paths)}; give fewer."
        )
    reader: Reader = build(config.data.reader, _convert_="all")
    reader = replace(reader, unreadable=unreadable)
    pictures, unread = read_files(paths, reader, "Pictures", path)
    if problems := refused(unread, len(pictures), reader):
        raise InputError(problems)
    names = tuple(picture.name for picture in pictures)
    views = ViewSet(_views(pictures, config), np.arange(len(names)), names)
    return Given(views, [not has_detail(picture.pixels) for picture in pictures], unread)


def codes(hasher: Hasher, given: Given) -> pd.DataFrame:
    """Give the 256-bit code of each picture, in hexadecimal."""
    z = hasher.encode(given.views.views).astype(np.float32)
    bits = np.packbits(z @ directions(z.shape[1], CODE_BITS) > 0, axis=1)
    return given.noted(
        pd.DataFrame(
            {
                "file": given.views.names,
                f"code ({CODE_BITS} bits)": [row.tobytes().hex() for row in bits],
            }
        )
    )


def matches(hash_: Hash, hasher: Hasher, given: Given) -> pd.DataFrame:
    """Hash pictures, and say which match, a row each."""
    rows = hasher.place({"pictures": given.views})["pictures"]
    table = pd.DataFrame(
        {"file": given.views.names, "distance / R": hash_.distances(rows.z) / hash_.radius}
    )
    if hash_.gate is not None and rows.error is not None:
        table["error / E"] = rows.error / hash_.gate
    return given.noted(table.assign(match=np.where(hash_.matches(rows), "yes", "no")))


def explanations(
    hasher: Hasher, hash_: Hash, views: ViewSet, known: Mapping[str, ViewSet]
) -> Iterator[tuple[str, Figure]]:
    """Explain the verdict on each picture; what a figure is called is a path without its end."""
    for i, figure in enumerate(explain(hasher, hash_, views, known)):
        # The number tells pictures of one name apart.
        yield f"explain/{i:02d}_{_file_stem(views.names[i])}", figure


def _file_stem(name: str) -> str:
    """Give what of a picture's name can stand in the name of any file, path or address."""
    encoding = sys.getfilesystemencoding()
    start = Path(name).stem.encode(encoding, errors="replace")[:STEM]
    return re.sub(r"[^\w.-]", "_", start.decode(encoding, errors="ignore"))


def compared(texts: Sequence[str]) -> pd.DataFrame:
    """Compare printable hashes, each with each, a row a pair."""
    return pd.DataFrame(
        [
            {
                "hashes": f"{i} and {j}",
                "shared positions": found.shared,
                "agreeing": found.agreeing,
                "share": found.share,
                "surplus": found.surplus,
                "same from": "" if found.least is None else found.least,
                "same picture": found.verdict,
            }
            for i, j, found in compare_texts(texts)
        ]
    )


def _views(pictures: list[Picture], config: DictConfig) -> torch.Tensor:
    reduce = pipeline([], config.features.size, config.features.trim)
    return torch.from_numpy(
        np.stack([reduce(image=picture.pixels)["image"] for picture in pictures])
    )
