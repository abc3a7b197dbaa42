"""Sets that the field judges by: pictures of the user's, found by their layout."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latenthash.benchmark.leaderboard import short, text
from latenthash.benchmark.setting import leave_out
from latenthash.benchmark.timing import milliseconds
from latenthash.cache import DiskCache
from latenthash.codes.code import AbsentCode, Code, Described, HashError
from latenthash.codes.describe import Item, Unedited, describe
from latenthash.codes.similarity import Bootstrap, Rate, interval
from latenthash.data.reading import Reader
from latenthash.errors import InputError
from latenthash.system.paths import find_files, is_folder
from latenthash.system.terminal import track

TIMED = 16  # pictures behind the time of one
NAMED = 4  # files in a sentence
AGAINST = "against the best"


@dataclass(frozen=True)
class Figure:
    """One figure of a code.

    Attributes:
        rate: with its interval.
        drawn: (R,) what it is in each draw; NaN where a draw has nothing to measure.
    """

    rate: Rate
    drawn: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        value: float,
        drawn: NDArray[np.float64],
        bootstrap: Bootstrap,
        trials: int | None = None,
    ) -> "Figure":
        """Return a share with the interval of what it was in the draws; see `Bootstrap.rate_of`."""
        known = drawn[~np.isnan(drawn)]
        if not len(known):
            known = np.array([value])
        return cls(bootstrap.rate_of(value, known, trials), drawn)


class FoundSet(Protocol):
    """A set that was found in a folder.

    Attributes:
        title: of page and run.
        items: P pictures.
        columns: the figures that the leaderboard shows; codes are ranked by the first.
        facts: what it holds, for people.
        note: how the leaderboard is read.
    """

    title: str
    items: Sequence[Item]
    columns: Sequence[str]
    facts: Mapping[str, str]
    note: str

    def judge(self, code: Code, described: Described) -> dict[str, Figure]:
        """Judge a code: name of a figure -> the figure.

        Args:
            code: to be judged.
            described: (P, D) of its source.
        """


class FieldSet(Protocol):
    """What conf/benchmark says of such a set."""

    def find(self, folder: Path, reader: Reader, resamples: int, seed: int) -> FoundSet:
        """Find its pictures, each of which can be read.

        Args:
            folder: the user's.
            reader: how files are decoded.
            resamples: number of draws for intervals.
            seed: of the draws.

        Raises:
            InputError: for all that is wrong with the folder.
        """


@dataclass(frozen=True)
class JudgedSet:
    """What came out of it.

    Attributes:
        figures: name of a code -> its figures, the best code first.
        sources: keys of the judged codes' sources.
        board: the leaderboard.
        every: every figure of every code, for other programs.
        metrics: MLflow's name of a figure -> value.
    """

    figures: Mapping[str, Mapping[str, Figure]]
    sources: Sequence[str]
    board: pd.DataFrame
    every: pd.DataFrame
    metrics: Mapping[str, float]


def judge_set(
    found: FoundSet,
    codes: Sequence[Code],
    absent: Sequence[AbsentCode],
    cache: DiskCache,
    reader: Reader,
) -> JudgedSet:
    """Describe the pictures of a set, and judge every code. One that fails is left out, and named.

    Args:
        found: the set.
        codes: to be judged.
        absent: those that cannot be.
        cache: where descriptions are kept.
        reader: how pictures are decoded.

    Raises:
        InputError: naming pictures that cannot be read any more, when all others are described.
    """
    described: Mapping[str, Described] | None = None
    times: Mapping[str, float] = {}
    while described is None:
        sources = [code.source for code in codes]
        try:
            described = describe(found.items, (), Unedited(), sources, cache, reader)
            times = milliseconds(sources, [item.read().pixels for item in found.items[:TIMED]])
        except HashError as error:  # what the others said is kept
            described = None
            codes, left_out = leave_out(codes, error.faults)
            absent = [*left_out, *absent]
    judged = {
        code.name: found.judge(code, described[code.source.key][:, 0])
        for code in track(codes, "Codes")
    }
    first = found.columns[0]
    ranked = sorted(codes, key=lambda code: -judged[code.name][first].rate.value)
    figures = {code.name: judged[code.name] for code in ranked}
    board = _board(found.columns, ranked, figures, absent, times)
    return JudgedSet(
        figures,
        [code.source.key for code in codes],
        board,
        _every(figures),
        _metrics(ranked, figures, times),
    )


def _board(
    columns: Sequence[str],
    ranked: Sequence[Code],
    figures: Mapping[str, Mapping[str, Figure]],
    absent: Sequence[AbsentCode],
    times: Mapping[str, float],
) -> pd.DataFrame:
    """Lay out codes, a row each, the best first, and last those that could not be judged."""
    rows: list[dict[str, object]] = []
    best = figures[ranked[0].name][columns[0]]
    for code in ranked:
        of_code = figures[code.name]
        rows.append(
            {"code": code.name, "bytes": code.size}
            | {name: text(of_code[name].rate) for name in columns}
            | {"ms per picture": short(times[code.source.key], 2)}
            | {AGAINST: "" if code is ranked[0] else _against(of_code[columns[0]], best)}
        )
    blank: dict[str, object] = dict.fromkeys(rows[0], "")
    rows += [blank | {"code": code.name, columns[0]: code.reason} for code in absent]
    return pd.DataFrame(rows)


def _against(figure: Figure, best: Figure) -> str:
    """Say how far a code is from the best, and whether that is more than chance."""
    apart = figure.drawn - best.drawn
    known = apart[~np.isnan(apart)]
    value = figure.rate.value - best.rate.value
    low, high = interval(known) if len(known) else (value, value)
    verdict = "worse" if high < 0 else "no difference shown"
    return f"{verdict}: {value:+.3f} [{low:+.3f}, {high:+.3f}]"


def _every(figures: Mapping[str, Mapping[str, Figure]]) -> pd.DataFrame:
    """Lay out every figure for other programs."""
    return pd.DataFrame(
        [
            (code, name, figure.rate.value, figure.rate.low, figure.rate.high)
            for code, of_code in figures.items()
            for name, figure in of_code.items()
        ],
        columns=["code", "figure", "value", "low", "high"],
    )


def _metrics(
    ranked: Sequence[Code],
    figures: Mapping[str, Mapping[str, Figure]],
    times: Mapping[str, float],
) -> dict[str, float]:
    values: dict[str, float] = {}
    for code in ranked:
        prefix = f"benchmark/{code.name}"
        values |= {
            f"{prefix}/{re.sub(r'[^a-z0-9]+', '_', name.lower())}": figure.rate.value
            for name, figure in figures[code.name].items()
        }
        values[f"{prefix}/bytes"] = float(code.size)
        values[f"{prefix}/ms_per_picture"] = times[code.source.key]
    return values


def files_by_stem(folder: Path, named: str) -> dict[str, Path]:
    """List the files of a folder by their names without endings.

    Args:
        folder: the folder; all below it counts.
        named: begins the sentence.

    Raises:
        InputError: if there is none, or two are called alike.
    """
    if not is_folder(folder):
        raise InputError(f"{named} must be a folder of pictures.")
    files = find_files(folder)
    by_stem = {path.stem: path for path in files}
    if not files:
        raise InputError(f"{named} is an empty folder; put pictures into it.")
    if twice := [path.name for path in files if by_stem[path.stem] != path]:
        raise InputError(f"{named} has two pictures called {some(twice)}, whatever their endings.")
    return by_stem


def some(names: Sequence[str]) -> str:
    """Name a few, and say how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
