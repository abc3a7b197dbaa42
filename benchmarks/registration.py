"""How well pictures register to thumbnails of their originals, and to those of others.

Command, of a folder of photographs (minutes):
    .venv/bin/python benchmarks/registration.py FOLDER [PHOTOGRAPHS] [IMPOSTORS]
Each of the first photographs by name is registered to its own thumbnail under each edit of
edits_v1; then as it is, with up to IMPOSTORS others of the folder, to each of their thumbnails.
"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np
from omegaconf import OmegaConf
from rich.console import Console

from latenthash.data.edits.suite import Suite
from latenthash.data.reading import Picture, Reader
from latenthash.jobs.build import build
from latenthash.system.paths import find_files
from latenthash.watermark.points import Features, features
from latenthash.watermark.registration import CORRELATION, INLIERS, Reference, thumbnail

ROOT = Path(__file__).parent.parent
RESAMPLES = 2000


def main() -> None:
    """Print the share of genuine pictures that agree, by edit, and of others that do."""
    console = Console(width=100)
    cv2.setNumThreads(1)
    folder = Path(sys.argv[1])
    count, others = (int(word) for word in [*sys.argv[2:], "20", "100"][:2])
    reader = Reader(512, 10**8, (255, 255, 255))
    pictures = [reader.read(path) for path in find_files(folder)[: max(count, others)]]
    references = [_reference(picture) for picture in pictures]
    suite: Suite = build(OmegaConf.load(ROOT / "conf/benchmark/edits_v1.yaml"))
    agrees = np.zeros((count, len(suite.edits)), bool)
    seconds = []
    for i in range(count):
        for j, edit in enumerate(suite.edits):
            view = edit.apply(pictures[i].pixels, pictures[i].digest)
            start = time.process_time()
            agrees[i, j] = references[i].register(view).agrees
            seconds.append(time.process_time() - start)
    rng = np.random.default_rng(0)
    means = agrees.mean(1)[rng.integers(0, count, (RESAMPLES, count))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    console.print(
        f"{agrees.size} genuine: {agrees.mean():.3f} [{low:.3f}, {high:.3f}] agree, "
        f"{np.median(seconds):.3f} s a picture"
    )
    weak = sorted((share, e.name) for e, share in zip(suite.edits, agrees.mean(0), strict=True))
    console.print("weakest:", ", ".join(f"{n} {share:.2f}" for share, n in weak if share < 1))
    queries = [features(picture.pixels) for picture in pictures[:others]]
    _impostors(console, queries, references[:others], [one.name for one in pictures])


def _reference(picture: Picture) -> Reference:
    height, width = picture.pixels.shape[:2]
    return Reference(thumbnail(picture.pixels), (width, height))


def _impostors(
    console: Console, queries: list[Features], references: list[Reference], names: list[str]
) -> None:
    taken, most, closest = [], 0, 0.0
    for i, query in enumerate(queries):
        for j, reference in enumerate(references):
            if i == j:
                continue
            found = reference.register(query)
            most = max(most, found.inliers)
            if found.inliers >= INLIERS:
                closest = max(closest, found.ncc)
            if found.agrees:
                taken.append(f"{names[i]} as {names[j]}")
    pairs = len(queries) * (len(queries) - 1)
    console.print(
        f"{pairs} ordered pairs of two pictures: {len(taken)} agree; at most {most} inliers "
        f"(limit {INLIERS}), and correlation {closest:.2f} (limit {CORRELATION}) where they suffice"
    )
    console.print("\n".join(taken))


if __name__ == "__main__":
    main()
