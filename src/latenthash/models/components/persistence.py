"""Persistent homology of activation maps: diagrams, and the lifetimes in them.

H0 counts separate peaks, H1 counts rings around a hole. This module knows numpy alone, for
every worker process imports it anew.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
from gudhi.sklearn import CubicalPersistence
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray

from latenthash.system.terminal import track

Maps: TypeAlias = NDArray[np.float32]  # (C, H, W)
# (n, 4): channel, dimension, birth, death; finite ones alone.
Diagram: TypeAlias = NDArray[np.float64]

PEAKS = 2  # longest H0 lifetimes kept of a channel
CHUNK = 16  # pictures a worker is handed at once

Item = TypeVar("Item")
Result = TypeVar("Result")


def cubical_diagram(maps: Maps) -> Diagram:
    """Compute the superlevel diagrams of each map over the largest activation of its picture.

    The level falls from 1 to 0: a peak is born at its height and dies where it meets a higher
    one; a ring is born when it closes and dies when its hole is filled. Births and deaths are
    negated levels, so that birth < death as everywhere else. Cells that touch at a corner are
    connected. Lifetimes move by at most twice what an activation moves (Cohen-Steiner,
    Edelsbrunner and Harer 2007).

    Args:
        maps: (C, H, W).
    """
    # A picture without any activation has no topology, and must not become NaN.
    levels = maps / max(np.abs(maps).max(), np.finfo(np.float32).tiny)
    return _table(CubicalPersistence([0, 1]).fit_transform(list(-levels)))


def lifetimes(diagram: Diagram, channels: int) -> NDArray[np.float64]:
    """List each channel's two longest H0 lifetimes and its longest H1, as (3 * channels,).

    The highest peak of a map never dies and is not among them; what is missing is 0.
    """
    longest = np.zeros((channels, PEAKS + 1))
    for dimension, kept in ((0, PEAKS), (1, 1)):
        channel, _, birth, death = diagram[diagram[:, 1] == dimension].T
        life = death - birth
        order = np.lexsort((-life, channel))
        channel, life = channel[order].astype(int), life[order]
        rank = np.arange(len(life)) - np.searchsorted(channel, channel)
        top = rank < kept
        longest[channel[top], dimension * PEAKS + rank[top]] = life[top]
    return longest.ravel()


def on_all_cores(
    function: Callable[[Item], Result], items: Sequence[Item], description: str
) -> list[Result]:
    """Apply a function to each item, in order, with a progress bar.

    Processes, because most of the time goes into Python code, which holds the interpreter's
    lock; a few items stay in this process, where no worker has to start.
    """
    chunks = [items[i : i + CHUNK] for i in range(0, len(items), CHUNK)]
    workers = Parallel(min(cpu_count(), len(chunks)), return_as="generator")
    done = workers(delayed(_each)(function, chunk) for chunk in chunks)
    alone = len(chunks) == 1
    parts = track(done, description, total=len(chunks), disable=alone)
    return [result for part in parts for result in part]


def _each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]


def _table(channels: Sequence[Sequence[NDArray[np.float64]]]) -> Diagram:
    """Join the finite points of [channel][dimension] -> (n, 2)."""
    counts = np.array([[len(points) for points in dimensions] for dimensions in channels])
    channel, dimension = np.indices(counts.shape).reshape(2, -1).repeat(counts.ravel(), axis=1)
    points = np.concatenate([points for dimensions in channels for points in dimensions])
    table = np.column_stack([channel, dimension, points])
    finite: Diagram = table[np.isfinite(points[:, 1])]
    return finite
