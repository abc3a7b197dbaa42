"""Printable hashes of photographs and of their edited copies: the table of docs/printable-hash.md.

Commands, for a folder of 200 photographs (12 minutes for each `vgg16`, kept in .cache/printable):
    .venv/bin/python benchmarks/printable.py PATH [KIND ...]         how often are two of one?
    .venv/bin/python benchmarks/printable.py PATH learn [KIND ...]   what have they in common?
KIND is one of those below, such as "pixels, trimmed"; without one, all. For `embedding` take
photographs that its network never learned from.

The first half by name, without edits, is what the common part was learned from, and the threshold
was set on it; the second half, which neither has seen, is what counts.
"""

import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import albumentations as A
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray
from omegaconf import OmegaConf
from rich.console import Console
from rich.progress import track
from safetensors.numpy import save_file

from latenthash.cache import DiskCache, cache_key
from latenthash.data.reading import Picture, Reader
from latenthash.data.splits import PRINTABLE_SEED, PRINTABLE_SPLIT, PRINTABLE_VIEWS
from latenthash.data.views import Views, pipeline
from latenthash.hashing.printable import Comparison, compare
from latenthash.hashing.printable_features import Common, printable_hash, to_vectors
from latenthash.jobs.build import build
from latenthash.system.paths import find_files

ROOT = Path(__file__).parent.parent
READER = Reader(512, 10**8, (255, 255, 255))
COUNT = 200
KINDS = {  # name -> overrides; unpooled maps are averaged here: the bits of vgg16
    "vgg16": ["features=vgg16", "finetune=false"],
    "vgg16, trimmed": ["features=vgg16", "finetune=false", "features.trim=true"],
    "pixels": ["features=pixels"],
    "pixels, trimmed": ["features=pixels", "features.trim=true"],
    "embedding": ["features=embedding"],
    "embedding, trimmed": ["features=embedding", "features.trim=true"],
}
LEARNED = ("vgg16", "pixels", "embedding")  # what the trimmed kinds take off, too
LEAST = (64, 96, 128, 144)  # surpluses from which two hashes might be of one picture
CACHE = DiskCache(folder=".cache/printable", max_bytes=10**9)


class Work:
    """The printable hash as enrolment makes it, of any picture, under one kind of features."""

    def __init__(self, kind: str) -> None:
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            cfg = compose("train", KINDS[kind])
        self.config = OmegaConf.to_container(cfg.features, resolve=True)
        self.features = build(cfg.features)
        self.augment = list(build(cfg.augment, _convert_="all").values())
        self.edits = build(cfg.edits, _convert_="all")

    def describe(self, paths: list[Path], edited: bool) -> Iterator[NDArray[np.float64]]:
        """Return the vectors (views, D) of each photograph, or of a copy under one of the edits.

        The unseen edits take turns.
        """
        names = list(self.edits)
        for i, path in enumerate(track(paths, "Edited" if edited else "Originals")):
            name = names[i % len(names)] if edited else ""
            config = str(self.config)
            key = cache_key("vectors", config, str(PRINTABLE_VIEWS), name, path.read_bytes())
            found = CACHE.read_array(key)
            if found is None:
                pixels = READER.read(path).pixels
                if edited:
                    edit = A.Compose([self.edits[name]])
                    edit.set_random_seed(0)
                    pixels = np.array(edit(image=pixels)["image"])
                edits = pipeline(self.augment, self.features.size, self.features.trim)
                picture = Picture(str(path), pixels, "")
                views = Views([picture], edits, PRINTABLE_SEED, PRINTABLE_SPLIT, PRINTABLE_VIEWS)
                x = self.features(torch.from_numpy(np.stack(list(views))))
                found = to_vectors(self.features, x)
                CACHE.write_array(key, found)
            yield found


def rate(found: list[Comparison]) -> list[str]:
    """Lay out a list of comparisons: pairs, positions shared, share, difference, verdicts."""
    shared = np.array([one.shared for one in found])
    share = np.array([one.share for one in found])
    surplus = np.array([one.surplus for one in found])
    return [
        str(len(found)),
        f"{shared.mean():.0f} ({shared.min()} to {shared.max()})",
        f"{share.mean():.3f} ({share.min():.3f} to {share.max():.3f})",
        f"{surplus.mean():.0f} ({surplus.min()} to {surplus.max()})",
        *[f"{(surplus >= least).mean():.4f}" for least in LEAST],
    ]


def learn(kind: str, paths: list[Path]) -> None:
    """Write what photographs have in common under one kind of features."""
    work = Work(kind)
    common = Common.learn(np.concatenate(list(work.describe(paths, False))))
    assert common.mean is not None and common.axes is not None
    path = ROOT / f"src/latenthash/shipped/printable/{work.features.common}.safetensors"
    path.parent.mkdir(exist_ok=True)
    tensors = {"mean": common.mean, "axes": common.axes}
    save_file({key: part.astype(np.float32) for key, part in tensors.items()}, path)


def main() -> None:
    """Print the table, or learn."""
    paths = find_files(Path(sys.argv[1]))[:COUNT]
    halves = {"first": paths[: COUNT // 2], "second": paths[COUNT // 2 :]}
    learning = sys.argv[2:3] == ["learn"]
    kinds = sys.argv[3 if learning else 2 :] or (LEARNED if learning else list(KINDS))
    if learning:
        for kind in kinds:
            learn(kind, halves["first"])
        return
    columns = ["features: model", "half", "pairs of", "number", "shared", "share", "surplus"]
    columns += [f"surplus >= {least}" for least in LEAST]
    rows = [columns, ["---"] * len(columns)]
    for kind in kinds:
        work = Work(kind)
        for half, part in halves.items():
            originals, edited = (
                [
                    printable_hash(work.features, work.config, torch.from_numpy(x))
                    for x in work.describe(part, which)
                ]
                for which in (False, True)
            )
            strangers = [compare(a, b) for a, b in combinations(originals, 2)]
            copies = [compare(a, b) for a, b in zip(originals, edited, strict=True)]
            name = f"{kind}: {originals[0].model}"
            rows.append([name, half, "two photographs", *rate(strangers)])
            rows.append([name, half, "one and its copy", *rate(copies)])
    for row in rows:
        Console(soft_wrap=True, markup=False).print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
