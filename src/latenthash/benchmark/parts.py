"""The parts of a benchmark's page: tables and figures under their headings."""

from collections.abc import Mapping

import pandas as pd

from latenthash import plots
from latenthash.benchmark.hard import alike_table
from latenthash.benchmark.leaderboard import AT, DECISIVE, breaking_points, edit_table
from latenthash.benchmark.page import Part
from latenthash.benchmark.results import Results
from latenthash.benchmark.setting import Setting

NO_SCALE = (
    "Nothing to show: of no family were two strengths judged. Choose a family that has some, "
    "such as edits=[jpeg]."
)


def lay_out(setting: Setting, results: Results, facts: Mapping[str, str]) -> dict[str, Part]:
    """Lay out what came out, heading -> part.

    Args:
        setting: what was judged.
        results: what came out.
        facts: what was judged, and how, for people.
    """
    table = edit_table(results.judgements, setting.edits)
    points = breaking_points(table)
    best = results.best
    limit = best.code.shown(best.points[DECISIVE].threshold)
    return {
        "What was judged": pd.DataFrame(facts.items(), columns=["what", "value"]),
        "Leaderboard": results.board,
        "Edits": plots.edit_heatmap(table, f"{AT}, {setting.title}"),
        "Strength": NO_SCALE
        if points.empty
        else plots.strength_curves(table, f"{AT} over strength"),
        "How far codes hold": NO_SCALE if points.empty else points,
        "Hard negatives": results.hard_table,
        "Nearest impostors": plots.picture_pairs(
            [(pair.label, pair.query, pair.reference) for pair in results.nearest],
            f"{best.code.name}: most similar pairs of two pictures (same from {limit:.3f})",
        ),
        "Nearest pairs": alike_table(results.nearest),
        "Every edit": table,
    }
