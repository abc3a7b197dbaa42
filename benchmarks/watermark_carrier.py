"""How a carrier's marks look, and what is read of them after the suite's edits.

Command, of a folder of photographs that nothing was tuned on (reading takes 4 to 11 s for each):
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/watermark_carrier.py PATH [PICTURES [PSNR]]
`exact`: the id is read; `known`: it stands out (z > 5) among the soft bits where it is not. Each
id is drawn from the picture. `wrong` counts other ids, from marked and unmarked pictures.
"""

import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from hydra import compose, initialize_config_dir
from rich.console import Console

from latenthash.data.edits.suite import Suite
from latenthash.data.reading import Pixels, Reader
from latenthash.jobs.build import build
from latenthash.system.paths import find_files
from latenthash.watermark.codec import BYTES, decode, known, to_word
from latenthash.watermark.similarity import psnr, ssim
from latenthash.watermark.tiled import Tiled

ROOT = Path(__file__).parent.parent
READER = Reader(512, 10**8, (255, 255, 255), "skip")
CLEAR = 5.0  # z
UNEDITED, UNMARKED = "as it is", "unmarked"


@dataclass(frozen=True)
class Tried:
    """One reading: whether the id was read, whether it stands out, and another was read."""

    exact: bool
    known: bool
    wrong: bool
    seconds: float


def suite() -> Suite:
    """Build the suite of edits."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        made: Suite = build(compose("evaluate", ["benchmark=edits_v1"]).benchmark)
    return made


def tried(carrier: Tiled, pixels: Pixels, identity: bytes) -> Tried:
    """Read a picture, in seconds of the processor."""
    started = time.process_time()
    reading = decode(carrier.read(pixels))
    seconds = time.process_time() - started
    exact = reading.identity == identity
    clear = exact or known(reading.attempts, [identity])[0] > CLEAR
    return Tried(exact, clear, reading.identity not in (identity, None), seconds)


def main() -> None:
    """Measure, and print two Markdown tables."""
    folder = Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else None
    carrier = Tiled("latenthash", float(sys.argv[3]) if len(sys.argv) > 3 else 40.5, 0.97)
    edits = suite()
    cv2.setNumThreads(1)
    console = Console(soft_wrap=True, markup=False)
    looks: list[tuple[float, float, float]] = []
    found: dict[str, list[Tried]] = {}
    for path in find_files(folder)[:count]:
        picture = READER.read(path)
        identity = sha256(picture.digest.encode()).digest()[:BYTES]
        started = time.process_time()
        marked = carrier.embed(picture.pixels, to_word(identity))
        seconds = time.process_time() - started
        looks.append((psnr(picture.pixels, marked), ssim(picture.pixels, marked), seconds))
        views = {UNMARKED: picture.pixels, UNEDITED: marked}
        views |= {edit.name: edit.apply(marked, picture.digest) for edit in edits.edits}
        for name, view in views.items():
            found.setdefault(name, []).append(tried(carrier, view, identity))
    console.print("| | mean | least | most |\n|---|---|---|---|")
    for name, values in zip(("PSNR, dB", "SSIM", "embedding, s"), np.array(looks).T, strict=True):
        console.print(f"| {name} | {values.mean():.3f} | {values.min():.3f} | {values.max():.3f} |")
    console.print("\n| edit | exact | known | wrong | s |\n|---|---|---|---|---|")
    every = [one for edit in edits.edits for one in found[edit.name]]
    for name, some in (found | {f"all {len(edits.edits)} edits": every}).items():
        exact, clear = (np.mean([getattr(t, k) for t in some]) for k in ("exact", "known"))
        wrong, spent = sum(t.wrong for t in some), np.mean([t.seconds for t in some])
        console.print(f"| {name} | {exact:.3f} | {clear:.3f} | {wrong} | {spent:.2f} |")


if __name__ == "__main__":
    main()
