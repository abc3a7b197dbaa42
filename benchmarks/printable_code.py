"""Distances of printable codes, and the limits up to which two are of one picture.

Command, for a folder of photographs that the code was not trained on (400 take 10 minutes on 2
cores; what was described is kept in .cache/printable):
    .venv/bin/python benchmarks/printable_code.py PATH [RUN]

RUN is a shipped code or a folder with a bundle. A genuine pair is a photograph and an edit of it,
an impostor pair an edit of one and another as it is, under all edits of edits_v1. One half of the
photographs sets the limits of `hashing.printable_code.MEASURED`; the other, which has not been
looked at, says what comes of them.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from rich.console import Console

from latenthash.benchmark.judging import halves
from latenthash.cache import DiskCache
from latenthash.codes.code import printed_code
from latenthash.codes.describe import describe
from latenthash.codes.latent import Latent, latent_key
from latenthash.codes.pictures import list_pictures
from latenthash.data.edits.suite import Suite
from latenthash.data.reading import Reader
from latenthash.gallery.impostors import pair_counts
from latenthash.hashing.printable_code import BITS
from latenthash.jobs.at_hand import bundle_at_hand
from latenthash.jobs.build import bundle_config, restore
from latenthash.options.jobs import SHIPPED

SUITE = Path(__file__).parent.parent / "conf" / "benchmark" / "edits_v1.yaml"
READER = Reader(512, 10**8, (255, 255, 255))
CACHE = DiskCache(folder=".cache/printable", max_bytes=10**9)
FPRS = (1e-3, 1e-4, 1e-6)

Counts = NDArray[np.int64]  # (257,) pairs at each distance


class Distances:
    """How often pairs of some photographs are at each distance.

    Args:
        bits: (P, 1 + E, 32) packed codes; those of the photographs themselves come first.

    Attributes:
        genuine: pairs of a photograph and an edit of it.
        impostors: pairs of an edit of one and another photograph.
        plain: pairs of two photographs as they are.
    """

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        originals = bits[:, 0]
        same = np.eye(len(bits), dtype=np.bool_)
        self.impostors = pair_counts(bits[:, 1:], originals, ~same)
        self.genuine = pair_counts(bits[:, 1:], originals, same)
        self.plain = pair_counts(bits[:, :1], originals, ~same) // 2  # both directions are one


def shares(counts: Counts) -> NDArray[np.float64]:
    """Return the share of pairs that keep within each distance, (257,)."""
    return counts.cumsum() / counts.sum()


def limit(impostors: Counts, fpr: float) -> int:
    """Return the largest distance that at most a share fpr of pairs keeps within."""
    return int(np.searchsorted(shares(impostors), fpr, side="right")) - 1


def summary(counts: Counts) -> str:
    """Say where distances lie: the mean, and the ends."""
    seen = np.flatnonzero(counts)
    mean = counts @ np.arange(BITS + 1) / counts.sum()
    return f"{mean:.1f} ({seen[0]} to {seen[-1]}) of {counts.sum():,} pairs"


def edited_codes(folder: str, run: str) -> tuple[bytes, list[str], NDArray[np.uint8]]:
    """Give the packed codes of photographs and of their edits under all of edits_v1.

    Args:
        folder: of P photographs.
        run: a shipped code, or a folder with a bundle.

    Returns:
        the code's tag, the photographs' digests, and (P, 1 + E, 32); those of the photographs
        themselves come first.
    """
    torch.set_num_threads(1)  # as fast, and the other cores make the edits
    bundle = bundle_at_hand(run)
    if bundle is None:
        sys.exit(f"{run} is neither a shipped code nor a folder with a bundle.")
    suite: Suite = instantiate(OmegaConf.load(SUITE))
    latent = Latent(latent_key(bundle), restore(bundle, bundle_config(bundle), CACHE))
    items = list_pictures(folder, READER)
    described = describe(items, suite.edits, suite, [latent], CACHE, READER)[latent.key]
    pictures, views, dimensions = described.shape
    bits = printed_code(latent).bits(described.reshape(-1, dimensions))
    return latent.tag, [item.digest for item in items], bits.reshape(pictures, views, -1)


def main() -> None:
    """Print the distances and the limits."""
    tag, digests, bits = edited_codes(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else SHIPPED)
    pictures, views, _ = bits.shape
    first, second = (
        Distances(bits[half.numbers]) for half in halves(digests, np.arange(pictures), 1, 0)
    )
    out = Console(soft_wrap=True, markup=False)
    out.print(f"tag {tag.hex()}, {pictures} photographs, {views - 1} edits")
    for name, half in (("first", first), ("second", second)):
        out.print(f"{name} half: genuine {summary(half.genuine)}")
        out.print(f"{name} half: impostors {summary(half.impostors)}")
        out.print(f"{name} half: as they are {summary(half.plain)}")
    out.print("| FPR | limit | FPR of the other half | as they are | TPR of the other half |")
    out.print("|---|---|---|---|---|")
    for fpr in FPRS:
        most = limit(first.impostors, fpr)
        rates = (shares(c)[most] for c in (second.impostors, second.plain, second.genuine))
        found, plain, genuine = rates
        out.print(f"| {fpr:g} | {most} | {found:.2g} | {plain:.2g} | {genuine:.4f} |")


if __name__ == "__main__":
    main()
