"""What other recipes of a code are worth; prints the rows behind docs/experiments.md, "Codes".

Command, of a folder of photographs to fit on and another to judge on (10,000 passes of the trunk
for 100 each, which are kept in .cache/code_variants, then minutes):
    .venv/bin/python benchmarks/code_variants.py FIT TEST [groups=CSV] [EDIT ...]
Pictures of one scene are named in groups=, as for evaluate.py. Names of edits or families judge by
these alone. A recipe is worth keeping when it helps with the folders as they are and swapped.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from rich.console import Console

from latenthash.benchmark.groups import read_groups
from latenthash.benchmark.judging import FALSE_POSITIVE_RATES, Judgement, halves, judge
from latenthash.cache import DiskCache
from latenthash.codes.code import Code, Kind, Vectors, signs
from latenthash.codes.describe import describe
from latenthash.codes.pictures import list_pictures
from latenthash.codes.similarity import interval
from latenthash.data.reading import Pixels
from latenthash.features.interface import FeatureSet
from latenthash.hashing.hasher import begin
from latenthash.hashing.projections import directions, unit
from latenthash.jobs.build import build, build_pairs
from latenthash.models.pca import PCA

ROOT = Path(__file__).parent.parent
CACHE = DiskCache(folder=".cache/code_variants", max_bytes=2 * 10**9)
LAYERS = ("conv3_3", "conv4_3", "conv5_3")
CODE = "+experiment=code"
FPRS = FALSE_POSITIVE_RATES[1:]
BITS = 256
GROUPS = "groups="
RESAMPLES, ROUNDS = 2000, 50  # of the bootstrap, of ITQ
ENROLLED = ("flip_horizontal", "flip_vertical", "quarter_turn", "rotation_180", "inversion")


@dataclass(frozen=True)
class Variant:
    """A recipe; the defaults are those of `train.py +experiment=code`.

    Attributes:
        what: as in the table.
        layers: whose averages are whitened.
        photographs: of those to fit on, how many are; None for all.
        views: of each photograph, beside those of its quarters; None for all.
        quarters: whether these are fitted on.
        overrides: of the config.
        itq: whether the rotation before the signs is learned (Gong et al. 2013).
        enrolled: edits; a reference is the mean latent of the picture under these and, three
            times, as it is.
    """

    what: str
    layers: tuple[str, ...] = LAYERS[1:]
    photographs: int | None = None
    views: int | None = None
    quarters: bool = True
    overrides: tuple[str, ...] = ()
    itq: bool = False
    enrolled: tuple[str, ...] = ()


class Trunk:
    """What describes views by the averages of all layers, as they come."""

    def __init__(self) -> None:
        self.features = build(
            config("train", CODE, f"features.layers=[{','.join(LAYERS)}]").features
        )
        self.features.cache = CACHE
        self.side, self.trim = self.features.size, self.features.trim
        self.key = f"{self.features.key} trim {self.trim}"
        (self.dimensions,) = self.features.shape
        self.kind: Kind = np.float32

    def describe(self, views: Sequence[Pixels]) -> Vectors:
        """Average the maps of views (side, side, 3), to (N, D)."""
        averages: Vectors = self.features.begin(torch.from_numpy(np.stack(views))).numpy()
        return averages

    def scaled(self, averages: torch.Tensor, variant: Variant) -> torch.Tensor:
        """Take a variant's layers of averages (N, D), each at length 1."""
        layers = torch.split(self.features.finish(averages), self.features.widths, 1)
        known = dict(zip(LAYERS, layers, strict=True))
        return torch.cat([known[name] for name in variant.layers], 1)


def config(name: str, *overrides: str) -> DictConfig:
    """Compose a config of the project."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose(name, list(overrides))


class Work:
    """What the variants share: the views to fit on and the pictures to judge on, described."""

    def __init__(self, fit: str, test: str, groups: str, edits: Sequence[str] | None) -> None:
        self.trunk = Trunk()
        cfg = config("evaluate", "benchmark=edits_v1")
        suite, reader = build(cfg.benchmark), build(cfg.reader, _convert_="all")
        items, chosen = list_pictures(test, reader), suite.chosen(edits)
        made = describe(items, chosen, suite, [self.trunk], CACHE, reader)
        self.described = made[self.trunk.key]
        self.rows = {edit.name: row for row, edit in enumerate(chosen, start=1)}
        group = read_groups(Path(groups), items) if groups else np.arange(len(items))
        self.halves = halves([item.digest for item in items], group, RESAMPLES, 0)
        cfg = config("train", CODE)
        cfg.data.outliers = fit
        drawn = build_pairs(cfg, CACHE).train()
        averages = begin(self.trunk.features, drawn)
        self.views = {name: FeatureSet(averages[name], drawn[name].picture) for name in drawn}

    def judge(self, variant: Variant, without: Sequence[str]) -> list[Judgement]:
        """Judge a variant without some edits.

        Each half calibrates once and tests once; first comes the one that tests in the project.
        """
        model, train = self._fit(variant)
        x = self.trunk.scaled(torch.from_numpy(self.described).flatten(0, 1), variant)
        z = model.encode(x).numpy().reshape(*self.described.shape[:2], -1)
        if variant.enrolled:
            others = z[:, [self.rows[name] for name in variant.enrolled]].sum(1)
            z[:, 0] = unit(3 * z[:, 0] + others)
        if variant.itq:
            z = z @ learned_turn(model.encode(train).numpy())
        z = np.delete(z, [self.rows[name] for name in without], 1)
        code = Code(variant.what, self.trunk, BITS // 8, bits, bits, BITS)
        calibration, test = self.halves
        return [
            judge(code, z, one, other, FPRS, 0.0)
            for one, other in ((calibration, test), (test, calibration))
        ]

    def _fit(self, variant: Variant) -> tuple[PCA, torch.Tensor]:
        """Fit a model; give it with the views of whole photographs that it was fitted on."""
        train = {}
        for name, known in self.views.items():
            of = known.picture // (4 if name == "quarters" else 1)  # photograph of each view
            kept = np.ones(len(of), bool)
            if variant.photographs is not None:
                kept &= of < variant.photographs
            if variant.views is not None and name == "outliers":
                kept &= np.arange(len(of)) < (of.max() + 1) * variant.views
            train[name] = FeatureSet(self.trunk.scaled(known.x[kept], variant), known.picture[kept])
        if not variant.quarters:
            del train["quarters"]
        recipe = config("train", CODE, *variant.overrides)
        shape = train["outliers"].x.shape[1:]
        model: PCA = build(recipe.model, shape=shape)
        model.fit(train, {}, None)  # in closed form, with no trainer
        return model, train["outliers"].x


def bits(z: Vectors) -> Vectors:
    """Return the signs of latents (N, k) after the fixed rotation."""
    return signs(z @ directions(BITS, BITS)).astype(np.float32)


def learned_turn(z: Vectors) -> Vectors:
    """Learn from latents z (N, k) how to turn others before the fixed rotation (ITQ)."""
    fixed = rotation = directions(BITS, BITS)
    for _ in range(ROUNDS):
        left, _, right = np.linalg.svd(z.T @ np.sign(z @ rotation))
        rotation = left @ right
    return rotation @ fixed.T


VARIANTS = (
    Variant("nothing: the recipe that is kept"),
    Variant("no quarters", quarters=False),
    Variant("12 views of whole photographs", views=12),
    Variant("50 photographs", photographs=50),
    Variant("75 photographs", photographs=75),
    Variant("ITQ", itq=True),
    Variant("conv3_3 as well", layers=LAYERS),
    Variant("conv3_3 and ITQ", layers=LAYERS, itq=True),
    Variant("ridge .03", overrides=("model.ridge=0.03",)),
    Variant("ridge .3", overrides=("model.ridge=0.3",)),
    Variant("references enrolled flipped, turned and inverted", enrolled=ENROLLED),
)


def tpr(judgements: Sequence[Judgement], fpr: float) -> float:
    """Return the mean TPR of both halves."""
    return float(np.mean([judgement.points[fpr].tpr.value for judgement in judgements]))


def gain(a: Sequence[Judgement], b: Sequence[Judgement], fpr: float) -> str:
    """Write how much more TPR a has than b, with its interval."""
    drawn = [
        one.points[fpr].tpr_drawn - other.points[fpr].tpr_drawn
        for one, other in zip(a, b, strict=True)
    ]
    low, high = interval(np.mean(drawn, axis=0))
    return f"{tpr(a, fpr) - tpr(b, fpr):+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    """Print the table."""
    fit, test, *more = sys.argv[1:]
    edits = [word for word in more if not word.startswith(GROUPS)]
    groups = next((w.removeprefix(GROUPS) for w in more if w.startswith(GROUPS)), "")
    work = Work(fit, test, groups, edits or None)
    console = Console(soft_wrap=True, markup=False)
    console.print("| what | TPR at FPR 1e-3 | 1e-4 | difference at 1e-3 | at 1e-4 |")
    console.print("|---|---|---|---|---|")
    base = cache(partial(work.judge, VARIANTS[0]))
    for variant in VARIANTS:
        if not set(variant.enrolled) <= set(work.rows):  # among the edits that were named
            continue
        # A query that equals an enrolled view says nothing of the others: once more without.
        for without in dict.fromkeys([(), variant.enrolled]):
            judged = work.judge(variant, without)
            cells = [variant.what + (", judged by all other edits" if without else "")]
            cells += [f"{tpr(judged, fpr):.3f}" for fpr in FPRS]
            cells += [gain(judged, base(without), fpr) for fpr in FPRS]
            console.print(f"| {' | '.join(cells)} |")
    own = ", ".join(f"{tpr(base(())[:1], fpr):.3f}" for fpr in FPRS)
    console.print(f"What is kept, as evaluate.py judges it: {own}")


if __name__ == "__main__":
    main()
