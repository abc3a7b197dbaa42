"""Strict separation of any Signal under one kind of features; prints tables of docs/separation.md.

Command, of a folder of photographs that the features never learned from, and of outliers (a
minute a Signal under `embedding`, kept in .cache/ten_signals):
    .venv/bin/python benchmarks/ten_signals.py HELD_OUT OUTLIERS [MORE ...] [OVERRIDE ...]
Each of the first ten photographs by name is the Signal in turn; the others, and those of MORE
folders, are unseen. Overrides are train.py's, such as features=vgg16 or signals=3 (how many).
"""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import albumentations as A
import numpy as np
import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import track

from latenthash.cache import DiskCache, cache_key
from latenthash.data.edits.suite import Suite
from latenthash.data.reading import Reader
from latenthash.data.sources import read_files, source_digest
from latenthash.data.splits import Splits, ViewSet
from latenthash.data.views import Edit, Views, pipeline
from latenthash.hashing.enrolled import Hash, LatentSet
from latenthash.hashing.hasher import Hasher
from latenthash.hashing.printable_features import printable_hash
from latenthash.jobs.build import build, build_hasher, build_splits
from latenthash.metrics.enrolled import auroc
from latenthash.models.interface import Aimed
from latenthash.system.paths import find_files

ROOT = Path(__file__).parent.parent
CACHE = DiskCache(folder=".cache/ten_signals", max_bytes=8 * 10**9)
SIGNALS = 10
EDITED = 10  # views of a Signal under each edit of the suite
EACH = 2  # views of an unseen photograph
WORST = 5  # edits that are named


@dataclass(frozen=True)
class Row:
    """What came of one Signal.

    Attributes:
        signal: the name of its file.
        tpr: of its test views.
        edits: edit -> TPR.
        inside: folder of unseen photographs -> how many have a view within R.
        fpr: folder -> share of views within R.
        auroc: folder -> of the Signal's test views against them.
        seconds: from the config to the hash.
    """

    signal: str
    tpr: float
    edits: Mapping[str, float]
    inside: Mapping[str, int]
    fpr: Mapping[str, float]
    auroc: Mapping[str, float]
    seconds: float


def configured(overrides: Sequence[str], *more: str) -> DictConfig:
    """Compose the config of strict separation."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose("train", ["+experiment=strict_separation", *overrides, *more])


def suite_edits() -> dict[str, Edit]:
    """Return the edits of edits_v1, each as one edit."""
    suite: Suite = build(OmegaConf.load(ROOT / "conf/benchmark/edits_v1.yaml"))
    return {edit.name: A.Sequential(edit.transform.transforms, p=1.0) for edit in suite.edits}


def unseen_views(cfg: DictConfig, paths: Sequence[Path]) -> ViewSet:
    """Draw views of unseen photographs, as the test of a run does."""
    reader: Reader = build(cfg.data.reader, _convert_="all")
    pictures, _ = read_files(list(paths), reader, "Unseen", Path(paths[0]).parent)
    augment = list(build(cfg.augment, _convert_="all").values())
    edits = pipeline(augment, cfg.features.size, cfg.features.trim)
    views = Views(pictures, edits, cfg.seed, "test", EACH * len(pictures))
    drawn = np.stack([views[i] for i in track(range(len(views)), "Views of unseen photographs")])
    names = tuple(picture.name for picture in pictures)
    return ViewSet(torch.from_numpy(drawn), np.arange(len(drawn)) % len(pictures), names)


def enrolled(cfg: DictConfig, splits: Splits, hasher: Hasher) -> Hash:
    """Fit the model and set R, as the job does."""
    views = hasher.describe({"printable": splits.printable_views()})["printable"]
    config = OmegaConf.to_container(cfg.features, resolve=True)
    assert isinstance(hasher.model, Aimed) and isinstance(config, dict)
    hasher.model.aim(printable_hash(hasher.features, config, views.x).theta)  # type: ignore[arg-type]
    train = hasher.describe(splits.train())
    checkpoint = build(cfg.callbacks.checkpoint)
    trainer: pl.Trainer = build(
        cfg.trainer, callbacks=[checkpoint], logger=False, enable_progress_bar=False
    )
    hasher.model.fit(train, hasher.describe(splits.validation()), trainer)
    roles = dict.fromkeys(["signal", "outliers", *splits.train_sets])
    rows = hasher.encode_sets({role: splits.calibration(role) for role in roles})
    own, calibration = hasher.latents(train["signal"]), rows.pop("signal")
    if cfg.hash.fpr is None:
        return Hash.enroll(own, calibration, cfg.hash.alpha)
    return Hash.enroll_at_fpr(own, calibration, LatentSet.pooled(list(rows.values())), cfg.hash.fpr)


def measured(
    cfg: DictConfig, signal: Path, edits: Mapping[str, Edit], unseen: Mapping[str, ViewSet]
) -> Row:
    """Train on one Signal, and measure its hash."""
    pl.seed_everything(cfg.seed, verbose=False)
    started = time.perf_counter()
    splits, hasher = build_splits(cfg, CACHE), build_hasher(cfg, CACHE)
    hash_ = enrolled(cfg, splits, hasher)
    seconds = time.perf_counter() - started
    splits.unseen_edits = edits
    edited = hasher.encode_sets(splits.edited())
    own = hasher.encode_sets({"signal": splits.test()["signal"]})["signal"]
    others = hasher.encode_sets(unseen)
    within = {name: hash_.matches(rows) for name, rows in others.items()}
    return Row(
        signal.name,
        float(hash_.matches(own).mean()),
        {name: float(hash_.matches(rows).mean()) for name, rows in edited.items()},
        {name: len(set(others[name].picture[found])) for name, found in within.items()},
        {name: float(found.mean()) for name, found in within.items()},
        {name: auroc(hash_.scores(own), hash_.scores(rows)) for name, rows in others.items()},
        seconds,
    )


def main() -> None:
    """Print a row of each Signal, one of all, and the worst edits."""
    paths = [Path(arg) for arg in sys.argv[1:] if "=" not in arg]
    options = [arg for arg in sys.argv[1:] if "=" in arg]
    count = next((int(arg[8:]) for arg in options if arg.startswith("signals=")), SIGNALS)
    overrides = [arg for arg in options if not arg.startswith("signals=")]
    held_out, outliers, *more = paths
    pictures = find_files(held_out)
    sets = {"unseen": pictures[SIGNALS:]} | {folder.name: find_files(folder) for folder in more}
    edits, rows, known_outliers = suite_edits(), [], source_digest(str(outliers))
    unseen: dict[str, ViewSet] = {}
    with tempfile.TemporaryDirectory() as output:
        for signal in pictures[:count]:
            given = [f"data.signal='{signal}'", f"data.outliers='{outliers}'"]
            places = [f"paths.output={output}", f"paths.root={output}", "data.workers=0"]
            cfg = configured(
                overrides, *given, *places, f"data.views.edits={EDITED}", "model.picture_epochs=1"
            )
            known = OmegaConf.to_yaml(OmegaConf.masked_copy(cfg, ["features", "model", "hash"]))
            names = [str(len(paths)) for paths in sets.values()]
            key = cache_key(
                "row 3", " ".join(overrides), known, known_outliers, *names, signal.read_bytes()
            )
            found = CACHE.read(key)
            if found is None:
                unseen = unseen or {name: unseen_views(cfg, part) for name, part in sets.items()}
                row = measured(cfg, signal, edits, unseen)
                CACHE.write(key, json.dumps(vars(row)).encode())
            else:
                row = Row(**json.loads(found))
            rows.append(row)
            show([row], sets)
    show(rows, sets)
    table = {name: [row.edits[name] for row in rows] for name in edits}
    for name in sorted(table, key=lambda name: np.mean(table[name]))[:WORST]:
        shown = " ".join(f"{rate:.2f}" for rate in table[name])
        say(f"| {name} | {np.mean(table[name]):.3f} | {shown} |")


def show(rows: Sequence[Row], sets: Mapping[str, Sequence[Path]]) -> None:
    """Print the row of one Signal, or of all together."""
    edits = np.array([list(row.edits.values()) for row in rows])
    worst = list(rows[0].edits)[edits.mean(0).argmin()]
    cells = [rows[0].signal if len(rows) == 1 else f"all {len(rows)}"]
    cells += [f"{np.mean([row.tpr for row in rows]):.3f}", f"{edits.mean():.3f}"]
    cells += [f"{edits.mean(0).min():.2f} ({worst})", f"{edits.min():.2f}"]
    for name, part in sets.items():
        cells += [
            f"{sum(row.inside[name] for row in rows)} of {len(rows) * len(part)} {name}",
            f"{np.mean([row.fpr[name] for row in rows]):.5f}",
            f"{min(row.auroc[name] for row in rows):.4f}",
        ]
    say("| " + " | ".join([*cells, f"{np.mean([row.seconds for row in rows]):.0f} s"]) + " |")


def say(line: str) -> None:
    """Print a line as it is."""
    Console(soft_wrap=True, markup=False).print(line)


if __name__ == "__main__":
    main()
