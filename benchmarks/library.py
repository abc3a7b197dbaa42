"""What the library costs beside what it cannot do without, as ratios.

Command, of a folder of 30 pictures or more (a minute, if the machine does nothing else):
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/library.py PATH [LOOPS]
Imports are timed in fresh processes, in turns. A hash is compared with its reader, its view and
its network called bare, on the processor's clock. With LOOPS, so many hashes are made, and memory
before and after is printed.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

import latenthash
from latenthash import Code
from latenthash.data.reduction import reduced
from latenthash.system.paths import find_files

STARTS = 7  # processes for each import
ROUNDS = 5
FEW = 30  # pictures
PROGRAM = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
STARTED = {
    "import numpy": "import numpy",
    "import latenthash": "import latenthash",
    "import torch": "import torch",
    "load and first hash": ("import latenthash, sys; latenthash.load('code').hash(sys.argv[1])"),
}


def seconds(path: Path) -> dict[str, float]:
    """Return the median time of what a fresh process does."""
    times: dict[str, list[float]] = {name: [] for name in STARTED}
    for _ in range(STARTS):
        for name, text in STARTED.items():
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM.format(text), path],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            times[name].append(float(done.stdout))
    return {name: float(np.median(of)) for name, of in times.items()}


def bare(code: Code) -> Callable[[Path], object]:
    """Return what reads a picture and puts it through the network, and does nothing else."""
    reader, hasher = code._reader, code._latent.hasher
    features, model = hasher.features, hasher.model

    @torch.no_grad()
    def described(path: Path) -> object:
        view = reduced(reader.read(path).pixels, features.size, features.trim)
        x = torch.from_numpy(np.array(view)[None]).permute(0, 3, 1, 2).float() / 255
        return model.outputs(x)

    return described


def ratio(code: Code, paths: Sequence[Path]) -> tuple[float, float]:
    """Return milliseconds of a hash, and how many times that of reader and network it is."""
    network = bare(code)
    times = []
    for _ in range(ROUNDS + 1):  # the first is there for what is done once
        for path in paths:
            spent = []
            for work in (network, code.hash):
                started = time.process_time()
                work(path)
                spent.append(time.process_time() - started)
            times.append(spent)
    alone, whole = np.array(times[len(paths) :]).T
    return 1000 * float(np.median(whole)), float(np.median(whole / alone))


def resident() -> float:
    """Return the memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Measure everything and print a Markdown table."""
    paths = find_files(Path(sys.argv[1]))[:FEW]
    console = Console(soft_wrap=True, markup=False)
    torch.set_num_threads(1)
    of = seconds(paths[0])
    console.print("| what | time | beside |\n|---|---|---|")
    for name, other in (
        ("import latenthash", "import numpy"),
        ("load and first hash", "import torch"),
    ):
        console.print(f"| {name} | {of[name]:.3f} s | {of[name] / of[other]:.2f} x {other} |")
    code = latenthash.load("code")
    milliseconds, times = ratio(code, paths)
    console.print(f"| a hash | {milliseconds:.1f} ms | {times:.2f} x reader and network |")
    if len(sys.argv) > 2:
        before = resident()
        for i in range(int(sys.argv[2])):
            code.hash(paths[i % len(paths)])
        console.print(f"\n{sys.argv[2]} hashes: {before:.0f} MB before, {resident():.0f} MB after")


if __name__ == "__main__":
    main()
