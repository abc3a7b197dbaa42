"""Speed of the code that ships beside other hashes; a table of docs/performance.md.

Command, of a folder of 100 pictures or more (2 minutes, if the machine does nothing else):
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/code_speed.py PATH [SSCD.onnx]
All take turns, and what is printed is the median of the rounds, for other work disturbs timings.
In one thread it is the processor's time: that of the clock on an idle core. Ratios are medians of
those within a round.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from field import ALWAYS, installed, network_codes
from golden import CACHE, shipped
from numpy.typing import NDArray
from rich.console import Console

from latenthash.codes.code import Source
from latenthash.codes.latent import Latent
from latenthash.codes.stream import describe_files
from latenthash.data.reading import Pixels, Reader
from latenthash.data.views import pipeline
from latenthash.features.onnx_runtime import is_installed
from latenthash.hashing.hasher import Hasher
from latenthash.models.components.code_network import CodeNetwork
from latenthash.system.paths import find_files

ROUNDS = 15
FOLDER_ROUNDS = 3
BATCH = 16
OTHERS = ("phash-64", "phash-256", "pdq-256")
READER = Reader(512, 10**8, (255, 255, 255), "skip")

Work = Callable[[Sequence[Pixels]], object]


def from_pixels(source: Source) -> Work:
    """Return what makes descriptions of decoded pictures, reducing them where it has to."""
    if source.side is None:
        return source.describe
    reduce = pipeline([], source.side, source.trim)
    return lambda pictures: source.describe([reduce(image=p)["image"] for p in pictures])


def hastened() -> Hasher:
    """Return the network that ships, through ONNX Runtime."""
    hasher = shipped(CACHE)
    assert isinstance(hasher.model, CodeNetwork)
    Latent("code", hasher)  # moves it to the device that computes
    hasher.model.hasten(CACHE)
    return hasher


def works(sscd: Path | None) -> dict[str, tuple[Work, int]]:
    """List what is timed: name -> work, and the pictures it is given at once. Ours comes first."""
    ours = {"ours, torch": from_pixels(Latent("code", shipped(CACHE)))}
    if is_installed():
        ours["ours, ONNX Runtime"] = from_pixels(Latent("code", hastened()))
    found = {name: (work, 1) for name, work in ours.items()}
    found |= {f"{name}, {BATCH} at once": (work, BATCH) for name, work in ours.items()}
    others = [code for code in installed(*ALWAYS) if code.name in OTHERS]
    others += network_codes("sscd", sscd)[:1] if sscd else []
    return found | {code.name: (from_pixels(code.source), 1) for code in others}


def one_core(
    known: dict[str, tuple[Work, int]], pictures: Sequence[Pixels]
) -> dict[str, NDArray[np.float64]]:
    """Return milliseconds of a picture: name -> one number a round."""
    times: dict[str, list[float]] = {name: [] for name in known}
    for i in range(ROUNDS + 1):  # the first is there for what is done once
        for name, (work, count) in known.items():
            some = [pictures[(i * count + j) % len(pictures)] for j in range(count)]
            started = time.process_time()
            work(some)
            times[name].append(1000 * (time.process_time() - started) / count)
    return {name: np.array(of[1:]) for name, of in times.items()}


def folder_rates(paths: Sequence[Path], folder: Path) -> dict[str, float]:
    """Return the pictures a second of the command on a folder, from files on, on all cores."""
    sources = {"torch": Latent("code", shipped(CACHE))}
    if is_installed():
        sources["ONNX Runtime"] = Latent("code", hastened())
    seconds: dict[str, list[float]] = {name: [] for name in sources}
    for _ in range(FOLDER_ROUNDS + 1):  # the first starts the workers
        for name, source in sources.items():
            started = time.perf_counter()
            for _file in describe_files(paths, folder, READER, source):
                pass
            seconds[name].append(time.perf_counter() - started)
    return {name: len(paths) / float(np.median(of[1:])) for name, of in seconds.items()}


def main() -> None:
    """Measure everything and print Markdown tables."""
    folder = Path(sys.argv[1])
    sscd = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    paths = find_files(folder)
    console = Console(soft_wrap=True, markup=False)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    pictures = [READER.read(path).pixels for path in paths[: 2 * BATCH]]
    times = one_core(works(sscd), pictures)
    first = next(iter(times.values()))
    console.print("| decoded picture to code, one thread | ms a picture | of ours |\n|---|---|---|")
    for name, of in times.items():
        ratio = np.median(of / first)
        console.print(f"| {name} | {np.median(of):.1f} | {ratio:.2f} |")
    console.print(f"\n| {len(paths)} files to codes, all cores | pictures a second |\n|---|---|")
    for name, rate in folder_rates(paths, folder).items():
        console.print(f"| ours, {name} | {rate:.0f} |")


if __name__ == "__main__":
    main()
