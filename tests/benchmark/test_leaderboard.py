"""The leaderboard: how figures are laid out, and how far codes hold."""

import numpy as np
import pandas as pd

from given import FIRST, LAST, PLAIN, described, half
from latenthash.benchmark.judging import judge
from latenthash.benchmark.leaderboard import (
    HardPairs,
    breaking_points,
    every_rate,
    hard_table,
    leaderboard,
    summary,
    text,
)
from latenthash.codes.code import AbsentCode
from latenthash.codes.similarity import Rate
from latenthash.data.edits.suite import SuiteEdit


def test_absent_codes_come_last_with_their_reason() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.2, 0.001], 238.0)
    board = leaderboard([judgement], [AbsentCode("other", "not installed")], 100)
    assert board["code"].tolist() == ["plain", "other"]
    assert board["ms per picture"].tolist() == ["240", ""]
    assert board["bytes"].tolist() == [4, ""], "a whole number stays one"
    assert board["TPR at FPR 0.001"][1] == "not installed"
    shown = summary(board, 100, None)
    assert shown["TPR at FPR 0.001"][1] == "not installed"
    assert shown["against the best, FPR 0.001"].tolist() == ["", ""]
    other = summary(board, 100, 0.2)
    assert other["TPR at FPR 0.2"][1] == "not installed"
    assert other["realised FPR 0.2"][1] == ""


def test_rate_that_the_user_names_has_its_collisions() -> None:
    x = described(np.random.default_rng(0), 12, 3, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.2, 0.001], 1.0)
    board = leaderboard([judgement], [], 1e6)
    wrong = judgement.points[0.2].realised_fpr
    assert wrong.value > 0
    shown = summary(board, 1e6, 0.2)
    assert list(shown)[2:5] == ["TPR at FPR 0.2", "realised FPR 0.2", "wrong among 1e+06, FPR 0.2"]
    assert shown["wrong among 1e+06, FPR 0.2"][0] == text(wrong, 1e6)
    assert shown["TPR at FPR 0.2"][0] == text(judgement.points[0.2].tpr)
    assert text(Rate(0.25, 0.003671, 1), 1e6) == "250000 [3670, 1000000]"
    assert text(Rate(0.00012, 0.0000409, 0.1)) == "0.00012 [4.09e-05, 0.1]"


def test_every_rate_has_a_row_for_other_programs() -> None:
    x = described(np.random.default_rng(0), 12, 2, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.2, 0.001], 1.0)
    edits = [SuiteEdit("v", name, "any", None, None) for name in ("flip", "blur")]  # type: ignore[arg-type]
    rows = every_rate([judgement], edits, {"quarters": HardPairs(7, [Rate(0.5, 0.25, 0.75)])})
    assert rows["figure"].tolist() == [
        "tpr_at_fpr_0.2", "realised_fpr_0.2", "tpr_at_fpr_0.001", "realised_fpr_0.001", "rank1",
        "tpr_against_the_best", "edits/flip/tpr", "edits/blur/tpr", "hard/quarters",
    ]  # fmt: skip
    assert rows.iloc[-1].tolist() == ["plain", "hard/quarters", 0.5, 0.25, 0.75, True]
    tpr = judgement.points[0.2].tpr
    assert rows.iloc[0].tolist() == ["plain", "tpr_at_fpr_0.2", tpr.value, tpr.low, tpr.high, True]
    # 15 pairs of pictures say nothing of 1 in 1,000.
    resolved = rows.set_index("figure")["resolved"]
    assert not resolved["tpr_at_fpr_0.001"]
    assert not resolved["edits/flip/tpr"]


def test_hard_negatives_are_laid_out_with_the_number_of_pairs() -> None:
    x = described(np.random.default_rng(0), 12, 2, 0.6)
    judgement = judge(PLAIN, x, half(*FIRST), half(*LAST), [0.001], 1.0)
    rates = [Rate(0.5, 0.25, 0.75)]
    table = hard_table([judgement], {"a": HardPairs(7, rates), "b": HardPairs(1, rates)})
    assert table.to_dict("records") == [
        {"code": "plain", "a (7 pairs)": "0.5 [0.25, 0.75]", "b (1 pair)": "0.5 [0.25, 0.75]"}
    ]


def test_code_holds_until_it_breaks_for_the_first_time() -> None:
    table = pd.DataFrame(
        {
            "edit": ["r2", "r5", "r9", "q90", "q50", "flip", "alone"],
            "family": ["rotation"] * 3 + ["jpeg"] * 2 + ["flip", "blur"],
            "strength": [2.0, 5, 9, 90, 50, np.nan, 1],
            "unit": ["degrees"] * 3 + ["quality"] * 2 + ["", "px"],
            "a": [0.9, 0.6, 0.2, 0.7, 0.2, 1.0, 1.0],
            "b": [0.4, 0.9, 0.9, 1.0, 0.5, 1.0, 1.0],
        }
    )
    assert breaking_points(table).to_dict("records") == [
        # From .6 at 5 degrees to .2 at 9: half at 6; from .7 at 90 to .2 at 50: half at 74.
        {"family": "rotation", "unit": "degrees", "a": "6", "b": "-"},
        {"family": "jpeg", "unit": "quality", "a": "74", "b": "all"},
    ]
