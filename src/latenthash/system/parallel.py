"""The same function of many numbers, on all cores."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from joblib import Parallel, cpu_count, delayed

from latenthash.system.terminal import track

T = TypeVar("T")

FEW = 100  # calls that are over before workers have started


def parallel_map(function: Callable[[int], T], count: int, title: str) -> Iterable[T]:
    """Call a function with 0 to count - 1, and hand on its results in that order.

    Args:
        function: of some milliseconds; it and its results are pickled.
        count: of the calls.
        title: of the progress bar.
    """
    workers = Parallel(cpu_count() if count > FEW else 1, return_as="generator")
    results: Iterable[T] = workers(delayed(function)(number) for number in range(count))
    return track(results, title, count, disable=count <= FEW)
