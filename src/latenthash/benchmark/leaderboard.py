"""The leaderboard: every code's figures as a table, and who is beaten by how much."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from latenthash.benchmark.codes import Absent
from latenthash.benchmark.judging import Judgement
from latenthash.benchmark.scores import Bootstrap, Rate
from latenthash.data.suite import SuiteEdit

DECISIVE = 0.001  # the false-positive rate at which codes are ranked
AT = f"TPR at FPR {DECISIVE:g}"  # the column of the figures by which they are
HALF = 0.5  # TPR below which a code has broken


def leaderboard(
    judgements: Sequence[Judgement],
    absent: Sequence[Absent],
    bootstrap: Bootstrap,
    gallery: float,
) -> pd.DataFrame:
    """Lay out codes, a row each, the best first, and last those that could not be judged.

    Args:
        judgements: of each code.
        absent: codes whose rows say in place of figures why they have none.
        bootstrap: its draws compare every code with the best, pair by pair.
        gallery: number of pictures among which a query is looked up.
    """
    ranked = sorted(judgements, key=lambda j: -j.verdicts[DECISIVE].tpr.value)
    best = ranked[0]
    rows: list[dict[str, object]] = []
    for judgement in ranked:
        row: dict[str, object] = {"code": judgement.code.name, "bytes": judgement.code.size}
        for fpr, verdict in judgement.verdicts.items():
            row[f"TPR at FPR {fpr:g}"] = text(verdict.tpr) + ("" if verdict.resolved else " *")
            row[f"realised FPR {fpr:g}"] = text(verdict.realised_fpr)
            row[f"same from, FPR {fpr:g}"] = f"{verdict.threshold / judgement.code.span:.4f}"
        decisive = judgement.verdicts[DECISIVE]
        row["rank-1"] = text(judgement.rank1)
        freedom = judgement.freedom
        row["degrees of freedom"] = "-" if freedom is None else f"{freedom:.3g}"
        row["ms per picture"] = f"{float(f'{judgement.milliseconds:.2g}'):g}"  # 240, not 2.4e+02
        row[f"wrong among {gallery:g}"] = text(decisive.realised_fpr, gallery)
        row["against the best"] = "" if judgement is best else _against(judgement, best, bootstrap)
        rows.append(row)
    blank: dict[str, object] = dict.fromkeys(rows[0], "")
    rows += [blank | {"code": code.name, AT: code.reason} for code in absent]
    return pd.DataFrame(rows)


def summary(board: pd.DataFrame) -> pd.DataFrame:
    """Pick what a terminal has room for."""
    columns = [AT, f"realised FPR {DECISIVE:g}", "rank-1"]
    return board[["code", "bytes", *columns, "ms per picture"]]


def edit_table(judgements: Sequence[Judgement], edits: Sequence[SuiteEdit]) -> pd.DataFrame:
    """Lay out the TPR of every code (columns) under every edit (rows), at the decisive FPR."""
    frame = pd.DataFrame(
        {j.code.name: j.verdicts[DECISIVE].tpr_by_edit for j in judgements},
        index=[edit.name for edit in edits],
    )
    frame.insert(0, "family", [edit.family for edit in edits])
    # As numbers even where none has a strength: then None would be a value of its own.
    frame.insert(1, "strength", np.array([edit.strength for edit in edits], np.float64))
    return frame.rename_axis("edit").reset_index()


def breaking_points(table: pd.DataFrame, edits: Sequence[SuiteEdit]) -> pd.DataFrame:
    """Say for each family with strengths how far each code holds.

    Args:
        table: from `edit_table`; edits of a family run from mild to strong.
        edits: of the suite, in the same order.

    Returns:
        family, and for every code the last edit, from the mildest on, of which at least half
        of the views match; `-` when not even the mildest.
    """
    scaled = table[[edit.strength is not None for edit in edits]]
    codes = table.columns[3:]
    rows = []
    for family, part in scaled.groupby("family", sort=False):
        if len(part) < 2:
            continue
        held = (part[codes] >= HALF).cumprod().sum()
        names = part["edit"].tolist()
        rows.append(
            {"family": family}
            | {code: names[int(held[code]) - 1] if held[code] else "-" for code in codes}
        )
    return pd.DataFrame(rows, columns=["family", *codes])


def text(rate: Rate, factor: float = 1.0) -> str:
    """Write a share with its interval; one that was never met is its bound."""
    value, low, high = (factor * part for part in (rate.value, rate.low, rate.high))
    if value == 0:
        return f"0 (< {high:.2g})"
    return f"{value:.3g} [{low:.3g}, {high:.3g}]"


def _against(judgement: Judgement, best: Judgement, bootstrap: Bootstrap) -> str:
    """Say how much of TPR a code is short of the best, and whether that is more than chance."""
    difference = bootstrap.difference(
        judgement.verdicts[DECISIVE].tpr_by_picture, best.verdicts[DECISIVE].tpr_by_picture
    )
    verdict = "worse" if difference.high < 0 else "no difference shown"
    return f"{verdict}: {difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
