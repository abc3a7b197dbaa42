"""What a bundle says of pictures: their codes, whether they match, and why."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from omegaconf import DictConfig

from latenthash import InputError
from latenthash.build import build
from latenthash.data.pictures import find_files, is_folder, read_files
from latenthash.data.reading import Picture
from latenthash.data.splits import ViewSet
from latenthash.data.views import pipeline
from latenthash.explaining import explain
from latenthash.hasher import Hasher
from latenthash.hashing import Hash
from latenthash.identity import compare_texts
from latenthash.projections import directions

CODE_BITS = 256
STEM = 100  # bytes of a name; file systems allow 255, with what is put before and behind it
EXPLAINED = 20  # pictures at most: a figure of each takes a second or more


def view_set(path: Path, config: DictConfig, explained: bool) -> ViewSet:
    """Read the picture at a path, or all of a folder, a view each.

    Raises:
        InputError: if any cannot be read, there is none, or there are too many to be explained.
    """
    paths = find_files(path) if is_folder(path) else [path]
    if not paths:
        raise InputError(f"pictures={path} is an empty folder; put pictures into it.")
    if explained and len(paths) > EXPLAINED:
        raise InputError(
            f"explain=true draws a figure of each picture, of {EXPLAINED} at most, and "
            f"pictures={path} holds {len(paths)}; give fewer."
        )
    pictures, problems = read_files(
        paths, build(config.data.reader, _convert_="all"), "Pictures", path
    )
    if problems:
        raise InputError(problems)
    names = tuple(picture.name for picture in pictures)
    return ViewSet(_views(pictures, config), np.arange(len(names)), names)


def codes(hasher: Hasher, views: ViewSet) -> pd.DataFrame:
    """Give the 256-bit code of each picture, in hexadecimal."""
    z = hasher.encode(views.views).astype(np.float32)
    bits = np.packbits(z @ directions(z.shape[1], CODE_BITS) > 0, axis=1)
    return pd.DataFrame(
        {
            "file": views.names,
            f"code ({CODE_BITS} bits)": [row.tobytes().hex() for row in bits],
        }
    )


def matches(hash_: Hash, hasher: Hasher, views: ViewSet) -> pd.DataFrame:
    """Hash pictures, and say which match, a row each."""
    rows = hasher.place({"pictures": views})["pictures"]
    table = pd.DataFrame(
        {"file": views.names, "distance / R": hash_.distances(rows.z) / hash_.radius}
    )
    if hash_.gate is not None and rows.error is not None:
        table["error / E"] = rows.error / hash_.gate
    return table.assign(match=np.where(hash_.matches(rows), "yes", "no"))


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
