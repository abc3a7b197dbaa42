"""What came out of a benchmark: every code judged, and the pictures that are hard for it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from latenthash.benchmark.groups import name_copies
from latenthash.benchmark.hard import (
    Alike,
    Parts,
    hard_negatives,
    hard_pictures,
    nearest_impostors,
)
from latenthash.benchmark.judging import Judgement, judge
from latenthash.benchmark.leaderboard import HardPairs, hard_table, leaderboard, ranked
from latenthash.benchmark.setting import Setting
from latenthash.benchmark.timing import milliseconds
from latenthash.codes.code import Described, HashError
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


@dataclass(frozen=True)
class _Known:
    """What the sources say of all pictures, and how long they take.

    Attributes:
        setting: without the codes that failed.
        described: key of a source -> (P, 1 + E, D).
        parts: kind of hard negatives -> what is said of them.
        milliseconds: key of a source -> its time.
    """

    setting: Setting
    described: Mapping[str, Described]
    parts: Mapping[str, Parts]
    milliseconds: Mapping[str, float]


def judge_all(setting: Setting) -> Results:
    """Describe all pictures, and judge every code. One that fails is left out, and named.

    Raises:
        InputError: naming pictures that cannot be read any more, when all others are described.
    """
    known = None
    while known is None:
        try:
            known = _describe(setting)
        except HashError as error:  # what the others said is kept
            setting = setting.without(error.faults)
    setting, described = known.setting, known.described
    items, codes, other = setting.items, setting.codes, setting.other
    if copies := name_copies(other, described[other.source.key], items, setting.group):
        log.warning("%s", copies)
    judgements = [
        judge(
            code, described[code.source.key], setting.calibration, setting.test, setting.fprs,
            known.milliseconds.get(code.source.key),
        )
        for code in track(codes, "Codes")
    ]  # fmt: skip
    negatives = hard_negatives(setting, judgements, described, known.parts)
    best = ranked(judgements)[0]
    nearest = nearest_impostors(
        best, described[best.code.source.key], items, setting.test, setting.edits
    )
    board = leaderboard(judgements, setting.absent, setting.gallery_size)
    return Results(judgements, board, negatives, nearest, copies)


def _describe(setting: Setting) -> _Known:
    """Ask all sources for all that is judged.

    Raises:
        InputError: see `judge_all`.
        HashError: naming hashes that failed.
    """
    items = setting.items
    described = setting.describe(items, setting.edits)
    parts = {
        kind: Parts(
            setting.describe([item for item, _ in members], []),
            np.array([number for _, number in members]),
        )
        for kind, members in hard_pictures(items, setting.test.numbers, setting.reader).items()
    }
    pictures = [item.read().pixels for item in items[:TIMED]]
    times = milliseconds([code.source for code in setting.codes], pictures)
    return _Known(setting, described, parts, times)
