"""Speed and memory of a gallery: what adding, and reading a million codes, takes.

Commands (each prints a Markdown table; the first takes a folder of 200 photographs or more):
    .venv/bin/python benchmarks/gallery.py rate PATH
    .venv/bin/python benchmarks/gallery.py memory 1000 10000 100000
    .venv/bin/python benchmarks/gallery.py load 1000000
    .venv/bin/python benchmarks/gallery.py large

rate: pictures a second that `Gallery.add` takes, beside those of as many processes as there are
cores that read, reduce and put pictures through the network bare, in turns; both have begun before
the clock starts. Beside it, for a machine that does other work as well, the processor's time of
both in one process.

memory: peak of the sum of PSS over the command and its processes (on Linux), for so many pictures
of 64 px, above what it is for 100.

load: seconds until the entries of so many files are there, and until it is known which files are;
in shards as they are written, and compacted.

large: the processor's time that reading a JPEG of 12 megapixels takes, and laying out a row.
"""

import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from memory import processes, pss
from PIL import Image
from rich.console import Console

import latenthash
from latenthash import Code, Gallery
from latenthash.cache import DiskCache
from latenthash.codes import stream
from latenthash.codes.workers import most_at_once
from latenthash.data.reading import Reader
from latenthash.data.reduction import reduced
from latenthash.gallery import adding, shards
from latenthash.gallery.about import About
from latenthash.gallery.known import Known
from latenthash.system.paths import find_files

ROUNDS = 3
BATCH = 16  # pictures that the bare network takes at once, as a gallery's does
WARM = 64  # pictures that are added before the clock starts
FEWEST = 100  # pictures, whose memory is that of starting up
EVERY = 0.5  # seconds
PROGRAM = """
import json, sys
import latenthash
from latenthash.cache import DiskCache
if __name__ == "__main__":
    cache = DiskCache(folder=sys.argv[3], max_bytes=10**9)
    gallery, code = latenthash.Gallery.open(sys.argv[1]), latenthash.load("code")
    done = gallery.add(code, sys.argv[2], cache=cache)
    print(json.dumps([done.added, done.rate]))
"""
console = Console(soft_wrap=True)


def bare(paths: Sequence[Path]) -> int:
    """Read pictures and put them through the network, and do nothing else."""
    code = _code()
    reader, hasher = code._reader, code._latent.hasher
    features, model = hasher.features, hasher.model
    for at in range(0, len(paths), BATCH):
        views = [
            reduced(reader.read(path).pixels, features.size, features.trim)
            for path in paths[at : at + BATCH]
        ]
        with torch.no_grad():
            x = torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).float() / 255
            model.outputs(x)
    return len(paths)


_codes: list[Code] = []


def _code() -> Code:
    """Load the code, once a process, in which it computes alone."""
    if not _codes:
        torch.set_num_threads(1)
        _codes.append(latenthash.load("code"))
    return _codes[0]


def timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that some work takes."""
    started = clock()
    work()
    return clock() - started


def rate(folder: Path) -> None:
    """Compare adding with reading and the bare network."""
    paths, cores = find_files(folder), most_at_once()
    # Its own, for the cache lets a gallery's code go through ONNX Runtime, as for any user.
    code, walls, processors = latenthash.load("code"), [], []
    parts = [paths[at : at + BATCH] for at in range(0, len(paths), BATCH)]
    with (
        tempfile.TemporaryDirectory() as name,
        multiprocessing.get_context("spawn").Pool(cores) as pool,
    ):

        def add(title: str, some: Sequence[Path]) -> object:
            cache = DiskCache(folder=str(Path(name, "cache")), max_bytes=10**9)
            return Gallery.open(Path(name, title)).add(code, some, root=folder, cache=cache)

        pool.map(bare, [paths[:BATCH]] * cores, chunksize=1)
        for i in range(ROUNDS):
            alone = timed(lambda: pool.map(bare, parts, chunksize=1))
            # Anew each time: processes that have nothing to do for a minute end.
            add(f"first{i}", paths[:WARM])
            walls.append((alone, timed(partial(add, f"whole{i}", paths))))
        bare(paths[:BATCH])
        for i in range(ROUNDS):
            few = paths[: stream.FEW]  # no other process helps with so few
            alone = timed(partial(bare, few), time.process_time)
            processors.append(
                (alone, timed(partial(add, f"few{i}", few), time.process_time), len(few))
            )
    say("| | pictures / s, all cores | processor ms a picture, in one process |", "|---|---|---|")
    wall, processor = np.array(walls), np.array(processors)
    speeds = len(paths) / np.median(wall, axis=0)
    each = 1000 * np.median(processor[:, :2] / processor[:, 2:], axis=0)
    for title, speed, one in zip(
        ("reading and the bare network", "`add`"), speeds, each, strict=True
    ):
        say(f"| {title} | {speed:.1f} | {one:.1f} |")
    ratios = wall[:, 0] / wall[:, 1]
    say(f"| ratio, {ROUNDS} rounds in turns | {np.median(ratios):.2f} ({ratios.min():.2f} to "
        f"{ratios.max():.2f}) | {each[0] / each[1]:.2f} |")  # fmt: skip


def memory(counts: Sequence[int]) -> None:
    """Print the peak memory of adding pictures."""
    say("| pictures | peak, GB | above start-up, GB | pictures / s |", "|---|---|---|---|")
    least = 0
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        for count in (FEWEST, *counts):
            folder = Path(name, f"photos{count}")
            for i in range(count):
                path = folder / f"{i // 1000:04d}" / f"{i:07d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = np.kron(rng.integers(0, 256, (8, 8, 3), np.uint8), np.ones((8, 8, 1)))
                Image.fromarray(pixels.astype(np.uint8)).save(path)
            most = 0
            command = [sys.executable, "-c", PROGRAM, str(Path(name, f"G{count}")), str(folder)]
            command.append(str(Path(name, "cache")))
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as job:
                while job.poll() is None:
                    most = max(most, sum(pss(pid) for pid in processes(job.pid)))
                    time.sleep(EVERY)
                assert job.stdout is not None
                added, speed = json.loads(job.stdout.read())
            assert added == count
            least = least or most
            say(f"| {count:,} | {most / 1e9:.2f} | {(most - least) / 1e9:.2f} | {speed:.1f} |")


def load(count: int) -> None:
    """Print the seconds that reading codes takes."""
    say("| shards | MB | entries, s | what is known, s | processor s |", "|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        about = About("/photos", "5921", "bundle 0").write(folder)
        for start in range(0, count, adding.ROWS):
            numbers = np.arange(start, min(start + adding.ROWS, count))
            data = pa.py_buffer(rng.bytes(32 * len(numbers)))
            codes = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(numbers), [None, data])
            names = pa.array([f"{i % 1000:03d}/IMG_{i:08d}.jpg" for i in numbers])
            detail = pa.array(np.ones(len(numbers), bool))
            columns = [names, numbers, numbers, codes, codes, detail, pa.nulls(len(numbers))]
            table = pa.table(columns, names=shards.SCHEMA.names)
            shards.write(folder, about, table)
        gallery = Gallery(folder)
        for _ in range(2):
            entries, known = [], []
            for _ in range(ROUNDS):
                began = time.process_time()
                entries.append((timed(gallery.entries), time.process_time() - began))
                known.append(timed(lambda: Known.of(folder, about)))
            contents = gallery.contents()
            assert contents.files == count
            wall, cpu = np.median(entries, axis=0)
            say(f"| {contents.shards} | {contents.bytes / 1e6:.0f} | {wall:.2f} | "
                f"{np.median(known):.2f} | {cpu:.2f} |")  # fmt: skip
            gallery.compact()


def large() -> None:
    """Measure what the size of pictures and the number of rows ask for, beside the network."""
    pixels = np.random.default_rng(0).integers(0, 256, (38, 50, 3)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "large.jpg"
        Image.fromarray(pixels).resize((4000, 3000)).save(file, quality=92)
        reader = Reader(512, 12_000_000, (255, 255, 255))
        read = min(timed(lambda: reader.read(file), time.process_time) for _ in range(ROUNDS))
        about = About(name, "0000", "bundle").write(folder)
        rows = adding.Rows(folder, about)
        found = stream.DescribedFile("", "00" * 32, None, ())
        seen = [adding.Seen(f"folder/{i}.jpg", file, 1, i) for i in range(adding.ROWS)]
        laid = timed(lambda: [rows.add(one, found, bytes(32)) for one in seen], time.process_time)
    say(
        "| processor's time | ms |",
        "|---|---|",
        f"| reading 12 megapixels, JPEG | {1e3 * read:.0f} |",
        f"| laying out and writing a row | {1e3 * laid / len(seen):.3f} |",
    )


def say(*lines: str) -> None:
    """Print lines as they are."""
    for line in lines:
        console.print(line, markup=False)


def main() -> None:
    """Measure what is asked for."""
    match sys.argv[1:]:
        case ["rate", path]:
            rate(Path(path))
        case ["memory", *counts] if counts:
            memory([int(count) for count in counts])
        case ["large"]:
            large()
        case ["load", count]:
            load(int(count))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
