"""What came out of a benchmark: every code judged, and the pictures that are hard for it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from latenthash.benchmark.groups import name_copies
from latenthash.benchmark.hard import OTHER, Alike, hard_negatives, nearest_impostors
from latenthash.benchmark.judging import Judgement, judge
from latenthash.benchmark.leaderboard import HardPairs, hard_table, leaderboard, ranked
from latenthash.benchmark.setting import Setting
from latenthash.benchmark.timing import milliseconds
from latenthash.system.terminal import track

log = logging.getLogger(__name__)

TIMED = 16  # pictures behind the time of one


@dataclass(frozen=True)
class Results:
    """What came out of a benchmark.

    Attributes:
        judgements: of each code.
        board: the leaderboard.
        negatives: kind of hard negatives -> pairs.
        nearest: pairs of different pictures that the best code holds to be most alike.
        copies: names pictures that look like copies of each other; else empty.
    """

    judgements: Sequence[Judgement]
    board: pd.DataFrame
    negatives: Mapping[str, HardPairs]
    nearest: Sequence[Alike]
    copies: str

    @property
    def best(self) -> Judgement:
        """The judgement of the best code."""
        return ranked(self.judgements)[0]

    @property
    def hard_table(self) -> pd.DataFrame:
        """The share of hard negatives that each code calls the same."""
        return hard_table(self.judgements, self.negatives)


def judge_all(setting: Setting) -> Results:
    """Describe all pictures, and judge every code.

    Raises:
        InputError: naming pictures that cannot be read any more, when all others are described.
    """
    items, codes = setting.items, setting.codes
    described = setting.describe(items, setting.edits)
    other = next(code for code in codes if code.name == OTHER)
    if copies := name_copies(other, described[other.source.key], items, setting.group):
        log.warning("%s", copies)
    pictures = [item.read().pixels for item in items[:TIMED]]
    times = milliseconds([code.source for code in codes], pictures)
    judgements = [
        judge(
            code, described[code.source.key], setting.calibration, setting.test, setting.fprs,
            times[code.source.key],
        )
        for code in track(codes, "Codes")
    ]  # fmt: skip
    negatives = hard_negatives(setting, judgements, described)
    best = ranked(judgements)[0]
    nearest = nearest_impostors(
        best, described[best.code.source.key], items, setting.test, setting.edits
    )
    board = leaderboard(judgements, setting.absent, setting.gallery)
    return Results(judgements, board, negatives, nearest, copies)
