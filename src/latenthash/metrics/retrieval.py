"""Figures of retrieval: copies looked for among references, by similarity.

Ties count against the code: of equally similar pairs the false ones come first. So does the
evaluation of the Image Similarity Challenge, lest equal similarities for all be a good code; codes
of few bits have many ties.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def count_reaching(similarity: NDArray[Any], limits: NDArray[Any]) -> NDArray[np.int64]:
    """Count in each row the values that are at least each limit.

    Args:
        similarity: (B, P).
        limits: (N,), ascending.

    Returns:
        (B, N).
    """
    rows, slots = len(similarity), len(limits) + 1
    reached = np.searchsorted(limits, similarity, side="right")  # how many limits each value does
    flat = (reached + slots * np.arange(rows)[:, None]).ravel()
    exactly = np.bincount(flat, minlength=rows * slots).reshape(rows, slots)
    return exactly[:, ::-1].cumsum(1)[:, ::-1][:, 1:]


def average_precision(true: NDArray[np.float64], false: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the micro average precision: of the pairs of all queries, in one order.

    The mean, over all true pairs, of the precision down to each (Douze et al. 2021).

    Args:
        true: (R, N) how often each true pair is in each draw; the most similar pair first.
        false: (R, N) number of false pairs in the draw that are at least as similar.

    Returns:
        (R,); NaN of a draw without a true pair.
    """
    before = np.cumsum(true, axis=1) - true
    total = np.zeros(len(true))
    for copy in range(1, int(true.max(initial=0)) + 1):
        found = before + copy
        total += np.where(copy <= true, found / (found + false), 0).sum(1)
    with np.errstate(invalid="ignore"):
        precision: NDArray[np.float64] = total / true.sum(1)
    return precision


def recall_at_precision(
    true: NDArray[np.float64], false: NDArray[np.float64], precision: float
) -> NDArray[np.float64]:
    """Return the largest share of the true pairs that is found at no less than a precision.

    Args:
        true: see `average_precision`.
        false: see there.
        precision: the least share of true pairs among those found.

    Returns:
        (R,); 0 where no threshold reaches the precision, NaN of a draw without a true pair.
    """
    found = np.cumsum(true, axis=1)
    enough = found >= precision * (found + false)
    with np.errstate(invalid="ignore"):
        recall: NDArray[np.float64] = np.where(enough, found, 0).max(1) / found[:, -1]
    return recall


def precision_of_one(rank: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the average precision of queries that have one true reference each.

    As the evaluation of Copydays has it, the area below precision over recall by trapezoids: 1 for
    the first place, 1 / (2 (rank + 1)) for all others.

    Args:
        rank: (Q,) number of other references that are at least as similar as the true one.
    """
    precision = 1 / (rank + 1)
    return np.where(rank == 0, precision, precision / 2)


def normalised(similarity: NDArray[Any], background: NDArray[Any], nearest: int) -> NDArray[Any]:
    """Subtract from similarities how similar each query is to pictures that are no references.

    Pizzi et al. 2022, equation 8, with a weight of 1: less the mean similarity of the nearest of
    the background. Times their number, so that of bits all are whole numbers, and ties are ties.

    Args:
        similarity: (B, P) of queries to references.
        background: (B, T) of the same queries to the background.
        nearest: number of the nearest, at most T.
    """
    most = np.partition(background, -nearest, axis=1)[:, -nearest:]
    scores: NDArray[Any] = nearest * similarity - most.sum(1, keepdims=True)
    return scores
