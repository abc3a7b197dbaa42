"""Finding among many codes: how fast, and how well beside what others use.

    .venv/bin/python benchmarks/finding.py speed [CODES]
    .venv/bin/python benchmarks/finding.py copies PATH

The first compares the engines with bare numpy and bare faiss on random codes, 1,000,000 unless
CODES says otherwise, in one run and one thread each; then all duplicates of a tenth of them.

The second needs a folder of photographs. It writes three edited copies of every fourth of them,
leaves the others as alike strangers, and asks each program which pairs show one picture: our
gallery; PDQ with faiss at Facebook's distance of 31 (pip install pdqhash faiss-cpu); imagededup's
CNN at cosine .9 and its pHash at 10 bits, as its documentation has them (pip install imagededup).
What is not installed is said so. Each runs in a process of its own, for its peak memory.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from rich.console import Console

OUT = Console(soft_wrap=True, markup=False)
QUERIES, DISTANCES = 64, (20, 42, 78)  # 78: about FPR 1e-3
PROGRAMS = ("latenthash", "pdqhash", "imagededup-cnn", "imagededup-phash")
Pairs = set[tuple[str, str]]


def seconds(function: Callable[[], object]) -> float:
    """Return the least of three runs' seconds."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return min(taken)


def bare_numpy(words: NDArray[np.uint64], queries: NDArray[np.uint64], most: int) -> int:
    """Count what is within, with nothing but numpy, in blocks of 65,536."""
    found = 0
    for begin in range(0, words.shape[1], 65_536):
        block = words[:, begin : begin + 65_536]
        for query in queries:
            total = np.bitwise_count(block[0] ^ query[0]).astype(np.uint16)
            for part, word in zip(block[1:], query[1:], strict=True):
                total += np.bitwise_count(part ^ word)
            found += len(np.flatnonzero(total <= most))
    return found


def speed(count: int) -> None:
    """Print milliseconds a query, and the ratio to the bare library."""
    from latenthash.gallery import engines
    from latenthash.gallery.copies import groups
    from latenthash.gallery.entries import Entries

    engines.most_at_once = lambda: 1  # type: ignore[attr-defined]
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    among = Entries(
        range(count), codes, np.ones(count, np.bool_), np.zeros(count, "S32"), [], b"", "", "/"
    )  # type: ignore[arg-type]
    queries = codes[:QUERIES]
    words = np.ascontiguousarray(codes.view(np.uint64).T)
    ours = {"numpy": engines.NumpyEngine(among)}
    index = None
    if find_spec("faiss"):
        import faiss

        faiss.omp_set_num_threads(1)
        index = faiss.IndexBinaryFlat(256)
        index.add(codes)
        ours["faiss"] = engines.FaissEngine(among)
    OUT.print("| distance | engine | ms a query | bare | ratio |\n|---|---|---|---|---|")
    for most in DISTANCES:
        bare = {"numpy": seconds(partial(bare_numpy, words, queries.view(np.uint64), most))}
        if index is not None:
            bare["faiss"] = seconds(partial(index.range_search, queries, most + 1))
        for name, engine in ours.items():
            taken = seconds(partial(engine.within, queries, most))
            cells = [f"{1000 * s / QUERIES:.2f}" for s in (taken, bare[name])]
            OUT.print(f"| {most} | {name} | {' | '.join(cells)} | {taken / bare[name]:.2f} |")
    few = Entries(
        range(count // 10), codes[: count // 10], among.usable[: count // 10],
        among.sha256[: count // 10], [], b"", "", "/",
    )  # type: ignore[arg-type] # fmt: skip
    for kind in (type(engine) for engine in ours.values()):
        engine, began = kind(few), time.perf_counter()
        groups(few, engine, DISTANCES[0])
        OUT.print(f"duplicates of {len(few):,}, {kind.__name__}: "
                  f"{time.perf_counter() - began:.1f} s in one thread")  # fmt: skip


def copies(photos: Path) -> None:
    """Print precision, recall, seconds and memory of each program on one folder."""
    with TemporaryDirectory() as place:
        truth = write_copies(photos, Path(place))
        OUT.print(f"{len(list(Path(place).iterdir()))} files, {len(truth)} pairs of one picture")
        OUT.print("| program | precision | recall | seconds | peak MB |\n|---|---|---|---|---|")
        for name in PROGRAMS:
            done = subprocess.run(
                [sys.executable, __file__, "one", name, place], capture_output=True, text=True
            )
            last = (done.stdout.splitlines() or [""])[-1]
            if done.returncode or not last.startswith("{"):
                reason = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
                OUT.print(f"| {name} | {reason} | | | |")
                continue
            said = json.loads(last)
            found = {(a, b) for a, b in said["pairs"]}
            right = len(found & truth)
            OUT.print(
                f"| {name} | {right / max(len(found), 1):.3f} | {right / len(truth):.3f} | "
                f"{said['seconds']:.1f} | {said['peak']:.0f} |"
            )


def write_copies(photos: Path, place: Path) -> Pairs:
    """Write photographs and edited copies of every fourth; return which pairs are of one."""
    truth: Pairs = set()
    for number, path in enumerate(sorted(path for path in photos.iterdir() if path.is_file())):
        image = Image.open(path).convert("RGB")
        made = {f"{number:05d}.png": image}
        if not number % 4:
            width, height = image.size
            x, y = width // 10, height // 10
            made[f"{number:05d}-jpeg.jpg"] = image.reduce(2) if min(image.size) > 128 else image
            made[f"{number:05d}-crop.png"] = image.crop((x, y, width - x, height - y))
            made[f"{number:05d}-bright.png"] = ImageEnhance.Brightness(image).enhance(1.4)
        for name, one in made.items():
            one.save(place / name, **({"quality": 40} if name.endswith("jpg") else {}))
        truth |= set(combinations(sorted(made), 2))
    return truth


def one(name: str, place: str) -> None:
    """Run one program, and print the pairs that it found, its seconds and its peak memory."""
    began = time.perf_counter()
    pairs = {"latenthash": ours, "pdqhash": pdq}.get(name, deduplicated(name))(place)
    said = {
        "pairs": sorted(tuple(sorted(pair)) for pair in pairs),
        "seconds": time.perf_counter() - began,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(f"\n{json.dumps(said)}\n")


def ours(place: str) -> Pairs:
    """Find pairs with a gallery, within the distance of .01 false matches of a query."""
    import latenthash
    from latenthash.gallery.engines import open_engine
    from latenthash.gallery.searching import Search

    with TemporaryDirectory() as folder:
        gallery = latenthash.Gallery.open(Path(folder, "gallery"))
        gallery.add(latenthash.load("code"), place)
        entries = gallery.entries()
        limit = Search().limit(entries, gallery.folder)
        with open_engine("auto", entries, gallery.folder) as engine:
            found = engine.within(entries.codes, limit.distance)
        return {
            (entries.files[a], entries.files[b])
            for a, b in zip(found.query.tolist(), found.row.tolist(), strict=True)
            if a < b and entries.usable[a]
        }


def pdq(place: str) -> Pairs:
    """Find pairs with PDQ, at most 31 of 256 bits apart, as its authors advise."""
    import faiss
    import pdqhash

    files = sorted(Path(place).iterdir())
    hashes = [pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))[0] for path in files]
    codes = np.packbits(np.stack(hashes).astype(np.uint8), axis=1)
    index = faiss.IndexBinaryFlat(256)
    index.add(codes)
    limits, _, rows = index.range_search(codes, 32)
    queries = np.repeat(np.arange(len(codes)), np.diff(limits.astype(np.int64)))
    return {(files[a].name, files[b].name) for a, b in zip(queries, rows, strict=True) if a < b}


def deduplicated(name: str) -> Callable[[str], Pairs]:
    """Find pairs with imagededup."""

    def found(place: str) -> Pairs:
        from imagededup.methods import CNN, PHash

        method = CNN() if name.endswith("cnn") else PHash()
        given = {"min_similarity_threshold": 0.9} if name.endswith("cnn") else {}
        by_file = method.find_duplicates(image_dir=place, **given)
        return {(min(a, b), max(a, b)) for a, others in by_file.items() for b in others}

    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["speed"]:
        speed(int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
    elif sys.argv[1:2] == ["copies"]:
        copies(Path(sys.argv[2]))
    else:
        one(*sys.argv[2:4])
