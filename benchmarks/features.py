"""Speed of VGG16's features: against torch's bare trunk, and out of the cache.

Command: .venv/bin/python benchmarks/features.py (about 6 minutes on 2 CPU cores)
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from latenthash.features.recall import BATCH
from latenthash.features.vgg16 import VGG16

ROOT = Path(__file__).parent.parent
VIEWS = {224: 16, 128: 48}  # px -> views of a round
ROUNDS = 7


def rate(work: Callable[[Tensor], object], views: Tensor, batch: int) -> float:
    """Return views per second of one round."""
    started = time.perf_counter()
    for part in torch.split(views, batch):
        work(part)
    return len(views) / (time.perf_counter() - started)


@torch.inference_mode()
def rates(size: int) -> tuple[float, float, float]:
    """Return views per second of the project and of the bare trunk, and their ratio.

    Ours turns uint8 views into pooled features; the bare trunk is given floats in
    channels_last, the faster layout. Medians of paired rounds.
    """
    ours = VGG16(
        weights="random", layer="conv5_3", pooling="average", size=size, finetune=False,
        freeze_until="pool4", seed=0,
    )  # fmt: skip
    (bare,) = ours.frozen
    views = torch.randint(256, (VIEWS[size], size, size, 3), dtype=torch.uint8)
    floats = (views - 128.0).permute(0, 3, 1, 2)
    rounds = [(rate(ours, views, len(views)), rate(bare, floats, BATCH)) for _ in range(ROUNDS + 1)]
    measured = np.array(rounds[1:])  # the first warms up
    first, second = np.median(measured, axis=0)
    return float(first), float(second), float(np.median(measured[:, 0] / measured[:, 1]))


def model_stage(folder: str) -> float:
    """Return seconds from the command to the moment at which features are there to be fitted on."""
    command = [sys.executable, str(ROOT / "train.py"), "+experiment=vgg16_vae", "trainer=debug"]
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as job:
        assert job.stdout is not None
        seconds = [time.perf_counter() - started for line in job.stdout if "Fitting" in line]
    if job.returncode:
        sys.exit("train.py failed")
    return seconds[0]


def main() -> None:
    """Measure everything and print it as Markdown tables."""
    console = Console(soft_wrap=True)
    console.print("| px | ours, views/s | bare, views/s | ours / bare | limit |", markup=False)
    console.print("|---|---|---|---|---|", markup=False)
    for size in VIEWS:
        ours, bare, ratio = rates(size)
        console.print(f"| {size} | {ours:.1f} | {bare:.1f} | {ratio:.0%} | 90 % |", markup=False)
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = model_stage(folder), model_stage(folder)
    console.print("\n| from the command to the model stage | measured | limit |\n|---|---|---|")
    console.print(f"| cold cache | {cold:.0f} s | |\n| warm cache | {warm:.1f} s | 10 s |")


if __name__ == "__main__":
    main()
