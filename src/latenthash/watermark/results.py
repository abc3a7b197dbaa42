"""What trials come to: shares with their intervals, tables of them, and counts of verdicts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, get_args

import numpy as np
import pandas as pd

from latenthash.data.edits.suite import SuiteEdit
from latenthash.hashing.enrolled import LatentSet
from latenthash.metrics.bootstrap import Measure, bootstrap
from latenthash.report.tables import figures_table
from latenthash.watermark.trials import ATTACKS, EDITS, FOREIGN, UNMARKED, Marked, Trial
from latenthash.watermark.verdict import Status

Value: TypeAlias = Callable[[Trial], float]
STATUSES: Sequence[Status] = get_args(Status)
NO_SHARES = ("bit_errors", "psnr", "verify_seconds")
OF_EDITS: Mapping[str, Value] = {
    "exact_id": lambda trial: trial.exact,
    "known_id": lambda trial: trial.known,
    "verified": lambda trial: trial.status == "verified" and trial.known,
    "bit_errors": lambda trial: trial.errors,
    "wrong_ids": lambda trial: trial.wrong,
}
OF_TIME: Mapping[str, Value] = {"verify_seconds": lambda trial: trial.seconds}
OF_UNMARKED: Mapping[str, Value] = {"wrong_ids": lambda trial: trial.wrong}
OF_COPIES: Mapping[str, Value] = {"verified": lambda trial: trial.status == "verified"}
OF_ATTACKS: Mapping[str, Value] = {
    "decoded": lambda trial: trial.exact,
    "verified": lambda trial: trial.status == "verified",
    "conflicts": lambda trial: trial.conflict,
    "psnr": lambda trial: trial.psnr,
}


@dataclass(frozen=True)
class Group:
    """Trials that are averaged.

    Attributes:
        name: which the figures' names begin with.
        trials: none of which a figure comes to nothing.
        figures: name -> value of a trial.
    """

    name: str
    trials: Sequence[Trial]
    figures: Mapping[str, Value]


def measured(
    trials: Sequence[Trial], marked: Sequence[Marked], resamples: int, seed: int
) -> dict[str, Measure]:
    """Measure all figures, by their names in MLflow; pictures are drawn for the intervals."""
    edited = [trial for trial in trials if trial.kind == EDITS]
    attacked = [trial for trial in trials if trial.kind == ATTACKS]
    copied = [trial for trial in attacked if trial.copy]
    plain = [trial for trial in trials if trial.name in (UNMARKED, FOREIGN)]
    groups = [
        Group("watermark", edited, {**OF_EDITS, **OF_TIME}),
        Group("watermark/unmarked", plain, OF_UNMARKED),
        Group("watermark/copies", copied, OF_COPIES),
    ]
    groups += [Group(f"{EDITS}/{name}", some, OF_EDITS) for name, some in _by_name(edited)]
    groups += [Group(f"{ATTACKS}/{name}", some, OF_ATTACKS) for name, some in _by_name(attacked)]
    for binding in next((list(trial.agrees) for trial in trials if trial.agrees), []):
        agrees = _agrees(binding)
        groups.append(Group(f"watermark/{binding}", edited, {"genuine": agrees}))
        groups.append(Group(f"watermark/{binding}", copied, {"copies": agrees}))
        groups += [
            Group(f"{ATTACKS}/{name}", some, {f"taken_by_{binding}": agrees})
            for name, some in _by_name(copied)
        ]
    rng = np.random.default_rng(seed)
    return _bootstrapped(groups, resamples, rng) | _looks(marked, resamples, rng)


def edits_table(measures: Mapping[str, Measure], edits: Sequence[SuiteEdit]) -> pd.DataFrame:
    """Lay out what is read after each edit, as `plots.edit_heatmap` draws it."""
    shown = ("exact_id", "known_id", "verified")
    rows = [
        {
            "edit": edit.name, "family": edit.family, "strength": edit.strength,
            "unit": edit.unit,
            **{name: measures[f"{EDITS}/{edit.name}/{name}"].value for name in shown},
        }
        for edit in edits
    ]  # fmt: skip
    return pd.DataFrame(rows)


def attacks_table(measures: Mapping[str, Measure], trials: Sequence[Trial]) -> pd.DataFrame:
    """Lay out how each attack fares."""
    kinds = {trial.name: trial.copy for trial in trials if trial.kind == ATTACKS}
    rows = [
        {
            "attack": name,
            "shows": "another picture" if copy else "the marked picture",
            "trials": sum(trial.name == name and trial.kind == ATTACKS for trial in trials),
            **{figure: measures[f"{ATTACKS}/{name}/{figure}"].text for figure in OF_ATTACKS},
        }
        for name, copy in kinds.items()
    ]
    return pd.DataFrame(rows)


def bindings_table(
    measures: Mapping[str, Measure], bindings: Sequence[str], attacks: Sequence[str]
) -> pd.DataFrame:
    """Lay out which share of edited and of copied pictures each binding takes for the original.

    Args:
        measures: as `measured` gives them.
        bindings: their names.
        attacks: that copy marks, a column each.
    """
    columns = {"genuine": "watermark/{}/genuine", "copies": "watermark/{}/copies"}
    columns |= {name: f"{ATTACKS}/{name}/taken_by_{{}}" for name in attacks}
    rows = []
    for binding in bindings:
        found = {name: measures.get(path.format(binding)) for name, path in columns.items()}
        texts = {
            name: one.text if name in ("genuine", "copies") else f"{one.value:.3g}"
            for name, one in found.items()
            if one is not None
        }
        rows.append({"binding": binding, **texts})
    return pd.DataFrame(rows)


def verdicts_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """Count the statuses of each family of edits, each attack, and what was not marked."""
    families = list(dict.fromkeys(trial.family for trial in trials))
    counts = {
        family: [
            sum(trial.family == family and trial.status == status for trial in trials)
            for status in STATUSES
        ]
        for family in families
    }
    table = pd.DataFrame.from_dict(counts, orient="index", columns=list(STATUSES))
    return table.rename_axis("what was done").reset_index()


def carrier_table(measures: Mapping[str, Measure]) -> pd.DataFrame:
    """Lay out what holds of the mark over all edits."""
    names = (
        *("psnr", "psnr_least", "ssim", "ssim_least", "exact_id", "known_id", "verified"),
        *(
            "bit_errors",
            "wrong_ids",
            "unmarked/wrong_ids",
            "copies/verified",
            "embed_seconds",
            "verify_seconds",
        ),
    )
    found = [(name, measures.get(f"watermark/{name}")) for name in names]
    return figures_table([replace(one, name=name) for name, one in found if one is not None])


def _agrees(binding: str) -> Value:
    return lambda trial: trial.agrees[binding]


def _by_name(trials: Sequence[Trial]) -> list[tuple[str, list[Trial]]]:
    names = dict.fromkeys(trial.name for trial in trials)
    return [(name, [trial for trial in trials if trial.name == name]) for name in names]


def _bootstrapped(
    groups: Sequence[Group], resamples: int, rng: np.random.Generator
) -> dict[str, Measure]:
    """Average figures of groups of trials, each group with intervals of its own draws."""
    sets = {
        str(i): LatentSet(
            np.array([[float(f(trial)) for f in group.figures.values()] for trial in group.trials]),
            np.array([trial.picture for trial in group.trials]),
        )
        for i, group in enumerate(groups)
        if group.trials
    }
    behind = {
        f"{group.name}/{figure}": len(group.trials)
        for group in groups
        for figure in group.figures
        if figure not in NO_SHARES
    }

    def means(drawn: Mapping[str, LatentSet]) -> dict[str, float]:
        return {
            f"{groups[int(i)].name}/{figure}": float(value)
            for i, rows in drawn.items()
            for figure, value in zip(groups[int(i)].figures, rows.z.mean(0), strict=True)
        }

    found = bootstrap(means, sets, lambda name, _: behind.get(name), resamples, rng)
    return {one.name: one for one in found}


def _looks(
    marked: Sequence[Marked], resamples: int, rng: np.random.Generator
) -> dict[str, Measure]:
    """Measure how marked pictures look, and how long marking takes."""
    z = np.array([[one.psnr, one.ssim, one.seconds] for one in marked])
    rows = {"marked": LatentSet(z, np.arange(len(z)))}

    def looks(sets: Mapping[str, LatentSet]) -> dict[str, float]:
        (some,) = sets.values()
        means = dict(zip(("psnr", "ssim", "embed_seconds"), some.z.mean(0), strict=True))
        least = {"psnr_least": some.z[:, 0].min(), "ssim_least": some.z[:, 1].min()}
        return {f"watermark/{name}": float(value) for name, value in (means | least).items()}

    found = bootstrap(looks, rows, lambda name, sets: None, resamples, rng)
    return {one.name: one for one in found}
