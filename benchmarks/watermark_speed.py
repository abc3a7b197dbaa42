"""Seconds that marking and verifying take on one core, and the memory of a large picture.

Command (3 minutes on an idle core):
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/watermark_speed.py
The photographs are scikit-image's astronaut and rocket, in 512 px and enlarged to 12 and 24
megapixels, with noise. Each figure is the median of tries; `none` is a picture in which nothing is
found, which takes longest.
"""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from subprocess import run
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from skimage.data import astronaut, rocket

import latenthash
from latenthash.data.reading import Pixels
from latenthash.watermark.keys import make_key

SIZES = {"512 px": ((512, 512), 5), "12 megapixels": ((4000, 3000), 1)}  # size, tries
LARGEST = "24 megapixels", (6000, 4000)


def main() -> None:
    """Print a line a size, and the memory that one process took of the largest."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    console = Console(width=100)
    code = latenthash.load("code")
    code.hash(astronaut())  # the first one loads libraries
    for name, (size, tries) in SIZES.items():
        with TemporaryDirectory() as folder:
            figures = measured(Path(folder), code, size, tries)
        console.print(name, *(f"{what} {seconds:.2f} s" for what, seconds in figures.items()))
    for what in ("mark", "verify"):
        taken = run(
            [sys.executable, __file__, what], capture_output=True, text=True, check=True
        ).stdout  # fmt: skip
        console.print(f"{LARGEST[0]}, {what}: peak {taken.strip()}")


def measured(
    folder: Path, code: latenthash.Code, size: tuple[int, int], tries: int
) -> dict[str, float]:
    """Return seconds of marking, and of verifying what was marked, edited, or never seen."""
    Image.fromarray(large(astronaut(), size)).save(folder / "a.png", compress_level=1)
    Image.fromarray(large(rocket(), size)).save(folder / "other.png", compress_level=1)
    make_key(folder / "me.pem")
    marks = latenthash.Marks.open(folder / "marks.db", code, append=True)
    done = marks.mark(folder / "a.png", folder / "me.pem", folder / "first", parents="none")
    turned = folder / "turned.png"
    Image.open(done.file).rotate(7, Image.Resampling.BICUBIC).save(turned, compress_level=1)

    def mark(i: int) -> None:
        marks.mark(folder / "other.png", folder / "me.pem", folder / str(i), parents="none")

    figures = {
        "verify": timed(lambda _: marks.verify(done.file), tries),
        "verify, turned": timed(lambda _: marks.verify(turned), tries),
        "verify, none": timed(lambda _: marks.verify(folder / "other.png"), tries),
        "mark": timed(mark, tries),
    }
    return figures


def timed(function: Callable[[int], object], tries: int) -> float:
    """Return the median seconds of some calls."""
    found = []
    for i in range(tries):
        start = time.perf_counter()
        function(i)
        found.append(time.perf_counter() - start)
    return median(found)


def large(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Enlarge a photograph, with a camera's noise."""
    big = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    if size[0] > pixels.shape[1]:
        big += np.random.default_rng(0).normal(0, 2, big.shape).astype(np.float32)
    return np.clip(big, 0, 255).astype(np.uint8)


def peak(what: str) -> None:
    """Mark or verify one picture of 24 megapixels, and print how much memory the process took."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    code = latenthash.load("code")
    with TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray(large(astronaut(), LARGEST[1])).save(folder / "a.png", compress_level=1)
        make_key(folder / "me.pem")
        marks = latenthash.Marks.open(folder / "marks.db", code, append=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if what == "mark":
            marks.mark(folder / "a.png", folder / "me.pem", folder / "out", parents="none")
        else:
            marks.verify(folder / "a.png")
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Console(width=100).print(f"{after / 1e6:.2f} GB, {before / 1e6:.2f} GB before")


if __name__ == "__main__":
    if sys.argv[1:]:
        peak(sys.argv[1])
    else:
        main()
