"""Speed of the benchmark's hashing against bare calls; a table of docs/performance.md.

Command: .venv/bin/python benchmarks/codes.py PATH (a folder of 100 pictures or more; 3 minutes)
"""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from importlib.resources import as_file, files
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path

import imagehash
import numpy as np
import torch
from field import ALWAYS, installed
from hydra.utils import instantiate
from joblib import cpu_count
from omegaconf import OmegaConf
from PIL import Image
from rich.console import Console

from latenthash.cache import DiskCache
from latenthash.codes.code import Source
from latenthash.codes.describe import Item, describe
from latenthash.codes.latent import Latent
from latenthash.codes.workers import MOST
from latenthash.data.edits.suite import Suite
from latenthash.data.reading import Pixels, Reader
from latenthash.data.views import pipeline
from latenthash.hashing.bundle import Bundle
from latenthash.jobs.build import bundle_config, restore

SUITE = Path(__file__).parent.parent / "conf" / "benchmark" / "edits_v1.yaml"
EDITED = 16  # pictures of those given
ROUNDS = 3
READER = Reader(512, 10**8, (255, 255, 255))
TIMED = 50  # pictures behind the time of one


def bare(path: Path, edited: bool) -> list[object]:
    """Hash a file, and what the suite makes of it, by the libraries' own calls."""
    picture = READER.read(path)
    hashes = hashed(picture.pixels)
    if edited:
        suite = the_suite()
        for edit in suite.edits:
            hashes += hashed(edit.apply(picture.pixels, picture.digest))
    return hashes


def hashed(pixels: Pixels) -> list[object]:
    """Call every peer on a picture."""
    image = Image.fromarray(pixels)
    hashes: list[object] = [
        imagehash.average_hash(image), imagehash.dhash(image), imagehash.phash(image),
        imagehash.phash(image, hash_size=16),
    ]  # fmt: skip
    if find_spec("pdqhash"):
        import pdqhash

        hashes.append(pdqhash.compute(pixels)[0])
    return hashes


@cache
def the_suite() -> Suite:
    """Build the suite, once in every process."""
    suite: Suite = instantiate(OmegaConf.load(SUITE))
    return suite


def ours(paths: list[Path], edited: bool, sources: list[Source]) -> float:
    """Time hashing files as the benchmark does, with nothing kept from before."""
    suite = the_suite()
    edits = suite.edits if edited else ()
    reads = [partial(READER.read, path) for path in paths]
    items = [Item(path.name, read().digest, read) for path, read in zip(paths, reads, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        kept = DiskCache(folder=folder, max_bytes=10**9)
        return seconds(lambda: describe(items, edits, suite, sources, kept, READER))


def seconds(work: Callable[[], object]) -> float:
    """Time a piece of work."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@torch.inference_mode()
def trunk_share(paths: list[Path]) -> tuple[float, float]:
    """Return the median milliseconds of our code, and of its trunk's forward pass alone.

    From a decoded picture to its latent, one picture at a time on one core, as in the leaderboard.
    """
    with as_file(files("latenthash") / "shipped" / "vgg16_code") as folder:
        bundle = Bundle.load(folder)
    hasher = restore(bundle, bundle_config(bundle), DiskCache(folder=".cache", max_bytes=10**9))
    code = Latent("code", hasher)
    reduce = pipeline([], code.side, code.trim)
    (trunk,) = hasher.features.frozen
    torch.set_num_threads(1)
    times = []
    with hasher.uncached():
        for path in (paths[0], *paths):  # the first is there for what is done once
            pixels = READER.read(path).pixels
            view = torch.from_numpy(reduce(image=pixels)["image"])[None]
            floats = view.float().permute(0, 3, 1, 2)
            mine = seconds(lambda: code.describe([reduce(image=pixels)["image"]]))  # noqa: B023
            times.append((mine, seconds(lambda: trunk(floats))))  # noqa: B023
    mine, alone = 1000 * np.median(times[1:], axis=0)
    return float(mine), float(alone)


def compared(
    paths: list[Path], edited: bool, sources: list[Source], pool: Pool
) -> tuple[float, float]:
    """Return the median seconds of the benchmark's hashing and of bare calls, in turn."""
    bare_calls = partial(bare, edited=edited)
    times = [
        (ours(paths, edited, sources), seconds(lambda: pool.map(bare_calls, paths, chunksize=1)))
        for _ in range(ROUNDS + 1)
    ]
    mine, theirs = np.median(times[1:], axis=0)  # the first starts the workers
    return float(mine), float(theirs)


def main() -> None:
    """Measure everything and print a Markdown table."""
    paths = sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_file())
    sources = [code.source for code in installed(*ALWAYS)]
    console = Console(soft_wrap=True)
    console.print("| what | measured | limit |\n|---|---|---|", markup=False)
    with get_context("spawn").Pool(min(cpu_count(), MOST)) as pool:
        for edited, some in ((True, paths[:EDITED]), (False, paths)):
            mine, theirs = compared(some, edited, sources, pool)
            under = f"under {len(the_suite().edits)} edits" if edited else "as they are"
            console.print(
                f"| peers, {len(some)} pictures {under}: {mine:.2f} s, bare calls {theirs:.2f} s | "
                f"{mine / theirs:.2f} | 1.1 |", markup=False,
            )  # fmt: skip
    mine, alone = trunk_share(paths[:TIMED])
    console.print(
        f"| our code, one picture: {mine:.0f} ms, its trunk alone {alone:.0f} ms | "
        f"{mine / alone:.2f} | 1.1 |", markup=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
