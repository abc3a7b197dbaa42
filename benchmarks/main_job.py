"""Time and memory of what a user waits for.

Prints the first table of docs/performance.md, all rows but the last.

Command: .venv/bin/python benchmarks/main_job.py (about 4 minutes on 2 CPU cores)
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image
from rich.console import Console

from latenthash.data.reading import Picture
from latenthash.data.samples.sushi import render_sushi
from latenthash.data.views import Views, pipeline

ROOT = Path(__file__).parent.parent
VIEWS = 300
ROUNDS = 7


def measure(folder: Path, *command: str) -> tuple[float, float]:
    """Run a command in a folder; give seconds of wall time and GB of peak memory."""
    started = time.perf_counter()
    pid = os.posix_spawn(
        "/usr/bin/env", ["env", "-C", str(folder), sys.executable, *command], os.environ
    )
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command)} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1e6


def rate(views: Callable[[], object]) -> float:
    """Return views per second of one round."""
    started = time.perf_counter()
    views()
    return VIEWS / (time.perf_counter() - started)


def view_rates() -> tuple[float, float]:
    """Return views per second of the project and of a bare loop, medians of paired rounds."""
    edits = instantiate(OmegaConf.load(ROOT / "conf/augment/rotate_shift_scale.yaml"))
    transform = pipeline(list(edits.values()), 64)
    pixels = render_sushi(0)
    views = Views([Picture("plate", pixels, "")], transform, 0, "train", VIEWS)
    pairs = [
        (
            rate(lambda: [views[i] for i in range(VIEWS)]),
            rate(lambda: [transform(image=pixels) for _ in range(VIEWS)]),
        )
        for _ in range(ROUNDS)
    ]
    ours, bare = np.median(pairs, axis=0)
    return float(ours), float(bare)


def main() -> None:
    """Measure everything and print it as a Markdown table."""
    train, evaluate = str(ROOT / "train.py"), str(ROOT / "evaluate.py")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        seconds, memory = measure(place, train, "+experiment=girl_vs_earth_sushi")
        rows.append(("main job", f"{seconds:.0f} s", "150 s"))
        rows.append(("main job, peak memory", f"{memory:.2f} GB", "2.5 GB"))
        seconds, _ = measure(place, train, "--cfg", "job")
        rows.append(("`train.py --cfg job`", f"{seconds:.1f} s", "5 s"))
        seconds, _ = measure(place, evaluate, "--help")
        rows.append(("`evaluate.py --help`", f"{seconds:.1f} s", "5 s"))
        (place / "pictures").mkdir()
        for i in range(100):
            Image.fromarray(render_sushi(i)).save(place / "pictures" / f"plate_{i:02d}.png")
        seconds, _ = measure(place, evaluate, "run=latest", "pictures=pictures")
        rows.append(("`evaluate.py` on 100 pictures", f"{seconds:.1f} s", "20 s"))
    ours, bare = view_rates()
    rows.append((f"views, against {bare:.0f}/s in a bare loop", f"{ours / bare:.0%}", "80 %"))
    console = Console(soft_wrap=True)
    console.print("| what | measured | limit |\n|---|---|---|", markup=False)
    for row in rows:
        console.print("| " + " | ".join(row) + " |", markup=False)


if __name__ == "__main__":
    main()
