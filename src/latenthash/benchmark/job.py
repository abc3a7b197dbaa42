"""The benchmark as one command: describe, judge, compare, and keep it all."""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from matplotlib.figure import Figure
from omegaconf import DictConfig
from rich.progress import track

from latenthash import InputError, plots, report
from latenthash.benchmark import hard
from latenthash.benchmark.codes import Code, Floats, Latent, Source, controls, latent_codes, peers
from latenthash.benchmark.hashing import Item, describe
from latenthash.benchmark.judging import OPERATING_POINTS, Judgement, halves, judge, pairs
from latenthash.benchmark.leaderboard import (
    DECISIVE,
    breaking_points,
    edit_table,
    leaderboard,
    summary,
)
from latenthash.benchmark.page import page
from latenthash.benchmark.scores import Bootstrap
from latenthash.benchmark.suite import Suite, SuiteEdit
from latenthash.build import build, bundle_config, restore
from latenthash.bundle import Bundle
from latenthash.cache import DiskCache
from latenthash.data.pictures import embedded, find_files
from latenthash.data.reading import Picture, Reader, shown
from latenthash.data.views import pipeline
from latenthash.tracking import BENCHMARK, Store

log = logging.getLogger(__name__)

FEWEST = 4  # pictures: two calibrate, two test
TIMED = 16  # pictures behind the time of one
NEAREST = 6  # pairs shown
SETS = ("girl", "photos_a", "photos_b")  # embedded photographs, when no pictures are given
NOTES = {
    "Leaderboard": (
        "Thresholds are set on one half of the pictures and every figure is of the other half. "
        "Brackets are 95 % bootstrap intervals over pictures. A TPR with * is at a false-positive "
        "rate too small for the number of impostor pairs that set the threshold."
    ),
    "How far codes hold": "The strongest edit up to which at least half of the views match.",
    "Hard negatives": (
        "Pairs of different pictures that are called the same at the threshold for random pairs."
    ),
}


def run_benchmark(cfg: DictConfig, bundle: Bundle, store: Store) -> None:
    """Judge the codes of a bundle beside those that people use.

    Args:
        cfg: the composed config of evaluate.py.
        bundle: whose latent is judged.
        store: where figures are kept.

    Raises:
        InputError: if pictures, edits or groups cannot be used, before any work.
    """
    suite: Suite = build(cfg.benchmark)
    edits = suite.chosen(cfg.edits)
    reader: Reader = build(cfg.reader, _convert_="all")
    items = _items(cfg.pictures, reader)
    grouped = hard.groups(Path(str(cfg.groups)), items) if cfg.groups else []
    cache: DiskCache = build(cfg.cache)
    codes = _codes(bundle, cache)
    fprs = sorted({*OPERATING_POINTS, *([float(cfg.fpr)] if cfg.fpr else [])}, reverse=True)

    described = describe(items, edits, suite, [code.source for code in codes], cache, reader)
    milliseconds = _milliseconds(items[:TIMED], [code.source for code in codes])
    calibration, test = halves([item.digest for item in items])
    bootstrap = Bootstrap(len(test), cfg.resamples, cfg.seed)
    judgements = [
        judge(
            code, described[code.source.identity], calibration, test, bootstrap, fprs,
            milliseconds[code.source.identity],
        )
        for code in track(codes, "Codes", transient=True)
    ]  # fmt: skip

    tested = [items[i] for i in test]
    of_test = {identity: rows[test] for identity, rows in described.items()}
    negatives = _hard_negatives(judgements, of_test, tested, grouped, suite, cache, reader)
    table = edit_table(judgements, edits)
    board = leaderboard(judgements, bootstrap, cfg.gallery)
    title = f"{suite.version}: {len(items)} pictures, {len(edits)} edits"
    best = next(j for j in judgements if j.code.name == board["code"][0])
    at = f"TPR at FPR {DECISIVE:g}"
    parts: dict[str, pd.DataFrame | Figure] = {
        "Leaderboard": board,
        "Edits": plots.edit_heatmap(table, f"{at}, {title}"),
        "Strength": plots.strength_curves(table, f"{at} over strength"),
        "How far codes hold": breaking_points(table, edits),
        "Hard negatives": negatives,
        "Nearest impostors": _nearest(
            best, of_test[best.code.source.identity], tested, edits, suite
        ),
        "Every edit": table,
    }
    _keep(cfg, store, title, parts, judgements)
    report.show(summary(board), title)
    report.show(negatives, "Hard negatives: share called the same")


def _items(pictures: str | None, reader: Reader) -> list[Item]:
    """List the pictures, each of which can be read, without holding their pixels."""
    if pictures is None:
        log.info("No pictures=PATH: the few embedded photographs are used; intervals are wide.")
        return [
            Item(picture.name, picture.digest, partial(_same, picture))
            for name in SETS
            for picture in embedded(name)
        ]
    path = Path(str(pictures))
    if not path.is_dir():
        raise InputError(f"pictures={path} must be a folder of at least {FEWEST} pictures.")
    paths = find_files(path)
    looks = Parallel(-1)(
        delayed(_look)(p, Path.cwd(), reader)
        for p in track(paths, "Looking at pictures", transient=True)
    )
    problems = [problem for _, problem in looks if problem]
    items = {item.digest: item for item, _ in looks if item}
    if len(items) < len(looks) - len(problems):
        log.warning(
            "%d pictures are there twice and count once.",
            len(looks) - len(problems) - len(items),
        )
    if not problems and len(items) < FEWEST:
        problems = [f"pictures={path} holds {len(items)} pictures; at least {FEWEST} are needed."]
    if problems:
        raise InputError(problems)
    return list(items.values())


def _look(path: Path, place: Path, reader: Reader) -> tuple[Item | None, str]:
    """Read a picture once, to see whether it can be; a worker may have begun elsewhere."""
    read = partial(reader.read, place / path)
    try:
        picture = read()
    except ValueError as error:
        return None, f"{shown(path)} {error}."
    return Item(shown(path), picture.digest, read), ""


def _same(picture: Picture) -> Picture:
    return picture


def _codes(bundle: Bundle, cache: DiskCache) -> list[Code]:
    known, absent = peers()
    for name in absent:
        log.warning("%s is not installed: pip install 'latenthash[peers]'.", name)
    identity = hashlib.sha256(
        repr((bundle.run_id, sorted(bundle.identity.items()), bundle.config)).encode()
    )
    for name, weights in sorted(bundle.weights.items()):
        identity.update(name.encode() + weights.numpy().tobytes())
    hasher = restore(bundle, bundle_config(bundle), cache)
    latent = Latent(f"bundle {identity.hexdigest()}", hasher)
    latents = latent_codes(latent, latent.dimensions)
    return [*latents, *known, *controls()]


def _milliseconds(items: Sequence[Item], sources: Sequence[Source]) -> dict[str, float]:
    """Time each source on pictures as they are, without the cache."""
    pictures = [item.read().pixels for item in items]
    times = {}
    for source in {s.identity: s for s in sources}.values():
        views = pictures
        if source.side is not None:
            reduce = pipeline([], source.side, source.trim)
            views = [reduce(image=pixels)["image"] for pixels in pictures]
        with source.hasher.uncached() if isinstance(source, Latent) else nullcontext():
            source.describe(views[:1])  # what is done once is not counted
            started = time.perf_counter()
            source.describe(views)
            times[source.identity] = 1000 * (time.perf_counter() - started) / len(views)
    return times


def _hard_negatives(
    judgements: Sequence[Judgement],
    described: Mapping[str, Floats],
    items: Sequence[Item],
    grouped: Sequence[tuple[Item, int]],
    suite: Suite,
    cache: DiskCache,
    reader: Reader,
) -> pd.DataFrame:
    """Give the share of pairs of each kind that each code calls the same, a row a code."""
    sources = [judgement.code.source for judgement in judgements]
    kinds: dict[str, Sequence[tuple[Item, int]]] = {
        "quarters of one picture": hard.quarters(items),
        "halves of a stereo pair": hard.stereo(reader),
    }
    if grouped:
        kinds["pictures of one group"] = grouped
    other = next(judgement for judgement in judgements if judgement.code.name == "phash-256")
    columns: dict[str, list[object]] = {"code": [j.code.name for j in judgements]}
    likest = pairs(other.code, described[other.code.source.identity]).impostors.argmax(1)
    nearest = [
        hard.nearest_under(j, described[j.code.source.identity], likest, DECISIVE)
        for j in judgements
    ]
    columns["nearest under phash-256"] = [wrong / count for count, wrong in nearest]
    for kind, members in kinds.items():
        plain = describe([item for item, _ in members], [], suite, sources, cache, reader)
        group = np.array([number for _, number in members])
        counts = [
            hard.accepted(j, plain[j.code.source.identity][:, 0], group, DECISIVE)
            for j in judgements
        ]
        columns[f"{kind} ({counts[0][0]} pairs)"] = [wrong / count for count, wrong in counts]
    return pd.DataFrame(columns)


def _nearest(
    judgement: Judgement,
    described: Floats,
    items: Sequence[Item],
    edits: Sequence[SuiteEdit],
    suite: Suite,
) -> Figure:
    """Draw the pairs of different pictures that a code holds to be most alike."""
    compared, shown_pairs = pairs(judgement.code, described), []
    impostors = compared.impostors
    # The likeliest edit of each picture alone, or one picture would fill the figure.
    taken: set[tuple[int, int]] = set()
    for flat in np.argsort(-impostors, axis=None, kind="stable"):
        query, column = divmod(int(flat), impostors.shape[1])
        own = int(compared.picture[query])
        reference = column + (column >= own)
        if (own, reference) in taken:
            continue
        taken.add((own, reference))
        edit = edits[int(compared.edit[query])]
        picture = items[own].read()
        label = f"{impostors[query, column] / judgement.code.span:.3f}\n{edit.name}"
        edited = suite.apply(picture.pixels, picture.digest, edit)
        shown_pairs.append((label, edited, items[reference].read().pixels))
        if len(shown_pairs) == NEAREST:
            break
    limit = judgement.verdicts[DECISIVE].threshold / judgement.code.span
    return plots.nearest_impostors(
        shown_pairs,
        f"{judgement.code.name}: most similar pairs of two pictures (same from {limit:.3f})",
    )


def _keep(
    cfg: DictConfig,
    store: Store,
    title: str,
    parts: Mapping[str, pd.DataFrame | Figure],
    judgements: Sequence[Judgement],
) -> None:
    folder = Path(cfg.paths.output)
    tables = {_slug(name): part for name, part in parts.items() if isinstance(part, pd.DataFrame)}
    for name, table in tables.items():
        report.write_csv(table, folder / f"{name}.csv")
    report.write_text(page(title, NOTES, parts), folder / "benchmark.html")
    log.info("Tables and the page benchmark.html are in %s", folder)
    run_id = store.new_run(BENCHMARK, f"benchmark {title}")
    for name, table in tables.items():
        store.log_table(run_id, table, name)
    for name, part in parts.items():
        if isinstance(part, Figure):
            store.log_figure(run_id, part, _slug(name))
    store.client.log_artifact(run_id, str(folder / "benchmark.html"))
    for name, value in _metrics(judgements).items():
        store.client.log_metric(run_id, name, value)
    store.client.set_terminated(run_id, "FINISHED")


def _metrics(judgements: Sequence[Judgement]) -> dict[str, float]:
    """Name the figures of each code as the protocol does."""
    values = {}
    for judgement in judgements:
        prefix = f"benchmark/{judgement.code.name}"
        for fpr, verdict in judgement.verdicts.items():
            rate = np.format_float_positional(fpr)
            values[f"{prefix}/tpr_at_fpr_{rate}"] = verdict.tpr.value
            values[f"{prefix}/realised_fpr_{rate}"] = verdict.realised_fpr.value
        values[f"{prefix}/rank1"] = judgement.rank1.value
        values[f"{prefix}/bytes"] = float(judgement.code.size)
        values[f"{prefix}/ms_per_picture"] = judgement.milliseconds
    return values


def _slug(name: str) -> str:
    return name.lower().replace(" ", "_")
