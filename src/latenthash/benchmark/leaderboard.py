"""The leaderboard: every code's figures as a table, and who is beaten by how much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latenthash.benchmark.judging import Judgement, difference
from latenthash.codes.code import AbsentCode
from latenthash.codes.similarity import Rate
from latenthash.data.edits.suite import SuiteEdit
from latenthash.plots.benchmark import CODES_FROM

DECISIVE = 0.001  # the false-positive rate at which codes are ranked
TPR = "TPR at FPR"
AT = f"{TPR} {DECISIVE:g}"  # the column of the figures by which they are
AGAINST = f"against the best, FPR {DECISIVE:g}"
HALF = 0.5  # TPR below which a code has broken


@dataclass(frozen=True)
class HardPairs:
    """Hard negatives of one kind.

    Attributes:
        count: number of pairs.
        rates: of each code, the share that it calls the same.
    """

    count: int
    rates: Sequence[Rate]


def leaderboard(
    judgements: Sequence[Judgement], absent: Sequence[AbsentCode], gallery_size: float
) -> pd.DataFrame:
    """Lay out codes, a row each, the best first, and last those that could not be judged.

    Args:
        judgements: of each code.
        absent: codes whose rows say in place of figures why they have none.
        gallery_size: number of pictures among which a query is looked up.
    """
    in_order = ranked(judgements)
    best = in_order[0]
    rows: list[dict[str, object]] = []
    for judgement in in_order:
        row: dict[str, object] = {"code": judgement.code.name, "bytes": judgement.code.size}
        for fpr, point in judgement.points.items():
            row[f"{TPR} {fpr:g}"] = text(point.tpr) + ("" if point.resolved else " *")
            row[f"realised FPR {fpr:g}"] = text(point.realised_fpr)
            row[f"same from, FPR {fpr:g}"] = f"{judgement.code.shown(point.threshold):.4f}"
            row[_wrong(fpr, gallery_size)] = text(point.realised_fpr, gallery_size)
        row["rank-1"] = text(judgement.rank1)
        freedom = judgement.freedom
        row["degrees of freedom"] = "-" if freedom is None else f"{freedom:.3g}"
        taken = judgement.milliseconds
        row["ms per picture"] = "-" if taken is None else short(taken, 2)
        row[AGAINST] = "" if judgement is best else _against(judgement, best)
        rows.append(row)
    for code in absent:
        # Wherever a TPR is looked for stands why there is none.
        reasons: dict[str, object] = {
            name: code.reason if name.startswith(TPR) else "" for name in rows[0]
        }
        rows.append(reasons | {"code": code.name})
    return pd.DataFrame(rows)


def summary(board: pd.DataFrame, gallery_size: float, own: float | None) -> pd.DataFrame:
    """Pick what a terminal has room for.

    Args:
        board: the leaderboard.
        gallery_size: as there.
        own: the false-positive rate that the user named; its figures are shown.
    """
    fpr, more = (DECISIVE, "rank-1") if own is None else (own, _wrong(own, gallery_size))
    columns = ["code", "bytes", f"{TPR} {fpr:g}", f"realised FPR {fpr:g}", more]
    shown = board[[*columns, "ms per picture"]]
    # The verdict without its figures.
    return shown.assign(**{AGAINST: board[AGAINST].str.split(":").str[0]})


def every_rate(
    judgements: Sequence[Judgement], edits: Sequence[SuiteEdit], hard: Mapping[str, HardPairs]
) -> pd.DataFrame:
    """Lay out every rate for other programs: code, figure, value, low, high, resolved.

    Args:
        judgements: C of the codes.
        edits: E of the suite; their TPR is that at the decisive rate.
        hard: kind of hard negatives -> pairs, at the decisive rate.
    """
    best = ranked(judgements)[0].points[DECISIVE]
    rows = []
    for number, judgement in enumerate(judgements):
        points = judgement.points
        decisive = points[DECISIVE]
        unresolved = {tpr_name(fpr) for fpr, point in points.items() if not point.resolved}
        if not decisive.resolved:
            unresolved |= {f"edits/{edit.name}/tpr" for edit in edits} | {"tpr_against_the_best"}
        rates = [
            *named_rates(judgement),
            ("tpr_against_the_best", difference(decisive, best)),
            *(
                (f"edits/{edit.name}/tpr", rate)
                for edit, rate in zip(edits, decisive.tpr_by_edit, strict=True)
            ),
            *((f"hard/{kind}", pairs.rates[number]) for kind, pairs in hard.items()),
        ]
        rows += [
            (judgement.code.name, name, rate.value, rate.low, rate.high, name not in unresolved)
            for name, rate in rates
        ]
    return pd.DataFrame(rows, columns=["code", "figure", "value", "low", "high", "resolved"])


def ranked(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Sort codes, the best first."""
    return sorted(judgements, key=lambda j: -j.points[DECISIVE].tpr.value)


def named_rates(judgement: Judgement) -> Iterator[tuple[str, Rate]]:
    """Name the rates of a code as the protocol does."""
    for fpr, point in judgement.points.items():
        yield tpr_name(fpr), point.tpr
        yield f"realised_fpr_{np.format_float_positional(fpr)}", point.realised_fpr
    yield "rank1", judgement.rank1


def tpr_name(fpr: float) -> str:
    """Name the TPR at a false-positive rate as the protocol does."""
    return f"tpr_at_fpr_{np.format_float_positional(fpr)}"


def hard_table(judgements: Sequence[Judgement], hard: Mapping[str, HardPairs]) -> pd.DataFrame:
    """Lay out the share of hard negatives that every code (rows) calls the same."""
    columns = {
        f"{kind} ({pairs.count} pair{'s' * (pairs.count > 1)})": [text(r) for r in pairs.rates]
        for kind, pairs in hard.items()
    }
    return pd.DataFrame({"code": [j.code.name for j in judgements], **columns})


def edit_table(judgements: Sequence[Judgement], edits: Sequence[SuiteEdit]) -> pd.DataFrame:
    """Lay out the TPR of every code (columns) under every edit (rows), at the decisive FPR."""
    frame = pd.DataFrame(
        {j.code.name: [rate.value for rate in j.points[DECISIVE].tpr_by_edit] for j in judgements},
        index=[edit.name for edit in edits],
    )
    frame.insert(0, "family", [edit.family for edit in edits])
    # As numbers even where none has a strength: then None would be a value of its own.
    frame.insert(1, "strength", np.array([edit.strength for edit in edits], np.float64))
    frame.insert(2, "unit", [edit.unit for edit in edits])
    return frame.rename_axis("edit").reset_index()


def breaking_points(table: pd.DataFrame) -> pd.DataFrame:
    """Say for each family with strengths how far each code holds.

    Args:
        table: from `edit_table`; edits of a family run from mild to strong.

    Returns:
        family, unit, and for every code the strength at which, from the mildest edit on, fewer
        than half of the views match for the first time, on a line between the strengths that
        were judged; `-` when fewer do at the mildest, `all` when never.
    """
    scaled = table[table["strength"].notna()]
    codes = table.columns[CODES_FROM:]
    rows = []
    for family, part in scaled.groupby("family", sort=False):
        if len(part) < 2:
            continue
        strength = part["strength"].to_numpy()
        found = {code: _breaks(strength, part[code].to_numpy()) for code in codes}
        rows.append({"family": family, "unit": part["unit"].iloc[0]} | found)
    return pd.DataFrame(rows, columns=["family", "unit", *codes])


def _breaks(strength: NDArray[np.float64], tpr: NDArray[np.float64]) -> str:
    broken = np.flatnonzero(tpr < HALF)
    if not len(broken):
        return "all"
    if broken[0] == 0:
        return "-"
    sides = slice(broken[0] - 1, broken[0] + 1)
    (before, after), (high, low) = strength[sides], tpr[sides]
    return f"{before + (high - HALF) / (high - low) * (after - before):.3g}"


def text(rate: Rate, factor: float = 1.0) -> str:
    """Write a share with its interval; one that was never met is its bound."""
    value, low, high = (factor * part for part in (rate.value, rate.low, rate.high))
    if value == 0:
        return f"0 (< {short(high, 2)})"
    return f"{short(value)} [{short(low)}, {short(high)}]"


def short(value: float, digits: int = 3) -> str:
    """Write a number with few digits; from 1 on in full: 3670, not 3.67e+03."""
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:g}" if rounded < 1 else np.format_float_positional(rounded, trim="-")


def _wrong(fpr: float, gallery_size: float) -> str:
    return f"wrong among {gallery_size:g}, FPR {fpr:g}"


def _against(judgement: Judgement, best: Judgement) -> str:
    """Say how much of TPR a code is short of the best, and whether that is more than chance."""
    short = difference(judgement.points[DECISIVE], best.points[DECISIVE])
    verdict = "worse" if short.high < 0 else "no difference shown"
    return f"{verdict}: {short.value:+.3f} [{short.low:+.3f}, {short.high:+.3f}]"
