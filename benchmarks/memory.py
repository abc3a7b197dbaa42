"""Peak memory of the benchmark on many pictures; prints a Markdown table.

Commands, for a folder of 200 photographs, five crops of each (on Linux):
    .venv/bin/python benchmarks/memory.py PATH
    .venv/bin/python benchmarks/memory.py PATH run=BUNDLE   or any other option of evaluate.py
It judges under EDITS; with the code that ships it takes two hours on 2 CPU cores. A BUNDLE of
    .venv/bin/python train.py +experiment=code data.outliers=PATH features.size=32
has a smaller trunk, and takes half an hour.

The crops are enlarged to the size at which pictures are edited. Larger files take more while they
are decoded: 370 MB for 48 megapixels, in each process that reads.

Memory is the sum of PSS over the command and its processes: what they share counts once.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from rich.console import Console

EVALUATE = str(Path(__file__).parent.parent / "evaluate.py")
SIDE = 512  # px, of the longer side: working_size of conf/reader/default.yaml
PLACES = ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))  # of crops, from top left to bottom right
EVERY = 0.5  # seconds
EDITS = (  # of the suite, as an option of evaluate.py
    "edits=["
    "jpeg_90,jpeg_50,jpeg_20,jpeg_10,webp_20,reduce_50,reduce_25,crop_centre_95,"
    "crop_centre_80,crop_centre_50,crop_random_90,crop_random_70,rotation_1,rotation_5,"
    "rotation_10,rotation_30,rotation_180,quarter_turn,shift_10,zoom_out_90,"
    "zoom_out_70,flip_horizontal,flip_vertical,blur_1,blur_2,blur_4,brighter_20,"
    "brighter_40,darker_20,darker_40,contrast_more_160,contrast_less_50,gamma_180,"
    "hue_90,grey,inversion,text_line,text_large,stickers_4,watermark_40,erasing_10,"
    "erasing_25,padding_5,letterbox_17,captions_20,screenshot"
    "]"
)


def crop(path: Path, folder: Path) -> None:
    """Write five crops of a picture, of half its width and height, enlarged to SIDE."""
    image = Image.open(path).convert("RGB")
    width, height = image.width // 2, image.height // 2
    for number, (down, right) in enumerate(PLACES):
        left, top = int(right * width), int(down * height)
        part = image.crop((left, top, left + width, top + height))
        part = part.resize([round(side * SIDE / max(part.size)) for side in part.size])
        part.save(folder / f"{path.stem}_{number}.png")


def processes(pid: int) -> list[int]:
    """List a process and all that it began."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it ended this very moment
        return [pid]
    return [pid, *(p for text in lists for child in text.split() for p in processes(int(child)))]


def pss(pid: int) -> int:
    """Return the bytes of a process's memory, of shared ones its share; 0 when it ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def peak(command: list[str], folder: Path) -> tuple[int, float]:
    """Run a command in a folder; give the peak bytes of all its processes, and seconds."""
    started, most = time.perf_counter(), 0
    with subprocess.Popen(command, cwd=folder) as job:
        while job.poll() is None:
            most = max(most, sum(pss(pid) for pid in processes(job.pid)))
            time.sleep(EVERY)
    if job.returncode:
        sys.exit("evaluate.py failed")
    return most, time.perf_counter() - started


def main() -> None:
    """Measure and print a Markdown table."""
    paths = sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_file())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "crops").mkdir()
        for path in paths:
            crop(path, folder / "crops")
        options = ["benchmark=edits_v1", "run=code", "pictures=crops", EDITS, *sys.argv[2:]]
        most, seconds = peak([sys.executable, EVALUATE, *options], folder)
    console = Console(soft_wrap=True)
    console.print("| pictures | minutes | peak memory | limit |\n|---|---|---|---|", markup=False)
    count = len(PLACES) * len(paths)
    console.print(f"| {count:,} | {seconds / 60:.0f} | {most / 1e9:.2f} GB | 2 GB |", markup=False)


if __name__ == "__main__":
    main()
